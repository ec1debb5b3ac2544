//! Receive SCs and SAs follow the live peers (802.1X-2020 9.10).

use alloc::vec::Vec;

use arrayvec::ArrayVec;

use super::{Kay, sa::Stage};
use crate::{
    ieee::{Ckn, Pn, Sci},
    mka::{Action, MAX_PEERS, SaId, Time},
};

impl Kay {
    /// Has an SA made for every live peer that has none under this key.
    pub(super) fn make_channels(&mut self, ckn: &Ckn, id: SaId) {
        let Some(entry) = self.entry(ckn) else { return };
        let peers: ArrayVec<Sci, MAX_PEERS> = entry
            .participant
            .live()
            .map(|peer| peer.sci)
            .take(MAX_PEERS)
            .collect();
        for peer in peers {
            self.open_channel(peer);
            self.keys.create_rx(id, peer, Pn::FIRST, &mut self.actions);
        }
    }

    /// Has an SC made for this peer, unless there is one.
    pub(super) fn open_channel(&mut self, peer: Sci) {
        if !self.channels.contains(&peer) {
            self.channels.push(peer);
            self.actions.push_back(Action::AddPeer(peer));
        }
    }

    /// Peers that came get their SAs, and those that went lose their SC with the last key that they had.
    pub(super) fn keep_channels(&mut self, now: Time) {
        self.keys.sweep(now);
        for id in [self.keys.latest, self.keys.old].into_iter().flatten() {
            if let Some(ckn) = self.keys.sa(id).map(|sa| sa.key.ckn.clone()) {
                self.make_channels(&ckn, id);
            }
        }
        let standing = self.keys.peers();
        let live = |sci: Sci| {
            self.entries
                .iter()
                .any(|entry| entry.participant.live().any(|peer| peer.sci == sci))
        };
        let (stay, go): (Vec<Sci>, Vec<Sci>) = self
            .channels
            .iter()
            .partition(|sci| standing.contains(sci) || live(**sci));
        self.channels = stay;
        self.actions.extend(go.into_iter().map(Action::RemovePeer));
    }

    /// A key is received with once every live peer of its CA has an SA and all of them stand, ours to transmit too, and
    /// once a restart would know the key.
    pub(super) fn note_receiving(&mut self) -> bool {
        let mut changed = false;
        for id in [self.keys.latest, self.keys.old].into_iter().flatten() {
            let Some(sa) = self.keys.sa(id) else { continue };
            let installed = |sci: Sci| sa.rx(sci).is_some_and(|rx| rx.stage == Stage::Installed);
            let all = sa.tx != Stage::Asked
                && sa.rx.iter().all(|rx| rx.stage == Stage::Installed)
                && self
                    .entry(&sa.key.ckn)
                    .is_none_or(|entry| entry.participant.live().all(|peer| installed(peer.sci)));
            let known = sa.known || self.ledger.knows(id);
            let receiving = sa.receives() && (sa.receiving || (all && known));
            if let Some(sa) = self.keys.sa_mut(id) {
                changed |= receiving != sa.receiving;
                sa.known = known;
                sa.receiving = receiving;
            }
        }
        changed
    }
}
