//! Our own identifier and numbers (802.1X-2020 9.4.2).

use alloc::vec;

use super::bench::{Member, at, ckn, from, hearing, met, mi};
use crate::mka::{Discard, Event, Mi, Mn, NewMiWhy, pdu::Mkpdu};

fn renewed(mi: Mi, why: NewMiWhy) -> Event {
    let ckn = ckn();
    Event::NewMemberIdentifier { ckn, mi, why }
}

/// A MKPDU of somebody's that has the identifier of `pdu`'s sender.
fn with_mi_of(number: u8, pdu: &Mkpdu) -> Mkpdu {
    let mut other = from(number, 77);
    other.basic.mi = pdu.basic.mi;
    other
}

#[test]
fn numbers_rise_from_the_first_one_on_and_the_last_one_is_kept() {
    let mut member = Member::again(at(0), 1, mi(1), Mn(41));
    for mn in 41..45 {
        assert_eq!(member.participant.next_mn(), Mn(mn));
        assert_eq!(member.send(at(0)).basic.mn, Mn(mn));
    }
    assert_eq!(member.participant.status(false).mn, Mn(44));
}

#[test]
fn our_identifier_in_use_by_another_gives_us_a_new_one_and_the_other_is_heard() {
    let mut member = Member::new(1);
    let sent = member.send(at(0));
    let heard = member.hear(at(30), &with_mi_of(2, &sent)).unwrap();
    assert_eq!((heard.mi, heard.live), (mi(1), false));
    assert_eq!(member.participant.mi(), mi(100));
    assert_eq!(member.participant.next_mn(), Mn(1));
    assert_eq!(member.told(), [renewed(mi(100), NewMiWhy::Used)]);
    assert!(member.is_due(at(30)));
    assert_eq!(member.send(at(30)).basic.mi, mi(100));
}

#[test]
fn our_own_frames_that_come_back_change_nothing() {
    let mut member = met(at(0), 1, 2);
    let sent = member.send(at(50));
    member.send(at(100));
    for _ in 0..3 {
        assert_eq!(member.hear(at(150), &sent), Err(Discard::Reflected));
    }
    assert_eq!(member.discarded(Discard::Reflected), 3);
    assert_eq!(
        (member.participant.mi(), member.live()),
        (mi(1), vec![mi(2)])
    );
    assert!(!member.is_due(at(150)), "no answer to ourselves");
    assert_eq!(member.told(), []);
}

#[test]
fn frames_of_an_earlier_life_of_ours_change_nothing() {
    let mut member = met(at(0), 1, 2);
    let mut recorded = hearing(from(1, 9000), &[(mi(1), Mn(1))], &[]);
    recorded.basic.mi = mi(50);
    assert_eq!(member.hear(at(10), &recorded), Err(Discard::Reflected));
    assert_eq!(member.participant.mi(), mi(1));
    assert_eq!((member.live(), member.potential()), (vec![mi(2)], vec![]));
}

#[test]
fn a_frame_of_ours_that_we_never_sent_shows_that_our_memory_is_an_old_copy() {
    let mut member = Member::again(at(0), 1, mi(1), Mn(9));
    member.send(at(0));
    assert_eq!(member.hear(at(50), &from(1, 9)), Err(Discard::Reflected));
    assert_eq!(member.participant.mi(), mi(1));
    assert!(!member.is_due(at(50)));
    assert_eq!(member.hear(at(50), &from(1, 10)), Err(Discard::Reflected));
    assert_eq!(member.participant.mi(), mi(100));
    assert!(member.is_due(at(50)), "peers are to know at once");
    assert_eq!(member.told(), [renewed(mi(100), NewMiWhy::Ahead)]);
}

#[test]
fn a_peer_that_lists_a_number_that_we_never_sent_gives_us_a_new_identifier() {
    let mut member = met(at(0), 1, 2);
    let next = member.participant.next_mn();
    let ahead = hearing(from(2, 2), &[(mi(1), next)], &[]);
    let heard = member.hear(at(100), &ahead).unwrap();
    assert!(heard.live && !heard.newly_live);
    assert_eq!(member.participant.mi(), mi(100));
    assert_eq!(member.told(), [renewed(mi(100), NewMiWhy::Ahead)]);
    let counters = member.participant.status(false).counters;
    assert_eq!((counters.peer_list_errors, counters.peers_lost), (1, 0));

    // The peer has time to find out; then it goes on as before.
    let sent = member.send_if_due(at(100)).unwrap();
    assert_eq!((sent.basic.mi, sent.basic.mn), (mi(100), Mn(1)));
    assert_eq!(sent.live.as_ref().unwrap().peers[..], [(mi(2), Mn(2))]);
    let proof = hearing(from(2, 3), &[], &[(mi(100), Mn(1))]);
    assert!(member.hear(at(5000), &proof).unwrap().live);
    assert_eq!(member.next_expiry(), Some(at(100 + 8000)));
}

#[test]
fn one_wrong_number_among_right_ones_is_enough() {
    let mut member = Member::new(1);
    let mn = member.send(at(0)).basic.mn;
    let both = hearing(from(2, 1), &[(mi(1), mn)], &[(mi(1), Mn(u32::MAX))]);
    assert!(!member.hear(at(1), &both).unwrap().live);
    assert_eq!(member.participant.mi(), mi(100));
}

#[test]
fn without_randomness_nothing_is_sent_until_there_is_some() {
    let mut member = Member::new(1);
    let sent = member.send(at(0));
    member.chance.next = None;
    let other = with_mi_of(2, &sent);
    assert_eq!(member.hear(at(50), &other), Err(Discard::Reflected));
    member.participant.send_soon();
    for ms in [50, 70, 90] {
        assert!(member.is_due(at(ms)));
        assert_eq!(member.send_below(at(ms), None), None);
        assert_eq!(member.next_send(), at(ms + 20), "later, not at once again");
    }
    assert_eq!(member.participant.status(false).counters.out_errors, 3);
    assert_eq!(member.told(), []);
    member.chance.next = Some(100);
    assert_eq!(member.send_below(at(110), None), None);
    assert_eq!(member.told(), [renewed(mi(100), NewMiWhy::Used)]);
    assert_eq!(member.send(at(110)).basic.mi, mi(100));
}

#[test]
fn an_identifier_that_is_zero_or_somebodys_is_not_taken() {
    for taken in [0, 1, 2, 3] {
        let mut member = met(at(0), 1, 2);
        member.hear(at(0), &from(3, 1)).unwrap();
        member.chance.next = Some(taken);
        let ahead = hearing(from(2, 2), &[(mi(1), Mn(1000))], &[]);
        member.hear(at(100), &ahead).unwrap();
        assert_eq!(member.told(), [], "{taken}");
        member.chance.next = Some(taken);
        assert_eq!(member.send_below(at(100), None), None, "{taken}");
        member.chance.next = Some(200);
        assert_eq!(member.send_below(at(120), None), None, "{taken}");
        assert_eq!(member.send(at(120)).basic.mi, mi(200), "{taken}");
    }
}

#[test]
fn used_up_numbers_give_a_new_identifier_and_the_caller_learns_of_it_before_it_is_used() {
    for limit in [None, Some(Mn(u32::MAX))] {
        let mut member = Member::again(at(0), 1, mi(1), Mn(u32::MAX - 2));
        let numbers = [0, 20, 40].map(|ms| {
            let sent = member.send_below(at(ms), limit);
            sent.map(|sent| (sent.basic.mi, sent.basic.mn))
        });
        let last = [u32::MAX - 2, u32::MAX - 1].map(|mn| Some((mi(1), Mn(mn))));
        assert_eq!(numbers, [last[0], last[1], None]);
        assert_eq!(member.told(), [renewed(mi(100), NewMiWhy::Exhausted)]);
        assert_eq!(member.participant.mi(), mi(100));
        assert!(member.is_due(at(40)));
        let sent = member.send_below(at(40), limit).unwrap();
        assert_eq!((sent.basic.mi, sent.basic.mn), (mi(100), Mn(1)));
        assert_eq!(member.participant.status(false).counters.out_errors, 0);
    }
}

#[test]
fn no_number_leaves_from_the_limit_on() {
    let mut member = Member::again(at(0), 1, mi(1), Mn(7));
    assert_eq!(member.send_below(at(0), Some(Mn(6))), None);
    assert_eq!(member.send_below(at(20), Some(Mn(7))), None);
    assert_eq!(member.next_send(), at(40), "later, not at once again");
    let sent = member.send_below(at(40), Some(Mn(8))).unwrap();
    assert_eq!(sent.basic.mn, Mn(7));
    assert_eq!(member.send_below(at(60), Some(Mn(8))), None);
    assert_eq!(member.participant.next_mn(), Mn(8));
    assert_eq!(member.participant.status(false).counters.out_errors, 0);
}
