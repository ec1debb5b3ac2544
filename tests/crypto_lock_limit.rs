//! Where no memory may be locked, no key is made, and the message says what to raise.
//!
//! The child runs under a limit of 0 and without CAP_IPC_LOCK (`prlimit` and `setpriv` of util-linux),
//! as a service without `LimitMEMLOCK` would.
#![cfg(feature = "std")]

use std::{env, process::Command};

use macsec_gateway::crypto::{
    KeyError, KeyFactory, Sak,
    engine::{AesGcmEngine, EngineChoice, RingEngine, SelectError, select},
    process::{HardenError, harden},
};

#[test]
fn without_lockable_memory_there_are_no_keys() {
    let mut command = Command::new("prlimit");
    command.arg("--memlock=0:0");
    if nix::unistd::geteuid().is_root() {
        command.args([
            "setpriv",
            "--bounding-set=-ipc_lock",
            "--inh-caps=-ipc_lock",
        ]);
    }
    let output = command
        .arg(env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "child_may_lock_nothing",
            "--nocapture",
        ])
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
fn child_may_lock_nothing() {
    let error = harden().unwrap_err();
    assert_eq!(error, HardenError::NothingLockable);
    assert!(error.to_string().contains("LimitMEMLOCK=infinity"));

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
