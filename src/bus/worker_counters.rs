//! What a worker counts over all its lanes.

use crate::macsec::Counter;

/// A worker's counters; the worker is the only writer. Cycles are those of the time stamp counter.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct WorkerCounters {
    /// Polls of a receive queue.
    pub polls: Counter,
    /// Polls that found nothing.
    pub empty_polls: Counter,
    /// Cycles of loop turns that moved at least one frame.
    pub busy_cycles: Counter,
    /// Cycles of all other turns, sleep included.
    pub idle_cycles: Counter,
    /// Times that the idle policy slept.
    pub sleeps: Counter,
}
