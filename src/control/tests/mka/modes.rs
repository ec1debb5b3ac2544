//! The encryption modes over key agreement, and changes of mode on a live link.

use std::time::Duration;

use super::ends::{Ends, Setting};
use crate::bus::LaneMode;

fn should() -> Setting {
    Setting::plain().link("encryption = \"should_encrypt\"")
}

/// Two ends in `should_encrypt`, in clear, because nothing gets through.
fn in_clear() -> Ends {
    let mut ends = Ends::new(&should(), &should());
    ends.wire = [false; 2];
    ends.pass(Duration::from_millis(5900));
    assert_eq!(
        ends.a.modes(),
        [LaneMode::Closed; 2],
        "the wait is not over"
    );
    ends.pass(Duration::from_millis(400));
    assert_eq!(ends.a.modes(), [LaneMode::Clear; 2]);
    ends.pass(Duration::from_millis(200));
    ends
}

#[test]
fn from_clear_to_secured_clear_is_taken_until_the_peer_says_that_it_protects() {
    let mut ends = in_clear();
    assert_eq!(ends.a.alarms(), ["in_clear"]);
    ends.wire = [true; 2];
    let open = |modes: [LaneMode; 2]| modes.contains(&LaneMode::Clear);
    ends.until("turned", Duration::from_secs(4), |ends| {
        !open(ends.a.modes())
    });
    let accepting = [LaneMode::Secured, LaneMode::SecuredAcceptClear];
    assert_eq!(ends.a.modes(), accepting);
    // Well within MKA Life Time: it is the peer's word, and no frame came.
    ends.until("secured", Duration::from_secs(3), Ends::both_secured);
    assert_eq!(ends.a.mka().falls_to_clear, 0);
}

#[test]
fn a_peer_whose_last_key_is_taken_away_is_seen_and_told() {
    let mut ends = Ends::secured(&should());
    ends.pass(Duration::from_secs(7));
    ends.wire = [false; 2];
    // Heard 2 s before that at the earliest.
    ends.pass(Duration::from_millis(3900));
    assert!(ends.a.is_secured());
    ends.pass(Duration::from_millis(2200));
    assert_eq!(
        ends.a.modes(),
        [LaneMode::Clear; 2],
        "it was waited for long enough"
    );
    ends.pass(Duration::from_millis(200));
    let mka = ends.a.mka();
    assert_eq!((mka.falls_to_clear, mka.losses), (1, 1));
    assert_eq!(mka.last_loss.unwrap().why, "peers_gone");
    assert_eq!(ends.a.alarms(), ["in_clear"]);
}

#[test]
fn after_secured_close_latches_over_key_agreement_too() {
    let mut ends = Ends::secured(&should().link("\nafter_secured = \"close\""));
    ends.pass(Duration::from_secs(7));
    ends.wire = [false; 2];
    ends.pass(Duration::from_secs(30));
    assert_eq!(ends.a.modes(), [LaneMode::Closed; 2]);
    assert_eq!(ends.a.mka().falls_to_clear, 0);
}

#[test]
fn between_must_and_should_a_live_link_changes_without_loss() {
    let mut ends = Ends::secured(&Setting::plain());
    for setting in [should(), Setting::plain(), should()] {
        ends.a.reload(&setting).unwrap();
        ends.pass_with_traffic(Duration::from_secs(2));
        ends.b.reload(&setting).unwrap();
        ends.pass_with_traffic(Duration::from_secs(2));
    }
    assert_eq!(ends.a.mka().losses, 0);
}

#[test]
fn no_encrypt_runs_no_kay_and_the_way_back_is_open() {
    let wire = Setting::plain().link("encryption = \"no_encrypt\"");
    let mut ends = Ends::secured(&Setting::plain());
    for end in [&mut ends.a, &mut ends.b] {
        end.reload(&wire).unwrap();
    }
    ends.pass(Duration::from_secs(1));
    assert_eq!(ends.a.modes(), [LaneMode::Wire; 2]);
    assert!(ends.a.bed.plane.links[0].filter.is_none());
    assert_eq!(ends.a.bed.keys.alive(), 0);
    ends.carried.clear();
    ends.pass(Duration::from_secs(10));
    assert!(ends.carried.is_empty(), "nobody speaks MKA");
    let said = ends.a.bed.control.rekey(ends.a.bed.now, "l0").unwrap_err();
    assert!(said.contains("no key agreement"), "{said}");

    for end in [&mut ends.a, &mut ends.b] {
        end.reload(&Setting::plain()).unwrap();
    }
    ends.until("secured", Duration::from_secs(8), Ends::both_secured);
    ends.pass_with_traffic(Duration::from_secs(1));

    let mut ends = Ends::new(&wire, &wire);
    ends.pass(Duration::from_secs(5));
    assert!(ends.carried.is_empty());
    assert_eq!(ends.a.modes(), [LaneMode::Wire; 2]);
}

#[test]
fn a_reload_that_is_bad_changes_nothing_and_a_good_one_only_what_it_says() {
    let mut ends = Ends::secured(&Setting::plain());
    for bad in [
        Setting::plain().caks(&[(1, ""), (1, "")]),
        Setting::plain().caks(&[(1, "fallback = true")]),
        Setting::plain().caks(&[]),
        Setting::plain().mka("hello_time_ms = 0"),
        Setting::plain().caks(&[(1, ""), (99, "")]),
    ] {
        assert!(ends.a.reload(&bad).is_err(), "{bad:?}");
        ends.pass_with_traffic(Duration::from_millis(500));
    }
    let ki = |ends: &Ends| ends.a.session().sas.encoding().unwrap().held.id();
    let before = ki(&ends);
    let fallback = Setting::plain().caks(&[(1, ""), (3, "fallback = true")]);
    let said = ends.a.reload(&fallback).unwrap();
    assert!(said.contains("CAK 03 added"), "{said}");
    ends.pass_with_traffic(Duration::from_secs(10));
    assert_eq!(ki(&ends), before, "the session was not touched");
    assert_eq!(ends.a.mka().caks.len(), 2);
}

#[test]
fn a_reload_does_not_leave_a_link_secured_by_a_suite_that_it_does_not_accept() {
    let server = Setting::plain().link("cipher_suite = \"gcm-aes-256\"");
    let own = Setting::plain().link("cipher_suite = \"gcm-aes-xpn-256\"");
    let lenient = own.clone().mka("accept_cipher_suites = [\"gcm-aes-256\"]");
    let mut ends = Ends::new(&server, &lenient);
    ends.until("secured", Duration::from_secs(1), Ends::both_secured);
    ends.pass_with_traffic(Duration::from_secs(2));
    let refused = ends.b.reload(&own).unwrap_err();
    assert!(
        refused.contains("link l0: the key in use is of gcm-aes-256"),
        "{refused}"
    );
    // Nothing changed: the next key of that suite is taken as well.
    ends.pass_with_traffic(Duration::from_secs(6));
    ends.a.bed.control.rekey(ends.a.bed.now, "l0").unwrap();
    ends.pass_with_traffic(Duration::from_secs(9));
    assert_eq!(ends.b.mka().rekeys, 1);
    assert!(ends.b.alarms().is_empty(), "{:?}", ends.b.alarms());

    // Where no key is in use it is taken, and then such a key is not.
    ends.wire = [false; 2];
    ends.pass(Duration::from_secs(8));
    assert!(!ends.b.is_secured());
    let said = ends.b.reload(&own).unwrap();
    assert!(said.contains("settings of key agreement"), "{said}");
    ends.wire = [true; 2];
    ends.pass(Duration::from_secs(10));
    assert!(!ends.b.is_secured());
    assert_eq!(ends.b.alarms(), ["sak_refused"]);
}

#[test]
fn where_the_cak_is_gone_the_fallback_takes_over_without_loss() {
    let both = Setting::plain().caks(&[(1, ""), (3, "fallback = true")]);
    let mut ends = Ends::secured(&both);
    ends.pass_with_traffic(Duration::from_secs(12));
    assert_eq!(ends.a.mka().principal.unwrap().octets(), [1]);
    let other = Setting::plain().caks(&[(2, ""), (3, "fallback = true")]);
    ends.a.reload(&other).unwrap();
    ends.pass_with_traffic(Duration::from_secs(12));
    assert_eq!(ends.a.mka().principal.unwrap().octets(), [3]);
    assert!(ends.a.alarms().contains(&"fallback_in_use"));
}
