//! A key server before a client that does right, and wrong.

use alloc::vec::Vec;

use super::{
    bed::{cak, ms, policy},
    plane::Manner,
    played::Played,
};
use crate::{
    crypto::{KeyAgreement, seeded},
    ieee::{An, CipherSuite},
    mka::{
        Event, Kn, Mi, RekeyAnswer, RekeyWhy, Remembered, SaId,
        pdu::{DistributedKey, DistributedSak, KeyUse, Mkpdu, SakUse},
    },
};

impl Played {
    /// The key that the KaY gives out.
    fn given(&self) -> Option<DistributedKey> {
        match self.heard.as_ref()?.distributed_sak.clone()? {
            DistributedSak::Key(key) => Some(key),
            DistributedSak::NoMacsec => None,
        }
    }

    /// What a client that has this key says of it.
    fn has(&self, key: &DistributedKey, tx: bool) -> SakUse {
        SakUse {
            latest: Some(KeyUse {
                an: key.an,
                mi: self.heard.as_ref().unwrap().basic.mi,
                kn: key.kn,
                tx,
                rx: true,
                lowest_pn: 1,
            }),
            ..SakUse::default()
        }
    }

    fn report(&mut self, said: SakUse) {
        self.say(|pdu| pdu.sak_use = Some(said)).unwrap();
    }

    fn why(&self) -> Vec<RekeyWhy> {
        let why = |event: &Event| match event {
            Event::SakDistributed { why, .. } => Some(*why),
            _ => None,
        };
        self.node()
            .events
            .iter()
            .filter_map(|(_, event)| why(event))
            .collect()
    }

    /// Takes the key and transmits with it.
    fn secure(&mut self) -> DistributedKey {
        let key = self.given().unwrap();
        let said = self.has(&key, false);
        self.report(said);
        let said = self.has(&key, true);
        self.report(said);
        assert!(self.node().secured());
        key
    }
}

#[test]
fn a_key_is_given_until_the_peer_has_it_and_used_not_before() {
    let mut client = Played::client();
    let key = client.given().unwrap();
    assert_eq!((key.kn, key.an), (Kn(1), An::ALL[0]));
    client.listen(1000);
    assert_eq!(client.given().unwrap(), key, "repeated in every MKPDU");
    assert_eq!(client.uses(), [(1, 0, true, false)], "beside SAK Use");
    let opened = seeded(0).unwrap_sak(&cak(1, 1).keys.kek, &key.wrapped);
    assert_eq!(opened.unwrap().expose().len(), 16);
    let said = client.has(&key, false);
    client.report(said);
    assert_eq!(client.uses(), [(1, 0, true, true)]);
    assert_eq!(client.given(), None, "it has it");
    assert_eq!(client.why(), [RekeyWhy::First]);
}

#[test]
fn after_the_transmit_delay_it_is_used_all_the_same() {
    let mut client = Played::client();
    client.stay(5000, |_| {});
    assert_eq!(client.uses(), [(1, 0, true, false)]);
    client.stay(2000, |_| {});
    assert_eq!(client.uses(), [(1, 0, true, true)]);
    assert!(client.given().is_some(), "and still given");
}

#[test]
fn a_request_inside_the_gap_waits_for_its_end_and_one_after_it_does_not() {
    let mut client = Played::client();
    let first = client.secure();
    let said = client.has(&first, true);
    let asked = |client: &mut Played| client.bed.kay(0, |kay, now| kay.rekey(now)).unwrap();
    let RekeyAnswer::Queued(wait) = asked(&mut client) else {
        panic!("not queued");
    };
    assert!(wait > ms(5000) && wait <= ms(6000), "{wait:?}");
    client.stay(5000, |pdu| pdu.sak_use = Some(said));
    assert_eq!(client.given(), None);
    client.stay(2000, |pdu| pdu.sak_use = Some(said));
    let second = client.given().unwrap();
    assert_eq!((second.kn, second.an), (Kn(2), An::ALL[1]));
    assert_ne!(second.wrapped, first.wrapped);
    assert_eq!(client.why(), [RekeyWhy::First, RekeyWhy::Operator]);
    // The first one stays in use until the peer has the second one.
    assert_eq!(client.uses(), [(2, 1, true, false), (1, 0, true, true)]);
    let mut said = client.has(&second, false);
    said.old = client.has(&first, true).latest;
    client.report(said);
    assert_eq!(client.uses(), [(2, 1, true, true), (1, 0, true, false)]);
}

#[test]
fn a_member_that_had_the_key_and_has_it_no_more_is_owed_a_new_one() {
    let mut client = Played::client();
    let first = client.secure();
    client.say(|_| {}).unwrap();
    client.listen(100);
    let second = client.given().unwrap();
    assert_eq!(second.kn, Kn(2));
    assert_ne!(second.an, first.an);
    assert_eq!(client.why(), [RekeyWhy::First, RekeyWhy::NewPeer]);
    assert!(client.node().secured(), "the old key is in use until then");
}

#[test]
fn numbers_under_which_a_peer_has_something_are_not_given() {
    let mut client = Played::new(policy(9), 200);
    let other = KeyUse {
        an: An::ALL[0],
        mi: Mi([7; 12]),
        kn: Kn(3),
        tx: true,
        rx: true,
        lowest_pn: 1,
    };
    let said = SakUse {
        old: Some(other),
        ..SakUse::default()
    };
    client.say(|pdu| pdu.sak_use = Some(said)).unwrap();
    assert_eq!(client.given().unwrap().an, An::ALL[1]);
}

#[test]
fn a_peer_that_has_a_newer_key_of_ours_shows_that_our_memory_is_old() {
    let mut client = Played::new(policy(9), 200);
    let mi = client.heard.as_ref().unwrap().basic.mi;
    let ours = |pdu: &mut Mkpdu| {
        pdu.sak_use = Some(SakUse {
            old: Some(KeyUse {
                an: An::ALL[2],
                mi,
                kn: Kn(41),
                tx: true,
                rx: true,
                lowest_pn: 1,
            }),
            ..SakUse::default()
        });
    };
    client.say(ours).unwrap();
    assert_eq!(client.given().unwrap().kn, Kn(42));
}

#[test]
fn packet_numbers_time_and_volume_wear_a_key_out() {
    type Change = fn(&mut crate::mka::Policy);
    let worn: [(Change, RekeyWhy); 3] = [
        (|_| {}, RekeyWhy::PacketNumbers),
        (
            |policy| policy.rekey.every = Some(ms(20_000)),
            RekeyWhy::Time,
        ),
        (
            |policy| policy.rekey.after_octets = Some(1000),
            RekeyWhy::Volume,
        ),
    ];
    for (change, why) in worn {
        let mut ours = policy(9);
        change(&mut ours);
        let mut client = Played::new(ours, 200);
        client.say(|_| {}).unwrap();
        let key = client.secure();
        let said = client.has(&key, true);
        client.stay(7000, |pdu| pdu.sak_use = Some(said));
        assert_eq!(client.why(), [RekeyWhy::First], "{why:?}");
        match why {
            RekeyWhy::PacketNumbers => {
                let mut far = said;
                far.latest.as_mut().unwrap().lowest_pn = 0xc000_0000;
                client.report(far);
            }
            RekeyWhy::Volume => {
                let sa = SaId {
                    an: key.an,
                    ki: client.heard.as_ref().unwrap().basic.mi.key(key.kn),
                };
                let tx = client.bed.nodes[0].plane.tx.get_mut(&super::plane::key(sa));
                tx.unwrap().next_pn = 11;
                let now = client.bed.now;
                client.bed.nodes[0].plane.progress(now);
                client.listen(100);
            }
            _ => client.stay(14_000, |pdu| pdu.sak_use = Some(said)),
        }
        assert_eq!(client.why(), [RekeyWhy::First, why]);
    }
}

#[test]
fn a_policy_with_another_suite_or_protection_brings_a_new_key_and_keeps_the_old_one_until_then() {
    let mut client = Played::client();
    let first = client.secure();
    let said = client.has(&first, true);
    client.stay(7000, |pdu| pdu.sak_use = Some(said));
    let mut other = policy(9);
    other.suites = [CipherSuite::GcmAes256].into_iter().collect();
    client.bed.kay(0, |kay, now| kay.set_policy(now, other));
    client.listen(100);
    let second = client.given().unwrap();
    assert_eq!(second.wrapped.len(), 40);
    assert!(client.node().secured());
    assert_eq!(client.why(), [RekeyWhy::First, RekeyWhy::Operator]);
}

#[test]
fn packet_numbers_that_run_out_are_a_loss() {
    let mut client = Played::client();
    let key = client.secure();
    let mi = client.heard.as_ref().unwrap().basic.mi;
    let sa = SaId {
        an: key.an,
        ki: mi.key(key.kn),
    };
    client.bed.nodes[0]
        .plane
        .tx
        .get_mut(&super::plane::key(sa))
        .unwrap()
        .next_pn = 1 << 32;
    let now = client.bed.now;
    client.bed.nodes[0].plane.progress(now);
    client.listen(1);
    let lost = |event: &Event| *event == Event::Lost(crate::mka::LostWhy::SaEnded);
    assert_eq!(client.node().had(lost), 1);
    assert!(!client.node().secured());
}

#[test]
fn a_data_plane_that_lets_go_of_the_key_is_a_loss() {
    let mut client = Played::client();
    let key = client.secure();
    let mi = client.heard.as_ref().unwrap().basic.mi;
    let sa = SaId {
        an: key.an,
        ki: mi.key(key.kn),
    };
    client.bed.kay(0, |kay, now| {
        kay.handle_report(now, crate::mka::Report::TxRetired(sa))
    });
    let lost = |event: &Event| *event == Event::Lost(crate::mka::LostWhy::DataPlane);
    assert_eq!(client.node().had(lost), 1);
}

#[test]
fn a_peer_that_is_gone_takes_the_keys_with_it() {
    let mut client = Played::client();
    client.secure();
    client.listen(9000);
    assert!(!client.node().secured());
    assert_eq!(client.bed.cp(0), "CHANGE");
    let plane = &client.node().plane;
    assert!(plane.tx.is_empty() && plane.rx.is_empty() && plane.peers.is_empty());
    let lost = |event: &Event| *event == Event::Lost(crate::mka::LostWhy::PeersGone);
    assert_eq!(client.node().had(lost), 1);
    assert_eq!(
        client.node().had(|event| *event == Event::Principal(None)),
        1
    );
}

#[test]
fn a_member_that_was_not_heard_for_long_is_owed_a_new_key_although_it_says_that_it_has_the_old_one()
{
    let mut client = Played::client();
    let other = client.bed.add(policy(10), Remembered::default(), true);
    client
        .bed
        .kay(other, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
    client.bed.link(other, true);
    client.listen(100);
    let key = client.given().unwrap();
    let said = client.has(&key, true);
    client.report(said);
    client.stay(7000, |pdu| pdu.sak_use = Some(said));
    let before = client.why();
    // Its MKPDUs are lost for longer than its life, and the other one keeps the session up.
    client.listen(7000);
    assert!(client.node().secured());
    assert_eq!(client.why(), before);
    client.report(said);
    client.listen(100);
    assert_eq!(client.why(), [&before[..], &[RekeyWhy::NewPeer]].concat());
    assert_ne!(client.given().unwrap().kn, key.kn);
}

#[test]
fn a_key_that_our_data_plane_failed_for_is_followed_by_another_and_the_old_one_stays_until_then() {
    let mut client = Played::client();
    let first = client.secure();
    let said = client.has(&first, true);
    client.stay(7000, |pdu| pdu.sak_use = Some(said));
    client.bed.nodes[0].plane.manner = Manner::FailsInstalls;
    // The data plane is right again before the answer comes.
    client.bed.nodes[0].plane.delay = ms(5);
    client.bed.kay(0, |kay, now| kay.rekey(now)).unwrap();
    client.bed.nodes[0].plane.manner = Manner::Answers;
    client.listen(100);
    let second = client.given().unwrap();
    assert_eq!(second.kn, Kn(3));
    assert!(client.node().secured());
    let why = [RekeyWhy::First, RekeyWhy::Operator, RekeyWhy::GivenUp];
    assert_eq!(client.why(), why);
}
