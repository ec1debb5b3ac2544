//! The end: lanes closed, keys home and wiped, state written, ports stopped, all of it in bounded time.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::bed::{Bed, key_use};
use crate::{
    bus::LinkDownWay,
    control::Ended,
    ieee::{MacAddr, Sci},
    state::StateDir,
};

/// Ends the gateway beside a worker that obeys until then, or does not.
pub(super) fn end(bed: Bed, obeys: bool) -> (Ended, Duration, Bed2) {
    let Bed {
        control,
        mut plane,
        keys,
        desk,
        journal,
        ..
    } = bed;
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    let ended = thread::scope(|scope| {
        let worker = thread::Builder::new().name(String::from("worker"));
        let stopped = &stop;
        worker
            .spawn_scoped(scope, move || {
                while !stopped.load(Ordering::Relaxed) {
                    if obeys {
                        plane.obey();
                    }
                    thread::sleep(Duration::from_millis(1));
                }
                plane
            })
            .map(|handle| {
                let ended = control.end();
                let took = began.elapsed();
                stop.store(true, Ordering::Relaxed);
                (ended, took, handle.join().unwrap())
            })
            .unwrap()
    });
    let (how, took, plane) = ended;
    drop(plane);
    (
        how,
        took,
        Bed2 {
            keys,
            desk,
            journal,
        },
    )
}

/// What is left of a bed.
pub(super) struct Bed2 {
    pub(super) keys: std::sync::Arc<super::bed::Watching>,
    pub(super) desk: super::bed::Desk,
    journal: super::ports::Journal,
}

#[test]
fn everything_is_home_and_written_and_stopped() {
    for way in [
        LinkDownWay::Stop,
        LinkDownWay::Interface,
        LinkDownWay::SetLink,
        LinkDownWay::None,
    ] {
        let mut bed = Bed::one_link(way, "");
        bed.settle();
        assert_eq!(bed.plane.send(7), (7, None));
        bed.journal.read();
        let (ended, took, left) = end(bed, true);
        assert_eq!(ended, Ended::InOrder, "{way:?}");
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!(left.keys.alive(), 0);
        let journal = left.journal.read();
        let place = |word: &str| journal.iter().position(|entry| entry == word);
        assert!(
            place("0 protect closed") < place("0 protect retires 0"),
            "{journal:#?}"
        );
        assert!(place("0 validate closed") < place("0 validate retires 0"));
        assert!(place("0 protect retires 0") < place("0 secure stop"));
        assert!(place("0 plain stop").is_some() && place("0 secure stop").is_some());
        // What was reserved and not used is given back.
        let dir = StateDir::open(&left.desk.state()).unwrap();
        let sci = Sci::new(MacAddr([2, 0, 0, 0, 0, 1]), 1);
        assert_eq!(
            dir.reservation(&key_use(0, 1, 0), sci).unwrap().first().0,
            8
        );
    }
}

#[test]
fn a_worker_that_hangs_is_not_waited_for_longer_than_the_bound() {
    let mut bed = Bed::one_link(LinkDownWay::Stop, "");
    bed.settle();
    bed.journal.read();
    let (ended, took, left) = end(bed, false);
    assert_eq!(ended, Ended::WorkerStuck);
    assert!(took < Duration::from_secs(4), "{took:?}");
    // No port is stopped under a worker that may still use it.
    assert!(left.journal.read().is_empty());
    // Nor is anything given back: the numbers stay reserved.
    let dir = StateDir::open(&left.desk.state()).unwrap();
    let sci = Sci::new(MacAddr([2, 0, 0, 0, 0, 1]), 1);
    assert!(dir.reservation(&key_use(0, 1, 0), sci).unwrap().first().0 > 1 << 28);
}

#[test]
fn control_ends_when_it_is_told_to() {
    let mut bed = Bed::one_link(LinkDownWay::None, "");
    bed.settle();
    let Bed {
        control, mut plane, ..
    } = bed;
    let stop = AtomicBool::new(false);
    let ended = thread::scope(|scope| {
        let builder = thread::Builder::new().name(String::from("control"));
        let running = builder.spawn_scoped(scope, || control.run(&stop)).unwrap();
        stop.store(true, Ordering::Relaxed);
        while !running.is_finished() {
            plane.obey();
            thread::sleep(Duration::from_millis(1));
        }
        running.join().unwrap()
    });
    assert_eq!(ended, Ended::InOrder);
}
