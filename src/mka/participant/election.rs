//! Who is the key server (802.1X-2020 9.5): every member finds out alone, and all find the same.

use super::Peer;
use crate::{ieee::Sci, mka::Mi};

/// The outcome of an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mka) enum Election {
    /// We serve.
    Us,
    /// This live peer serves.
    Peer(Mi),
    /// There is no live peer, so there is nothing to serve.
    Nobody,
}

/// The lowest priority wins, between equal ones the lowest SCI, port number included. We always stand;
/// of the peers only those stand whose Key Server bit is set, because wpa_supplicant clears it once it
/// has lost. Priority 255 loses to every other one by the order itself; where all have it, one of them
/// serves all the same, as wpa_supplicant does, whose default it is.
pub(super) fn elect<'a>(own: (u8, Sci), live: impl Iterator<Item = &'a Peer>) -> Election {
    let mut best = Election::Nobody;
    let mut rank = own;
    for peer in live {
        if best == Election::Nobody {
            best = Election::Us;
        }
        if peer.key_server && (peer.priority, peer.sci) < rank {
            rank = (peer.priority, peer.sci);
            best = Election::Peer(peer.mi);
        }
    }
    best
}
