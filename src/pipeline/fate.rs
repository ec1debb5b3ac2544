//! The bookkeeping that both lanes do for a burst: what goes on, what ends here and why.

use crate::{
    bus::{DropReason, LaneCounters},
    macsec::{FrameBuf, FrameSet, Verdicts},
};

/// Which frames of a burst go on, and which MACsec still has to look at.
#[derive(Debug)]
pub(super) struct Fates<'a> {
    pub(super) onward: FrameSet,
    pub(super) macsec: FrameSet,
    counters: &'a LaneCounters,
}

impl<'a> Fates<'a> {
    /// Counts the burst in.
    pub(super) fn of<B: FrameBuf>(frames: &[B], counters: &'a LaneCounters) -> Self {
        if !frames.is_empty() {
            counters.bursts.add(1);
            counters.frames_in.add(frames.len() as u64);
            counters
                .octets_in
                .add(frames.iter().map(|frame| frame.octets().len() as u64).sum());
        }
        Self {
            onward: FrameSet::default(),
            macsec: FrameSet::default(),
            counters,
        }
    }

    pub(super) fn drop(&self, reason: DropReason) {
        self.counters.dropped(reason).add(1);
    }

    /// Takes over what MACsec said of its frames.
    pub(super) fn settle(&mut self, verdicts: &Verdicts) {
        self.onward = self
            .onward
            .union(verdicts.passed().intersection(self.macsec));
        for at in verdicts.rejected().intersection(self.macsec) {
            if let Some(reject) = verdicts.reject_of(at) {
                self.drop(DropReason::Macsec(reject));
            }
        }
    }
}
