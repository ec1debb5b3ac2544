//! Who is live, and until when (802.1X-2020 9.4.3).

use alloc::vec;
use core::time::Duration;

use super::bench::{Member, at, ckn, from, hearing, in_ms, met, mi, sci};
use crate::mka::{
    Event, Mn, Time,
    pdu::{Capability, SakUse, Xpn},
};

#[test]
fn two_members_meet_in_three_messages() {
    let (mut a, mut b) = (Member::new(1), Member::new(2));
    let first = a.send(at(0));
    assert_eq!((&first.live, &first.potential), (&None, &None));

    let heard = b.hear(at(1), &first).unwrap();
    assert!(!heard.live && !heard.newly_live && heard.list_changed);
    let second = b.send_if_due(at(1)).unwrap();
    assert_eq!(
        second.potential.as_ref().unwrap().peers[..],
        [(mi(1), Mn(1))]
    );

    let heard = a.hear(at(2), &second).unwrap();
    assert!(heard.live && heard.newly_live && heard.list_changed);
    assert_eq!(
        (heard.mi, heard.sci, heard.restarted),
        (mi(2), sci(2), None)
    );
    let third = a.send_if_due(at(20)).unwrap();
    assert_eq!(third.live.as_ref().unwrap().peers[..], [(mi(2), Mn(1))]);
    assert_eq!(third.potential, None);

    assert!(b.hear(at(21), &third).unwrap().newly_live);
    assert_eq!((a.live(), b.live()), (vec![mi(2)], vec![mi(1)]));
    let live = |number| Event::PeerLive {
        ckn: ckn(),
        sci: sci(number),
        mi: mi(number),
    };
    assert_eq!((a.told(), b.told()), (vec![live(2)], vec![live(1)]));
    assert_eq!(b.participant.status(true).counters.in_mkpdus, 2);
    assert_eq!(b.participant.status(true).counters.peers_gained, 1);
}

#[test]
fn either_list_proves_that_a_peer_hears_us() {
    for live in [true, false] {
        let mut member = Member::new(1);
        let mn = member.send(at(0)).basic.mn;
        let own = [(mi(9), Mn(7)), (mi(1), mn)];
        let heard = if live {
            hearing(from(2, 5), &own, &[])
        } else {
            hearing(from(2, 5), &[], &own)
        };
        assert!(member.hear(at(1), &heard).unwrap().newly_live, "{live}");
    }
}

#[test]
fn a_number_is_proof_until_it_was_sent_life_time_ago() {
    let short = Duration::from_nanos(1);
    for (age, proof) in [
        (Duration::ZERO, true),
        (Duration::from_secs(6) - short, true),
        (Duration::from_secs(6), false),
    ] {
        let mut member = Member::new(1);
        let mn = member.send(at(500)).basic.mn;
        let heard = hearing(from(2, 1), &[(mi(1), mn)], &[]);
        let heard = member.hear(at(500) + age, &heard).unwrap();
        assert_eq!((heard.live, heard.newly_live), (proof, proof), "{age:?}");
    }
}

#[test]
fn numbers_of_an_earlier_run_and_forgotten_ones_are_no_proof_and_no_reproach() {
    let mut member = Member::again(at(0), 1, mi(1), Mn(1000));
    for ms in 0..200 {
        member.send(at(ms * 20));
    }
    let counted = |member: &Member| member.participant.status(false).counters.peer_list_errors;
    for (listed, mn) in [(999, 1), (1, 2), (1000, 3), (1071, 4)] {
        let heard = hearing(from(2, mn), &[], &[(mi(1), Mn(listed))]);
        assert!(!member.hear(at(4000), &heard).unwrap().live, "{listed}");
        assert_eq!((member.participant.mi(), counted(&member)), (mi(1), 0));
    }
    let heard = hearing(from(2, 5), &[], &[(mi(1), Mn(1072))]);
    assert!(
        member.hear(at(4000), &heard).unwrap().live,
        "the 128th from the end"
    );
}

#[test]
fn silence_ends_a_live_peer_at_exactly_life_time() {
    let mut member = met(at(100), 1, 2);
    let sent = member.send(at(2000));
    let heard = hearing(from(2, 2), &[(mi(1), sent.basic.mn)], &[]);
    member.hear(at(2100), &heard).unwrap();
    assert_eq!(member.next_expiry(), Some(at(8100)));
    let just_before = Time(at(8100).0 - Duration::from_nanos(1));
    let expired = member.expire(just_before);
    assert!(!expired.live_lost() && !expired.list_changed);
    assert!(!member.is_due(at(3000)));

    let expired = member.expire(at(8100));
    assert_eq!(expired.lost, [(mi(2), sci(2))]);
    assert!(expired.live_lost() && expired.list_changed);
    let (ckn, sci, mi) = (ckn(), sci(2), mi(2));
    assert_eq!(member.told(), [Event::PeerLost { ckn, sci, mi }]);
    assert_eq!(member.participant.status(false).counters.peers_lost, 1);
    assert_eq!(member.next_expiry(), None);
    assert_eq!(member.expire(at(9000)).lost, []);
}

#[test]
fn a_lost_peer_is_told_to_the_others_at_once() {
    let mut member = met(at(0), 1, 2);
    member.send(at(4500));
    assert!(!member.is_due(at(5999)));
    member.expire(at(6000));
    assert!(member.is_due(at(6000)));
    assert_eq!(member.send(at(6000)).live, None);
}

#[test]
fn silence_ends_a_potential_peer_too_and_nobody_is_told() {
    let mut member = Member::new(1);
    member.hear(at(100), &from(2, 1)).unwrap();
    member.hear(at(600), &from(2, 2)).unwrap();
    assert_eq!(member.next_expiry(), Some(at(6600)));
    assert!(!member.expire(at(6599)).list_changed);
    let expired = member.expire(at(6600));
    assert!(expired.list_changed && !expired.live_lost());
    assert_eq!((member.potential(), member.told()), (vec![], vec![]));
}

/// The peer sends all the time, and never hears anything that we sent after 1,000 ms.
#[test]
fn a_peer_that_does_not_hear_us_is_lost_although_we_hear_it() {
    let mut member = met(at(0), 1, 2);
    let last_heard = member.send(at(1000)).basic.mn;
    let mut mn = 1;
    let mut lost = None;
    for ms in (1100..20_000).step_by(100) {
        if let [_] = member.expire(at(ms)).lost[..] {
            assert_eq!(lost.replace(ms), None, "it came back to life");
        }
        if ms % 2000 == 100 {
            mn += 1;
            let heard = hearing(from(2, mn), &[(mi(1), last_heard)], &[]);
            member.hear(at(ms), &heard).unwrap();
        }
        member.send_if_due(at(ms));
    }
    // MKA Life Time and one hello after we sent what it heard last.
    assert_eq!(lost, Some(9000));
    assert_eq!((member.live(), member.potential()), (vec![], vec![mi(2)]));
}

#[test]
fn an_older_number_does_not_take_back_the_proof_of_a_newer_one() {
    let mut member = met(at(0), 1, 2);
    let old = member.send(at(1000)).basic.mn;
    let new = member.send(at(3000)).basic.mn;
    for (mn, listed) in [(2, new), (3, old)] {
        let heard = hearing(from(2, mn), &[(mi(1), listed)], &[]);
        member.hear(at(6000 + u64::from(mn)), &heard).unwrap();
    }
    assert_eq!(member.next_expiry().map(in_ms), Some(3000 + 8000));
}

#[test]
fn of_two_entries_the_newer_one_counts() {
    let mut member = met(at(0), 1, 2);
    let old = member.send(at(1000)).basic.mn;
    let new = member.send(at(3000)).basic.mn;
    for (mn, live, potential) in [(2, old, new), (3, new, old)] {
        let heard = hearing(from(2, mn), &[(mi(1), live)], &[(mi(1), potential)]);
        member.hear(at(6000), &heard).unwrap();
        assert_eq!(member.next_expiry().map(in_ms), Some(3000 + 8000));
    }
}

#[test]
fn a_peer_that_goes_on_and_hears_us_stays_live() {
    let mut member = met(at(0), 1, 2);
    for n in 1..1000_u32 {
        let now = u64::from(n) * 5999;
        let mn = member.send(at(now - 100)).basic.mn;
        let heard = hearing(from(2, n + 1), &[(mi(1), mn)], &[]);
        assert!(member.hear(at(now), &heard).unwrap().live);
    }
    assert_eq!(member.told(), []);
}

#[test]
fn a_peer_is_what_its_last_message_says() {
    let mut member = met(at(0), 1, 2);
    let mut pdu = from(2, 2);
    pdu.basic.version = 1;
    pdu.basic.priority = 255;
    pdu.basic.key_server = false;
    pdu.basic.macsec_desired = false;
    pdu.basic.capability = Capability::Integrity;
    member.hear(at(7), &pdu).unwrap();
    let peer = member.participant.live_peer(mi(2)).unwrap();
    assert_eq!((peer.version, peer.priority, peer.mn), (1, 255, Mn(2)));
    assert!(!peer.key_server && !peer.macsec_desired);
    assert_eq!(
        (peer.capability, peer.heard),
        (Capability::Integrity, at(7))
    );
    assert_eq!(peer.source, sci(2).address());
}

#[test]
fn a_message_without_sak_use_leaves_the_last_one_and_the_xpn_set_beside_it() {
    let mut member = Member::new(1);
    let sent = member.send(at(0));
    let with = |mn, sak_use, xpn| {
        let mut pdu = from(2, mn);
        (pdu.sak_use, pdu.xpn) = (sak_use, xpn);
        pdu
    };
    let used = |plain_tx| SakUse {
        plain_tx,
        ..SakUse::default()
    };
    let upper = Xpn {
        latest: 7,
        ..Xpn::default()
    };
    let kept = |member: &Member| {
        let peer = member.participant.live_peer(mi(2)).unwrap();
        (peer.sak_use, peer.xpn)
    };
    // What it said as a potential peer counts when it is live.
    member
        .hear(at(1), &with(1, Some(used(false)), Some(upper)))
        .unwrap();
    let proof = hearing(with(2, None, None), &[], &[(mi(1), sent.basic.mn)]);
    member.hear(at(2), &proof).unwrap();
    assert_eq!(kept(&member), (Some(used(false)), Some(upper)));
    member
        .hear(at(3), &with(3, Some(used(true)), None))
        .unwrap();
    assert_eq!(kept(&member), (Some(used(true)), None));
    member.hear(at(4), &with(4, None, Some(upper))).unwrap();
    assert_eq!(kept(&member), (Some(used(true)), None));
}

#[test]
fn whoever_does_not_hear_us_is_answered_at_once() {
    let mut member = met(at(0), 1, 2);
    let sent = member.send(at(1000));
    let up_to_date = hearing(from(2, 2), &[(mi(1), sent.basic.mn)], &[]);
    member.hear(at(1100), &up_to_date).unwrap();
    assert!(!member.is_due(at(1100)), "nothing is new");
    member.hear(at(1200), &from(2, 3)).unwrap();
    assert!(member.is_due(at(1200)), "a live peer that lost us");
    member.send(at(1200));
    member.hear(at(1300), &from(3, 1)).unwrap();
    assert!(member.is_due(at(1300)), "a new one");
    member.send(at(1300));
    member.hear(at(1400), &from(3, 2)).unwrap();
    assert!(member.is_due(at(1400)), "the answer was lost");
}
