//! Rates, from two looks at counters.

use alloc::{format, string::String};

use super::super::quantity::scaled;
use crate::api::Status;

/// The time between two looks at the same process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    seconds: f64,
}

impl Interval {
    /// `None` where the gateway was started anew in between, or no time passed.
    pub(super) fn between(before: &Status, now: &Status) -> Option<Self> {
        let millis = now.uptime_ms.checked_sub(before.uptime_ms)?;
        let seconds = as_float(millis) / 1000.0;
        (millis > 0).then_some(Self { seconds })
    }

    /// How often a counter went up per second, times `weight`.
    pub(super) fn rate(self, before: u64, now: u64, weight: f64) -> Option<String> {
        let gained = now.checked_sub(before)?;
        Some(scaled(as_float(gained) * weight / self.seconds))
    }
}

/// `busy` of `busy` and `idle`.
pub(super) fn percent(busy: u64, idle: u64) -> Option<String> {
    let all = busy.checked_add(idle)?;
    (all > 0).then(|| format!("{:.0} %", as_float(busy) * 100.0 / as_float(all)))
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
const fn as_float(value: u64) -> f64 {
    value as f64
}
