//! A reload is applied as a whole or not at all.

use super::bed::{Bed, Desk, fingerprint, key_use, state_fresh};
use crate::bus::{LaneMode, LinkDownWay};

/// Two links with the keys 1, 2 and 5, 6.
fn two_links() -> Bed {
    let desk = Desk::new();
    desk.write(&(desk.link(0, (1, 0), (2, 0)) + &desk.link(1, (5, 0), (6, 0))));
    state_fresh(&desk.state(), &[key_use(0, 1, 0), key_use(1, 5, 0)]);
    let mut bed = Bed::start(desk, LinkDownWay::Stop).unwrap();
    bed.settle();
    bed.journal.read();
    bed
}

#[test]
fn one_bad_key_of_one_link_changes_no_link() {
    let mut bed = two_links();
    // Both get new keys; nobody said that the second link's is fresh.
    state_fresh(&bed.desk.state(), &[key_use(0, 3, 1)]);
    let text = bed.desk.link(0, (3, 1), (4, 1)) + &bed.desk.link(1, (7, 1), (8, 1));
    let refused = bed.reload(&text).unwrap_err();
    assert!(
        refused.contains("link l1: ") && refused.contains("fresh-key"),
        "{refused}"
    );
    bed.settle();
    assert!(
        bed.journal.read().is_empty(),
        "nothing was asked of the lanes"
    );
    assert_eq!(bed.keys.alive(), 4);
    assert!(
        !bed.control.books.is_open(fingerprint(3)),
        "the reservation was given back"
    );
    let snapshot = bed.snapshot();
    assert_eq!(snapshot.reload_generation, 1);
    assert!(matches!(&snapshot.last_reload, Some((_, Err(text))) if text.contains("l1")));

    // The same config, put right: it works, from the first packet number on.
    state_fresh(&bed.desk.state(), &[key_use(1, 7, 1)]);
    bed.reload(&text).unwrap();
    bed.settle();
    let snapshot = bed.snapshot();
    for link in &snapshot.links {
        assert_eq!(
            link.tx_encoding.map(|an| an.value()),
            Some(1),
            "{}",
            link.name
        );
        assert_eq!(link.tx_sas[0].next_pn.0, 1);
        assert!(link.controlled_port_open);
    }
    assert!(matches!(snapshot.last_reload, Some((_, Ok(())))));
}

#[test]
fn a_config_that_cannot_be_read_changes_nothing() {
    let mut bed = two_links();
    let good = bed.desk.link(0, (1, 0), (2, 0)) + &bed.desk.link(1, (5, 0), (6, 0));
    for bad in [
        "",
        "[[link]",
        &good.replace("1.sak", "absent.sak"),
        &good.replace("#more", "confidentiality_offset = 40"),
        // The key that transmits under AN 0 can't be another one under the same AN.
        &good.replace("\"1.sak\"", "\"3.sak\""),
    ] {
        assert!(bed.reload(bad).is_err(), "{bad}");
        bed.settle();
        assert!(bed.journal.read().is_empty(), "{bad}");
    }
    assert_eq!(bed.reload(&good), Ok(String::from("nothing changed")));
}

#[test]
fn settings_reach_the_lanes_they_are_for() {
    let mut bed = two_links();
    let more = "replay_window = 5\nbypass = [{ ethertype = 0x88CC, direction = \"both\" }]";
    let text =
        bed.desk.link(0, (1, 0), (2, 0)) + &bed.desk.link(1, (5, 0), (6, 0)).replace("#more", more);
    bed.reload(&text).unwrap();
    bed.settle();
    assert_eq!(
        bed.journal.read(),
        [
            "1 validate Window(5)",
            "1 protect bypass of 1",
            "1 validate bypass of 1"
        ]
    );
}

#[test]
fn from_should_encrypt_to_must_encrypt_clear_ends_at_once() {
    let clear = "encryption = \"should_encrypt\"\nclear_wait_s = 0";
    let mut bed = Bed::one_link(LinkDownWay::Stop, clear);
    bed.plane.holds_keys = true;
    bed.settle();
    assert_eq!(bed.plane.links[0].modes, [LaneMode::Clear; 2]);
    let text = bed.desk.link(0, (1, 0), (2, 0));
    bed.reload(&text).unwrap();
    bed.settle();
    assert_eq!(bed.plane.links[0].modes, [LaneMode::Closed; 2]);
    assert!(!bed.link().plain.started);
}
