//! The key that a key server gives out, to whom, and for how long (802.1X-2020 9.8.2).

use arrayvec::ArrayVec;

use super::Kay;
use crate::{
    crypto::WrappedSak,
    ieee::{CipherSuite, Ckn},
    mka::{
        MAX_PEERS, Mi, Protection, SaId, Time,
        pdu::{DistributedKey, DistributedSak, SuiteField},
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
    pub(super) holders: ArrayVec<Mi, MAX_PEERS>,
}

impl Distribution {
    /// Our member identifier when it was made.
    pub(super) fn server(&self) -> Mi {
        Mi::of_key(self.id.ki).0
    }

    /// This member is no longer one that it was made for.
    pub(super) fn forget(&mut self, mi: Mi) {
        self.made_for.retain(|other| *other != mi);
        self.holders.retain(|other| *other != mi);
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
                .any(|peer| !distribution.holders.contains(&peer.mi))
        })
    }
}
