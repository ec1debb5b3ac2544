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

    /// Counts frames that went on.
    pub(super) fn count_passed(&self, frames: u32) {
        self.seen.add(u64::from(frames));
        self.passed.add(u64::from(frames));
    }

    /// Counts frames that did not.
    pub(super) fn count_rejected(&self, why: Reject, frames: u32) {
        self.seen.add(u64::from(frames));
        self.rejected(why).add(u64::from(frames));
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn rows<B>(table: &[CounterEntry<B>]) -> Vec<(&'static str, Option<&'static str>)> {
        table
            .iter()
            .inspect(|entry| assert!(entry.help.ends_with('.'), "{}", entry.name))
            .map(|entry| (entry.name, entry.mib))
            .collect()
    }

    /// Every counter of IEEE8021-SECY-MIB has a row, and a row of its own.
    #[test]
    fn the_mib_is_complete() {
        let blocks = [
            rows(TxCounters::CATALOGUE),
            rows(TxSaCounters::CATALOGUE),
            rows(RxSecyCounters::CATALOGUE),
            rows(RxScCounters::CATALOGUE),
            rows(RxSaCounters::CATALOGUE),
        ];
        let mut objects: Vec<_> = blocks.iter().flatten().filter_map(|row| row.1).collect();
        objects.sort_unstable();
        let count = objects.len();
        objects.dedup();
        // 2 + 5 of an SA, 4 + 10 of an SC, 2 + 6 of the SecY.
        assert_eq!((count, objects.len()), (29, 29));
        let ours: Vec<_> = blocks
            .iter()
            .flatten()
            .filter(|row| row.1.is_none())
            .map(|row| row.0)
            .collect();
        assert_eq!(ours, ["in_pkts_duplicate"]);
    }

    /// A row reads the counter that it names: each is raised alone and found alone.
    #[test]
    fn rows_read_their_own_counter() {
        fn check<B: Default>(table: &[CounterEntry<B>]) {
            for raised in table {
                let block = B::default();
                (raised.counter)(&block).add(3);
                for entry in table {
                    let wanted = if entry.name == raised.name { 3 } else { 0 };
                    assert_eq!(entry.read(&block), wanted, "{}", entry.name);
                }
            }
        }
        check(TxCounters::CATALOGUE);
        check(TxSaCounters::CATALOGUE);
        check(RxSecyCounters::CATALOGUE);
        check(RxScCounters::CATALOGUE);
        check(RxSaCounters::CATALOGUE);
    }
}
