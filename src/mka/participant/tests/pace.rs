//! When MKPDUs are due: ramp, hello time, at once, and never in a storm.

use alloc::{boxed::Box, vec, vec::Vec};

use super::bench::{Member, at, from, hearing, in_ms, met, mi};
use crate::mka::{Time, pdu::Mkpdu};

/// When it sends until `end`, if it is asked exactly when it wants to be.
fn sent_until(member: &mut Member, bounded: bool, end: u64) -> Vec<u64> {
    let mut times = Vec::new();
    loop {
        let next = member.participant.next_send(&member.policy, bounded);
        if next > at(end) {
            return times;
        }
        if let Some(before) = next.0.checked_sub(core::time::Duration::from_nanos(1)) {
            let early = member
                .participant
                .due(Time(before), &member.policy, bounded);
            assert!(!early, "due before {next:?}");
        }
        assert!(member.participant.due(next, &member.policy, bounded));
        times.push(in_ms(next));
        member.send(next);
    }
}

const RAMP: [u64; 8] = [0, 100, 300, 700, 1500, 2300, 4300, 6300];

#[test]
fn a_new_participant_climbs_the_ramp_and_then_sends_at_hello_time() {
    assert_eq!(sent_until(&mut Member::new(1), false, 6300), RAMP);
}

#[test]
fn a_link_that_comes_up_starts_the_ramp_again() {
    let mut member = Member::new(1);
    sent_until(&mut member, false, 10_300);
    member.participant.link_up(at(10_500));
    assert_eq!(
        sent_until(&mut member, false, 16_800),
        RAMP.map(|ms| ms + 10_500)
    );
}

#[test]
fn without_a_ramp_there_is_one_message_and_then_hello_time() {
    let mut member = Member::new(1);
    member.policy.timers.ramp.clear();
    assert_eq!(sent_until(&mut member, false, 6000), [0, 2000, 4000, 6000]);
}

#[test]
fn bounded_hello_time_is_kept_while_asked_for() {
    let mut member = Member::new(1);
    sent_until(&mut member, false, 2300);
    assert_eq!(sent_until(&mut member, true, 4000), [2800, 3300, 3800]);
    assert_eq!(sent_until(&mut member, false, 8000), [5800, 7800]);
}

#[test]
fn a_bounded_hello_time_above_hello_time_lengthens_nothing() {
    let mut member = Member::new(1);
    member.policy.timers.bounded_hello = member.policy.timers.hello * 2;
    assert_eq!(sent_until(&mut member, true, 6300), RAMP);
}

#[test]
fn what_goes_out_at_once_leaves_the_ramp_and_puts_off_the_next_hello() {
    let mut member = Member::new(1);
    member.send(at(0));
    member.participant.send_soon();
    assert_eq!(member.next_send(), at(20));
    member.send(at(20));
    assert_eq!(sent_until(&mut member, false, 4300), RAMP[1..7]);
    member.participant.send_soon();
    member.send(at(5000));
    assert_eq!(sent_until(&mut member, false, 9000), [7000, 9000]);
}

#[test]
fn changes_close_together_go_out_together() {
    let mut member = met(at(0), 1, 2);
    sent_until(&mut member, false, 1000);
    for ms in [1000, 1003, 1007] {
        member.participant.send_soon();
        if ms == 1000 {
            assert!(member.is_due(at(ms)), "the first one at once");
            member.send(at(ms));
        }
    }
    assert_eq!(sent_until(&mut member, false, 1200), [1020]);
}

#[test]
fn a_storm_of_changes_ends_in_ten_messages_a_second() {
    let mut member = Member::new(1);
    let mut times = Vec::new();
    for ms in 0..60_000 {
        member.participant.send_soon();
        if member.send_if_due(at(ms)).is_some() {
            times.push(ms);
        }
    }
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 20));
    let first_second = times.iter().filter(|ms| **ms < 1000).count();
    assert!((16..=26).contains(&first_second), "{first_second}");
    let later = times
        .iter()
        .filter(|ms| (10_000..20_000).contains(*ms))
        .count();
    assert!((99..=101).contains(&later), "{later}");
    assert!(times.len() <= 16 + 600 + 6, "{}", times.len());
}

#[test]
fn a_storm_that_is_over_leaves_room_for_the_next_change() {
    let mut member = Member::new(1);
    for ms in 0..10_000 {
        member.participant.send_soon();
        member.send_if_due(at(ms));
    }
    // All changes are told; hellos only.
    let hellos = sent_until(&mut member, false, 20_000);
    assert!(hellos.len() <= 6, "{hellos:?}");
    let mut times = Vec::new();
    for ms in 20_500..21_000 {
        member.participant.send_soon();
        if member.send_if_due(at(ms)).is_some() {
            times.push(ms);
        }
    }
    assert_eq!(
        times[..16],
        core::array::from_fn::<u64, 16, _>(|n| 20_500 + 20 * n as u64)
    );
    assert!(times.len() <= 21, "{times:?}");
}

/// Two ends that answer each message with another: a worst case that no two of ours are in.
#[test]
fn two_ends_that_always_answer_do_not_storm() {
    let (mut a, mut b) = (Member::new(1), Member::new(2));
    let mut sent = 0;
    for ms in 0..30_000 {
        let (from_a, from_b) = (a.send_if_due(at(ms)), b.send_if_due(at(ms)));
        sent += usize::from(from_a.is_some()) + usize::from(from_b.is_some());
        for (to, pdu) in [(&mut b, from_a), (&mut a, from_b)] {
            if let Some(pdu) = pdu {
                to.hear(at(ms), &pdu).unwrap();
                to.participant.send_soon();
            }
        }
    }
    assert!(sent <= 2 * (16 + 300 + 6), "{sent}");
}

#[test]
fn a_flood_of_messages_that_want_an_answer_is_answered_ten_times_a_second() {
    let mut member = met(at(0), 1, 2);
    let mut answers = 0;
    for n in 2..50_000_u32 {
        let now = at(u64::from(n) / 10);
        // Rising numbers, not hearing us: as bad as a member can be.
        member.hear(now, &from(2, n)).unwrap();
        answers += usize::from(member.send_if_due(now).is_some());
    }
    assert!(answers <= 16 + 50 + 6, "{answers}");
}

#[test]
fn two_quiet_ends_send_hellos_only() {
    let (mut a, mut b) = (Member::new(1), Member::new(2));
    let exchange = |to: &mut Member, now, pdu: Option<Box<Mkpdu>>| {
        pdu.map_or(0, |pdu| {
            to.hear(now, &pdu).unwrap();
            1
        })
    };
    let mut sent = 0;
    for ms in 0..63_000 {
        let (from_a, from_b) = (a.send_if_due(at(ms)), b.send_if_due(at(ms)));
        let new = exchange(&mut b, at(ms), from_a) + exchange(&mut a, at(ms), from_b);
        sent += if ms >= 3000 { new } else { 0 };
    }
    assert_eq!((a.live(), b.live()), (vec![mi(2)], vec![mi(1)]));
    assert!((60..=62).contains(&sent), "{sent}");
}

#[test]
fn expiry_does_not_wait_for_a_message() {
    let mut member = met(at(0), 1, 2);
    let mn = member.send(at(5)).basic.mn;
    member
        .hear(at(10), &hearing(from(2, 2), &[(mi(1), mn)], &[]))
        .unwrap();
    assert_eq!(member.next_expiry(), Some(at(6010)));
    assert_eq!(member.next_send(), at(2005));
}
