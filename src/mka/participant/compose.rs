//! What a MKPDU says (802.1X-2020 11.11), and its number.

use arrayvec::ArrayVec;

use super::{Participant, Peer};
use crate::{
    crypto::KeyAgreement,
    mka::{
        MAX_PEERS, Mi, Mn, NewMiWhy, Policy, Time,
        kay::Events,
        pdu::{
            self, Basic, Capability, DistributedSak, Envelope, Frame, Mkpdu, PeerList, SakUse, Xpn,
        },
    },
};

/// The parts of a MKPDU that the KaY decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mka) struct KeyPart {
    /// The Key Server bit: we are, or may become, the key server.
    pub(in crate::mka) key_server: bool,
    /// We want MACsec.
    pub(in crate::mka) macsec_desired: bool,
    /// What our SecY can do.
    pub(in crate::mka) capability: Capability,
    /// Which keys we use.
    pub(in crate::mka) sak_use: Option<SakUse>,
    /// The key that we distribute.
    pub(in crate::mka) distributed: Option<DistributedSak>,
    /// Upper halves of the lowest packet numbers.
    pub(in crate::mka) xpn: Option<Xpn>,
    /// MKA version 3 with an XPN suite: our SSCI's low octet, and the live list's order. Live peers that it
    /// leaves out come behind; members of it that are not live are left out.
    pub(in crate::mka) ssci_order: Option<(u8, ArrayVec<Mi, MAX_PEERS>)>,
}

impl Participant {
    /// The next MKPDU, as a frame. `mn_limit` belongs to [`Self::mi`]: no number from there on may leave yet.
    ///
    /// `None` where the limit is reached, or where there is no randomness for a new member identifier
    /// (counted); it is then due again after a moment. Also where the MKPDU does not fit (counted).
    /// Numbers that are used up give a new member identifier, and `None` that once: limit and `key` were
    /// the old one's.
    pub(in crate::mka) fn compose(
        &mut self,
        now: Time,
        policy: &Policy,
        key: &KeyPart,
        crypto: &mut dyn KeyAgreement,
        events: &mut Events,
        mn_limit: Option<Mn>,
    ) -> Option<Frame> {
        let pdu = self.next_mkpdu(now, policy, key, crypto, events, mn_limit)?;
        let envelope = Envelope {
            destination: policy.destination,
            source: policy.source,
            ethertype: policy.ethertype,
            icv_header: policy.icv_header,
        };
        let frame = pdu::encode(&pdu, &envelope, crypto, &self.cak.keys.ick);
        let counter = match (&frame, &pdu.distributed_sak) {
            (None, _) => &mut self.counters.out_errors,
            (Some(_), Some(DistributedSak::Key(_))) => {
                self.counters.out_sak_mkpdus = self.counters.out_sak_mkpdus.saturating_add(1);
                &mut self.counters.out_mkpdus
            }
            (Some(_), _) => &mut self.counters.out_mkpdus,
        };
        *counter = counter.saturating_add(1);
        frame
    }

    /// The next MKPDU, as a value. Its number is used up, whatever becomes of it.
    pub(super) fn next_mkpdu(
        &mut self,
        now: Time,
        policy: &Policy,
        key: &KeyPart,
        crypto: &mut dyn KeyAgreement,
        events: &mut Events,
        mn_limit: Option<Mn>,
    ) -> Option<Mkpdu> {
        let renewal = self.renewal.or_else(|| {
            let used_up = self.numbers.used_up();
            used_up.then_some(NewMiWhy::Exhausted)
        });
        if let Some(why) = renewal {
            if !self.renew(why, crypto, events) {
                self.counters.out_errors = self.counters.out_errors.saturating_add(1);
                self.pace.failed(now);
            }
            return None;
        }
        if mn_limit.is_some_and(|limit| self.next_mn() >= limit) {
            self.pace.failed(now);
            return None;
        }
        let mn = self.numbers.take(now);
        self.pace.sent(now, &policy.timers);
        Some(self.mkpdu(mn, policy, key))
    }

    fn mkpdu(&self, mn: Mn, policy: &Policy, key: &KeyPart) -> Mkpdu {
        let basic = Basic {
            version: policy.version,
            priority: policy.priority,
            key_server: key.key_server,
            macsec_desired: key.macsec_desired,
            capability: key.capability,
            sci: self.sci,
            mi: self.mi(),
            mn,
            ckn: self.cak.ckn.clone(),
        };
        Mkpdu {
            live: self.live_list(key),
            potential: list(0, self.peers.potential()),
            sak_use: key.sak_use,
            distributed_sak: key.distributed.clone(),
            xpn: key.xpn,
            icv_indicator: policy.icv_indicator,
            ..Mkpdu::new(basic)
        }
    }

    /// Live peers, in the order of their SSCIs if that is to be told.
    fn live_list(&self, key: &KeyPart) -> Option<PeerList> {
        let Some((ssci, order)) = &key.ssci_order else {
            return list(0, self.live());
        };
        let first = order.iter().filter_map(|mi| self.live_peer(*mi));
        let rest = self.live().filter(|peer| !order.contains(&peer.mi));
        list(*ssci, first.chain(rest))
    }
}

/// A list of these; none at all where there are none, which is what an empty one would mean.
fn list<'a>(key_server_ssci: u8, peers: impl Iterator<Item = &'a Peer>) -> Option<PeerList> {
    let peers: ArrayVec<_, MAX_PEERS> = peers
        .map(|peer| (peer.mi, peer.mn))
        .take(MAX_PEERS)
        .collect();
    (!peers.is_empty()).then_some(PeerList {
        key_server_ssci,
        peers,
    })
}
