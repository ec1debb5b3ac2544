//! Nothing of a key is left in the process after it is retired, and while it lives it is nowhere but
//! in locked memory that is left out of dumps and children.
//!
//! Each case runs in a process of its own that scans its own memory, all of it that can be written.
//! The parent makes the key and works out what to look for; the child gets all that disguised, and
//! keeps it so: what it finds undisguised is a leak. What is looked for: the SAK in halves, every round
//! key of the expanded AES key, and the hash key in the forms that engines keep it in; for key agreement
//! the keys of MKA, in `crypto_residue/agreement.rs`.
#![cfg(feature = "std")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends where it can't go on"
)]

#[path = "crypto_residue/agreement.rs"]
mod agreement;
#[path = "crypto_residue/needles.rs"]
mod needles;
#[path = "crypto_residue/scan.rs"]
mod scan;

use std::{
    env, fs,
    process::Command,
    sync::{Arc, mpsc},
    thread,
};

use macsec_gateway::crypto::{
    AeadFrame, Fingerprint, KeyFactory, Locked, SaKey, Sak, TAG_LEN, engine, process, random,
    static_key_identifier,
};

use needles::{DISGUISE, NEEDLE_LEN, disguised, hash_keys, round_keys};
use scan::{Found, locked_kib, scan};

/// Tells a child which engine to use, and the disguised needles; the first one or two are the SAK.
const CASE: &str = "MACSECGW_RESIDUE_CASE";

// The parent's half: keys and what to look for.

/// Runs `child` in a process of its own for `engine` and a fresh key.
fn run_child(child: &str, engine: &str, sak_len: usize) {
    let mut sak = vec![0; sak_len];
    random::fill(&mut sak).unwrap();
    let mut needles = round_keys(&sak);
    assert_eq!(
        needles.concat()[..sak_len],
        sak,
        "the first round keys are the key"
    );
    needles.extend(hash_keys(&sak));
    run_with(child, &format!("{engine} {sak_len}"), &needles);
}

/// Runs `child` in a process of its own, which is told `case` and what to look for.
fn run_with(child: &str, case: &str, needles: &[[u8; NEEDLE_LEN]]) {
    let needles: Vec<_> = needles.iter().map(|needle| disguised(needle)).collect();
    let output = Command::new(env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            child,
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CASE, format!("{case} {}", needles.join(" ")))
        .output()
        .unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{child}, {case}:\n{out}\n{err}");
    assert!(out.contains("1 passed"), "the child ran no test:\n{out}");
}

#[test]
fn the_test_expands_keys_rightly() {
    // FIPS 197 A.1 and A.3: the last round keys of the two examples.
    let octets = |text: &str| {
        let mut out = vec![0; text.len() / 2];
        macsec_gateway::ieee::decode_hex(text.as_bytes(), &mut out).unwrap();
        out
    };
    let last = |sak: &str| round_keys(&octets(sak)).pop().unwrap().to_vec();
    assert_eq!(
        last("2b7e151628aed2a6abf7158809cf4f3c"),
        octets("d014f9a8c9ee2589e13f0cc8b6630ca6")
    );
    assert_eq!(
        last("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
        octets("fe4890d1e6188d0b046df344706c631e")
    );
}

#[test]
fn nothing_of_a_key_is_left() {
    for candidate in engine::candidates() {
        let engine = candidate.factory.name();
        for sak_len in [16, 32] {
            run_child("child_uses_and_retires_a_key", engine, sak_len);
        }
    }
}

#[test]
fn the_scan_finds_what_is_left() {
    run_child("child_leaves_a_key_on_the_heap", "ring", 32);
}

#[test]
fn a_hardened_process_is_not_dumpable() {
    run_child("child_hardens_itself", "ring", 16);
}

// The child's half.

struct Case {
    engine: Arc<dyn KeyFactory>,
    sak_len: usize,
    needles: Vec<[u8; NEEDLE_LEN]>,
}

impl Case {
    fn of_environment() -> Self {
        let case = env::var(CASE).expect("run by its parent alone");
        let mut words = case.split(' ');
        let name = words.next().unwrap();
        let engine = engine::candidates()
            .into_iter()
            .map(|candidate| candidate.factory)
            .find(|factory| factory.name() == name)
            // Of no matter where the case is not about an engine.
            .unwrap_or_else(|| Arc::new(engine::AesGcmEngine));
        let sak_len = words.next().unwrap().parse().unwrap();
        let needles = words
            .map(|digits| {
                let mut needle = [0; NEEDLE_LEN];
                macsec_gateway::ieee::decode_hex(digits.as_bytes(), &mut needle).unwrap();
                needle
            })
            .collect();
        Self {
            engine,
            sak_len,
            needles,
        }
    }

    /// Undisguises the SAK in the buffer that `Sak::take` wipes.
    fn sak(&self) -> Sak {
        Sak::take(&mut self.sak_octets()).unwrap()
    }

    fn sak_octets(&self) -> Vec<u8> {
        let octets = self.needles.iter().flatten().take(self.sak_len);
        octets.map(|octet| octet ^ DISGUISE).collect()
    }

    /// Needles that are the key itself, round keys past it, and forms of the hash key.
    fn kinds(&self) -> [std::ops::Range<usize>; 3] {
        let (own, hash) = (self.sak_len / NEEDLE_LEN, self.needles.len() - 4);
        [0..own, own..hash, hash..self.needles.len()]
    }
}

/// What a worker does with a key, over the strides of every engine, with room behind each frame and
/// without.
fn use_key(key: &SaKey) {
    for text_len in [0, 1, 46, 300, 1500, 9000] {
        use_key_on(key, text_len, 0);
        use_key_on(key, text_len, 64);
    }
}

fn use_key_on(key: &SaKey, text_len: usize, room: usize) {
    let len = 28 + text_len + TAG_LEN;
    {
        let mut buffers = vec![vec![0x3C; len + room]; 8];
        let mut burst: Vec<_> = buffers
            .iter_mut()
            .map(|buffer| AeadFrame {
                nonce: [9; 12],
                aad_len: 28,
                len,
                buffer,
            })
            .collect();
        key.seal(&mut burst);
        burst[7].buffer[0] ^= 1;
        assert_eq!(key.open(&mut burst).0, 0x7F);
    }
}

#[test]
#[ignore = "its parent runs it in a process of its own"]
fn child_uses_and_retires_a_key() {
    let case = Case::of_environment();
    assert_eq!(scan(&case.needles), Found::new(), "before there is a key");
    let locked_before = locked_kib();

    let sak = case.sak();
    let _ = (Fingerprint::of(&sak), static_key_identifier(&sak));
    let key = case.engine.make_key(&sak).unwrap();
    assert!(
        locked_kib() >= locked_before + 8,
        "a page for raw keys and one for the key object"
    );

    // A worker that lives on, as a gateway's does: its stack is scanned too.
    let (to_worker, commands) = mpsc::channel::<SaKey>();
    let (to_control, retired) = mpsc::channel::<SaKey>();
    let worker = thread::Builder::new()
        .spawn(move || {
            for key in commands {
                use_key(&key);
                to_control.send(key).unwrap();
            }
        })
        .unwrap();
    to_worker.send(SaKey::clone(&key)).unwrap();
    let returned = retired.recv().unwrap();
    use_key(&key);

    assert_only_in_locked_memory(&case, &scan(&case.needles));

    drop(returned);
    drop(key);
    drop(sak);
    assert_eq!(
        scan(&case.needles),
        Found::new(),
        "after the key is retired"
    );
    assert_eq!(locked_kib(), locked_before);
    drop(to_worker);
    worker.join().unwrap();
}

/// While the key lives each kind is found, so the scan can fail, and in locked memory alone.
fn assert_only_in_locked_memory(case: &Case, found: &Found) {
    for kind in case.kinds() {
        assert!(
            found.range(kind.clone()).next().is_some(),
            "none of {kind:?} found: {found:?}"
        );
    }
    for number in case.kinds()[1].clone() {
        assert!(found.contains_key(&number), "round key {number} not found");
    }
    assert_all_in_locked_memory(found);
}

/// Whatever was found is where it may be.
fn assert_all_in_locked_memory(found: &Found) {
    for (number, places) in found {
        for place in places {
            for flag in [" lo ", " dd ", " dc "] {
                assert!(
                    place.contains(flag),
                    "needle {number} without{flag}in {place}"
                );
            }
        }
    }
}

#[test]
#[ignore = "its parent runs it in a process of its own"]
fn child_leaves_a_key_on_the_heap() {
    let case = Case::of_environment();
    let left = case.sak_octets();
    let found = scan(&case.needles);
    let numbers: Vec<_> = found.keys().copied().collect();
    assert_eq!(numbers, [0, 1]);
    assert!(!found[&0][0].contains(" lo "));
    drop(left);
}

#[test]
#[ignore = "its parent runs it in a process of its own"]
fn child_hardens_itself() {
    let hardening = process::harden().unwrap();
    assert!(
        hardening.to_string().starts_with("core dumps off"),
        "{hardening}"
    );
    hardening.lock_limit.check(16, 16).unwrap();
    assert!(!nix::sys::prctl::get_dumpable().unwrap());
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let numbers: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(numbers, ["0", "0"]);
    assert!(Locked::new(|| Ok([0u8; 64])).is_ok());
}
