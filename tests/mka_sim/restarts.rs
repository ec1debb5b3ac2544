//! Restarts with and without memory: how long it takes, what the peer sees, and that nothing repeats.

use crate::{
    node::{Memory, NodeSpec},
    scene::{TOGETHER, scene},
    world::{MS, SECOND, World},
};

fn together(seed: u64, count: usize, change: impl Fn(usize, &mut NodeSpec)) -> World {
    let mut world = scene(seed, count, change);
    world.get_together(TOGETHER).unwrap();
    world.run_for(15 * SECOND).unwrap();
    world
}

fn restart(world: &mut World, node: usize, down: u64, memory: Memory) -> u64 {
    world.kill(node);
    world.run_for(down).unwrap();
    world.start(node, memory).unwrap();
    world.get_together(TOGETHER).unwrap()
}

fn settled(mut world: World) {
    world.run_for(20 * SECOND).unwrap();
    world.be_quiet().unwrap();
}

/// With SAs remembered, the peer sees nothing but missing frames, and frames flow at once.
#[test]
fn with_remembered_saks_frames_flow_at_once_and_the_peer_tears_nothing_down() {
    for node in [0, 1] {
        for down in [10 * MS, 500 * MS, 2 * SECOND, 4 * SECOND] {
            let mut world = together(down, 2, |_, _| {});
            let lost = world.watch.tally.lost_events;
            let peers = world.watch.tally.peers_lost;
            world.kill(node);
            world.run_for(down).unwrap();
            world.start(node, Memory::Keys).unwrap();
            world.run_for(100 * MS).unwrap();
            assert!(world.status(node).secured, "node {node} after {down} us");
            // From here on no frame may be lost, though a new SAK is on its way.
            world.be_strict();
            world.run_for(20 * SECOND).unwrap();
            world.get_together(0).unwrap();
            assert_eq!(world.watch.tally.lost_events, lost);
            assert_eq!(world.watch.tally.peers_lost, peers);
            settled(world);
        }
    }
}

#[test]
fn with_an_identity_the_peer_keeps_its_member_and_a_new_key_comes_at_once() {
    for node in [0, 1] {
        for down in [10 * MS, 500 * MS, 2 * SECOND, 4 * SECOND] {
            let mut world = together(down, 2, |_, _| {});
            let took = restart(&mut world, node, down, Memory::Identity);
            assert!(took <= SECOND, "node {node}, down {down} us: {took} us");
            settled(world);
        }
    }
}

#[test]
fn without_memory_the_pair_is_back_within_a_second() {
    for keeps_identity in [true, false] {
        for node in [0, 1] {
            for down in [10 * MS, 2 * SECOND, 10 * SECOND] {
                let mut world = together(down, 2, |_, spec| spec.keeps_identity = keeps_identity);
                let took = restart(&mut world, node, down, Memory::Nothing);
                assert!(took <= SECOND, "node {node}, down {down} us: {took} us");
                settled(world);
            }
        }
    }
}

/// An old copy: message and key numbers that were used already. The peers' lists tell, and a new
/// member identifier is taken.
#[test]
fn an_old_copy_of_the_identity_repeats_nothing_and_recovers() {
    for seed in 0..10 {
        for node in [0, 1] {
            let mut world = together(seed, 2, |_, _| {});
            for _ in 0..5 {
                world.with(0, |kay, now| kay.rekey(now)).unwrap();
                world.run_for(200 * SECOND).unwrap();
            }
            let took = restart(&mut world, node, seed * SECOND, Memory::Stale);
            assert!(took <= 10 * SECOND, "{took} us");
            settled(world);
        }
    }
}

/// A gateway that is killed over and over, at any moment: no packet number repeats.
#[test]
fn killed_at_every_moment_of_a_rekey_and_of_a_start_nothing_repeats() {
    for memory in [
        Memory::Keys,
        Memory::Identity,
        Memory::Stale,
        Memory::Nothing,
    ] {
        for node in [0, 1] {
            let mut world = together(1, 2, |_, spec| spec.latency = (MS, 10 * MS));
            for step in 0..40 {
                world.with(0, |kay, now| kay.rekey(now)).unwrap();
                world.run_for(step * 4 * MS).unwrap();
                world.kill(node);
                world.run_for(50 * MS).unwrap();
                world.start(node, memory).unwrap();
                world.run_for(step * 7 * MS).unwrap();
            }
            world.get_together(TOGETHER).unwrap();
            settled(world);
        }
    }
}

/// In a group: the others go on among themselves.
#[test]
fn a_member_of_a_group_restarts_and_the_rest_lose_no_frame() {
    for memory in [Memory::Keys, Memory::Identity, Memory::Nothing] {
        let mut world = together(4, 4, |_, _| {});
        world.watch.members[3] = false;
        world.be_strict();
        for down in [100 * MS, 3 * SECOND, 9 * SECOND] {
            world.kill(3);
            world.run_for(down).unwrap();
            world.start(3, memory).unwrap();
            world.run_for(20 * SECOND).unwrap();
        }
        world.watch.members[3] = true;
        world.get_together(0).unwrap();
        settled(world);
    }
}

/// The key server of a group goes for good; the next one serves, on the key that there is.
#[test]
fn the_key_server_of_a_group_goes_and_the_rest_lose_no_frame() {
    for back in [false, true] {
        let mut world = together(5, 3, |_, _| {});
        assert_eq!(world.status(2).key_server, Some(world.nodes[0].spec.sci));
        world.watch.members[0] = false;
        world.be_strict();
        world.kill(0);
        world.run_for(20 * SECOND).unwrap();
        world.get_together(0).unwrap();
        assert_eq!(world.status(2).key_server, Some(world.nodes[1].spec.sci));
        if back {
            world.start(0, Memory::Nothing).unwrap();
            world.run_for(20 * SECOND).unwrap();
            world.watch.members[0] = true;
            world.get_together(0).unwrap();
        }
        settled(world);
    }
}

#[test]
fn a_link_that_flaps_is_back_within_a_second() {
    for down in [10 * MS, 500 * MS, 3 * SECOND, 10 * SECOND] {
        let mut world = together(6, 2, |_, _| {});
        for end in [0, 1] {
            world.link(end, false).unwrap();
        }
        world.run_for(down).unwrap();
        for end in [0, 1] {
            world.link(end, true).unwrap();
        }
        let took = world.get_together(TOGETHER).unwrap();
        assert!(took <= SECOND, "down {down} us: {took} us");
        settled(world);
    }
}

/// Only one direction is out, shorter and longer than MKA Life Time.
#[test]
fn a_one_way_outage_heals() {
    for (from, to) in [(0, 1), (1, 0)] {
        for out in [SECOND, 5 * SECOND, 7 * SECOND, 20 * SECOND] {
            let mut world = together(7, 2, |_, _| {});
            world.wire.path(from, to).cut = true;
            world.run_for(out).unwrap();
            world.wire.heal();
            let took = world.get_together(TOGETHER).unwrap();
            assert!(
                took <= 3 * SECOND,
                "{from} to {to} out for {out} us: {took} us"
            );
            settled(world);
        }
    }
}
