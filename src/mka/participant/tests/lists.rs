//! What we say of our peers, and how many there may be.

use alloc::{vec, vec::Vec};

use arrayvec::ArrayVec;

use super::bench::{Member, at, ckn, from, hearing, key_part, met, mi, policy, sci};
use crate::{
    crypto::WrappedSak,
    ieee::{An, CipherSuite, EtherType, MacAddr},
    mka::{
        Discard, Event, IcvHeader, Kn, MAX_PEERS, Mi, Mn, Protection,
        pdu::{
            DistributedKey, DistributedSak, KeyUse, Mkpdu, PeerList, Received, SakUse, SuiteField,
            Xpn,
        },
    },
};

/// The longest Distributed SAK.
pub(super) fn sak() -> DistributedSak {
    DistributedSak::Key(DistributedKey {
        an: An::new(3).unwrap(),
        protection: Protection::Offset0,
        kn: Kn(9),
        suite: SuiteField::Known(CipherSuite::GcmAesXpn256),
        wrapped: WrappedSak::from([7; 40]),
    })
}

fn entries(list: Option<&PeerList>) -> Vec<(Mi, Mn)> {
    list.map_or_else(Vec::new, |list| list.peers.to_vec())
}

/// A member with so many live peers, numbered from 10 on.
fn among(live: u8) -> Member {
    let mut member = Member::new(1);
    member.policy.max_peers = MAX_PEERS;
    let mn = member.send(at(0)).basic.mn;
    for number in 0..live {
        let proof = hearing(from(number + 10, 1), &[(mi(1), mn)], &[]);
        assert!(member.hear(at(1), &proof).unwrap().newly_live);
    }
    member.told();
    member
}

#[test]
fn lists_echo_the_newest_numbers() {
    let mut member = met(at(0), 1, 2);
    member.hear(at(1), &from(3, 5)).unwrap();
    member.hear(at(2), &from(2, 9)).unwrap();
    let sent = member.send(at(3));
    assert_eq!(entries(sent.live.as_ref()), [(mi(2), Mn(9))]);
    assert_eq!(entries(sent.potential.as_ref()), [(mi(3), Mn(5))]);
    member.hear(at(4), &from(2, 10)).unwrap();
    member.hear(at(4), &from(3, 6)).unwrap();
    let sent = member.send(at(5));
    assert_eq!(entries(sent.live.as_ref()), [(mi(2), Mn(10))]);
    assert_eq!(entries(sent.potential.as_ref()), [(mi(3), Mn(6))]);
}

#[test]
fn the_basic_set_is_ours_and_the_rest_is_the_kays() {
    let mut member = met(at(0), 1, 2);
    member.policy.version = 1;
    member.policy.priority = 42;
    member.policy.icv_indicator = true;
    member.key = super::super::KeyPart {
        key_server: false,
        macsec_desired: false,
        sak_use: Some(SakUse::default()),
        distributed: Some(sak()),
        xpn: Some(Xpn::default()),
        ..key_part()
    };
    let sent = member.send(at(1));
    let basic = &sent.basic;
    assert_eq!((basic.version, basic.priority), (1, 42));
    assert!(!basic.key_server && !basic.macsec_desired && sent.icv_indicator);
    assert_eq!((basic.sci, basic.mi, &basic.ckn), (sci(1), mi(1), &ckn()));
    assert_eq!(sent.sak_use, Some(SakUse::default()));
    assert_eq!(sent.distributed_sak, Some(sak()));
    assert_eq!(sent.xpn, Some(Xpn::default()));
    assert!(!sent.distributed_cak);
}

#[test]
fn the_live_list_has_the_order_of_the_sscis() {
    let mut member = among(4);
    let order: ArrayVec<Mi, MAX_PEERS> = [mi(13), mi(99), mi(10)].into_iter().collect();
    member.key.ssci_order = Some((2, order));
    let live = member.send(at(1)).live.unwrap();
    assert_eq!(live.key_server_ssci, 2);
    let named: Vec<Mi> = live.peers.iter().map(|(mi, _)| *mi).collect();
    assert_eq!(named, [mi(13), mi(10), mi(11), mi(12)]);
}

#[test]
fn as_many_peers_as_there_may_be_and_all_that_a_message_can_say_fit_into_a_frame() {
    let mut member = among(30);
    member.policy.max_peers = MAX_PEERS;
    member.policy.icv_indicator = true;
    // Potential peers of SCIs that are live, as after a restart of all.
    for number in 0..30 {
        let mut restarted = from(number + 10, 1);
        restarted.basic.mi = mi(number + 100);
        let heard = member.hear(at(2), &restarted);
        assert_eq!(heard, Err(Discard::Unproven));
    }
    let used = Some(KeyUse {
        an: An::new(1).unwrap(),
        mi: mi(1),
        kn: Kn(1),
        tx: true,
        rx: true,
        lowest_pn: 1,
    });
    let key = super::super::KeyPart {
        sak_use: Some(SakUse {
            latest: used,
            old: used,
            ..SakUse::default()
        }),
        distributed: Some(sak()),
        xpn: Some(Xpn::default()),
        ..key_part()
    };
    let Member {
        participant,
        policy,
        chance,
        events,
        ..
    } = &mut member;
    let frame = participant
        .compose(at(3), policy, &key, chance, events, None)
        .unwrap();
    let received = Received::parse(&frame, EtherType::EAPOL, MacAddr([2; 6])).unwrap();
    let pdu = received
        .verify(chance, &participant.keys().ick, IcvHeader::AsSent)
        .unwrap();
    assert_eq!(pdu.live.unwrap().peers.len(), 30);
    assert_eq!(pdu.potential.unwrap().peers.len(), 30);
    assert_eq!((pdu.basic.mn, pdu.distributed_sak), (Mn(2), Some(sak())));
    let counters = participant.status(false).counters;
    assert_eq!(
        (
            counters.out_mkpdus,
            counters.out_sak_mkpdus,
            counters.out_errors
        ),
        (1, 1, 0)
    );
}

#[test]
fn a_message_that_can_not_be_made_is_counted_and_does_not_stop_the_next() {
    let mut member = Member::new(1);
    let mut key = key_part();
    key.distributed = Some(match sak() {
        DistributedSak::Key(key) => DistributedSak::Key(DistributedKey {
            wrapped: WrappedSak::new(),
            ..key
        }),
        DistributedSak::NoMacsec => panic!("not this one"),
    });
    let policy = policy();
    let mut compose = |ms, key| {
        let Member {
            participant,
            chance,
            events,
            ..
        } = &mut member;
        let frame = participant.compose(at(ms), &policy, key, chance, events, None);
        let counters = participant.status(false).counters;
        (
            frame.is_some(),
            counters.out_errors,
            counters.out_mkpdus,
            counters.out_sak_mkpdus,
        )
    };
    assert_eq!(compose(0, &key), (false, 1, 0, 0));
    assert_eq!(compose(20, &key_part()), (true, 1, 1, 0));
}

#[test]
fn a_group_of_thirty_has_no_room_for_one_more() {
    let mut member = among(30);
    assert_eq!(member.live().len(), 30);
    let mn = Mn(member.participant.next_mn().0 - 1);
    let proof = hearing(from(60, 1), &[(mi(1), mn)], &[]);
    assert_eq!(member.hear(at(2), &proof), Err(Discard::TooManyPeers));
    assert_eq!(member.live().len(), 30);
}

#[test]
fn an_uninvited_third_member_is_not_even_named_and_the_session_goes_on() {
    let mut member = met(at(0), 1, 2);
    member.policy.max_peers = 1;
    sent_and_quiet(&mut member, 30);
    let mut refused = 0;
    for n in 1..1000 {
        let now = u64::from(n) * 10;
        let (ckn, sci) = (ckn(), sci(3));
        let mine = Mn(member.participant.next_mn().0 - 1);
        for uninvited in [
            from(3, 2 * n),
            hearing(from(3, 2 * n + 1), &[(mi(1), mine)], &[]),
        ] {
            assert_eq!(member.hear(at(now), &uninvited), Err(Discard::TooManyPeers));
            refused += 1;
        }
        let once_in_a_life_time = (now % 6000 == 10).then_some(Event::TooManyPeers { ckn, sci });
        assert_eq!(member.told(), Vec::from_iter(once_in_a_life_time));
        let peer = hearing(from(2, n + 1), &[(mi(1), mine)], &[]);
        assert!(member.hear(at(now), &peer).unwrap().live);
        if let Some(sent) = member.send_if_due(at(now)) {
            assert_eq!(entries(sent.live.as_ref()), [(mi(2), Mn(n + 1))]);
            assert_eq!(sent.potential, None);
        }
    }
    assert_eq!(member.discarded(Discard::TooManyPeers), refused);
}

/// Sends what is due, until nothing more is.
fn sent_and_quiet(member: &mut Member, ms: u64) {
    member.send(at(ms));
    assert!(!member.is_due(at(ms)));
}

#[test]
fn an_uninvited_member_is_not_answered_and_enters_when_there_is_room() {
    let mut member = met(at(0), 1, 2);
    member.policy.max_peers = 1;
    for ms in [50, 100, 300, 700, 1500, 2300] {
        sent_and_quiet(&mut member, ms);
    }
    member.hear(at(2500), &from(3, 1)).unwrap_err();
    assert!(!member.is_due(at(2500)));
    assert!(
        !member.hear(at(6000), &from(3, 2)).unwrap().live,
        "the peer is gone"
    );
    let mn = member.send(at(6020)).basic.mn;
    let proof = hearing(from(3, 3), &[], &[(mi(1), mn)]);
    assert!(member.hear(at(6030), &proof).unwrap().newly_live);
}

#[test]
fn who_was_potential_when_the_last_place_went_is_named_no_more() {
    let mut member = Member::new(1);
    member.policy.max_peers = 1;
    let mn = member.send(at(0)).basic.mn;
    member.hear(at(1), &from(3, 1)).unwrap();
    let proof = |number, at| hearing(from(number, at), &[], &[(mi(1), mn)]);
    member.hear(at(2), &proof(2, 1)).unwrap();
    assert_eq!(member.hear(at(3), &proof(3, 2)), Err(Discard::TooManyPeers));
    assert_eq!((member.live(), member.potential()), (vec![mi(2)], vec![]));
}

#[test]
fn limits_out_of_range_mean_the_nearest_one() {
    let mut member = Member::new(1);
    member.policy.max_peers = 0;
    let mn = member.send(at(0)).basic.mn;
    let proof = hearing(from(2, 1), &[(mi(1), mn)], &[]);
    assert!(member.hear(at(1), &proof).unwrap().live);

    let mut member = among(30);
    member.policy.max_peers = usize::MAX;
    assert_eq!(member.hear(at(2), &from(60, 1)), Err(Discard::TooManyPeers));
}

#[test]
fn lists_of_strangers_make_no_peers() {
    let mut member = met(at(0), 1, 2);
    let strangers: Vec<(Mi, Mn)> = (50..80).map(|number| (mi(number), Mn(1))).collect();
    member
        .hear(at(1), &hearing(from(2, 2), &strangers, &strangers))
        .unwrap();
    assert_eq!((member.live(), member.potential()), (vec![mi(2)], vec![]));
    let sent: Mkpdu = member.send(at(2));
    assert_eq!(sent.potential, None);
}
