//! When a MKPDU is due (802.1X-2020 9.4, table 9-3): by the ramp after link up, then by MKA Hello Time,
//! and at once when something changed.
//!
//! "At once" is bounded, so that two ends that make each other send can't storm: [`GAP`] apart, and
//! [`BURST`] of them before no more than one leaves each [`REFILL`].

use core::time::Duration;

use crate::mka::{Time, Timers};

/// Between any two MKPDUs. Several changes within it go out together, and 20 ms more or less matter to
/// nobody.
const GAP: Duration = Duration::from_millis(20);

/// MKPDUs that may leave at once in a row. To meet, to agree on a key and to put it to use takes five
/// to eight; twice that many leaves room for a second peer and for losses.
const BURST: u32 = 16;

/// The pace of the rest of a storm: ten MKPDUs a second are nothing to either end.
const REFILL: Duration = Duration::from_millis(100);

/// When to send.
#[derive(Debug)]
pub(super) struct Pace {
    /// The next step of the ramp; `None` when it is over.
    ramp: Option<Step>,
    /// When the last MKPDU was sent.
    last: Option<Time>,
    /// Something changed since.
    wanted: bool,
    /// When the allowance of immediate MKPDUs is whole again.
    whole: Time,
    /// Not before: the last attempt failed.
    retry: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    number: usize,
    at: Time,
}

impl Pace {
    /// Starts at the foot of the ramp.
    pub(super) const fn new(now: Time) -> Self {
        Self {
            ramp: Some(Step { number: 0, at: now }),
            last: None,
            wanted: false,
            whole: Time(Duration::ZERO),
            retry: None,
        }
    }

    /// Back to the foot of the ramp.
    pub(super) const fn restart(&mut self, now: Time) {
        self.ramp = Some(Step { number: 0, at: now });
    }

    /// Something changed.
    pub(super) const fn want(&mut self) {
        self.wanted = true;
    }

    /// When the next MKPDU is due.
    pub(super) fn next(&self, timers: &Timers, bounded: bool) -> Time {
        let hello = if bounded {
            timers.bounded_hello.min(timers.hello)
        } else {
            timers.hello
        };
        let hello = self.last.map(|last| last + hello);
        let ramp = self.ramp.map(|step| step.at);
        let wanted = self.wanted.then(|| {
            let ahead = REFILL.saturating_mul(BURST.saturating_sub(1));
            Time(self.whole.0.saturating_sub(ahead))
        });
        let first = hello.into_iter().chain(ramp).chain(wanted).min();
        let spaced = self.last.map(|last| last + GAP);
        // Each of these is there in every state that there is; with none of them: now.
        let first = first.unwrap_or_default();
        first
            .max(spaced.unwrap_or_default())
            .max(self.retry.unwrap_or_default())
    }

    /// A MKPDU was sent.
    pub(super) fn sent(&mut self, now: Time, timers: &Timers) {
        self.retry = None;
        self.wanted = false;
        self.last = Some(now);
        self.whole = self.whole.max(now) + REFILL;
        if let Some(step) = self.ramp.filter(|step| step.at <= now) {
            self.ramp = timers.ramp.get(step.number).map(|interval| Step {
                number: step.number.saturating_add(1),
                at: now + *interval,
            });
        }
    }

    /// A MKPDU could not be sent; it stays due.
    pub(super) fn failed(&mut self, now: Time) {
        self.retry = Some(now + GAP);
    }
}
