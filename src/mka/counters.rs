//! Counters of MKA, in the terms of the OpenConfig MACsec model. Plain numbers: one thread writes them.

use super::Discard;

/// Counters of one participant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParticipantCounters {
    /// MKPDUs taken.
    pub in_mkpdus: u64,
    /// MKPDUs sent.
    pub out_mkpdus: u64,
    /// MKPDUs taken that carried a SAK.
    pub in_sak_mkpdus: u64,
    /// MKPDUs sent that carried a SAK.
    pub out_sak_mkpdus: u64,
    /// MKPDUs taken that carried a CAK (read, never acted on).
    pub in_cak_mkpdus: u64,
    /// MKPDUs sent that carried a CAK: none.
    pub out_cak_mkpdus: u64,
    /// MKPDUs that could not be made or sent.
    pub out_errors: u64,
    /// Peers that became live.
    pub peers_gained: u64,
    /// Live peers that were lost.
    pub peers_lost: u64,
    /// Peer lists that name us with a number that can't be.
    pub peer_list_errors: u64,
    /// MKPDUs discarded, by reason in the order of [`Discard::ALL`].
    pub discarded: [u64; Discard::ALL.len()],
}

/// Counters of the KaY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KayCounters {
    /// MKPDUs that no participant was found for, by reason in the order of [`Discard::ALL`].
    pub discarded: [u64; Discard::ALL.len()],
    /// SAKs made.
    pub saks_generated: u64,
    /// SAKs received and taken.
    pub saks_received: u64,
    /// SAKs installed in both directions.
    pub saks_installed: u64,
    /// SAKs that could not be made.
    pub sak_generation_errors: u64,
    /// SAKs that could not be wrapped.
    pub sak_wrap_errors: u64,
    /// Wrapped SAKs that did not open.
    pub sak_unwrap_errors: u64,
    /// SAKs of a suite that is not allowed.
    pub sak_suite_errors: u64,
    /// SAKs refused for another reason.
    pub saks_refused: u64,
    /// SAs that the data plane could not install.
    pub install_errors: u64,
    /// Events that nobody read before there were too many.
    pub events_dropped: u64,
}
