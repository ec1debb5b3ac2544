//! A sequencer with helpers that are played by hand, and one with real threads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{HelperLink, Home, Patience, Sequencer, Task};
use crate::bus::{HelperCounters, Taker, hand_over};

const PATIENCE: Patience = Patience {
    begin: 10,
    finish: 100,
    rest: 50,
};

/// A burst of one frame: its number, and how often it was worked on and by whom.
#[derive(Debug, Default, PartialEq, Eq)]
struct Piece {
    number: u64,
    worked: u32,
}

impl Task for Piece {
    fn pack(&mut self) {}

    fn work(&mut self) {
        self.worked += 1;
    }

    fn frames(&self) -> usize {
        3
    }
}

type Scene = (
    Sequencer<Piece>,
    Vec<Taker<Piece>>,
    Vec<Arc<HelperCounters>>,
);

fn scene(helpers: usize, patience: Patience) -> Scene {
    let counters: Vec<_> = (0..helpers)
        .map(|_| Arc::new(HelperCounters::default()))
        .collect();
    let (links, takers) = counters
        .iter()
        .map(|counters| {
            let (giver, taker) = hand_over();
            let counters = Arc::clone(counters);
            (HelperLink { giver, counters }, taker)
        })
        .unzip();
    let sequencer = Sequencer::new(links, patience, Piece::default);
    (sequencer, takers, counters)
}

fn give(sequencer: &mut Sequencer<Piece>, number: u64, help: bool, now: u64) {
    let mut task = sequencer.blank().expect("a blank task");
    *task = Piece {
        number,
        ..Piece::default()
    };
    sequencer.give(task, help, now);
}

/// What comes home: the number, `None` where it is given up.
fn home(sequencer: &mut Sequencer<Piece>, now: u64) -> Option<Option<u64>> {
    match sequencer.home(false, now)? {
        Home::Done(task) => {
            assert_eq!(task.worked, 1, "number {}", task.number);
            let number = task.number;
            sequencer.put_back(task);
            Some(Some(number))
        }
        Home::GivenUp(frames) => {
            assert_eq!(frames, 3);
            Some(None)
        }
    }
}

/// Takes late work in, as a lane does. Says how much there was.
fn look_after(sequencer: &mut Sequencer<Piece>, now: u64) -> usize {
    let mut late = 0;
    while let Some(task) = sequencer.late(now) {
        late += 1;
        sequencer.put_back(task);
    }
    late
}

fn work_one(taker: &mut Taker<Piece>) {
    let mut taken = taker.take().expect("work");
    taken.work.work();
    taker.done(taken);
}

#[test]
fn bursts_come_home_in_the_order_in_which_they_were_given() {
    let (mut sequencer, mut takers, _) = scene(2, PATIENCE);
    for number in 0..4 {
        give(&mut sequencer, number, true, 0);
    }
    give(&mut sequencer, 4, false, 0);
    // The second helper is the faster one, and the last burst is done already.
    work_one(&mut takers[1]);
    work_one(&mut takers[1]);
    assert_eq!(home(&mut sequencer, 1), None);
    work_one(&mut takers[0]);
    assert_eq!(home(&mut sequencer, 1), Some(Some(0)));
    assert_eq!(home(&mut sequencer, 1), Some(Some(1)));
    assert_eq!(home(&mut sequencer, 1), None);
    work_one(&mut takers[0]);
    let rest: Vec<_> = std::iter::from_fn(|| home(&mut sequencer, 1)).collect();
    assert_eq!(rest, [Some(2), Some(3), Some(4)]);
    assert!(sequencer.is_idle());
}

#[test]
fn without_helpers_and_without_room_the_sequencer_does_it_itself() {
    let (mut alone, _, _) = scene(0, PATIENCE);
    give(&mut alone, 7, true, 0);
    assert_eq!(home(&mut alone, 0), Some(Some(7)));
    let (mut sequencer, mut takers, counters) = scene(1, PATIENCE);
    for number in 0..5 {
        give(&mut sequencer, number, true, 0);
    }
    assert_eq!(counters[0].bursts.value(), 4, "the fifth found no room");
    for _ in 0..4 {
        work_one(&mut takers[0]);
    }
    let all: Vec<_> = std::iter::from_fn(|| home(&mut sequencer, 1)).collect();
    assert_eq!(all, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
}

#[test]
fn what_nobody_has_begun_is_taken_back_by_a_sequencer_with_nothing_better_to_do() {
    let (mut sequencer, mut takers, counters) = scene(1, PATIENCE);
    give(&mut sequencer, 0, true, 0);
    assert!(sequencer.home(true, 9).is_none(), "it may begin yet");
    assert!(
        sequencer.home(false, 50).is_none(),
        "there is something better to do"
    );
    let Some(Home::Done(task)) = sequencer.home(true, 50) else {
        panic!("taken back and done");
    };
    assert_eq!((task.worked, task.number), (1, 0));
    assert!(takers[0].take().is_none(), "the helper can't have it, too");
    assert_eq!(counters[0].taken_back.value(), 1);
    assert!(!counters[0].is_stalled());
}

#[test]
fn a_helper_that_stalls_costs_the_burst_that_it_holds_and_no_other() {
    let (mut sequencer, mut takers, counters) = scene(2, PATIENCE);
    for number in 0..6 {
        give(&mut sequencer, number, true, 0);
    }
    let held = takers[0].take().expect("burst 0");
    for _ in 0..3 {
        work_one(&mut takers[1]);
    }
    assert_eq!(home(&mut sequencer, 99), None);
    assert_eq!(home(&mut sequencer, 100), Some(None), "burst 0 is given up");
    let rest: Vec<_> = std::iter::from_fn(|| home(&mut sequencer, 100)).collect();
    assert_eq!(rest, [Some(1), Some(2), Some(3), Some(4), Some(5)]);
    assert_eq!(counters[0].taken_back.value(), 2);
    assert!(counters[0].is_stalled() && !counters[1].is_stalled());
    // From now on the other one gets everything.
    give(&mut sequencer, 6, true, 110);
    give(&mut sequencer, 7, true, 110);
    assert_eq!(takers[1].take().map(|taken| taken.work.number), Some(6));
    drop(held);
}

#[test]
fn late_work_ends_at_home_and_its_helper_comes_back_after_a_rest() {
    let (mut sequencer, mut takers, counters) = scene(1, PATIENCE);
    let blanks = sequencer.blanks.len();
    give(&mut sequencer, 0, true, 0);
    let mut late = takers[0].take().expect("burst 0");
    assert_eq!(home(&mut sequencer, 100), Some(None));
    assert!(counters[0].is_stalled());
    look_after(&mut sequencer, 200);
    assert_eq!(sequencer.blanks.len(), blanks - 1, "it is still out");
    late.work.work();
    takers[0].done(late);
    give(&mut sequencer, 1, true, 300);
    assert_eq!(look_after(&mut sequencer, 300), 1);
    assert_eq!(home(&mut sequencer, 300), Some(Some(1)), "never burst 0");
    assert_eq!(home(&mut sequencer, 300), None);
    assert_eq!(sequencer.blanks.len(), blanks);
    assert!(counters[0].is_stalled(), "it rests");
    give(&mut sequencer, 2, true, 349);
    assert!(takers[0].take().is_none());
    look_after(&mut sequencer, 350);
    assert!(!counters[0].is_stalled());
    give(&mut sequencer, 3, true, 351);
    work_one(&mut takers[0]);
    let rest: Vec<_> = std::iter::from_fn(|| home(&mut sequencer, 351)).collect();
    assert_eq!(rest, [Some(2), Some(3)]);
    assert_eq!(counters[0].stalls.value(), 1);
}

/// It comes to life while its other work is being taken back, takes some of that, and stalls again.
#[test]
fn a_helper_that_stalls_twice_loses_no_task() {
    let (mut sequencer, mut takers, counters) = scene(1, PATIENCE);
    let blanks = sequencer.blanks.len();
    give(&mut sequencer, 0, true, 0);
    give(&mut sequencer, 1, true, 0);
    let first = takers[0].take().expect("burst 0");
    assert_eq!(home(&mut sequencer, 100), Some(None));
    let second = takers[0].take().expect("burst 1");
    assert_eq!(home(&mut sequencer, 199), None, "its time counts from now");
    assert_eq!(home(&mut sequencer, 200), Some(None));
    assert_eq!(counters[0].stalls.value(), 2);
    takers[0].done(second);
    look_after(&mut sequencer, 210);
    assert_eq!(sequencer.blanks.len(), blanks - 1);
    give(&mut sequencer, 2, true, 1_000);
    assert!(takers[0].take().is_none(), "one is still out");
    assert_eq!(home(&mut sequencer, 1_000), Some(Some(2)));
    takers[0].done(first);
    look_after(&mut sequencer, 1_000);
    assert_eq!(sequencer.blanks.len(), blanks);
    look_after(&mut sequencer, 1_050);
    give(&mut sequencer, 3, true, 1_050);
    work_one(&mut takers[0]);
    assert_eq!(home(&mut sequencer, 1_050), Some(Some(3)));
}

/// A helper that died never gives anything back. The lane goes on without it.
#[test]
fn a_helper_that_died_is_done_without() {
    let (mut sequencer, takers, _) = scene(1, PATIENCE);
    give(&mut sequencer, 0, true, 0);
    drop(takers);
    assert_eq!(home(&mut sequencer, 9), None);
    let mut now = 10;
    for number in 1..100 {
        give(&mut sequencer, number, true, now);
        while sequencer.out.len() > 3 {
            now += 10;
            let Some(Home::Done(task)) = sequencer.home(true, now) else {
                panic!("it is taken back");
            };
            assert_eq!(task.worked, 1);
            sequencer.put_back(task);
        }
    }
}

/// With real threads: every burst once, in order, whoever worked on it and however long it took.
#[test]
fn no_burst_is_lost_doubled_or_overtaken_with_none_one_and_two_helpers() {
    const BURSTS: u64 = 30_000;
    for helpers in 0..=2 {
        let patient = Patience {
            begin: 20_000,
            finish: u64::MAX,
            rest: 0,
        };
        let (mut sequencer, takers, counters) = scene(helpers, patient);
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for mut taker in takers {
                let stop = &stop;
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let Some(mut taken) = taker.take() else {
                            thread::yield_now();
                            continue;
                        };
                        // Uneven work: some bursts take longer than those behind them.
                        for _ in 0..taken.work.number % 7 * 50 {
                            std::hint::spin_loop();
                        }
                        taken.work.work();
                        taker.done(taken);
                    }
                });
            }
            let start = Instant::now();
            let now = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
            let (mut given, mut seen) = (0, 0);
            while seen < BURSTS {
                let blank = if given < BURSTS {
                    sequencer.blank()
                } else {
                    None
                };
                let free = blank.is_none();
                if let Some(mut task) = blank {
                    *task = Piece {
                        number: given,
                        ..Piece::default()
                    };
                    // Some are done here in between.
                    sequencer.give(task, given % 5 != 0, now());
                    given += 1;
                }
                while let Some(home) = sequencer.home(free, now()) {
                    let Home::Done(task) = home else {
                        panic!("nobody gave up");
                    };
                    assert_eq!((task.number, task.worked), (seen, 1));
                    seen += 1;
                    sequencer.put_back(task);
                }
                if free {
                    thread::yield_now();
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert!(sequencer.is_idle());
        for counters in counters {
            assert!(counters.bursts.value() > counters.taken_back.value());
        }
    }
}

/// Helpers that now and then sleep beyond all patience, with real threads: what is lost is counted, and
/// the rest keeps its order.
#[test]
fn order_outlives_helpers_that_sleep() {
    const BURSTS: u64 = 3_000;
    let hasty = Patience {
        begin: 50_000,
        finish: 300_000,
        rest: 1_000_000,
    };
    let (mut sequencer, takers, counters) = scene(2, hasty);
    let stop = AtomicBool::new(false);
    let (mut done, mut given_up, mut last) = (0, 0, None);
    thread::scope(|scope| {
        for mut taker in takers {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let Some(mut taken) = taker.take() else {
                        thread::yield_now();
                        continue;
                    };
                    if taken.work.number % 500 == 17 {
                        thread::sleep(Duration::from_millis(4));
                    }
                    taken.work.work();
                    taker.done(taken);
                }
            });
        }
        let start = Instant::now();
        let now = || u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut number = 0;
        while done + given_up < BURSTS {
            if number < BURSTS
                && sequencer
                    .blank()
                    .map(|task| sequencer.put_back(task))
                    .is_some()
            {
                give(&mut sequencer, number, true, now());
                number += 1;
            }
            while let Some(home) = sequencer.home(true, now()) {
                match home {
                    Home::Done(task) => {
                        assert!(last < Some(task.number), "{last:?} before {}", task.number);
                        assert_eq!(task.worked, 1);
                        last = Some(task.number);
                        done += 1;
                        sequencer.put_back(task);
                    }
                    Home::GivenUp(_) => given_up += 1,
                }
            }
            look_after(&mut sequencer, now());
            thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
    });
    let stalls: u64 = counters.iter().map(|each| each.stalls.value()).sum();
    assert_eq!((done, given_up), (BURSTS - stalls, stalls));
    assert!(stalls > 0);
}
