//! The bookkeeping that both lanes do for a burst: what goes on, what ends here and why.

use crate::{
    bus::{DropReason, LaneCounters},
    macsec::{FrameBuf, FrameSet, Verdicts},
};

/// So many frames ahead of the one that is looked at, a frame's header is asked for: as much time as
/// memory needs.
const AHEAD: usize = 4;

/// The frames, each asked for before its turn.
#[inline]
pub(super) fn ahead<B: FrameBuf>(frames: &[B]) -> impl Iterator<Item = &B> {
    frames.iter().take(AHEAD).for_each(B::prefetch);
    let mut next = frames.iter().skip(AHEAD);
    frames.iter().inspect(move |_| {
        if let Some(frame) = next.next() {
            frame.prefetch();
        }
    })
}

/// How a frame is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    /// MACsec decides.
    Macsec,
    /// As it is: the link is a wire.
    Wire,
    /// As it is: the link is in clear.
    Clear,
    /// As it is: the bypass list covers it.
    Bypass,
    /// It was copied to control and ends here.
    Control,
}

/// Which frames of a burst go on, and which MACsec still has to look at.
#[derive(Debug)]
pub(super) struct Fates<'a> {
    pub(super) onward: FrameSet,
    pub(super) macsec: FrameSet,
    /// Octets of all frames that came in.
    pub(super) octets: u64,
    counters: &'a LaneCounters,
}

impl<'a> Fates<'a> {
    /// Counts the burst in, but for its octets: [`Self::count`].
    pub(super) fn of<B: FrameBuf>(frames: &[B], counters: &'a LaneCounters) -> Self {
        if !frames.is_empty() {
            counters.bursts.add(1);
            counters.frames_in.add(frames.len() as u64);
        }
        Self {
            onward: FrameSet::default(),
            macsec: FrameSet::default(),
            octets: 0,
            counters,
        }
    }

    /// Counts what was added to `octets`.
    pub(super) fn count(&self) {
        self.counters.octets_in.add(self.octets);
    }

    /// Takes a frame in, or counts why it isn't.
    pub(super) fn take(&mut self, at: usize, admitted: Result<Admitted, DropReason>) {
        match admitted {
            Ok(Admitted::Macsec) => self.macsec.insert(at),
            Ok(Admitted::Wire) => self.onward.insert(at),
            Ok(Admitted::Clear) => {
                self.counters.clear.add(1);
                self.onward.insert(at);
            }
            Ok(Admitted::Bypass) => {
                self.counters.bypassed.add(1);
                self.onward.insert(at);
            }
            Ok(Admitted::Control) => self.counters.to_control.add(1),
            Err(reason) => self.drop(reason),
        }
    }

    fn drop(&self, reason: DropReason) {
        self.counters.dropped(reason).add(1);
    }
}

/// Lets those of `macsec` go on that MACsec passed, and counts the others.
pub(super) fn settle(
    verdicts: &Verdicts,
    macsec: FrameSet,
    onward: &mut FrameSet,
    counters: &LaneCounters,
) {
    *onward = onward.union(verdicts.passed().intersection(macsec));
    for at in verdicts.rejected().intersection(macsec) {
        if let Some(reject) = verdicts.reject_of(at) {
            counters.dropped(DropReason::Macsec(reject)).add(1);
        }
    }
}
