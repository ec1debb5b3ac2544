//! How many instructions the hot functions take, against the baseline beside this file: a rise of more
//! than a twentieth fails. Times are noisy, counts are not.
//!
//! Counts are those of optimised code on this architecture, single-stepped, so that no instruction is
//! unknown to the tool. `cargo test --profile counts --test instruction_counts` runs it, and with
//! `COUNTS=write` makes the baseline anew: then its difference is the thing to look at. A row for an engine
//! that this CPU can't run is left as it is. Code in libraries is counted too, where it is called.
#![cfg(all(feature = "std", target_arch = "x86_64"))]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it can't go on"
)]

#[path = "instruction_counts/baseline.rs"]
mod baseline;
#[path = "crypto_engines/frames.rs"]
#[expect(dead_code, reason = "this file needs less of it")]
mod frames;
#[path = "instruction_counts/lanes.rs"]
mod lanes;
mod single_step;
#[path = "../benches/secy/frame.rs"]
mod vec_frame;

use baseline::Baseline;
use frames::{Frame, Octets, engines, key as key_of, with_burst};
use lanes::Bed;
use macsec_gateway::crypto::open_each;
use single_step::{Stepped, be_stepped, section};

/// Text lengths of the bursts that engines are counted on: the smallest frames, as many as a burst has
/// and a single one; full frames; a jumbo frame; and seven, four and one of IMIX.
fn bursts() -> [(&'static str, Vec<usize>); 5] {
    let imix = [48, 564, 48, 48, 564, 48, 1488, 48, 564, 48, 564, 48];
    [
        ("1x64", vec![52]),
        ("32x64", vec![52; 32]),
        ("32x1518", vec![1506; 32]),
        ("4x9000", vec![8988; 4]),
        ("12ximix", imix.to_vec()),
    ]
}

fn frames_of(lengths: &[usize]) -> Vec<Frame> {
    let mut octets = Octets(0x243F_6A88);
    let frame = |&len: &usize| Frame::roomy([3; 12], 28, &octets.vec(28 + len + 16));
    lengths.iter().map(frame).collect()
}

#[test]
#[ignore = "a child of the test below"]
fn works() {
    let case = be_stepped();
    section(|| ());
    match case.split_once(' ') {
        Some(("engine", name)) => {
            let engines = engines();
            let engine = engines.iter().find(|engine| engine.name() == name).unwrap();
            let key = key_of(&**engine, &[5; 32]);
            for (_, lengths) in bursts() {
                let mut frames = frames_of(&lengths);
                with_burst(&mut frames, |burst| section(|| key.seal(burst)));
                with_burst(&mut frames, |burst| section(|| key.open(burst)));
            }
            let keys: Vec<_> = (0..32).map(|nth| key_of(&**engine, &[nth; 32])).collect();
            let keys: Vec<_> = keys.iter().map(|key| &**key).collect();
            let mut frames = frames_of(&[52; 32]);
            with_burst(&mut frames, |burst| {
                for (key, frame) in keys.iter().zip(&mut *burst) {
                    key.seal(std::slice::from_mut(frame));
                }
                let opened = section(|| open_each(&keys, burst));
                assert_eq!(opened.0.count_ones(), 32);
            });
        }
        Some(("lane", _)) => {
            for count in [1, 32] {
                let mut bed = Bed::new();
                // The second burst is counted: the first one warms what is made on first use.
                bed.protect_and_validate(count, |work| work());
                bed.protect_and_validate(count, |work| section(work));
            }
        }
        _ => panic!("no such case: {case}"),
    }
}

/// The sections of one child by name, without what entering and leaving a section takes.
fn counts(case: &str, names: &[String]) -> Vec<(String, usize)> {
    let mut child = Stepped::start("works", case);
    let empty = child.section(|_| ()).unwrap();
    let counts = names.iter().map(|name| {
        let steps = child.section(|_| ()).unwrap();
        (name.clone(), steps.saturating_sub(empty))
    });
    let counts = counts.collect();
    assert_eq!(child.section(|_| ()), None, "more sections than names");
    counts
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "counts are of optimised code: --profile counts"
)]
fn no_hot_function_takes_more_instructions_than_it_did() {
    let mut baseline = Baseline::read();
    // Others' engines change with their versions and are not ours to hold.
    let own = engines().into_iter();
    let own = own.filter(|engine| engine.name().starts_with("vaes"));
    for engine in own {
        let named =
            |(burst, _)| ["seal", "open"].map(|way| format!("{} {way} {burst}", engine.name()));
        let several = format!("{} open 32x64 under 32 keys", engine.name());
        let names = bursts().into_iter().flat_map(named).chain([several]);
        let names: Vec<_> = names.collect();
        baseline.compare(&counts(&format!("engine {}", engine.name()), &names));
    }
    let names = ["1", "32"].map(|count| {
        ["protect", "validate"].map(|way| format!("lane {way} {count}x64 without cipher"))
    });
    baseline.compare(&counts("lane both", &names.concat()));
    baseline.finish();
}
