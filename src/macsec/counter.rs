//! A counter that one thread writes and any thread reads.

use core::sync::atomic::{AtomicU64, Ordering};

/// A count that never goes down.
///
/// One thread writes: `add` is a load and a store, not an atomic read-modify-write, so a second
/// writer would lose counts. At one count per nanosecond it would wrap after 584 years.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// A counter at 0.
    #[must_use]
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Adds `n`. Only the thread that owns the counter may call this.
    #[inline]
    pub fn add(&self, n: u64) {
        let value = self.0.load(Ordering::Relaxed);
        self.0.store(value.wrapping_add(n), Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
