//! What a lane counts besides MACsec's own counters.

use super::{DropReason, UnsentReason};
use crate::macsec::Counter;

/// A lane's counters. The lane's worker is the only writer; a cache line apart from any other's.
///
/// `frames_in` = `frames_out` + `to_control` + all drops, whenever no burst is under way.
#[derive(Debug)]
#[repr(align(128))]
pub struct LaneCounters {
    /// Frames taken from the port.
    pub frames_in: Counter,
    /// Octets of those, without FCS.
    pub octets_in: Counter,
    /// Frames that the other port took.
    pub frames_out: Counter,
    /// Octets of those, without FCS.
    pub octets_out: Counter,
    /// EAPOL frames handed to control.
    pub to_control: Counter,
    /// Frames of `frames_out` that the bypass list let through in clear.
    pub bypassed: Counter,
    /// Frames of `frames_out` that left in clear because the link is in clear.
    pub clear: Counter,
    /// Bursts of at least one frame.
    pub bursts: Counter,
    /// Times that a full transmit queue was tried again.
    pub tx_retries: Counter,
    /// EAPOL frames of our own that the secure port took; in none of the counts above.
    pub eapol_sent: Counter,
    eapol_unsent: [Counter; UnsentReason::ALL.len()],
    drops: [Counter; DropReason::COUNT],
}

impl LaneCounters {
    /// The drop counter of `reason`.
    pub fn dropped(&self, reason: DropReason) -> &Counter {
        // The index is below COUNT by its own construction; a test walks them all.
        &self.drops[reason.index()]
    }

    /// EAPOL frames of our own that did not leave, by reason.
    pub fn eapol_unsent(&self, reason: UnsentReason) -> &Counter {
        // As above.
        &self.eapol_unsent[reason.index()]
    }

    /// All drops together.
    pub fn dropped_total(&self) -> u64 {
        self.drops.iter().map(Counter::value).sum()
    }
}

impl Default for LaneCounters {
    fn default() -> Self {
        Self {
            frames_in: Counter::default(),
            octets_in: Counter::default(),
            frames_out: Counter::default(),
            octets_out: Counter::default(),
            to_control: Counter::default(),
            bypassed: Counter::default(),
            clear: Counter::default(),
            bursts: Counter::default(),
            tx_retries: Counter::default(),
            eapol_sent: Counter::default(),
            eapol_unsent: Default::default(),
            drops: [const { Counter::new() }; DropReason::COUNT],
        }
    }
}
