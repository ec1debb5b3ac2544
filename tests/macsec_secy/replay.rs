//! The replay window against a slow model that remembers everything.

use std::collections::BTreeSet;

use macsec_gateway::ieee::Pn;
use macsec_gateway::macsec::{Reject, Replay, ReplayWindow, Timeliness};
use proptest::prelude::*;

struct Model {
    replay: Replay,
    next: u128,
    lowest: u128,
    depth: u128,
    accepted: BTreeSet<u64>,
}

impl Model {
    fn new(first: u64, replay: Replay, depth: usize) -> Self {
        Self {
            replay,
            next: u128::from(first),
            lowest: u128::from(first),
            depth: depth as u128,
            accepted: BTreeSet::new(),
        }
    }

    fn admit(&self, pn: u64) -> Result<Timeliness, Reject> {
        let wide = u128::from(pn);
        let protects = self.replay != Replay::Off;
        if wide < self.lowest {
            return if protects {
                Err(Reject::Late)
            } else {
                Ok(Timeliness::Delayed)
            };
        }
        let remembered = wide + self.depth >= self.next;
        if protects && remembered && self.accepted.contains(&pn) {
            return Err(Reject::Duplicate);
        }
        Ok(Timeliness::InTime)
    }

    fn record(&mut self, pn: u64) {
        self.accepted.insert(pn);
        self.next = self.next.max(u128::from(pn) + 1);
        self.follow();
    }

    fn set_replay(&mut self, replay: Replay) {
        self.replay = replay;
        self.follow();
    }

    fn raise(&mut self, lowest: u64) {
        self.lowest = self.lowest.max(u128::from(lowest));
        self.next = self.next.max(self.lowest);
    }

    fn follow(&mut self) {
        let window = match self.replay {
            Replay::Window(window) => u128::from(window),
            Replay::Off | Replay::Strict => 0,
        };
        self.lowest = self.lowest.max(self.next.saturating_sub(window));
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A frame so far from the next expected number.
    Near(i64),
    /// A frame of this number.
    At(u64),
    /// The frame before once more.
    Again,
    SetReplay(Replay),
    Raise(i64),
}

fn jumps() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => -3..3i64,
        6 => -200..200i64,
        2 => prop::sample::select(vec![-65, -64, -63, -129, -128, -127, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097]),
        1 => prop::sample::select(vec![(1i64 << 31) - 1, 1 << 31, (1 << 31) + 1, (1 << 32) - 1, 1 << 32, (1 << 32) + 1]),
        1 => prop::sample::select(vec![-(1i64 << 31), -(1 << 32), -(1 << 32) - 1]),
    ]
}

fn replays() -> impl Strategy<Value = Replay> {
    prop_oneof![
        Just(Replay::Off),
        Just(Replay::Strict),
        (0..300u32).prop_map(Replay::Window),
        Just(Replay::Window((1 << 30) - 1)),
        Just(Replay::Window(u32::MAX)),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let edges = prop::sample::select(vec![1u64 << 31, 1 << 32, 3 << 32, 1 << 63, u64::MAX - 1]);
    prop_oneof![
        20 => jumps().prop_map(Step::Near),
        4 => Just(Step::Again),
        1 => (edges, -70..70i64).prop_map(|(edge, off)| {
            Step::At(edge.saturating_add_signed(off).min(u64::MAX - 1))
        }),
        1 => replays().prop_map(Step::SetReplay),
        1 => jumps().prop_map(Step::Raise),
    ]
}

fn near(next: Pn, jump: i64) -> u64 {
    next.0.saturating_add_signed(jump).clamp(1, u64::MAX - 1)
}

proptest! {
    #![proptest_config(crate::bed::cases(2000))]

    #[test]
    fn the_window_is_the_model(
        first in prop_oneof![Just(1u64), 1..(1u64 << 33), Just(u64::MAX - 500)],
        replay in replays(),
        depth in prop::sample::select(vec![64usize, 128, 256, 4096]),
        steps in prop::collection::vec(steps(), 1..200),
    ) {
        let mut window = ReplayWindow::new(Pn(first), replay, depth).unwrap();
        let mut model = Model::new(first, replay, depth);
        let mut last = first;
        for step in steps {
            let pn = match step {
                Step::SetReplay(replay) => {
                    window.set_replay(replay);
                    model.set_replay(replay);
                    continue;
                }
                Step::Raise(jump) => {
                    let lowest = near(window.next_pn(), jump);
                    window.raise_lowest(Pn(lowest));
                    model.raise(lowest);
                    continue;
                }
                Step::Near(jump) => near(window.next_pn(), jump),
                Step::At(pn) => pn,
                Step::Again => last,
            };
            last = pn;
            let found = window.admit(Pn(pn));
            prop_assert_eq!(found, model.admit(pn), "{:?} at {}", &window, pn);
            if found.is_ok() {
                window.record(Pn(pn));
                model.record(pn);
            }
            prop_assert_eq!(u128::from(window.next_pn().0), model.next);
            prop_assert_eq!(u128::from(window.lowest_pn().0), model.lowest);
        }
    }
}

/// A jump of any size costs at most the ring's words: here a hundred thousand of the widest ones.
#[test]
fn jumps_cost_no_more_than_the_ring() {
    let mut window = ReplayWindow::new(Pn(1), Replay::Window(u32::MAX), 65_536).unwrap();
    for jump in 0..100_000u64 {
        let pn = Pn(1 + jump * (u64::MAX / 100_001));
        assert_eq!(window.admit(pn), Ok(Timeliness::InTime));
        window.record(pn);
        assert_eq!(window.admit(pn), Err(Reject::Duplicate));
    }
}
