//! A peer that is secured and whose frames all fail: the SSCI trap.
//!
//! With XPN both ends number the members. Where they number them differently, key agreement is content and
//! not one frame opens: the receiver counts InPktsNotValid, and InPktsOK stands still.

use std::time::{Duration, Instant};

/// Between two looks at the counters.
const LOOK: Duration = Duration::from_secs(1);

/// So many frames must have failed, and none passed, to be sure.
const ENOUGH: u64 = 8;

/// For so long at least.
const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// What the receive channels counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frames {
    pub(super) ok: u64,
    pub(super) not_valid: u64,
}

/// Watches the frames of a secured link.
#[derive(Debug, Default)]
pub(super) struct Trap {
    looked: Option<Instant>,
    /// When a frame passed last, or the link became secured, and the counts then.
    good: Option<(Instant, Frames)>,
    failing: Option<u64>,
}

impl Trap {
    /// How many frames failed since the last good one, where none but bad ones come.
    pub(super) const fn failing(&self) -> Option<u64> {
        self.failing
    }

    pub(super) fn look(&mut self, now: Instant, is_secured: bool, frames: impl FnOnce() -> Frames) {
        if !is_secured {
            *self = Self::default();
            return;
        }
        let looked = |looked| now.saturating_duration_since(looked) < LOOK;
        if self.looked.is_some_and(looked) {
            return;
        }
        self.looked = Some(now);
        let frames = frames();
        match self.good {
            // Counters of another set of channels: a peer came or went.
            Some((_, then)) if frames.ok == then.ok && frames.not_valid >= then.not_valid => {}
            _ => self.good = Some((now, frames)),
        }
        self.failing = self.good.and_then(|(since, then)| {
            let failed = frames.not_valid - then.not_valid;
            let sure = failed >= ENOUGH && now.saturating_duration_since(since) >= LONG_ENOUGH;
            sure.then_some(failed)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(ok: u64, not_valid: u64) -> impl FnOnce() -> Frames {
        move || Frames { ok, not_valid }
    }

    fn second(start: Instant, n: u64) -> Instant {
        start + Duration::from_secs(n)
    }

    #[test]
    fn bad_frames_alone_are_found_and_one_good_frame_ends_it() {
        let (mut trap, start) = (Trap::default(), Instant::now());
        // What was counted before the link was secured says nothing.
        trap.look(start, true, frames(5, 100));
        trap.look(second(start, 1), true, frames(5, 104));
        trap.look(second(start, 2), true, frames(5, 107));
        assert_eq!(trap.failing(), None, "too few");
        trap.look(second(start, 3), true, frames(5, 120));
        assert_eq!(trap.failing(), Some(20));
        trap.look(second(start, 4), true, frames(6, 130));
        assert_eq!(trap.failing(), None);
        trap.look(second(start, 30), true, frames(6, 138));
        assert_eq!(trap.failing(), Some(8));
        trap.look(second(start, 31), false, frames(6, 138));
        assert_eq!(trap.failing(), None);
    }

    #[test]
    fn damage_on_the_way_is_no_trap() {
        let (mut trap, start) = (Trap::default(), Instant::now());
        for n in 0..100 {
            trap.look(second(start, n), true, frames(n, 50 * n));
            assert_eq!(trap.failing(), None);
        }
    }

    #[test]
    fn a_burst_is_waited_out() {
        let (mut trap, start) = (Trap::default(), Instant::now());
        trap.look(start, true, frames(0, 0));
        trap.look(second(start, 1), true, frames(0, 1000));
        assert_eq!(trap.failing(), None);
        trap.look(second(start, 2), true, frames(0, 1000));
        assert_eq!(trap.failing(), Some(1000));
    }
}
