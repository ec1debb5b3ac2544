//! Where no memory may be locked, no key is made, and the message says what to raise.
//!
//! The child runs under a limit of 0 and without CAP_IPC_LOCK (`prlimit` and `setpriv` of util-linux),
//! as a service without `LimitMEMLOCK` would.
#![cfg(feature = "std")]
#![expect(clippy::unwrap_used, reason = "a test ends where it can't go on")]

use std::{env, process::Command};

use macsec_gateway::crypto::{
    AesKeyAgreement, Cak, KeyAgreement, KeyError, KeyFactory, Sak,
    engine::{AesGcmEngine, EngineChoice, RingEngine, SelectError, select},
    process::{HardenError, harden},
    random::SystemRandom,
};
use macsec_gateway::ieee::{CipherSuite, Ckn};

#[test]
fn without_lockable_memory_there_are_no_keys() {
    run_child("child_may_lock_nothing", 0);
}

/// Raw keys share pages: what a process with a thousand KaYs holds (three CAKs each, with ICK and KEK, and
/// the SAKs of two keys) fits into the limit that a distribution may set for a user.
#[test]
fn the_keys_of_a_thousand_kays_fit_into_half_a_mebibyte() {
    run_child("child_holds_many_keys", 512 * 1024);
}

/// Runs `child` in a process of its own that may lock so many octets.
fn run_child(child: &str, limit: usize) {
    let mut command = Command::new("prlimit");
    command.arg(format!("--memlock={limit}:{limit}"));
    if nix::unistd::geteuid().is_root() {
        command.args([
            "setpriv",
            "--bounding-set=-ipc_lock",
            "--inh-caps=-ipc_lock",
        ]);
    }
    let output = command
        .arg(env::current_exe().unwrap())
        .args(["--ignored", "--exact", child, "--nocapture"])
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && out.contains("1 passed"),
        "{out}\n{err}"
    );
}

#[test]
#[ignore = "its parent runs it under a limit"]
fn child_holds_many_keys() {
    let mut agreement = AesKeyAgreement::new(SystemRandom);
    let mut cak = |number: u64| {
        let mut octets = [0; 32];
        octets[..8].copy_from_slice(&number.to_be_bytes());
        let cak = Cak::take(&mut octets).unwrap();
        let keys = agreement.derive(&cak, &Ckn::new(b"x").unwrap()).unwrap();
        let sak = agreement.generate_sak(CipherSuite::GcmAesXpn256).unwrap();
        (cak, keys, sak)
    };
    let held: Vec<_> = (0..3000).map(&mut cak).collect();
    // Each from locked memory, and none in another's place.
    for (number, (cak, keys, _)) in (0u64..).zip(&held) {
        assert_eq!(cak.expose()[..8], number.to_be_bytes());
        assert_ne!(keys.ick.expose(), keys.kek.expose());
    }
    // The limit holds: it ends, with an error and no key.
    let more = (0..10_000).find_map(|_| {
        let sak = AesKeyAgreement::new(SystemRandom).generate_sak(CipherSuite::GcmAes256);
        sak.map(std::mem::forget).err()
    });
    assert_eq!(more, Some(KeyError::Memory));
}

#[test]
#[ignore = "its parent runs it under a limit"]
fn child_may_lock_nothing() {
    let error = harden().unwrap_err();
    assert_eq!(error, HardenError::NothingLockable);
    assert!(error.to_string().contains("LimitMEMLOCK=infinity"));

    // What key agreement makes has its place in locked memory, or is not made.
    let mut agreement = AesKeyAgreement::new(SystemRandom);
    let none = agreement.generate_sak(CipherSuite::GcmAes128);
    assert_eq!(none.err(), Some(KeyError::Memory));
    let cak = Cak::take(&mut [7; 16]).unwrap();
    let none = agreement.derive(&cak, &Ckn::new(b"x").unwrap());
    assert_eq!(none.err(), Some(KeyError::Memory));

    // The key is still taken and wiped at its source, but no engine works with it.
    let mut octets = [7; 16];
    let sak = Sak::take(&mut octets).unwrap();
    assert_eq!((sak.expose(), octets), (&[7; 16][..], [0; 16]));
    assert_eq!(RingEngine.make_key(&sak).err(), Some(KeyError::Memory));
    assert_eq!(AesGcmEngine.make_key(&sak).err(), Some(KeyError::Memory));
    let error = select(EngineChoice::Auto).unwrap_err();
    assert!(matches!(error, SelectError::AllFailed(_)));
    assert!(
        error.to_string().contains("LimitMEMLOCK=infinity"),
        "{error}"
    );
}
