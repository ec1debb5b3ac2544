//! What is counted about a crypto helper: by its lane's sequencer, and by itself.

use core::sync::atomic::{AtomicBool, Ordering};

use crate::macsec::Counter;

/// What a sequencer counts about one helper; the lane's worker is the only writer.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct HelperCounters {
    /// Bursts that the helper was given.
    pub bursts: Counter,
    /// Bursts of those that it had not begun when the sequencer took them back and did them itself.
    pub taken_back: Counter,
    /// Times that it had a burst for so long that its frames were given up.
    pub stalls: Counter,
    stalled: AtomicBool,
}

impl HelperCounters {
    /// Whether the helper gets no work, because it has some that was given up.
    pub fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Says so; for the lane's worker.
    pub fn set_stalled(&self, stalled: bool) {
        self.stalled.store(stalled, Ordering::Relaxed);
    }
}
