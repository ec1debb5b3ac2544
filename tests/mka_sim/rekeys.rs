//! New SAKs, for every reason that there is: no frame is lost.

use std::time::Duration;

use macsec_gateway::{
    ieee::CipherSuite,
    mka::{RekeyAnswer, RekeyRefusal},
};

use crate::{
    node::NodeSpec,
    plan::Knob,
    scene::{TOGETHER, scene, suites},
    wire::Path,
    world::{MS, SECOND, World},
};

fn strict(seed: u64, count: usize, change: impl Fn(usize, &mut NodeSpec)) -> World {
    let mut world = scene(seed, count, change);
    world.get_together(TOGETHER).unwrap();
    world.run_for(15 * SECOND).unwrap();
    world.get_together(0).unwrap();
    world.be_strict();
    world
}

fn settled(mut world: World) -> World {
    world.run_for(15 * SECOND).unwrap();
    world.be_quiet().unwrap();
    world
}

#[test]
fn short_packet_numbers_of_either_side_call_for_a_key() {
    for suite in [CipherSuite::GcmAes128, CipherSuite::GcmAes256] {
        for busy in [0, 1] {
            let mut world = strict(7, 2, |_, spec| spec.policy.suites = suites(&[suite]));
            let keys = world.watch.tally.keys;
            // From 0 to the end of the packet numbers in 9 s, three times.
            world.pace[busy] = 24_000_000;
            let rekeyed = |world: &mut World, more| {
                let took =
                    world.run_while(30 * SECOND, |world| world.watch.tally.keys >= keys + more);
                assert!(took.unwrap().is_some(), "{suite} {busy}");
            };
            (1..=3).for_each(|more| rekeyed(&mut world, more));
            world.pace[busy] = 1;
            let world = settled(world);
            assert_eq!(world.watch.tally.keys, keys + 3);
        }
    }
}

#[test]
fn extended_packet_numbers_of_either_side_call_for_a_key() {
    for version in [1, 3] {
        for busy in [0, 1] {
            let mut world = strict(8, 2, |_, spec| spec.policy.version = version);
            let keys = world.watch.tally.keys;
            world.pace[busy] = u64::MAX / 180;
            let took = world
                .run_while(30 * SECOND, |world| world.watch.tally.keys > keys)
                .unwrap();
            assert!(took.is_some(), "version {version}, node {busy}");
            world.pace[busy] = 1;
            settled(world);
        }
    }
}

#[test]
fn the_packet_number_threshold_is_the_policys() {
    let mut world = strict(9, 2, |_, spec| {
        spec.policy.suites = suites(&[CipherSuite::GcmAes256]);
        spec.policy.rekey.pn_share = 1000;
    });
    let keys = world.watch.tally.keys;
    world.pace.fill(100_000);
    world.run_for(3 * SECOND).unwrap();
    assert_eq!(world.watch.tally.keys, keys + 1);
    world.pace.fill(1);
    settled(world);
}

#[test]
fn time_and_volume_call_for_a_key() {
    let mut world = strict(10, 2, |_, spec| {
        spec.policy.rekey.every = Some(Duration::from_secs(10))
    });
    let keys = world.watch.tally.keys;
    world.run_for(100 * SECOND).unwrap();
    assert_eq!(world.watch.tally.keys, keys + 10);
    for node in [0, 1] {
        world.turn(node, Knob::RekeyEvery(None)).unwrap();
    }
    settled(world);

    for busy in [0, 1] {
        let mut world = strict(11, 2, |_, spec| {
            spec.policy.rekey.after_octets = Some(20_000_000)
        });
        let keys = world.watch.tally.keys;
        // 1,000 octets in a frame, 20 frames a second.
        world.pace[busy] = 100;
        world.run_for(40 * SECOND).unwrap();
        let made = world.watch.tally.keys - keys;
        assert!((3..=5).contains(&made), "{made}");
        world.pace[busy] = 1;
        settled(world);
    }
}

#[test]
fn a_request_within_the_gap_is_queued_and_one_to_a_client_is_refused() {
    let mut world = strict(12, 2, |_, _| {});
    let keys = world.watch.tally.keys;
    let ask = |world: &mut World, node| {
        world
            .with(node, |kay, now| kay.rekey(now))
            .unwrap()
            .unwrap()
    };
    assert_eq!(ask(&mut world, 0), Ok(RekeyAnswer::Now));
    world.run_for(2 * SECOND).unwrap();
    assert_eq!(world.watch.tally.keys, keys + 1);
    let Ok(RekeyAnswer::Queued(wait)) = ask(&mut world, 0) else {
        panic!("not queued")
    };
    assert!(
        wait > Duration::from_secs(3) && wait <= Duration::from_secs(4),
        "{wait:?}"
    );
    assert!(world.status(0).next_rekey.is_some_and(|next| next <= wait));
    let again = ask(&mut world, 0);
    assert!(matches!(again, Ok(RekeyAnswer::Queued(_))), "{again:?}");
    world.run_for(5 * SECOND).unwrap();
    assert_eq!(world.watch.tally.keys, keys + 2, "queued once, made once");
    let server = world.nodes[0].spec.sci;
    assert_eq!(ask(&mut world, 1), Err(RekeyRefusal::NotKeyServer(server)));
    settled(world);
}

/// The shortest interval that the standard allows, for five minutes, on a wire that delays and doubles.
#[test]
fn rekeys_at_the_shortest_interval_cost_no_frame() {
    for count in [2, 4] {
        let mut world = strict(13, count, |_, _| {});
        world.wire.all(Path {
            duplicate: 200,
            delay: (MS, 50 * MS),
            ..Path::GOOD
        });
        let keys = world.watch.tally.keys;
        for _ in 0..100 {
            world.with(0, |kay, now| kay.rekey(now)).unwrap();
            world.run_for(3 * SECOND).unwrap();
        }
        assert!(
            world.watch.tally.keys - keys >= 45,
            "{}",
            world.watch.tally.keys - keys
        );
        world.wire.heal();
        settled(world);
    }
}

/// Once a second, with the gap and what else takes time made short: for tests of the frame path.
#[test]
fn a_rekey_a_second_with_the_gap_lifted_costs_no_frame() {
    let mut world = strict(14, 2, |_, spec| {
        spec.policy.timers.sak_gap = Duration::ZERO;
        spec.policy.timers.retire = Duration::from_millis(300);
    });
    let keys = world.watch.tally.keys;
    for _ in 0..60 {
        assert!(
            world
                .with(0, |kay, now| kay.rekey(now))
                .unwrap()
                .unwrap()
                .is_ok()
        );
        world.run_for(SECOND).unwrap();
    }
    let made = world.watch.tally.keys - keys;
    assert!((58..=60).contains(&made), "{made}");
    settled(world);
}

#[test]
fn a_lost_member_calls_for_a_key_only_if_the_policy_says_so() {
    for wanted in [false, true] {
        let mut world = strict(15, 3, |_, spec| {
            spec.policy.rekey.on_live_peer_loss = wanted
        });
        let keys = world.watch.tally.keys;
        world.watch.members[2] = false;
        world.kill(2);
        world.run_for(20 * SECOND).unwrap();
        assert_eq!(world.watch.tally.keys - keys, u64::from(wanted));
        settled(world);
    }
}

/// A data plane that fails once, or is slow: what is in use stays in use.
#[test]
fn a_data_plane_that_fails_or_is_slow_keeps_the_key_in_use() {
    for node in [0, 1] {
        let mut world = strict(16, 2, |_, _| {});
        world.nodes[node].plane.habits.failures = 1;
        world.with(0, |kay, now| kay.rekey(now)).unwrap();
        world.run_for(30 * SECOND).unwrap();
        world.nodes[node].spec.latency = (SECOND / 2, SECOND);
        world.with(0, |kay, now| kay.rekey(now)).unwrap();
        world.run_for(30 * SECOND).unwrap();
        world.get_together(0).unwrap();
    }
}
