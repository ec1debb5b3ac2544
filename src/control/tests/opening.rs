//! In which order a link opens and closes, by what it is secured, and when clear passes.

use std::{sync::atomic::Ordering, time::Duration};

use super::{bed::Bed, plane::Plane};
use crate::bus::{Direction, LaneMode, LaneReport, LinkDownWay, Secured};

const WAYS: [LinkDownWay; 4] = [
    LinkDownWay::SetLink,
    LinkDownWay::Interface,
    LinkDownWay::Stop,
    LinkDownWay::None,
];

/// Where a word stands in the journal.
#[track_caller]
fn place(journal: &[String], word: &str) -> usize {
    let at = journal.iter().position(|entry| entry == word);
    at.unwrap_or_else(|| panic!("no {word:?} in {journal:#?}"))
}

#[track_caller]
fn in_order(journal: &[String], words: &[&str]) {
    let places: Vec<_> = words.iter().map(|word| place(journal, word)).collect();
    assert!(places.is_sorted(), "{words:?} not in order: {journal:#?}");
}

fn unplug(bed: &Bed) {
    bed.ports[0][1].cable.store(false, Ordering::Relaxed);
}

#[test]
fn a_link_opens_secure_port_keys_lanes_plain_port() {
    for way in WAYS {
        let mut bed = Bed::one_link(way, "");
        bed.settle();
        let journal = bed.journal.read();
        in_order(
            &journal,
            &[
                "0 secure start",
                "0 protect encodes with 0",
                "0 protect secured",
                "0 plain start",
            ],
        );
        in_order(
            &journal,
            &[
                "0 validate installs 0",
                "0 validate secured",
                "0 plain start",
            ],
        );
        let link = bed.link();
        assert_eq!(link.secured, Secured::Yes);
        assert!(link.controlled_port_open);
        assert_eq!(link.protect_mode, LaneMode::Secured);
        // Nothing but what is on its way was ever asked of the lanes.
        assert!(
            !journal
                .iter()
                .any(|entry| entry.contains("clear") || entry.contains("wire"))
        );
    }
}

#[test]
fn the_plain_port_waits_for_the_reports_and_not_for_the_commands() {
    for way in WAYS {
        let mut bed = Bed::one_link(way, "");
        bed.plane.holds_keys = true;
        bed.pass(Duration::from_secs(20));
        let journal = bed.journal.read();
        assert!(
            !journal.contains(&"0 plain start".to_owned()),
            "{journal:#?}"
        );
        assert!(!journal.contains(&"0 plain up".to_owned()));
        // An interface stays up when nobody holds it: it is taken down first.
        let down = journal.contains(&"0 plain down".to_owned());
        assert_eq!(down, way == LinkDownWay::Interface);
        let link = bed.link();
        assert_eq!(link.secured, Secured::No);
        assert!(!link.controlled_port_open && !link.plain.started);
        assert!(link.secure.started);
        assert!(link.reason.contains("not both SAs"), "{}", link.reason);

        bed.plane.take_keys();
        bed.settle();
        assert!(bed.journal.read().contains(&"0 plain start".to_owned()));
        assert_eq!(bed.link().secured, Secured::Yes);
    }
}

#[test]
fn half_of_the_keys_does_not_secure_a_link() {
    for held in [Direction::Protect, Direction::Validate] {
        let mut bed = Bed::one_link(LinkDownWay::Stop, "");
        bed.plane.holds_keys = true;
        bed.settle();
        bed.plane
            .held
            .retain(|command| command.lane.direction != held);
        bed.plane.take_keys();
        bed.settle();
        assert_eq!(bed.link().secured, Secured::No, "without {held}");
        assert!(!bed.journal.read().contains(&"0 plain start".to_owned()));
    }
}

#[test]
fn a_lost_link_is_shown_to_the_plain_side_by_the_way_that_there_is() {
    for way in WAYS {
        let mut bed = Bed::one_link(way, "");
        bed.settle();
        bed.journal.read();
        unplug(&bed);
        bed.settle();
        let journal = bed.journal.read();
        match way {
            LinkDownWay::SetLink | LinkDownWay::Interface => {
                assert_eq!(journal, ["0 plain down"]);
            }
            LinkDownWay::Stop => in_order(
                &journal,
                &[
                    "0 protect uses plain false",
                    "0 validate uses plain false",
                    "0 plain stop",
                ],
            ),
            LinkDownWay::None => assert!(journal.is_empty(), "{journal:?}"),
        }
        assert!(bed.link().reason.contains("no link"));
        let alarm = bed.alarms().contains(&"plain_link_stays_up");
        assert_eq!(alarm, way == LinkDownWay::None);

        bed.ports[0][1].cable.store(true, Ordering::Relaxed);
        bed.settle();
        let journal = bed.journal.read();
        match way {
            LinkDownWay::Stop => {
                in_order(&journal, &["0 plain start", "0 protect uses plain true"])
            }
            LinkDownWay::None => assert!(journal.is_empty()),
            _ => assert_eq!(journal, ["0 plain up"]),
        }
    }
}

#[test]
fn a_port_is_not_stopped_under_a_worker_that_does_not_let_go() {
    let mut bed = Bed::one_link(LinkDownWay::Stop, "");
    bed.settle();
    bed.journal.read();
    bed.plane.clings = true;
    unplug(&bed);
    bed.pass(Duration::from_millis(1500));
    assert!(!bed.alarms().contains(&"port_trouble"));
    bed.pass(Duration::from_secs(30));
    assert!(!bed.journal.read().contains(&"0 plain stop".to_owned()));
    assert!(bed.alarms().contains(&"port_trouble"));
    // At last it does.
    for direction in Direction::BOTH {
        let side = crate::bus::PortSide::Plain;
        bed.plane
            .say(Plane::lane(0, direction), LaneReport::UsesPort(side, false));
    }
    bed.settle();
    assert_eq!(bed.journal.read(), ["0 plain stop"]);
}

#[test]
fn a_port_that_fails_is_an_alarm_until_it_works() {
    let mut bed = Bed::one_link(LinkDownWay::SetLink, "");
    bed.ports[0][0].fails.store(true, Ordering::Relaxed);
    bed.settle();
    let link = bed.link();
    assert!(!link.controlled_port_open);
    let alarm = link
        .alarms
        .iter()
        .find(|alarm| alarm.name == "port_trouble");
    assert!(alarm.unwrap().text.contains("0 plain: "), "{alarm:?}");
    bed.ports[0][0].fails.store(false, Ordering::Relaxed);
    bed.settle();
    assert!(bed.link().controlled_port_open);
    assert!(!bed.alarms().contains(&"port_trouble"));
}

#[test]
fn should_encrypt_waits_then_passes_clear_then_closes_it_for_good() {
    let mut bed = Bed::one_link(
        LinkDownWay::Stop,
        "encryption = \"should_encrypt\"\nclear_wait_s = 6",
    );
    bed.plane.holds_keys = true;
    bed.pass(Duration::from_millis(5900));
    assert_eq!(bed.plane.links[0].modes, [LaneMode::Closed; 2]);
    bed.pass(Duration::from_millis(400));
    assert_eq!(bed.plane.links[0].modes, [LaneMode::Clear; 2]);
    assert_eq!(bed.alarms(), ["in_clear"]);
    assert!(bed.link().plain.started);

    bed.plane.take_keys();
    bed.settle();
    let turning = [LaneMode::Secured, LaneMode::SecuredAcceptClear];
    assert_eq!(bed.plane.links[0].modes, turning);
    assert!(bed.alarms().is_empty());
    // MKA Life Time at the most.
    bed.pass(Duration::from_millis(5000));
    assert_eq!(bed.plane.links[0].modes, turning);
    bed.pass(Duration::from_millis(1000));
    assert_eq!(bed.plane.links[0].modes, [LaneMode::Secured; 2]);
}

#[test]
fn the_peers_first_protected_frame_ends_clear_reception() {
    let mut bed = Bed::one_link(
        LinkDownWay::Stop,
        "encryption = \"should_encrypt\"\nclear_wait_s = 0",
    );
    bed.plane.holds_keys = true;
    bed.settle();
    bed.plane.take_keys();
    bed.settle();
    assert_eq!(bed.link().validate_mode, LaneMode::SecuredAcceptClear);
    bed.plane.say(
        Plane::lane(0, Direction::Validate),
        LaneReport::PeerProtects,
    );
    bed.journal.read();
    bed.settle();
    assert_eq!(bed.link().validate_mode, LaneMode::Secured);
    // The lane did so by itself: nothing is asked of it again.
    assert!(bed.journal.read().is_empty());
}

#[test]
fn no_encrypt_is_a_wire_from_the_start() {
    let mut bed = Bed::one_link(LinkDownWay::Stop, "encryption = \"no_encrypt\"");
    bed.settle();
    assert_eq!(bed.plane.links[0].modes, [LaneMode::Wire; 2]);
    assert_eq!(bed.link().secured, Secured::NotWanted);
}

#[test]
fn the_snapshot_says_what_is() {
    let bypass = "bypass = [{ ethertype = 0x88CC, direction = \"both\" }]";
    let mut bed = Bed::one_link(LinkDownWay::None, bypass);
    bed.ports[0][1].rx_packets.store(7, Ordering::Relaxed);
    bed.settle();
    bed.plane.send(5);
    bed.plane.say(
        Plane::lane(0, Direction::Protect),
        LaneReport::TooLong(1600),
    );
    bed.pass(Duration::from_secs(1));
    // A driver that begins to count anew.
    bed.ports[0][1].rx_packets.store(2, Ordering::Relaxed);
    bed.pass(Duration::from_secs(1));
    let snapshot = bed.snapshot();
    assert!(bed.now.duration_since(snapshot.taken) < Duration::from_millis(200));
    let link = &snapshot.links[0];
    assert_eq!((link.name.as_str(), link.agreement), ("l0", "static"));
    assert_eq!(link.secure.stats.rx_packets, 9);
    assert_eq!((link.mtu, link.secure_mtu_needed), (1500, 1540));
    assert_eq!(link.tx_encoding.map(|an| an.value()), Some(0));
    assert_eq!(link.tx_sas[0].next_pn.0, 6);
    assert!(link.tx_sas[0].reserved_until.0 > 1 << 28);
    assert_eq!(link.rx_scs[0].sas.len(), 1);
    assert_eq!(link.an_changes, 2);
    let names: Vec<_> = link.alarms.iter().map(|alarm| alarm.name).collect();
    assert_eq!(
        names,
        [
            "bypass_in_must_encrypt",
            "plain_link_stays_up",
            "frame_too_long"
        ]
    );
}
