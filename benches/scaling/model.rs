//! The model of more cores for one lane.

use crate::sample::Sample;

/// Its inputs, in cycles per frame.
pub(crate) struct Inputs {
    /// The worker, where it does everything.
    pub(crate) alone: f64,
    /// The worker, for a frame that a helper seals.
    pub(crate) sequencer: f64,
    /// The helper, for such a frame.
    pub(crate) helper: f64,
}

impl Inputs {
    /// From runs without helpers and with one.
    pub(crate) fn of(alone: &Sample, helped: &Sample) -> Self {
        let per_frame = alone.per_frame();
        Self {
            alone: per_frame,
            sequencer: for_helped(helped, helped.cycles, per_frame),
            helper: helped.helpers_busy / helped.helped.max(1.0),
        }
    }

    /// Frames a cycle. Helpers take what they can; in what is left of its time the worker does the rest.
    pub(crate) fn rate(&self, helpers: usize) -> f64 {
        let by_helpers = (helpers as f64 / self.helper).min(1.0 / self.sequencer);
        let here = (1.0 - by_helpers * self.sequencer) / self.alone;
        by_helpers + here.max(0.0)
    }
}

/// What of `spent` the worker spent for each frame that a helper sealed, if each of the others took it
/// what a frame takes it alone.
pub(crate) fn for_helped(sample: &Sample, spent: f64, alone: f64) -> f64 {
    let done_here = sample.frames - sample.helped;
    (spent - done_here * alone) / sample.helped.max(1.0)
}
