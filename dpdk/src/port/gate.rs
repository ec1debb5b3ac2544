//! Whether a port may be polled: the one state that its control handle and its queues share.
//!
//! A queue that is polled while its port stops is undefined behaviour in most drivers. So a queue enters
//! the gate before its first burst and leaves it when its owner quiesces it, and a port is stopped only with
//! nobody inside. Between these, a burst costs one test of a flag that belongs to the queue alone.

use std::sync::atomic::{AtomicU32, Ordering};

/// The port is started. The bits below count the queues inside.
const STARTED: u32 = 1 << 31;

/// A port's gate.
#[derive(Debug, Default)]
pub(crate) struct Gate(AtomicU32);

impl Gate {
    /// Lets queues in: the port was started.
    pub(crate) fn open(&self) {
        self.0.fetch_or(STARTED, Ordering::AcqRel);
    }

    /// Keeps queues out, if none is inside. Otherwise says how many are.
    pub(crate) fn close(&self) -> Result<(), u32> {
        // On success no queue is inside and none gets in, and what their owners did before they left has
        // happened (acquire).
        match self
            .0
            .compare_exchange(STARTED, 0, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) | Err(0) => Ok(()),
            Err(state) => Err(state & !STARTED),
        }
    }

    /// Whether the port is started.
    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire) & STARTED != 0
    }

    /// A queue goes in. False if the port is not started.
    pub(crate) fn enter(&self) -> bool {
        let enter = |state: u32| (state & STARTED != 0).then_some(state + 1);
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, enter)
            .is_ok()
    }

    /// A queue that is inside goes out.
    pub(crate) fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_enters_a_closed_gate() {
        let gate = Gate::default();
        assert!(!gate.enter());
        gate.open();
        assert!(gate.enter());
    }

    #[test]
    fn a_gate_closes_only_with_nobody_inside() {
        let gate = Gate::default();
        gate.open();
        assert!(gate.enter());
        assert!(gate.enter());
        assert_eq!(gate.close(), Err(2));
        assert!(gate.is_open());
        gate.leave();
        assert_eq!(gate.close(), Err(1));
        gate.leave();
        assert_eq!(gate.close(), Ok(()));
        assert!(!gate.is_open());
        assert!(!gate.enter());
    }

    #[test]
    fn closing_twice_is_fine() {
        let gate = Gate::default();
        assert_eq!(gate.close(), Ok(()));
        gate.open();
        assert_eq!(gate.close(), Ok(()));
        assert_eq!(gate.close(), Ok(()));
    }
}
