//! Message numbers of peers (802.1X-2020 9.4.2): each is heard once, in rising order.

use super::bench::{Member, at, from, hearing, met, mi};
use crate::mka::{Discard, Mn, pdu::Mkpdu};

#[test]
fn the_same_and_a_lower_number_change_nothing() {
    for mut member in [met(at(0), 1, 2), {
        let mut member = Member::new(1);
        member.hear(at(0), &from(2, 1)).unwrap();
        member
    }] {
        member.hear(at(10), &from(2, 20)).unwrap();
        member.send(at(50));
        for mn in [20, 19, 1, 0] {
            let mut replayed = from(2, mn);
            replayed.basic.priority = 1;
            let result = member.hear(at(100), &replayed);
            assert_eq!(result, Err(Discard::MessageNumber), "{mn}");
        }
        assert_eq!(member.discarded(Discard::MessageNumber), 4);
        let status = member.participant.status(false);
        let [peer] = &status.peers[..] else {
            panic!("one peer");
        };
        assert_eq!((peer.mn, peer.heard, peer.priority), (Mn(20), at(10), 16));
        assert!(!member.is_due(at(100)), "a replay is not answered");
    }
}

#[test]
fn a_reordered_message_does_not_extend_a_life() {
    let mut member = met(at(0), 1, 2);
    let mn = member.send(at(0)).basic.mn;
    let pdu = |number| hearing(from(2, number), &[(mi(1), mn)], &[]);
    member.hear(at(1000), &pdu(3)).unwrap();
    member.hear(at(5000), &pdu(2)).unwrap_err();
    assert_eq!(member.next_expiry(), Some(at(7000)));
}

#[test]
fn any_order_and_any_number_of_copies_give_the_rising_ones_once() {
    let mut member = met(at(0), 1, 2);
    let order = [5, 3, 5, 8, 7, 8, 9, 2, 9, 10];
    let taken = order.map(|mn| member.hear(at(1), &from(2, mn)).is_ok());
    let expected = [
        true, false, false, true, false, false, true, false, false, true,
    ];
    assert_eq!(taken, expected);
}

#[test]
fn a_known_identifier_at_another_sci_is_not_taken() {
    let mut member = met(at(0), 1, 2);
    let mut stranger = hearing(from(3, 9), &[(mi(1), Mn(1))], &[]);
    stranger.basic.mi = mi(2);
    assert_eq!(member.hear(at(1), &stranger), Err(Discard::Unproven));
    assert_eq!(member.live(), [mi(2)]);
    assert_eq!(member.participant.live_peer(mi(2)).unwrap().mn, Mn(1));
}

#[test]
fn numbers_of_one_peer_say_nothing_about_another() {
    let mut member = met(at(0), 1, 2);
    member.hear(at(1), &from(2, 1000)).unwrap();
    // Another member's list has an older, and a newer, number of the peer.
    for (mn, listed) in [(1, 5), (2, 5000)] {
        let other = hearing(from(3, mn), &[(mi(2), Mn(listed))], &[]);
        member.hear(at(1), &other).unwrap();
    }
    member.hear(at(1), &from(2, 1001)).unwrap();
    member.hear(at(1), &from(3, 3)).unwrap();
}

#[test]
fn every_discard_is_counted_by_its_reason() {
    let mut member = Member::new(1);
    for why in Discard::ALL {
        assert_eq!(member.participant.discard(why), why);
        assert_eq!(member.discarded(why), 1);
    }
}

#[test]
fn a_sak_and_a_cak_in_a_message_are_counted() {
    let mut member = met(at(0), 1, 2);
    let counted = |member: &Member| {
        let counters = member.participant.status(false).counters;
        (
            counters.in_mkpdus,
            counters.in_sak_mkpdus,
            counters.in_cak_mkpdus,
        )
    };
    let cak = Mkpdu {
        distributed_cak: true,
        ..from(2, 2)
    };
    member.hear(at(1), &cak).unwrap();
    member.hear(at(1), &cak).unwrap_err();
    assert_eq!(counted(&member), (2, 0, 1));
    let sak = Mkpdu {
        distributed_sak: Some(super::lists::sak()),
        ..from(2, 3)
    };
    member.hear(at(1), &sak).unwrap();
    assert_eq!(counted(&member), (3, 1, 1));
}
