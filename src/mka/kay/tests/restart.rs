//! A node that starts over, with what it remembers.

use alloc::{sync::Arc, vec, vec::Vec};

use super::{
    bed::{Bed, cak, ms, policy},
    plane::{Plane, key, sa_id},
};
use crate::{
    crypto::Sak,
    ieee::{CipherSuite, Pn, Sci},
    mka::{AgreedKey, Event, Kn, Mi, Protection, Remembered, RememberedKey, SaId},
};

/// What a node in `plane`'s place keeps of the key that it uses.
fn remembered(plane: &Plane, with_key: bool) -> Remembered {
    let id = plane.in_use.unwrap();
    let tx = &plane.tx[&key(id)];
    let peers = |id: SaId| {
        plane
            .rx
            .iter()
            .filter(move |((_, sa), _)| sa_id(sa) == id)
            .map(|((sci, _), rx)| (Sci(*sci), None, Pn(rx.next_pn)))
    };
    let kept = RememberedKey {
        key: Arc::new(AgreedKey {
            id,
            suite: CipherSuite::GcmAes128,
            protection: Protection::Offset0,
            salt: None,
            sak: Sak::take(&mut tx.fingerprint.clone()).unwrap(),
            ckn: super::bed::ckn(1),
        }),
        own_ssci: None,
        next_pn: Some(Pn(tx.next_pn + 1000)),
        peers: peers(id).collect(),
    };
    Remembered {
        identity: plane.saved.clone(),
        keys: if with_key { vec![kept] } else { Vec::new() },
    }
}

fn restart(node: usize, remember: impl Fn(&Plane) -> Remembered) -> Bed {
    let mut bed = Bed::pair();
    bed.until_secured(ms(1000));
    bed.run(ms(7000));
    bed.flow();
    bed.run(ms(1000));
    let kept = remember(&bed.nodes[node].plane);
    bed.restart(node, policy(u8::try_from(node).unwrap()), kept);
    bed.kay(node, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
    bed.link(node, true);
    bed
}

#[test]
fn with_its_key_it_is_secured_at_once_and_its_peer_notices_nothing() {
    for node in [0, 1] {
        let mut bed = restart(node, |plane| remembered(plane, true));
        assert!(bed.all_secured(), "at once");
        bed.run(ms(20_000));
        assert!(bed.all_secured());
        assert_eq!(bed.traffic.lost, 0);
        let peer = &bed.nodes[1 - node];
        assert_eq!(peer.had(|event| matches!(event, Event::Lost(_))), 0);
        assert_eq!(
            peer.had(|event| matches!(event, Event::PeerRestarted { .. })),
            0
        );
        // A server gives a new key at once; a client goes on with the one that it has.
        assert_eq!(peer.kay.status(bed.now).rekeys, u64::from(node == 0));
    }
}

#[test]
fn with_its_identity_alone_it_gets_a_new_key_at_once_and_repeats_nothing() {
    for node in [0, 1] {
        let mut bed = restart(node, |plane| remembered(plane, false));
        bed.until_secured(ms(1000));
        bed.run(ms(5000));
        bed.flow();
        bed.run(ms(5000));
        assert_eq!(bed.traffic.lost, 0);
        let peer = &bed.nodes[1 - node];
        assert_eq!(peer.had(|event| matches!(event, Event::Lost(_))), 0);
        assert_eq!(
            peer.had(|event| matches!(event, Event::PeerRestarted { .. })),
            0
        );
        assert_eq!(peer.kay.status(bed.now).rekeys, 1);
    }
}

#[test]
fn without_memory_it_is_a_new_member_and_gets_a_new_key_at_once() {
    for node in [0, 1] {
        let mut bed = restart(node, |_| Remembered::default());
        bed.until_secured(ms(1000));
        bed.run(ms(5000));
        bed.flow();
        bed.run(ms(5000));
        assert_eq!(bed.traffic.lost, 0);
        let peer = &bed.nodes[1 - node];
        assert_eq!(peer.had(|event| matches!(event, Event::Lost(_))), 0);
        assert_eq!(
            peer.had(|event| matches!(event, Event::PeerRestarted { .. })),
            1
        );
    }
}

#[test]
fn another_links_identity_is_not_taken() {
    let bed = restart(1, |plane| {
        let mut kept = remembered(plane, false);
        kept.identity.as_mut().unwrap().sci = Sci(5);
        kept
    });
    let mi = bed.nodes[1].kay.status(bed.now).participants[0].mi;
    let saved = bed.nodes[1].plane.saved.as_ref().unwrap();
    assert_eq!(saved.members.len(), 1);
    assert_eq!(saved.members[0].mi, mi);
    assert_eq!(saved.generation, 1);
}

#[test]
fn a_remembered_key_without_a_peer_goes_after_its_life_time() {
    let mut bed = restart(0, |plane| remembered(plane, true));
    bed.dead.insert((1, 0));
    bed.run(ms(5900));
    assert!(bed.nodes[0].secured());
    bed.run(ms(200));
    assert!(!bed.nodes[0].secured());
    assert!(bed.nodes[0].plane.tx.is_empty());
}

#[test]
fn a_key_is_used_only_once_a_restart_would_know_it() {
    let mut bed = Bed::pair();
    bed.run(ms(30));
    bed.nodes[1].plane.keeps = false;
    bed.run(ms(5000));
    assert!(!bed.nodes[0].secured() && !bed.nodes[1].secured());
    let said = |event: &Event| matches!(event, Event::SakReceived { .. });
    assert_eq!(bed.nodes[1].had(said), 1, "it has it, and does not say so");
    let generation = bed.nodes[1].plane.saved.as_ref().unwrap().generation;
    bed.kay(1, |kay, now| {
        kay.handle_report(now, crate::mka::Report::Saved(generation));
    });
    bed.run(ms(200));
    assert!(bed.nodes[1].plane.in_use.is_some());
}

#[test]
fn members_whose_caks_come_later_are_not_forgotten() {
    let bed = restart(0, |plane| {
        let mut remembered = remembered(plane, false);
        let identity = remembered.identity.as_mut().unwrap();
        let mut other = identity.members[0].clone();
        other.ckn = super::bed::ckn(7);
        identity.members.push(other);
        remembered
    });
    let saved = bed.nodes[0].plane.saved.as_ref().unwrap();
    assert_eq!(saved.members.len(), 2);
}

#[test]
fn the_key_that_it_had_is_not_taken_a_second_time() {
    let mut server = super::played::Played::server();
    let key = server.key(1, 0, CipherSuite::GcmAes128);
    server.give(&key, true);
    let kept = Remembered {
        identity: server.node().plane.saved.clone(),
        keys: Vec::new(),
    };
    server.bed.restart(0, policy(9), kept);
    server
        .bed
        .kay(0, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
    server.bed.link(0, true);
    server.listen(100);
    server.give(&key, true);
    assert_eq!(server.refusals(), [crate::mka::SakRefusal::Reused]);
    assert!(server.node().plane.tx.is_empty());
}

#[test]
fn a_key_that_it_can_only_receive_with_is_nothing_to_go_on_with() {
    for node in [0, 1] {
        let mut bed = restart(node, |plane| {
            let mut kept = remembered(plane, true);
            kept.keys[0].next_pn = None;
            kept
        });
        assert!(bed.nodes[node].plane.rx.is_empty());
        bed.until_secured(ms(5000));
        bed.run(ms(5000));
        bed.flow();
        bed.run(ms(1000));
        assert_eq!(bed.traffic.lost, 0);
    }
}

#[test]
fn a_key_that_may_have_been_its_own_is_not_taken_after_a_restart_without_it() {
    for (transmits, refused) in [(true, 1), (false, 0)] {
        let mut server = super::played::Played::server();
        let first = server.key(1, 0, CipherSuite::GcmAes128);
        server.give(&first, true);
        let kept = Remembered {
            identity: server.node().plane.saved.clone(),
            keys: Vec::new(),
        };
        server.bed.restart(0, policy(9), kept);
        server
            .bed
            .kay(0, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
        server.bed.link(0, true);
        server.listen(100);
        // Its memory knows the name of one key, and not of this one.
        let other = server.key(2, 1, CipherSuite::GcmAes128);
        server.give(&other, transmits);
        assert_eq!(server.refusals().len(), refused);
        assert_eq!(server.node().plane.tx.is_empty(), transmits);
    }
}

#[test]
fn a_key_that_is_used_again_is_told_although_a_newer_one_came_and_went() {
    let mut server = super::played::Played::server();
    let (first, second) = (
        server.key(1, 0, CipherSuite::GcmAes128),
        server.key(2, 1, CipherSuite::GcmAes128),
    );
    server.give(&first, true);
    let kept = remembered(&server.node().plane, true);
    server.bed.restart(0, policy(9), kept);
    // Nothing is installed yet when the second one comes, and that one fails.
    server.bed.nodes[0].plane.manner = super::plane::Manner::FailsInstalls;
    server
        .bed
        .kay(0, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
    server.bed.link(0, true);
    server.listen(100);
    server.give(&second, false);
    server.listen(100);
    assert_eq!(server.uses(), [(1, 0, true, true)]);
}

#[test]
fn a_key_that_a_peer_was_still_missing_from_is_not_said_to_be_received_with() {
    for complete in [true, false] {
        let mut bed = Bed::linked(3);
        bed.run(ms(9000));
        let mut kept = remembered(&bed.nodes[2].plane, true);
        // Killed while a newer key was being installed, or was given up again: its server's SA was missing.
        let in_use = &kept.keys[0];
        let (server, kn) = Mi::of_key(in_use.key.id.ki);
        let id = SaId {
            an: in_use.key.id.an.next(),
            ki: server.key(Kn(kn.0 + 1)),
        };
        let mut newer = in_use.clone();
        newer.key = Arc::new(AgreedKey {
            id,
            suite: CipherSuite::GcmAes128,
            protection: Protection::Offset0,
            salt: None,
            sak: Sak::take(&mut [9; 16]).unwrap(),
            ckn: super::bed::ckn(1),
        });
        let server = bed.nodes[0].sci;
        newer.peers.retain(|(sci, ..)| complete || *sci != server);
        assert_eq!(newer.peers.len(), if complete { 2 } else { 1 });
        kept.keys.insert(0, newer);
        bed.restart(2, policy(2), kept);
        bed.kay(2, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
        // It is heard, and hears nobody yet.
        bed.dead.extend([(0, 2), (1, 2)]);
        bed.link(2, true);
        bed.run(ms(500));
        let peers = bed.nodes[0].kay.status(bed.now).participants[0]
            .peers
            .clone();
        let said = peers.iter().find(|peer| peer.sci == Some(bed.nodes[2].sci));
        let said = said.unwrap().sak_use.unwrap();
        let receives = |id: SaId| said.keys().any(|key| key.id() == id && key.rx);
        assert!(receives(bed.nodes[2].plane.in_use.unwrap()));
        assert_eq!(receives(id), complete);
    }
}
