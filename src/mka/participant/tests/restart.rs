//! Peers that come back under another identifier, and recordings of those that do not.

use alloc::{vec, vec::Vec};

use super::bench::{Member, at, ckn, from, hearing, in_ms, met, mi, sci};
use crate::mka::{Discard, Event, Mi, Mn, pdu::Mkpdu};

/// A MKPDU of member 2 in a life of its own.
fn life(number: u8, mn: u32) -> Mkpdu {
    let mut pdu = from(2, mn);
    pdu.basic.mi = mi(number);
    pdu
}

/// The same, listing our number `listed`.
fn life_hearing(number: u8, mn: u32, listed: Mn) -> Mkpdu {
    hearing(life(number, mn), &[], &[(mi(1), listed)])
}

#[test]
fn a_restarted_peer_takes_its_place_as_soon_as_it_hears_us() {
    let mut member = met(at(0), 1, 2);
    let third = hearing(from(3, 1), &[(mi(1), Mn(1))], &[]);
    member.hear(at(0), &third).unwrap();
    member.send(at(900));
    member.told();

    assert_eq!(member.hear(at(1000), &life(20, 1)), Err(Discard::Unproven));
    assert_eq!(
        (member.live(), member.potential()),
        (vec![mi(2), mi(3)], vec![mi(20)])
    );
    let answer = member.send_if_due(at(1000)).unwrap();
    assert_eq!(
        answer.potential.as_ref().unwrap().peers[..],
        [(mi(20), Mn(1))]
    );
    assert_eq!(
        answer.live.as_ref().unwrap().peers[..],
        [(mi(2), Mn(1)), (mi(3), Mn(1))]
    );

    let heard = member
        .hear(at(1010), &life_hearing(20, 2, answer.basic.mn))
        .unwrap();
    assert!(heard.live && heard.newly_live && heard.list_changed);
    assert_eq!(heard.restarted, Some(mi(2)));
    assert_eq!(
        (member.live(), member.potential()),
        (vec![mi(20), mi(3)], vec![])
    );
    let (ckn, sci, mi) = (ckn(), sci(2), mi(20));
    assert_eq!(member.told(), [Event::PeerRestarted { ckn, sci, mi }]);
    let counters = member.participant.status(false).counters;
    assert_eq!((counters.peers_gained, counters.peers_lost), (3, 1));
}

#[test]
fn the_old_identifier_lives_on_while_the_new_one_does_not_hear_us() {
    let mut member = met(at(0), 1, 2);
    for mn in 1..100 {
        let now = at(u64::from(mn) * 50);
        assert_eq!(member.hear(now, &life(20, mn)), Err(Discard::Unproven));
    }
    assert_eq!(member.live(), [mi(2)]);
    assert_eq!(member.discarded(Discard::Unproven), 99);
    // Its own silence ends it, and then the new one is like any other.
    assert_eq!(member.next_expiry().map(in_ms), Some(6000));
    assert!(!member.hear(at(6000), &life(20, 100)).unwrap().live);
    assert_eq!((member.live(), member.potential()), (vec![], vec![mi(20)]));
}

#[test]
fn recordings_of_earlier_lives_displace_nobody() {
    let mut member = met(at(0), 1, 2);
    let known = member.send(at(2000)).basic.mn;
    member
        .hear(at(2001), &hearing(from(2, 2), &[(mi(1), known)], &[]))
        .unwrap();
    // They list other identifiers of ours, or numbers of ours that the live peer listed as well.
    for (old, listed) in [
        (30, (mi(77), Mn(5))),
        (31, (mi(1), Mn(1))),
        (32, (mi(1), known)),
    ] {
        for mn in 1..50 {
            let recorded = hearing(life(old, mn), &[listed], &[]);
            assert_eq!(
                member.hear(at(2010), &recorded),
                Err(Discard::Unproven),
                "{old}"
            );
        }
    }
    assert_eq!(member.live(), [mi(2)]);
    let alive = hearing(from(2, 3), &[(mi(1), known)], &[]);
    assert!(member.hear(at(4000), &alive).unwrap().live);
    assert_eq!(member.told(), []);
}

#[test]
fn what_was_held_back_does_not_undo_a_restart() {
    let mut member = met(at(0), 1, 2);
    let before = member.send(at(1000)).basic.mn;
    let held_back = hearing(from(2, 50), &[(mi(1), before)], &[]);
    let after = member.send(at(1100)).basic.mn;
    assert_eq!(
        member
            .hear(at(1110), &life_hearing(20, 1, after))
            .unwrap()
            .restarted,
        Some(mi(2))
    );
    assert_eq!(member.hear(at(1120), &held_back), Err(Discard::Unproven));
    assert_eq!(member.live(), [mi(20)]);
}

#[test]
fn of_two_restarts_the_later_one_wins_in_whichever_order_they_are_heard() {
    for late_first in [false, true] {
        let mut member = met(at(0), 1, 2);
        let first = member.send(at(1000)).basic.mn;
        let second = member.send(at(1100)).basic.mn;
        let mut proofs = [life_hearing(20, 2, first), life_hearing(21, 2, second)];
        if late_first {
            proofs.reverse();
        }
        for proof in &proofs {
            let _ = member.hear(at(1200), proof);
        }
        assert_eq!(member.live(), [mi(21)], "{late_first}");
    }
}

#[test]
fn a_flood_of_identifiers_of_one_peer_costs_four_places_and_keeps_nobody_out() {
    let mut member = met(at(0), 1, 2);
    member.hear(at(500), &from(3, 1)).unwrap();
    let flood = |member: &mut Member, from: u64| {
        for n in 0..2000 {
            let recorded = life(u8::try_from(n % 90).unwrap() + 10, 1);
            assert_eq!(
                member.hear(at(from + n / 10), &recorded),
                Err(Discard::Unproven)
            );
        }
    };
    flood(&mut member, 500);
    assert_eq!(member.potential().len(), 5);
    assert_eq!(member.potential()[0], mi(3));

    // Amid the flood the peer restarts. What the flood drove out of the list proves itself all the same.
    member.hear(at(800), &life(200, 1)).unwrap_err();
    flood(&mut member, 800);
    assert!(!member.potential().contains(&mi(200)));
    let answer = member.send(at(1100)).basic.mn;
    let heard = member
        .hear(at(1101), &life_hearing(200, 2, answer))
        .unwrap();
    assert_eq!(heard.restarted, Some(mi(2)));
}

#[test]
fn a_flood_of_peers_is_bounded_and_keeps_nobody_out() {
    let mut member = Member::new(1);
    for n in 0..200_u8 {
        member.hear(at(u64::from(n)), &from(n + 10, 1)).unwrap();
    }
    let kept: Vec<Mi> = (180..210).map(mi).collect();
    assert_eq!(member.potential(), kept);
    let answer = member.send(at(300)).basic.mn;
    let proof = hearing(from(5, 1), &[], &[(mi(1), answer)]);
    assert!(member.hear(at(301), &proof).unwrap().newly_live);
}

#[test]
fn a_restart_needs_no_room() {
    let mut member = met(at(0), 1, 2);
    member.policy.max_peers = 1;
    member.hear(at(1), &life(20, 1)).unwrap_err();
    let answer = member.send(at(30)).basic.mn;
    assert!(
        member
            .hear(at(40), &life_hearing(20, 2, answer))
            .unwrap()
            .newly_live
    );
}

#[test]
fn a_peer_that_remembers_goes_on_where_it_was() {
    let mut member = met(at(0), 1, 2);
    let heard = member.hear(at(1000), &from(2, 65)).unwrap();
    assert!(heard.live && !heard.newly_live && !heard.list_changed);
    assert!(
        member.is_due(at(1000)),
        "it is answered, so that it knows us again"
    );
}
