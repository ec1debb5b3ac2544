//! From link up to secured, and from one key to the next.

use std::time::Duration;

use super::ends::{Ends, Setting};
use crate::bus::{CakState, Secured};

#[test]
fn two_gateways_are_secured_within_a_second_and_traffic_flows() {
    let mut ends = Ends::new(&Setting::plain(), &Setting::plain());
    let limit = Duration::from_secs(1);
    let took = ends.until("secured", limit, Ends::both_secured);
    assert!(took >= Duration::from_millis(20), "{took:?}");
    ends.pass_with_traffic(Duration::from_secs(20));
    for end in [&mut ends.a, &mut ends.b] {
        let link = end.seen();
        assert_eq!((link.secured, link.agreement), (Secured::Yes, "mka"));
        assert!(
            link.controlled_port_open && link.alarms.is_empty(),
            "{:?}",
            link.alarms
        );
        assert_eq!(link.tx_sas.len(), 1);
        assert_eq!(link.rx_scs.len(), 1);
        assert_eq!(link.rx_scs[0].sas.len(), 1);
        let mka = link.mka.unwrap();
        assert_eq!(mka.caks[0].state, CakState::Usable);
        let one = mka.caks[0].participant.as_ref().unwrap();
        assert!(
            one.peers[0].live && one.peers[0].tx && one.peers[0].rx,
            "{:?}",
            one.peers
        );
        assert!(mka.latest.is_some() || mka.old.is_some());
    }
    // The lower SCI serves: the priorities are the same.
    assert!(ends.a.mka().key_server.unwrap().is_us);
    assert!(!ends.b.mka().key_server.unwrap().is_us);
}

#[test]
fn a_rekey_on_the_operators_word_costs_no_frame() {
    let mut ends = Ends::secured(&Setting::plain());
    let before = ends.a.session().sas.encoding().unwrap().held.id();
    ends.pass_with_traffic(Duration::from_secs(7));
    let now = ends.a.bed.now;
    let said = ends.a.bed.control.rekey(now, "l0").unwrap();
    assert!(said.contains("made now"), "{said}");
    ends.pass_with_traffic(Duration::from_secs(2));
    let after = ends.a.session().sas.encoding().unwrap().held.id();
    assert_ne!(before.ki, after.ki);
    // Within the gap the next one is queued, and not lost.
    let now = ends.a.bed.now;
    let said = ends.a.bed.control.rekey(now, "l0").unwrap();
    assert!(said.contains("made in "), "{said}");
    ends.pass_with_traffic(Duration::from_secs(8));
    let third = ends.a.session().sas.encoding().unwrap().held.id();
    assert_ne!(third.ki, after.ki);
    assert_eq!(ends.a.mka().rekeys, 2);
    // SAK Retire Time later each end holds one key alone.
    ends.pass_with_traffic(Duration::from_secs(4));
    assert_eq!(ends.a.bed.keys.alive(), 1);
    assert_eq!(ends.b.bed.keys.alive(), 1);
    let refused = ends.b.bed.control.rekey(now, "l0").unwrap_err();
    assert!(refused.contains("02:00:00:00:00:01/1"), "{refused}");
    assert!(
        ends.a
            .bed
            .control
            .rekey(now, "l7")
            .unwrap_err()
            .contains("there are: l0")
    );
}

#[test]
fn every_suite_is_agreed_on() {
    for suite in [
        "gcm-aes-128",
        "gcm-aes-256",
        "gcm-aes-xpn-128",
        "gcm-aes-xpn-256",
    ] {
        let setting = Setting::plain().link(&format!("cipher_suite = \"{suite}\""));
        let mut ends = Ends::secured(&setting);
        ends.pass_with_traffic(Duration::from_secs(1));
        assert_eq!(ends.a.seen().cipher_suite.to_string(), suite);
        assert!(ends.a.alarms().is_empty());
    }
}

#[test]
fn a_peer_that_falls_silent_closes_the_link_after_its_life_time() {
    let mut ends = Ends::secured(&Setting::plain());
    ends.wire = [false; 2];
    ends.pass(Duration::from_secs(3));
    assert!(ends.both_secured(), "6 s are not over");
    ends.pass(Duration::from_millis(3500));
    assert!(!ends.a.is_secured() && !ends.b.is_secured());
    ends.pass(Duration::from_secs(1));
    let link = ends.a.seen();
    assert!(!link.plain.started, "{}", link.reason);
    assert_eq!(link.reason, "closed: no CAK has a live peer");
    let loss = link.mka.unwrap().last_loss.unwrap();
    assert_eq!(loss.why, "peers_gone");
    assert_eq!(ends.a.bed.keys.alive(), 0, "no key outlives the session");
    ends.wire = [true; 2];
    ends.until("secured again", Duration::from_secs(4), Ends::both_secured);
}

#[test]
fn a_new_cak_takes_over_without_loss_whichever_end_gets_it_first() {
    let (old, both) = (Setting::plain(), Setting::plain().caks(&[(1, ""), (2, "")]));
    let new = Setting::plain().caks(&[(2, "")]);
    for a_first in [true, false] {
        let mut ends = Ends::secured(&old);
        for setting in [&both, &new] {
            for a in [a_first, !a_first] {
                let end = if a { &mut ends.a } else { &mut ends.b };
                end.reload(setting).unwrap();
                ends.pass_with_traffic(Duration::from_secs(12));
            }
        }
        for end in [&mut ends.a, &mut ends.b] {
            let mka = end.mka();
            assert_eq!(mka.principal.unwrap().octets(), [2]);
            assert_eq!(mka.losses, 0);
            assert!(end.alarms().is_empty(), "{:?}", end.alarms());
        }
    }
}
