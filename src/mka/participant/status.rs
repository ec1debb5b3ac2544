//! A participant as an operator sees it.

use super::{Participant, Peer};
use crate::mka::{Mn, ParticipantStatus, PeerStatus};

impl Participant {
    /// Everything about it, as values.
    pub(in crate::mka) fn status(&self, principal: bool) -> ParticipantStatus {
        let live = self.peers.live().map(|peer| status(peer, true));
        let potential = self.peers.potential().map(|peer| status(peer, false));
        ParticipantStatus {
            ckn: self.cak.ckn.clone(),
            fallback: self.cak.fallback,
            principal,
            mi: self.mi(),
            mn: Mn(self.next_mn().0.saturating_sub(1)),
            peers: live.chain(potential).collect(),
            counters: self.counters,
        }
    }
}

fn status(peer: &Peer, live: bool) -> PeerStatus {
    PeerStatus {
        sci: Some(peer.sci),
        source: peer.source,
        mi: peer.mi,
        mn: peer.mn,
        live,
        heard: peer.heard,
        priority: peer.priority,
        version: peer.version,
        sak_use: peer.sak_use,
    }
}
