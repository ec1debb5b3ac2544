//! Keys that change under load by key agreement, and not one frame lost: rekeys at the standard's shortest
//! interval and, with that lifted, once a second; CAK rollovers in either order; changes of the encryption
//! mode.
//!
//! Control, worker, lanes, configuration and key files are the gateway's own; DPDK's rings take the place of
//! wires (`tests/lanes`), so that what is missing was lost by the gateway. `MACSECGW_LONG=1` runs for as long
//! as an acceptance wants: five minutes, and a minute.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod lanes;
mod support;

use std::time::{Duration, Instant};

use lanes::alone::alone;
use lanes::traffic::{Paced, Traffic, assert_nothing_lost};
use lanes::{Lanes, Setup};
use macsec_gateway::bus::LinkSnapshot;
use macsec_gateway::crypto::engine::{EngineChoice, select};
use support::{CakPair, MkaKeys};

/// Frames a second each way: what two cores that others use as well carry without a full ring.
const RATE: f64 = 50_000.0;

fn long() -> bool {
    std::env::var_os("MACSECGW_LONG").is_some()
}

/// Both ends with these pairs; "a" is the key server.
fn keys(pairs: &[CakPair], knobs: &[&str]) -> [MkaKeys; 2] {
    [8, 16].map(|priority| {
        let priority = format!("key_server_priority = {priority}");
        let knobs = [knobs, &[&priority]].concat();
        MkaKeys::new(pairs, &["cipher_suite = \"gcm-aes-xpn-256\""], &knobs)
    })
}

/// Two links that agree on keys, traffic at a pace all the while that `meanwhile` runs, and nothing lost.
fn under_load(name: &str, keys: [MkaKeys; 2], meanwhile: impl FnOnce(&mut Lanes) + Send) {
    alone(name, || {
        let eal = lanes::eal();
        let pool = lanes::pool(&eal, "frames", 8191);
        let (traffic, queues) = Traffic::between(&eal, &pool);
        let setup = Setup {
            factory: select(EngineChoice::Auto).expect("an engine").factory,
            speed_mbps: 10_000,
        };
        let mut lanes = Lanes::agreeing(&eal, setup, queues, keys);
        let mut paced = Paced::new(traffic, RATE);
        let changed = std::thread::scope(|scope| {
            let changes = scope.spawn(|| meanwhile(&mut lanes));
            while !changes.is_finished() {
                paced.turn();
            }
            changes.join()
        });
        assert!(changed.is_ok(), "{}", lanes.account());
        paced.traffic.settle();
        println!("{name}: {} frames", paced.traffic.sent());
        assert!(paced.traffic.sent() > 10_000);
        assert_nothing_lost(&lanes, &paced.traffic);
        for link in lanes.links() {
            let mka = link.mka.as_ref().expect("key agreement");
            assert_eq!(mka.losses, 0, "{:?}", mka.last_loss);
        }
        lanes.stop(&eal);
        drop(paced);
        assert_eq!(pool.in_use(), 0, "frames that nobody freed");
    });
}

/// Waits for a picture of both links in which this is so.
#[track_caller]
fn wait_links(lanes: &mut Lanes, what: &str, limit: Duration, so: impl Fn(&LinkSnapshot) -> bool) {
    let end = Instant::now() + limit;
    while !lanes.links().iter().all(&so) {
        assert!(
            Instant::now() < end,
            "{what}: not in time\n{}",
            lanes.account()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn rekeys(link: &LinkSnapshot) -> u64 {
    link.mka.as_ref().map_or(0, |mka| mka.rekeys)
}

/// So many rekeys, each asked for as soon as the last one is in use at both ends.
fn rekey(lanes: &mut Lanes, times: u64, at_least: Duration, limit: Duration) {
    for time in 1..=times {
        let begun = Instant::now();
        let answer = lanes.rekey("a");
        assert!(answer.is_ok(), "{answer:?}");
        wait_links(lanes, "a rekey", limit, |link| rekeys(link) >= time);
        std::thread::sleep(at_least.saturating_sub(begun.elapsed()));
    }
}

#[test]
fn rekeys_at_the_shortest_interval_lose_no_frame() {
    let pairs = [CakPair::long(1)];
    let times = if long() { 50 } else { 3 };
    under_load(
        "rekeys_at_the_shortest_interval_lose_no_frame",
        keys(&pairs, &[]),
        // The gap of 6 s is the KaY's own: each request is queued until it is over.
        |lanes| rekey(lanes, times, Duration::ZERO, Duration::from_secs(15)),
    );
}

#[test]
fn rekeys_once_a_second_lose_no_frame() {
    let pairs = [CakPair::long(2)];
    let times = if long() { 60 } else { 10 };
    under_load(
        "rekeys_once_a_second_lose_no_frame",
        keys(
            &pairs,
            &[
                "short_sak_gap = true",
                "sak_gap_ms = 500",
                "sak_retire_time_ms = 300",
            ],
        ),
        |lanes| {
            rekey(
                lanes,
                times,
                Duration::from_secs(1),
                Duration::from_secs(10),
            )
        },
    );
}

fn give(lanes: &mut Lanes, at: usize, pairs: &[CakPair]) {
    let keys = lanes.config.links[at].mka.as_mut().expect("key agreement");
    keys.caks = pairs.to_vec();
    lanes.reload();
}

fn wait_principal(lanes: &mut Lanes, pair: &CakPair) {
    let what = "the principal";
    wait_links(lanes, what, Duration::from_secs(20), |link| {
        let mka = link.mka.as_ref();
        let principal = mka.and_then(|mka| mka.principal.as_ref());
        principal.is_some_and(|ckn| ckn.to_string() == pair.ckn)
    });
}

#[test]
fn cak_rollovers_in_either_order_lose_no_frame() {
    let [old, new] = [CakPair::long(3), CakPair::long(4)];
    under_load(
        "cak_rollovers_in_either_order_lose_no_frame",
        keys(std::slice::from_ref(&old), &[]),
        |lanes| {
            let rounds = if long() { 6 } else { 2 };
            let (mut from, mut to) = (old, new);
            for round in 0..rounds {
                let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
                for at in order {
                    give(lanes, at, &[from.clone(), to.clone()]);
                    std::thread::sleep(Duration::from_millis(700));
                }
                wait_principal(lanes, &to);
                for at in order {
                    give(lanes, at, std::slice::from_ref(&to));
                    std::thread::sleep(Duration::from_millis(700));
                }
                // Past the retirement of the last key that came by the old pair.
                std::thread::sleep(Duration::from_secs(4));
                wait_principal(lanes, &to);
                (from, to) = (to, from);
            }
        },
    );
}

#[test]
fn a_pair_that_one_end_never_gets_and_a_fallback_cost_no_frame() {
    let [shared, lonely, fallback] = [5, 6, 7].map(CakPair::long);
    let fallback = fallback.with("fallback = true");
    under_load(
        "a_pair_that_one_end_never_gets_and_a_fallback_cost_no_frame",
        keys(&[shared.clone(), fallback.clone()], &[]),
        |lanes| {
            wait_principal(lanes, &shared);
            give(
                lanes,
                0,
                &[shared.clone(), lonely.clone(), fallback.clone()],
            );
            std::thread::sleep(Duration::from_secs(3));
            wait_principal(lanes, &shared);
            // Without the shared one both go to the fallback, still without loss.
            give(lanes, 0, &[lonely, fallback.clone()]);
            wait_principal(lanes, &fallback);
            std::thread::sleep(Duration::from_secs(4));
            give(lanes, 0, &[shared.clone(), fallback.clone()]);
            wait_principal(lanes, &shared);
            std::thread::sleep(Duration::from_secs(4));
        },
    );
}

#[test]
fn changes_of_the_encryption_mode_lose_no_frame() {
    let pairs = [CakPair::long(8)];
    under_load(
        "changes_of_the_encryption_mode_lose_no_frame",
        keys(&pairs, &[]),
        |lanes| {
            for mode in ["should_encrypt", "must_encrypt", "should_encrypt"] {
                for at in [0, 1] {
                    let settings = &mut lanes.config.links[at].settings;
                    settings.retain(|line| !line.starts_with("encryption"));
                    settings.push(format!("encryption = \"{mode}\""));
                    lanes.reload();
                    std::thread::sleep(Duration::from_millis(300));
                }
            }
        },
    );
}
