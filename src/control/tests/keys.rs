//! A change of keys: in which order, and what becomes of the old ones.

use std::time::Duration;

use super::bed::{Bed, fingerprint, key_use, state_fresh};
use crate::bus::LinkDownWay;

/// A secured link whose keys 1 and 2 give way to 3 and 4 under AN 1; the journal of that.
fn rekeyed() -> Bed {
    let mut bed = Bed::one_link(LinkDownWay::Stop, "");
    bed.settle();
    assert_eq!(bed.plane.send(10), (10, None));
    state_fresh(&bed.desk.state(), &[key_use(0, 3, 1)]);
    bed.journal.read();
    let text = bed.desk.link(0, (3, 1), (4, 1));
    let said = bed.reload(&text).unwrap();
    assert!(
        said.contains("transmit key") && said.contains("receive key"),
        "{said}"
    );
    bed
}

#[test]
fn receive_before_transmit_and_the_old_one_only_after_the_new_one_protects() {
    let mut bed = rekeyed();
    // One turn of the worker: the old SA is not asked for before it said that it uses the new one.
    bed.plane.obey();
    assert_eq!(
        bed.journal.read(),
        [
            "0 validate installs 1",
            "0 protect installs 1",
            "0 protect encodes with 1"
        ]
    );
    bed.turn();
    assert_eq!(bed.journal.read(), ["0 protect retires 0"]);
    bed.settle();
    let link = bed.link();
    assert_eq!(link.tx_sas.len(), 1);
    assert_eq!(link.tx_encoding.map(|an| an.value()), Some(1));
    assert!(link.controlled_port_open);
    assert_eq!(link.an_changes, 4);
}

#[test]
fn a_retired_transmit_key_is_settled_and_wiped() {
    let mut bed = rekeyed();
    assert_eq!(bed.keys.alive(), 4);
    bed.settle();
    // 1 is gone; 2 still receives.
    assert_eq!(bed.keys.alive(), 3);
    assert!(!bed.control.books.is_open(fingerprint(1)));
    assert!(bed.control.books.is_open(fingerprint(3)));
    let state = bed.desk.state();
    drop(bed.control);
    let dir = crate::state::StateDir::open(&state).unwrap();
    let sci = crate::ieee::Sci::new(crate::ieee::MacAddr([2, 0, 0, 0, 0, 1]), 1);
    let first = dir.reservation(&key_use(0, 1, 0), sci).unwrap().first();
    assert_eq!(first.0, 11, "ten were used");
}

#[test]
fn the_old_receive_sa_stays_until_three_seconds_after_the_first_frame_of_the_new_one() {
    let mut bed = rekeyed();
    let (mut old, mut new) = (bed.peer(2, 0), bed.peer(4, 1));
    bed.pass(Duration::from_secs(60));
    assert_eq!(
        bed.link().rx_scs[0].sas.len(),
        2,
        "no frame came by the new one"
    );
    assert_eq!(bed.plane.receive(old()), None);
    assert_eq!(bed.plane.receive(new()), None);
    bed.pass(Duration::from_millis(2800));
    assert_eq!(bed.plane.receive(old()), None, "still under way");
    bed.pass(Duration::from_millis(400));
    assert!(bed.plane.receive(old()).is_some());
    assert_eq!(bed.plane.receive(new()), None);
    assert_eq!(bed.link().rx_scs[0].sas.len(), 1);
    assert_eq!(bed.keys.alive(), 2);
}

#[test]
fn a_key_is_alive_until_it_came_home_and_not_longer() {
    let mut bed = rekeyed();
    bed.plane.obey();
    bed.turn();
    // The worker has retired the SA of key 1; its box lies in the report ring.
    assert_eq!(bed.keys.alive(), 4);
    bed.control.turn(bed.now, bed.utc());
    assert_eq!(bed.keys.alive(), 3);
}
