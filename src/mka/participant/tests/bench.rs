//! Members that hear and send values: no wire, no clock, no cryptography.

use alloc::{boxed::Box, vec::Vec};
use core::time::Duration;

use arrayvec::ArrayVec;

use super::super::{Expired, Heard, KeyPart, Participant};
use crate::{
    crypto::{
        Cak, CakKeys, ICV_LEN, Ick, Kek, KeyAgreement, KeyError, Sak, UnwrapError, WrappedSak,
    },
    ieee::{CipherSuite, Ckn, EtherType, MacAddr, Sci},
    mka::{
        Discard, Event, IcvHeader, Mi, Mn, NewCak, Policy, Protection, Rekey, SsciRule, Time,
        Timers, XpnSet,
        kay::Events,
        pdu::{Basic, Capability, Mkpdu, PeerList},
    },
};

/// Milliseconds since the origin.
pub(super) const fn at(ms: u64) -> Time {
    Time(Duration::from_millis(ms))
}

/// Milliseconds since the origin, of a time that has no fraction of one.
pub(super) fn in_ms(time: Time) -> u64 {
    u64::try_from(time.0.as_millis()).unwrap()
}

/// Stands in for cryptography: ICVs that are sums, and chance that counts.
#[derive(Debug)]
pub(super) struct Chance {
    /// What the next random octets are made of; `None`: there are none.
    pub(super) next: Option<u8>,
}

impl KeyAgreement for Chance {
    fn derive(&self, _: &Cak, _: &Ckn) -> Result<CakKeys, KeyError> {
        Ok(keys())
    }

    fn icv(&self, _: &Ick, parts: &[&[u8]]) -> [u8; ICV_LEN] {
        let sum = |sum: u8, octet: &u8| sum.wrapping_mul(31).wrapping_add(*octet);
        [parts.iter().copied().flatten().fold(0, sum); ICV_LEN]
    }

    fn wrap_sak(&self, _: &Kek, _: &Sak) -> WrappedSak {
        panic!("a participant wraps nothing");
    }

    fn unwrap_sak(&self, _: &Kek, _: &[u8]) -> Result<Sak, UnwrapError> {
        panic!("a participant unwraps nothing");
    }

    fn generate_sak(&mut self, _: CipherSuite) -> Result<Sak, KeyError> {
        panic!("a participant makes no keys");
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), KeyError> {
        let next = self.next.ok_or(KeyError::Memory)?;
        out.fill(next);
        self.next = Some(next.wrapping_add(1));
        Ok(())
    }
}

fn keys() -> CakKeys {
    CakKeys {
        ick: Ick::take(&mut [1; 16]).unwrap(),
        kek: Kek::take(&mut [2; 16]).unwrap(),
    }
}

pub(super) fn ckn() -> Ckn {
    Ckn::new(b"a CKN").unwrap()
}

pub(super) fn sci(number: u8) -> Sci {
    Sci::new(mac(number), 1)
}

fn mac(number: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, number])
}

pub(super) fn mi(number: u8) -> Mi {
    Mi([number; 12])
}

pub(super) fn policy() -> Policy {
    Policy {
        suites: ArrayVec::from_iter([CipherSuite::GcmAesXpn256]),
        protection: Protection::Offset0,
        accept_no_macsec: false,
        priority: 16,
        source: mac(0),
        destination: MacAddr::PAE_GROUP,
        ethertype: EtherType::EAPOL,
        icv_header: IcvHeader::AsSent,
        icv_indicator: false,
        version: 3,
        ssci: SsciRule::Auto,
        xpn_set: XpnSet::Auto,
        delay_protection: false,
        timers: Timers::default(),
        rekey: Rekey::default(),
        max_peers: 8,
    }
}

pub(super) fn key_part() -> KeyPart {
    KeyPart {
        key_server: true,
        macsec_desired: true,
        capability: Capability::Offset0,
        sak_use: None,
        distributed: None,
        xpn: None,
        ssci_order: None,
    }
}

/// A MKPDU of the member with this number, of which all else follows, without any list.
pub(super) fn from(number: u8, mn: u32) -> Mkpdu {
    Mkpdu::new(Basic {
        version: 3,
        priority: 16,
        key_server: true,
        macsec_desired: true,
        capability: Capability::Offset0,
        sci: sci(number),
        mi: mi(number),
        mn: Mn(mn),
        ckn: ckn(),
    })
}

/// The same, from a sender that hears these.
pub(super) fn hearing(pdu: Mkpdu, live: &[(Mi, Mn)], potential: &[(Mi, Mn)]) -> Mkpdu {
    let list = |peers: &[(Mi, Mn)]| {
        (!peers.is_empty()).then(|| PeerList {
            key_server_ssci: 0,
            peers: peers.iter().copied().collect(),
        })
    };
    Mkpdu {
        live: list(live),
        potential: list(potential),
        ..pdu
    }
}

/// A participant, and what a KaY would hold for it.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) participant: Participant,
    pub(super) policy: Policy,
    pub(super) key: KeyPart,
    pub(super) chance: Chance,
    pub(super) events: Events,
}

impl Member {
    /// At time 0; the number makes its SCI and its first identifier.
    pub(super) fn new(number: u8) -> Self {
        Self::again(at(0), number, mi(number), Mn(1))
    }

    /// Another life of a member.
    pub(super) fn again(now: Time, number: u8, mi: Mi, mn: Mn) -> Self {
        let cak = NewCak {
            ckn: ckn(),
            keys: keys(),
            fallback: false,
            rank: 0,
        };
        Self {
            participant: Participant::new(now, cak, sci(number), mi, mn),
            policy: policy(),
            key: key_part(),
            chance: Chance { next: Some(100) },
            events: Events::default(),
        }
    }

    /// As the KaY does it: expires first.
    pub(super) fn hear(&mut self, now: Time, pdu: &Mkpdu) -> Result<Heard, Discard> {
        self.expire(now);
        self.hear_only(now, pdu)
    }

    fn hear_only(&mut self, now: Time, pdu: &Mkpdu) -> Result<Heard, Discard> {
        self.participant.hear(
            now,
            pdu.basic.sci.address(),
            pdu,
            &self.policy,
            &mut self.chance,
            &mut self.events,
        )
    }

    pub(super) fn expire(&mut self, now: Time) -> Expired {
        self.participant.expire(now, &self.policy, &mut self.events)
    }

    /// Sends, due or not, without a limit.
    pub(super) fn send(&mut self, now: Time) -> Mkpdu {
        self.send_below(now, None).unwrap()
    }

    pub(super) fn send_below(&mut self, now: Time, limit: Option<Mn>) -> Option<Mkpdu> {
        self.participant.next_mkpdu(
            now,
            &self.policy,
            &self.key,
            &mut self.chance,
            &mut self.events,
            limit,
        )
    }

    /// Sends if a MKPDU is due and there is an identifier to send it under.
    pub(super) fn send_if_due(&mut self, now: Time) -> Option<Box<Mkpdu>> {
        let due = self.participant.due(now, &self.policy, false);
        due.then(|| self.send_below(now, None))
            .flatten()
            .map(Box::new)
    }

    pub(super) fn is_due(&self, now: Time) -> bool {
        self.participant.due(now, &self.policy, false)
    }

    pub(super) fn next_send(&self) -> Time {
        self.participant.next_send(&self.policy, false)
    }

    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.participant.next_expiry(&self.policy)
    }

    /// Identifiers of its live peers, in their order.
    pub(super) fn live(&self) -> Vec<Mi> {
        self.participant.live().map(|peer| peer.mi).collect()
    }

    /// Identifiers of its potential peers, in their order.
    pub(super) fn potential(&self) -> Vec<Mi> {
        let status = self.participant.status(false);
        let peers = status.peers.iter();
        peers.filter(|p| !p.live).map(|p| p.mi).collect()
    }

    /// Events since the last time.
    pub(super) fn told(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.events.pop()).collect()
    }

    /// MKPDUs that were discarded for this reason.
    pub(super) fn discarded(&self, why: Discard) -> u64 {
        let counters = self.participant.status(false).counters;
        let place = Discard::ALL.iter().position(|reason| *reason == why);
        counters.discarded[place.unwrap()]
    }
}

/// A member that has this one as its live peer since `now`, and its ramp behind it; both are numbers.
pub(super) fn met(now: Time, number: u8, peer: u8) -> Member {
    let mut member = Member::new(number);
    member.policy.timers.ramp.clear();
    let sent = member.send(now);
    let heard = hearing(from(peer, 1), &[], &[(sent.basic.mi, sent.basic.mn)]);
    assert!(member.hear(now, &heard).unwrap().newly_live);
    member.told();
    // What is wanted now is not what a test asks for later.
    let sent = member.send(now);
    assert_eq!(sent.basic.mn, Mn(2));
    member
}
