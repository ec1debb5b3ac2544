//! Packet numbers: reservations ahead of the worker, the soft threshold, and both ends.

use std::fs;

use super::bed::{Bed, Desk, fingerprint, key_use, state_fresh};
use crate::{
    bus::{Direction, LaneMode, LinkDownWay, Secured},
    control::{line_rate::Ahead, prepared::prepare_tx},
    ieee::{MacAddr, Pn, PnSpace, Sci},
    macsec::Reject,
    state::StateDir,
};

const LAST: u64 = u32::MAX as u64;

/// A link whose transmit key, number 3, has `left` numbers reserved and a disk that fails.
fn short_of_numbers(left: u64) -> Bed {
    let mut bed = Bed::one_link(LinkDownWay::Stop, "");
    bed.settle();
    state_fresh(&bed.desk.state(), &[key_use(0, 3, 1)]);
    bed.desk.write(&bed.desk.link(0, (3, 1), (2, 0)));
    let config = bed.desk.load();
    let (link, running) = (&config.links[0], &mut bed.control.links[0]);
    let keys = link.static_keys().unwrap();
    let new = prepare_tx(
        link,
        &keys.tx,
        running.parts.own_sci,
        &*bed.control.factory,
        &mut bed.control.books,
        Ahead::of_numbers(left / 2),
    )
    .unwrap();
    let out = &mut bed.control.out;
    running
        .agreement
        .use_tx(new, &mut |direction: Direction, what| {
            out.push(crate::bus::Command {
                lane: super::plane::Plane::lane(0, direction),
                what,
            });
        });
    break_disk(&bed.desk);
    bed.settle();
    bed
}

fn break_disk(desk: &Desk) {
    fs::rename(desk.state(), desk.path.join("away")).unwrap();
}

fn repair_disk(desk: &Desk) {
    fs::rename(desk.path.join("away"), desk.state()).unwrap();
}

#[test]
fn with_a_disk_that_fails_a_worker_stops_at_the_end_of_its_reservation() {
    let mut bed = short_of_numbers(20);
    assert!(bed.alarms().contains(&"state_not_written"));
    assert_eq!(
        bed.link().secured,
        Secured::Yes,
        "what is reserved may be used"
    );
    assert_eq!(bed.plane.send(19), (19, None));
    assert!(bed.link().controlled_port_open);
    assert_eq!(bed.plane.send(5), (1, Some(Reject::ReservationEnded)));
    bed.settle();
    let link = bed.link();
    assert_eq!(link.secured, Secured::No);
    assert_eq!(link.protect_mode, LaneMode::Closed);
    assert!(!link.plain.started);
    assert!(
        link.reason.contains("no packet numbers could be reserved"),
        "{}",
        link.reason
    );
    let names: Vec<_> = link.alarms.iter().map(|alarm| alarm.name).collect();
    assert_eq!(names, ["reservation_ended", "state_not_written"]);
    let text = &link.alarms[1].text;
    assert!(text.contains("state"), "{text}");

    repair_disk(&bed.desk);
    bed.settle();
    let link = bed.link();
    assert!(
        link.controlled_port_open && link.alarms.is_empty(),
        "{:?}",
        link.alarms
    );
    assert_eq!(bed.plane.send(5), (5, None));
}

#[test]
fn a_reservation_is_refilled_at_half_and_on_disk_before_the_worker_knows() {
    let mut bed = short_of_numbers(20);
    repair_disk(&bed.desk);
    let ahead = Ahead::of_numbers(10);
    let (agreement, books) = (&mut bed.control.links[0].agreement, &mut bed.control.books);
    let shared = agreement.encoding().unwrap().shared.clone();
    let mut out = |_, _| {};
    assert_eq!(shared.reserved_until(), Pn(21));
    bed.plane.send(9);
    agreement.turn(bed.now, ahead, books, &mut out);
    assert_eq!(shared.reserved_until(), Pn(21), "more than half is left");
    bed.plane.send(1);
    break_disk(&bed.desk);
    agreement.turn(bed.now, ahead, books, &mut out);
    assert_eq!(
        shared.reserved_until(),
        Pn(21),
        "nothing is promised that is not on disk"
    );
    repair_disk(&bed.desk);
    agreement.turn(bed.now, ahead, books, &mut out);
    assert_eq!(shared.reserved_until(), Pn(31));
    // A crash here: the next process begins behind all that may have been used.
    let state = bed.desk.state();
    core::mem::forget(core::mem::take(&mut bed.control.links));
    drop(bed.control);
    let dir = StateDir::open(&state).unwrap();
    let first = dir.reservation(&key_use(0, 3, 1), sci()).unwrap().first();
    assert_eq!(first, Pn(31));
}

fn sci() -> Sci {
    Sci::new(MacAddr([2, 0, 0, 0, 0, 1]), 1)
}

/// A link whose transmit key has used all numbers up to `used`.
fn with_used(used: u64, more: &str) -> Result<Bed, String> {
    let desk = Desk::new();
    desk.write(&desk.link(0, (1, 0), (2, 0)).replace("#more", more));
    state_fresh(&desk.state(), &[key_use(0, 1, 0)]);
    let dir = StateDir::open(&desk.state()).unwrap();
    let mut reservation = dir.reservation(&key_use(0, 1, 0), sci()).unwrap();
    dir.extend(&mut reservation, Pn(used)).unwrap();
    dir.settle(reservation, Pn(used)).unwrap();
    drop(dir);
    Bed::start(desk, LinkDownWay::Stop)
}

#[test]
fn the_soft_threshold_is_an_alarm_and_no_more() {
    let threshold = 3 * (LAST / 4) + 2;
    let mut bed = with_used(threshold - 10, "").unwrap();
    bed.settle();
    assert_eq!(bed.plane.send(8), (8, None));
    assert!(bed.alarms().is_empty());
    bed.plane.send(20);
    assert_eq!(bed.alarms(), ["pn_soft_threshold"]);
    let link = bed.link();
    assert!(link.tx_sas[0].soft_threshold_passed && link.controlled_port_open);
    // The operator may move it while frames pass.
    let text = bed.desk.link(0, (1, 0), (2, 0));
    bed.reload(&text.replace("#more", "pn_soft_threshold = 0.9"))
        .unwrap();
    assert!(bed.alarms().is_empty());
}

#[test]
fn a_key_whose_numbers_are_used_up_closes_the_link_and_says_so() {
    let mut bed = with_used(LAST - 3, "").unwrap();
    bed.settle();
    assert!(bed.link().controlled_port_open);
    let (sent, why) = bed.plane.send(10);
    assert_eq!((sent, why), (3, Some(Reject::PnExhausted)));
    bed.settle();
    let link = bed.link();
    assert_eq!(link.secured, Secured::No);
    assert!(!link.controlled_port_open && !link.plain.started);
    assert!(link.reason.contains("used up"), "{}", link.reason);
    let names: Vec<_> = link.alarms.iter().map(|alarm| alarm.name).collect();
    assert_eq!(names, ["pn_exhausted", "pn_soft_threshold"]);

    // A new key opens it again.
    state_fresh(&bed.desk.state(), &[key_use(0, 3, 1)]);
    let text = bed.desk.link(0, (3, 1), (2, 0));
    bed.reload(&text).unwrap();
    bed.settle();
    assert!(bed.link().controlled_port_open && bed.alarms().is_empty());
    assert!(!bed.control.books.is_open(fingerprint(1)));
}

#[test]
fn a_key_without_numbers_left_is_refused_at_the_start() {
    let refused = with_used(LAST, "").unwrap_err();
    assert!(refused.contains("link l0: all packet numbers"), "{refused}");
    assert!(Ahead::of_numbers(5).first(Pn(LAST), PnSpace::Short) == Pn(LAST + 1));
}
