//! Settings that change on a live link.

use std::time::Duration;

use macsec_gateway::{
    ieee::CipherSuite,
    mka::{Policy, Protection, XpnSet},
};

use crate::{
    node::NodeSpec,
    scene::{TOGETHER, scene, suites},
    world::{MS, SECOND, World},
};

fn strict(seed: u64, change: impl Fn(usize, &mut NodeSpec)) -> World {
    let mut world = scene(seed, 2, change);
    world.get_together(TOGETHER).unwrap();
    world.run_for(15 * SECOND).unwrap();
    world.be_strict();
    world
}

fn set(world: &mut World, node: usize, change: impl Fn(&mut Policy)) {
    change(&mut world.nodes[node].spec.policy);
    let policy = world.nodes[node].spec.policy.clone();
    world
        .with(node, |kay, now| kay.set_policy(now, policy))
        .unwrap();
}

fn settled(mut world: World) -> World {
    world.run_for(20 * SECOND).unwrap();
    world.be_quiet().unwrap();
    world
}

/// What does not touch the key in use costs nothing, not even a rekey.
#[test]
fn knobs_that_do_not_touch_the_key_cost_nothing() {
    let knobs: [fn(&mut Policy); 6] = [
        |policy| policy.icv_indicator = true,
        |policy| policy.version = 1,
        |policy| policy.xpn_set = XpnSet::Never,
        |policy| policy.accept_no_macsec = true,
        |policy| policy.timers.hello = Duration::from_secs(1),
        |policy| policy.delay_protection = true,
    ];
    for knob in knobs {
        for first in [0, 1] {
            let mut world = strict(1, |_, _| {});
            let keys = world.watch.tally.keys;
            set(&mut world, first, knob);
            world.run_for(7 * SECOND).unwrap();
            set(&mut world, 1 - first, knob);
            let world = settled(world);
            assert_eq!(world.watch.tally.keys, keys);
        }
    }
}

#[test]
fn another_priority_moves_the_key_server_without_a_frame_lost() {
    for (node, priority, server) in [(1, 0, 1), (0, 200, 1), (0, 255, 1), (1, 200, 0)] {
        let mut world = strict(2, |_, _| {});
        set(&mut world, node, |policy| policy.priority = priority);
        let world = settled(world);
        assert_eq!(
            world.status(0).key_server,
            Some(world.nodes[server].spec.sci)
        );
    }
}

#[test]
fn another_suite_that_both_ends_accept_comes_without_a_frame_lost() {
    let both = [CipherSuite::GcmAes128, CipherSuite::GcmAesXpn256];
    for server in [0, 1] {
        let mut world = strict(3, |node, spec| {
            spec.policy.suites = suites(&both);
            spec.policy.priority = if node == server { 0 } else { 16 };
        });
        set(&mut world, server, |policy| policy.suites.reverse());
        let world = settled(world);
        let key = world.nodes[1].plane.in_use().unwrap().key.clone();
        assert_eq!(key.suite, CipherSuite::GcmAesXpn256);
    }
}

/// Both ends get another protection within the transmit delay, the client first: no frame is lost.
#[test]
fn another_protection_set_at_the_client_first_costs_no_frame() {
    let mut world = strict(4, |_, spec| {
        spec.policy.suites = suites(&[CipherSuite::GcmAes256])
    });
    set(&mut world, 1, |policy| {
        policy.protection = Protection::IntegrityOnly
    });
    world.run_for(SECOND).unwrap();
    set(&mut world, 0, |policy| {
        policy.protection = Protection::IntegrityOnly
    });
    let world = settled(world);
    let key = world.nodes[1].plane.in_use().unwrap().key.clone();
    assert_eq!(key.protection, Protection::IntegrityOnly);
}

/// The server first: the client refuses the key until it is told too, and takes it then.
#[test]
fn another_protection_set_at_the_server_first_is_taken_once_the_client_has_it() {
    for wait in [SECOND, 4 * SECOND, 20 * SECOND] {
        let mut world = strict(5, |_, spec| {
            spec.policy.suites = suites(&[CipherSuite::GcmAes256])
        });
        world.watch.strict = wait < 5 * SECOND;
        set(&mut world, 0, |policy| {
            policy.protection = Protection::IntegrityOnly
        });
        world.run_for(wait).unwrap();
        set(&mut world, 1, |policy| {
            policy.protection = Protection::IntegrityOnly
        });
        world.get_together(TOGETHER).unwrap();
        let world = settled(world);
        let key = world.nodes[1].plane.in_use().unwrap().key.clone();
        assert_eq!(key.protection, Protection::IntegrityOnly);
    }
}

/// Delay protection: what was under way for long is refused, what is fresh is not.
#[test]
fn delay_protection_refuses_what_was_held_back_and_loses_nothing_fresh() {
    for (one, other) in [(true, true), (true, false), (false, true)] {
        let mut world = strict(6, |node, spec| {
            spec.policy.delay_protection = [one, other][node]
        });
        world.run_for(10 * SECOND).unwrap();
        for node in [0, 1] {
            let peer = world.nodes[1 - node].spec.sci;
            let next = world.nodes[1 - node].plane.in_use().unwrap().next;
            let an = world.nodes[node].plane.encoding.unwrap();
            let rx = world.nodes[node].plane.peers[&peer][an.index()]
                .clone()
                .unwrap();
            // 20 frames a second: what is older than two and a half seconds is not acceptable.
            assert!(
                rx.lowest + 50 >= next && rx.lowest > 1,
                "{} of {next}",
                rx.lowest
            );
        }
        settled(world);
    }
}

/// Once nobody wants it any more, hello is at its usual pace again: neither end keeps the other at it.
#[test]
fn delay_protection_ends_when_both_ends_let_go_of_it() {
    let mut world = strict(8, |_, spec| spec.policy.delay_protection = true);
    for node in [0, 1] {
        set(&mut world, node, |policy| policy.delay_protection = false);
    }
    settled(world);
}

/// MKPDUs that take 300 ms: still nothing fresh is refused.
#[test]
fn delay_protection_on_a_slow_wire_loses_nothing() {
    let mut world = strict(7, |_, spec| spec.policy.delay_protection = true);
    world.wire.all(crate::wire::Path {
        delay: (MS, 300 * MS),
        ..crate::wire::Path::GOOD
    });
    world.run_for(60 * SECOND).unwrap();
    world.with(0, |kay, now| kay.rekey(now)).unwrap();
    world.run_for(20 * SECOND).unwrap();
}
