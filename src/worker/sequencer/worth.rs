//! Whether helpers pay, found out by trying.
//!
//! What a helper works on has to come to its core and back. For short frames, an engine of ours, and cores
//! that share no cache, that takes longer than the work; for long frames it takes a fraction. So a lane
//! under load goes both ways now and then, a stretch of bursts each, and then for long the quicker one.

/// Bursts of a stretch.
const STRETCH: u32 = 64;

/// The first of them are not timed: bursts of the stretch before are still under way.
const SETTLES: u32 = 16;

/// Stretches of which the quickest counts: in the others something else may have had the core.
const TRIALS: u32 = 3;

/// Stretches the quicker way before the other one is tried again. The trial of a way that takes four times as
/// long costs a fiftieth of that.
const TERM: u32 = 512;

/// Each trial that changes nothing doubles the time to the next one, up to so many terms: some seconds at
/// most. Where helpers have no CPU to themselves, one that leaves in the midst of a trial costs much.
const MOST_TERMS: u32 = 16;

/// A frame costs what so many octets do, about: for traffic that changes between two stretches.
const FRAME: u64 = 64;

/// The way to go, and what is known about both.
#[derive(Debug)]
pub(super) struct Worth {
    /// The way that was the quicker one: with helpers.
    helped: bool,
    /// In the round of trials and a term: the favourite's trials, the other's, the term.
    stretch: u32,
    /// How long the next term is.
    term: u32,
    /// Bursts of this stretch.
    bursts: u32,
    /// When its timed part began, and what the lane had seen by then.
    began: (u64, u64),
    /// Cycles for 1,024 octets, the favourite's and the other's.
    costs: [u64; 2],
}

impl Worth {
    /// Helpers are there to help until it is known better.
    pub(super) const fn new() -> Self {
        Self {
            helped: true,
            stretch: 0,
            term: TERM,
            bursts: 0,
            began: (0, 0),
            costs: [u64::MAX; 2],
        }
    }

    /// The lane was not busy without a break: this stretch begins anew.
    pub(super) const fn pause(&mut self) {
        self.bursts = 0;
    }

    /// Whether the next burst of a busy lane is to go to a helper. `frames`, `octets`: all that the lane has
    /// seen so far.
    pub(super) fn next(&mut self, frames: u64, octets: u64, now: u64) -> bool {
        let seen = octets.wrapping_add(FRAME.wrapping_mul(frames));
        if self.bursts == STRETCH {
            self.end(seen, now);
        }
        if self.bursts == SETTLES {
            self.began = (now, seen);
        }
        self.bursts += 1;
        self.helped != self.tries_other()
    }

    fn tries_other(&self) -> bool {
        (TRIALS..2 * TRIALS).contains(&self.stretch)
    }

    /// A stretch is over.
    fn end(&mut self, seen: u64, now: u64) {
        self.bursts = 0;
        if self.stretch < 2 * TRIALS {
            let (began, had_seen) = self.began;
            let octets = seen.wrapping_sub(had_seen).max(1);
            let cost = now.wrapping_sub(began).saturating_mul(1024) / octets;
            let [favourite, other] = &mut self.costs;
            let known = if self.stretch < TRIALS {
                favourite
            } else {
                other
            };
            *known = cost.min(*known);
        }
        self.stretch += 1;
        if self.stretch == 2 * TRIALS {
            let [favourite, other] = self.costs;
            // By more than what two stretches of one way differ by.
            if other < favourite - favourite / 16 {
                self.helped = !self.helped;
                self.term = TERM;
            } else {
                self.term = (2 * self.term).min(MOST_TERMS * TERM);
            }
            self.costs = [u64::MAX; 2];
        }
        if self.stretch >= 2 * TRIALS + self.term {
            self.stretch = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lane whose bursts of 32 take so many cycles, by the way that they go.
    struct Played {
        worth: Worth,
        now: u64,
        frames: u64,
        octets: u64,
        helped: u64,
    }

    impl Played {
        fn new() -> Self {
            Self {
                worth: Worth::new(),
                now: 1_000,
                frames: 0,
                octets: 0,
                helped: 0,
            }
        }

        fn run(&mut self, bursts: u32, frame: u64, alone: u64, helped: u64) {
            for _ in 0..bursts {
                let helps = self.worth.next(self.frames, self.octets, self.now);
                self.helped += u64::from(helps);
                self.now += if helps { helped } else { alone };
                self.frames += 32;
                self.octets += 32 * frame;
            }
        }

        /// Of the bursts of the longest round, how many in a thousand went to helpers.
        fn share(&mut self, frame: u64, alone: u64, helped: u64) -> u64 {
            let bursts = STRETCH * (2 * TRIALS + MOST_TERMS * TERM);
            self.helped = 0;
            self.run(bursts, frame, alone, helped);
            1000 * self.helped / u64::from(bursts)
        }
    }

    const FIRST: u32 = STRETCH * 2 * TRIALS + 1;

    #[test]
    fn helpers_that_pay_get_all_but_trials() {
        let mut played = Played::new();
        played.run(FIRST, 1514, 8_000, 5_000);
        assert!(played.worth.helped);
        assert!(played.share(1514, 8_000, 5_000) > 990);
    }

    #[test]
    fn helpers_that_cost_get_trials_alone_and_are_found_when_they_pay() {
        let mut played = Played::new();
        played.run(FIRST, 60, 2_000, 9_000);
        assert!(!played.worth.helped);
        assert!(played.share(60, 2_000, 9_000) < 10);
        // Then the traffic changes.
        played.share(1514, 8_000, 5_000);
        assert!(played.share(1514, 8_000, 5_000) > 990);
    }

    #[test]
    fn a_stretch_that_was_disturbed_does_not_count() {
        let mut played = Played::new();
        for disturbed in [0, 1, 3, 5] {
            played = Played::new();
            for stretch in 0..2 * TRIALS {
                played.run(STRETCH / 2, 1514, 8_000, 5_000);
                played.now += if stretch == disturbed { 10_000_000 } else { 0 };
                played.run(STRETCH / 2, 1514, 8_000, 5_000);
            }
            played.run(1, 1514, 8_000, 5_000);
            assert!(played.worth.helped, "{disturbed}");
        }
        assert_eq!(played.worth.stretch, 2 * TRIALS);
    }

    #[test]
    fn a_pause_is_never_timed() {
        let mut played = Played::new();
        for _ in 0..10_000 {
            played.run(STRETCH - 1, 1514, 8_000, 5_000);
            played.now += 1_000_000;
            played.worth.pause();
        }
        assert_eq!((played.worth.stretch, played.worth.helped), (0, true));
    }

    #[test]
    fn ways_that_cost_the_same_change_nothing() {
        let mut played = Played::new();
        played.run(FIRST, 1514, 4_900, 5_000);
        assert!(played.worth.helped);
    }
}
