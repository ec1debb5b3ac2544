//! What a wire may bring: floods, echoes, and ends that do not fit together.

use std::time::Duration;

use super::ends::{Ends, Setting};

#[test]
fn a_flood_with_the_right_name_and_address_and_a_wrong_icv_does_not_end_the_session() {
    let mut ends = Ends::secured(&Setting::plain());
    ends.pass(Duration::from_secs(1));
    let from_b = ends.carried.iter().rfind(|frame| frame[11] == 2).unwrap();
    let mut frame = from_b.clone();
    let last = frame.len() - 1;
    frame[last] ^= 1;
    // 100,000 a second for 10 s.
    for _ in 0..1000 {
        for _ in 0..1000 {
            ends.a.hear(&frame);
        }
        ends.turn();
        ends.exchange();
    }
    let mka = ends.a.mka();
    let one = mka.caks[0].participant.as_ref().unwrap();
    let icv = |counts: &[(&str, u64)]| counts.iter().find(|(why, _)| *why == "icv").unwrap().1;
    let counted = icv(&one.counters.discarded) + icv(&mka.counters.discarded);
    assert!(counted > 900_000, "{counted}");
    assert_eq!(mka.losses, 0);
    assert!(ends.a.alarms().contains(&"cak_mismatch"));
}

#[test]
fn another_cak_under_the_same_name_is_named_as_that() {
    let mut ends = Ends::new(&Setting::plain(), &Setting::plain());
    let path = ends.b.bed.desk.path.join("1.cak");
    std::fs::write(path, "ee".repeat(16)).unwrap();
    // It has been read already: a second gateway reads the other one.
    let ends = {
        let desk = ends.b.kill();
        ends.b = super::ends::End::start_as_it_is(desk, 2);
        ends.b.bed.now = ends.a.bed.now;
        &mut ends
    };
    ends.pass(Duration::from_secs(5));
    assert!(!ends.a.is_secured() && !ends.b.is_secured());
    assert_eq!(ends.a.alarms(), ["cak_mismatch"]);
    assert!(!ends.a.seen().plain.started);
}

#[test]
fn echoes_of_our_own_frames_are_told_and_touch_nothing() {
    let mut ends = Ends::secured(&Setting::plain());
    for _ in 0..100 {
        let echo = ends
            .carried
            .iter()
            .rfind(|frame| frame[11] == 1)
            .unwrap()
            .clone();
        // As a station between would send it on, and as the wire would.
        let _ = ends.a.bed.control.links[0]
            .parts
            .eapol
            .offer(crate::bus::EapolClass::Live, &echo);
        ends.pass_with_traffic(Duration::from_millis(20));
    }
    assert!(
        ends.a.alarms().contains(&"own_frames_back"),
        "{:?}",
        ends.a.alarms()
    );
    assert_eq!(ends.a.mka().losses, 0);
}

#[test]
fn a_recording_of_an_hour_ago_touches_nothing() {
    let mut ends = Ends::secured(&Setting::plain());
    let recording = ends.carried.clone();
    ends.pass_with_traffic(Duration::from_secs(60));
    for frame in &recording {
        ends.a.hear(frame);
        ends.b.hear(frame);
        ends.pass_with_traffic(Duration::from_millis(50));
    }
    ends.pass_with_traffic(Duration::from_secs(10));
    assert_eq!(ends.a.mka().losses + ends.b.mka().losses, 0);
}

#[test]
fn ends_that_number_their_sscis_differently_are_told_which_knob_to_try() {
    let suite = "cipher_suite = \"gcm-aes-xpn-128\"";
    // By SCI the second end is number 1.
    let forced = "ssci = \"forced\"\nown_ssci = 2\npeer_ssci = 1";
    let a = Setting::plain().link(suite);
    let b = Setting::plain().link(suite).mka(forced);
    let mut ends = Ends::new(&a, &b);
    ends.until("secured", Duration::from_secs(1), Ends::both_secured);
    for _ in 0..500 {
        ends.turn();
        let frame = ends.b.bed.plane.protect().unwrap();
        assert!(ends.a.bed.plane.receive(frame).is_some());
    }
    let link = ends.a.seen();
    let alarm = link
        .alarms
        .iter()
        .find(|alarm| alarm.name == "peer_frames_fail");
    assert!(alarm.unwrap().text.contains("ssci = "), "{alarm:?}");
}

#[test]
fn a_sak_that_must_not_be_taken_leaves_the_link_closed_and_says_what_to_set() {
    let a = Setting::plain().link("cipher_suite = \"gcm-aes-256\"");
    let b = Setting::plain().link("cipher_suite = \"gcm-aes-128\"");
    let mut ends = Ends::new(&a, &b);
    ends.pass(Duration::from_secs(5));
    assert!(!ends.a.is_secured() && !ends.b.is_secured());
    let link = ends.b.seen();
    assert_eq!(
        link.reason,
        "closed: a peer is live, and no SAK is in use yet"
    );
    let alarm = link.alarms.iter().find(|alarm| alarm.name == "sak_refused");
    assert!(alarm.unwrap().text.contains("cipher_suite"), "{alarm:?}");
    // By the standard the key server transmits at last (CP's transmitDelay); it is told to whom.
    ends.pass(Duration::from_secs(10));
    assert!(!ends.b.is_secured());
    assert_eq!(ends.a.alarms(), ["peer_not_receiving"]);
}
