//! Peers that misbehave, and strangers: the live session loses no frame, memory stays bounded, and every
//! MKPDU that was not taken is counted under its reason.

use std::rc::Rc;

use macsec_gateway::{
    ieee::{MacAddr, Sci},
    mka::{
        Discard, MAX_PEERS, Mi, Mn,
        pdu::{Basic, Capability, Envelope, Mkpdu, PeerList, encode},
    },
};

use crate::{
    node::{Memory, NodeSpec},
    scene::{TOGETHER, scene, scene_down},
    world::{MS, SECOND, World},
};

fn strict(seed: u64, count: usize, change: impl Fn(usize, &mut NodeSpec)) -> World {
    let mut world = scene(seed, count, change);
    world.recording = Some(Vec::new());
    world.get_together(TOGETHER).unwrap();
    world.run_for(15 * SECOND).unwrap();
    world.be_strict();
    world
}

/// Two that live, and a third that is not one of them.
fn with_stranger(cak: usize, change: impl Fn(usize, &mut NodeSpec)) -> World {
    let mut world = scene_down(1, vec![vec![0], vec![0], vec![cak]], change);
    world.watch.members[2] = false;
    world.start(0, Memory::Nothing).unwrap();
    world.start(1, Memory::Nothing).unwrap();
    world.get_together(TOGETHER).unwrap();
    world.run_for(15 * SECOND).unwrap();
    world.be_strict();
    world
}

fn untouched(mut world: World, keys: u64) {
    let members: Vec<_> = (0..world.nodes.len())
        .filter(|node| world.watch.members[*node])
        .collect();
    world.run_for(15 * SECOND).unwrap();
    world.get_together(0).unwrap();
    assert_eq!(world.watch.tally.keys, keys);
    for node in members {
        for part in world.status(node).participants {
            assert!(
                part.peers.len() <= 2 * MAX_PEERS,
                "{} peers",
                part.peers.len()
            );
        }
    }
}

#[test]
fn a_recording_of_an_hour_ago_is_counted_and_nothing_else() {
    let mut world = strict(1, 2, |_, _| {});
    world.data = false;
    world.run_for(3600 * SECOND).unwrap();
    world.data = true;
    let (keys, heard) = (world.watch.tally.keys, world.recording.take().unwrap());
    assert!(heard.len() > 3000);
    let before = world.discarded(1, Discard::MessageNumber);
    for (place, frame) in (0..).zip(&heard) {
        world.inject(1, frame.clone(), place * MS / 10);
    }
    world.run_for(SECOND).unwrap();
    let own = heard
        .iter()
        .filter(|frame| frame[6..12] == world.nodes[1].spec.policy.source.0)
        .count();
    let own = u64::try_from(own).unwrap();
    let replayed = u64::try_from(heard.len()).unwrap() - own;
    assert_eq!(
        world.discarded(1, Discard::MessageNumber) - before,
        replayed
    );
    assert_eq!(world.discarded(1, Discard::Reflected), own);
    untouched(world, keys);
}

/// A recording of the peer's last life, whose member identifier is not live any more.
#[test]
fn a_recording_of_a_peers_last_life_is_not_taken_for_the_peer() {
    let mut world = strict(2, 2, |_, _| {});
    let heard = world.recording.take().unwrap();
    world.watch.strict = false;
    world.kill(0);
    world.run_for(SECOND).unwrap();
    world.start(0, Memory::Nothing).unwrap();
    world.get_together(TOGETHER).unwrap();
    world.run_for(15 * SECOND).unwrap();
    world.be_strict();
    let keys = world.watch.tally.keys;
    for (place, frame) in (0..).zip(&heard) {
        world.inject(1, frame.clone(), place * 10 * MS);
        world.inject(0, frame.clone(), place * 10 * MS);
    }
    world.run_for(30 * SECOND).unwrap();
    untouched(world, keys);
}

#[test]
fn own_frames_reflected_are_counted_and_nothing_else() {
    for node in [0, 1] {
        let mut world = strict(3, 2, |_, _| {});
        let keys = world.watch.tally.keys;
        let mi = world.status(node).participants[0].mi;
        world.wire.path(node, node).cut = false;
        let source = world.nodes[node].spec.policy.source.0;
        for _ in 0..600 {
            world.run_for(50 * MS).unwrap();
            let heard = world.recording.replace(Vec::new()).unwrap();
            for frame in heard.iter().filter(|frame| frame[6..12] == source) {
                world.inject(node, frame.clone(), MS);
            }
        }
        assert!(world.discarded(node, Discard::Reflected) >= 14);
        assert_eq!(
            world.status(node).participants[0].mi,
            mi,
            "the member identifier stays"
        );
        untouched(world, keys);
    }
}

#[test]
fn a_flood_with_a_wrong_icv_is_counted_and_nothing_else() {
    let mut world = strict(4, 2, |_, _| {});
    let keys = world.watch.tally.keys;
    let frame = world.recording.take().unwrap().last().unwrap().clone();
    let flood = 100_000_u64;
    for place in 0..flood {
        let mut octets = frame.to_vec();
        let last = octets.len() - 1 - usize::try_from(place % 16).unwrap();
        octets[last] ^= 1 + u8::try_from(place % 255).unwrap();
        world.inject(1, octets.into(), place * 10);
    }
    world.run_for(2 * SECOND).unwrap();
    assert_eq!(world.discarded(1, Discard::Icv), flood);
    untouched(world, keys);
}

/// Every octet of a MKPDU, changed: none is taken, none stops the KaY.
#[test]
fn a_mkpdu_with_any_octet_changed_is_discarded() {
    let mut world = strict(5, 2, |_, _| {});
    let keys = world.watch.tally.keys;
    for _ in 0..3 {
        let frame = world.recording.as_ref().unwrap().last().unwrap().clone();
        for place in 0..frame.len() {
            for bit in 0..8 {
                let mut octets = frame.to_vec();
                octets[place] ^= 1 << bit;
                world.inject(0, Rc::from(octets), MS);
                let short = &frame[..place];
                world.inject(1, Rc::from(short), MS);
            }
        }
        world.run_for(2 * SECOND).unwrap();
    }
    untouched(world, keys);
}

/// MKPDUs of somebody who has the CAK: any member identifier, any SCI.
fn forged(world: &World, number: u32, change: impl Fn(&mut Mkpdu)) -> Rc<[u8]> {
    let cak = &world.caks[0];
    let [a, b, c, d] = number.to_be_bytes();
    let source = MacAddr([0x06, 1, a, b, c, d]);
    let mut pdu = Mkpdu::new(Basic {
        version: 3,
        priority: 0,
        key_server: true,
        macsec_desired: true,
        capability: Capability::Offset0,
        sci: Sci::new(source, 1),
        mi: Mi([0x77, a, b, c, d, 0, 0, 0, 0, 0, 0, 1]),
        mn: Mn(1),
        ckn: cak.ckn.clone(),
    });
    change(&mut pdu);
    let envelope = Envelope {
        destination: MacAddr::PAE_GROUP,
        source,
        ethertype: macsec_gateway::ieee::EtherType::EAPOL,
        icv_header: macsec_gateway::mka::IcvHeader::AsSent,
    };
    let keys = cak.start(&world.watch.crypto).keys;
    let frame = encode(&pdu, &envelope, &world.watch.crypto, &keys.ick).unwrap();
    Rc::from(frame.as_slice())
}

#[test]
fn a_flood_of_potential_peers_fills_bounded_memory_and_touches_nothing() {
    for max_peers in [1, MAX_PEERS] {
        let mut world = strict(6, 2, |_, spec| spec.policy.max_peers = max_peers);
        let keys = world.watch.tally.keys;
        for number in 0..20_000 {
            let frame = forged(&world, number, |_| {});
            world.inject(1, frame, u64::from(number) * MS);
        }
        world.run_for(20 * SECOND).unwrap();
        // Where there is room for more members than these, the newest strangers take the place of older
        // ones; where there is none, they are refused.
        let refused = world.discarded(1, Discard::TooManyPeers);
        assert!(refused > 10_000 || max_peers > 1, "{refused}");
        untouched(world, keys);
    }
}

/// The same, and each says that it hears us, with numbers that we sent.
#[test]
fn strangers_that_claim_to_hear_us_do_not_make_us_change() {
    let mut world = strict(7, 2, |_, spec| spec.policy.max_peers = 1);
    let keys = world.watch.tally.keys;
    let status = world.status(1);
    let mi = status.participants[0].mi;
    for number in 0..2000 {
        let frame = forged(&world, number, |pdu| {
            let mut list = PeerList::default();
            list.peers.push((mi, Mn(1 + number % 8)));
            pdu.live = Some(list);
        });
        world.inject(1, frame, u64::from(number) * 10 * MS);
    }
    world.run_for(25 * SECOND).unwrap();
    untouched(world, keys);
}

#[test]
fn an_uninvited_third_member_is_refused_where_there_is_room_for_two() {
    let mut world = with_stranger(0, |node, spec| {
        spec.policy.max_peers = 1;
        spec.policy.priority = [16, 16, 0][node];
    });
    let keys = world.watch.tally.keys;
    world.start(2, Memory::Nothing).unwrap();
    world.run_for(60 * SECOND).unwrap();
    assert!(world.discarded(0, Discard::TooManyPeers) > 10);
    assert!(world.discarded(1, Discard::TooManyPeers) > 10);
    untouched(world, keys);
}

#[test]
fn a_third_without_the_cak_is_not_heard() {
    let mut world = with_stranger(1, |_, _| {});
    let keys = world.watch.tally.keys;
    world.start(2, Memory::Nothing).unwrap();
    world.run_for(60 * SECOND).unwrap();
    assert!(world.discarded(0, Discard::UnknownCkn) > 10);
    assert!(!world.status(2).secured);
    untouched(world, keys);
}

/// It has the CAK's name, and another CAK.
#[test]
fn a_third_with_another_cak_of_the_same_name_is_not_heard() {
    let mut world = with_stranger(1, |_, _| {});
    let keys = world.watch.tally.keys;
    world.caks[1].ckn = world.caks[0].ckn.clone();
    world.watch.deaf = true;
    world.start(2, Memory::Nothing).unwrap();
    world.run_for(60 * SECOND).unwrap();
    assert!(world.discarded(0, Discard::Icv) > 10);
    untouched(world, keys);
}

/// A member whose data plane never receives: the others wait for it no longer than the standard says,
/// and lose nothing.
#[test]
fn a_peer_that_never_reports_lrx_holds_nobody_up() {
    let mut world = with_stranger(0, |node, spec| spec.habits.deaf = node == 2);
    world.start(2, Memory::Nothing).unwrap();
    world.run_for(30 * SECOND).unwrap();
    let keys = world.watch.tally.keys;
    for _ in 0..5 {
        world.with(0, |kay, now| kay.rekey(now)).unwrap();
        world.run_for(20 * SECOND).unwrap();
    }
    assert_eq!(world.watch.tally.keys, keys + 5);
    untouched(world, keys + 5);
}

/// Alone with such a peer: the key server transmits after the transmit delay, once, and makes no storm
/// of keys.
#[test]
fn alone_with_a_peer_that_never_reports_lrx_there_is_no_storm_of_keys() {
    for deaf in [0, 1] {
        let mut world = scene(8, 2, |node, spec| spec.habits.deaf = node == deaf);
        world.run_for(120 * SECOND).unwrap();
        assert!(
            world.watch.tally.keys <= 20,
            "{} SAKs in two minutes",
            world.watch.tally.keys
        );
    }
}

#[test]
fn a_member_that_flaps_costs_the_others_nothing() {
    for memory in [Memory::Nothing, Memory::Identity, Memory::Keys] {
        for every in [700 * MS, 3 * SECOND, 8 * SECOND] {
            let mut world = with_stranger(0, |_, _| {});
            let keys = world.watch.tally.keys;
            let rounds = 60 * SECOND / every;
            for _ in 0..rounds {
                world.start(2, memory).unwrap();
                world.run_for(every).unwrap();
                world.kill(2);
                world.run_for(every / 7).unwrap();
            }
            let made = world.watch.tally.keys - keys;
            // A change of members is not kept waiting by the gap, but for a few of them.
            assert!(made <= 30, "{made} SAKs in a minute or so");
            world.run_for(10 * SECOND).unwrap();
            let keys = world.watch.tally.keys;
            untouched(world, keys);
        }
    }
}

/// A flapping peer of one: what it costs is its own outage.
#[test]
fn a_pair_recovers_from_a_peer_that_flaps() {
    for memory in [
        Memory::Nothing,
        Memory::Identity,
        Memory::Stale,
        Memory::Keys,
    ] {
        let mut world = scene(9, 2, |_, _| {});
        for round in 0..30 {
            world.run_for(300 * MS * (round % 7 + 1)).unwrap();
            world.kill(1);
            world.run_for(100 * MS).unwrap();
            world.start(1, memory).unwrap();
        }
        world.get_together(TOGETHER).unwrap();
        world.run_for(20 * SECOND).unwrap();
        world.be_quiet().unwrap();
    }
}
