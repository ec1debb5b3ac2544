//! The counters of IEEE8021-SECY-MIB and ours beside them, as blocks that describe themselves.
//!
//! Metrics, `counters` and the documentation are made from the blocks' tables, so that a counter
//! can't be added in one place and forgotten in another.

mod catalogue;
mod rx;
mod tx;

use super::{Counter, Reject, Verdicts};

pub use catalogue::{CounterEntry, Level};
pub use rx::{RxSaCounters, RxScCounters, RxSecyCounters};
pub use tx::{TxCounters, TxSaCounters};

/// What went into one half of a SecY and what became of it: `seen` = `passed` + every reason.
#[derive(Debug, Default)]
pub struct FrameCounters {
    /// Frames given.
    pub seen: Counter,
    /// Frames that went on.
    pub passed: Counter,
    rejected: [Counter; Reject::COUNT],
}

impl FrameCounters {
    /// The counter of one reason.
    #[must_use]
    pub fn rejected(&self, why: Reject) -> &Counter {
        // In bounds by construction: `Reject::index` is below `Reject::COUNT`.
        &self.rejected[why.index()]
    }

    /// All frames dropped, for whatever reason.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().map(Counter::value).sum()
    }

    /// Counts a burst whose verdicts are complete for `todo`.
    pub(super) fn count(&self, todo: super::FrameSet, verdicts: &Verdicts) {
        let rejected = verdicts.rejected().intersection(todo);
        self.seen.add(u64::from(todo.len()));
        self.passed
            .add(u64::from(verdicts.passed().intersection(todo).len()));
        for index in rejected {
            if let Some(why) = verdicts.reject_of(index) {
                self.rejected(why).add(1);
            }
        }
    }
}
