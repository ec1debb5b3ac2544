//! The key that a key server gives out, to whom, and for how long (802.1X-2020 9.8.2).

use alloc::vec::Vec;

use arrayvec::ArrayVec;

use super::Kay;
use crate::{
    crypto::WrappedSak,
    ieee::{CipherSuite, Ckn},
    mka::{
        MAX_PEERS, Mi, Protection, SaId, Time,
        pdu::{DistributedKey, DistributedSak, PeerList, SuiteField},
    },
};

/// The key that we give out, or gave out last.
#[derive(Debug)]
pub(super) struct Distribution {
    pub(super) ckn: Ckn,
    pub(super) id: SaId,
    pub(super) suite: CipherSuite,
    pub(super) protection: Protection,
    pub(super) wrapped: WrappedSak,
    /// When it was made.
    pub(super) made: Time,
    /// Members that were live then, in the order of their SSCIs.
    pub(super) made_for: ArrayVec<Mi, MAX_PEERS>,
    /// How many these were: each has its SSCI by them.
    pub(super) numbered: usize,
    /// Members of these that said that they receive with it.
    pub(super) holders: ArrayVec<Holder, MAX_PEERS>,
}

/// A member that receives with the key.
#[derive(Debug)]
pub(super) struct Holder {
    mi: Mi,
    /// Members that it has had live ever since it took the key.
    since: Vec<Mi>,
    /// It has another one live by now.
    met: bool,
}

impl Holder {
    /// Live members of its that the key was made for too.
    fn live(list: Option<&PeerList>, made_for: &[Mi]) -> Vec<Mi> {
        let listed = list.into_iter().flat_map(|list| &list.peers);
        let listed = listed.map(|(mi, _)| *mi);
        listed.filter(|mi| made_for.contains(mi)).collect()
    }

    /// It sent a live peer list.
    fn follow(&mut self, list: Option<&PeerList>, made_for: &[Mi]) {
        let live = Self::live(list, made_for);
        self.since.retain(|mi| live.contains(mi));
        self.met = live.iter().any(|mi| !self.since.contains(mi));
    }
}

impl Distribution {
    /// Our member identifier when it was made.
    pub(super) fn server(&self) -> Mi {
        Mi::of_key(self.id.ki).0
    }

    /// This member is no longer one that it was made for.
    pub(super) fn forget(&mut self, mi: Mi) {
        self.made_for.retain(|other| *other != mi);
        self.holders.retain(|holder| holder.mi != mi);
    }

    pub(super) fn is_held_by(&self, mi: Mi) -> bool {
        self.holders.iter().any(|holder| holder.mi == mi)
    }

    /// A member that the key was made for says that it receives with it, and who is live to it; says whether that
    /// is news.
    pub(super) fn follow(&mut self, mi: Mi, list: Option<&PeerList>) -> bool {
        if let Some(holder) = self.holders.iter_mut().find(|holder| holder.mi == mi) {
            holder.follow(list, &self.made_for);
            return false;
        }
        let holder = Holder {
            mi,
            since: Holder::live(list, &self.made_for),
            met: false,
        };
        self.made_for.contains(&mi) && self.holders.try_push(holder).is_ok()
    }

    /// Whether a member has one live that was not when it took the key. The standard has it make a receive SA
    /// then (802.1X-2020 9.10); wpa_supplicant makes them for a new key only, and hears nothing of that member
    /// until there is one.
    pub(super) fn have_met(&self) -> bool {
        self.holders.iter().any(|holder| holder.met)
    }

    /// Whether who takes it now numbers the members as we did. A client counts SSCIs by the live list that
    /// comes with the key: without one of the members it would give itself another one's, and its nonces.
    pub(super) const fn counts_alike(&self) -> bool {
        !self.suite.is_xpn() || self.made_for.len() == self.numbered
    }

    fn field(&self) -> DistributedSak {
        DistributedSak::Key(DistributedKey {
            an: self.id.an,
            protection: self.protection,
            kn: Mi::of_key(self.id.ki).1,
            suite: SuiteField::Known(self.suite),
            wrapped: self.wrapped.clone(),
        })
    }
}

impl Kay {
    /// What the MKPDUs of the principal carry until every peer has it: only once we can receive with it.
    pub(super) fn distributed(&self) -> Option<(&Distribution, DistributedSak)> {
        let distribution = self.server.distribution.as_ref()?;
        let entry = self.principal_entry()?;
        let receives = self.keys.sa(distribution.id).is_some_and(|sa| sa.receiving);
        (receives
            && self.is_missed(distribution)
            && distribution.counts_alike()
            && distribution.server() == entry.mi
            && distribution.ckn == *entry.participant.ckn()
            && self.is_for_all(distribution)
            && self.keys.is_kept(distribution.id))
        .then(|| (distribution, distribution.field()))
    }

    /// Whether a live peer has yet to say that it receives with it.
    pub(super) fn is_missed(&self, distribution: &Distribution) -> bool {
        self.principal_entry().is_some_and(|entry| {
            entry
                .participant
                .live()
                .any(|peer| !distribution.is_held_by(peer.mi))
        })
    }
}
