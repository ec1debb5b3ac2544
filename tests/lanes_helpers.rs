//! Lanes with crypto helpers: whatever the helpers do, frames keep their order, none is lost that is not
//! counted, keys go home, and a helper that stalls is done without.
//!
//! Control, worker, helpers and lanes are the gateway's own; DPDK's rings take the place of wires
//! (`tests/lanes`). The engine is the gateway's own behind a gate that a test can close for one thread.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod lanes;
mod support;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dpdk::LcoreId;
use lanes::alone::alone;
use lanes::traffic::{Traffic, assert_nothing_lost};
use lanes::{Lanes, Setup};
use macsec_gateway::bus::DropReason;
use macsec_gateway::crypto::engine::{EngineChoice, select};
use macsec_gateway::crypto::{AeadFrame, AeadKey, KeyError, KeyFactory, Opened, SaKey, Sak};

/// The lcore of the first helper, that of way 0's protect lane.
const HELPER: u32 = 2;

/// An engine whose work a test can hold up, on the helper's thread alone.
struct Gated {
    inner: Arc<dyn KeyFactory>,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    closed: AtomicBool,
    /// Whether the helper stands before it.
    held: AtomicBool,
    /// Frames that the helper has at the gate.
    frames: AtomicU32,
    /// Keys that are not wiped yet.
    keys: AtomicU64,
    /// Bursts that helpers worked on.
    helped: AtomicU64,
}

impl fmt::Debug for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gated")
    }
}

impl KeyFactory for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn make_key(&self, sak: &Sak) -> Result<SaKey, KeyError> {
        self.gate.keys.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(GatedKey {
            inner: self.inner.make_key(sak)?,
            gate: Arc::clone(&self.gate),
        }))
    }
}

struct GatedKey {
    inner: SaKey,
    gate: Arc<Gate>,
}

impl GatedKey {
    fn pass(&self, frames: usize) {
        let lcore = LcoreId::current().map_or(0, LcoreId::index);
        if lcore >= HELPER {
            self.gate.helped.fetch_add(1, Ordering::Relaxed);
        }
        if lcore != HELPER {
            return;
        }
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        self.gate.frames.store(frames, Ordering::Relaxed);
        while self.gate.closed.load(Ordering::Relaxed) {
            self.gate.held.store(true, Ordering::Relaxed);
            std::thread::sleep(Duration::from_micros(100));
        }
        self.gate.held.store(false, Ordering::Relaxed);
    }
}

impl AeadKey for GatedKey {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        self.pass(burst.len());
        self.inner.seal(burst);
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        self.pass(burst.len());
        self.inner.open(burst)
    }
}

impl Drop for GatedKey {
    fn drop(&mut self) {
        // A key ends with control, or with the test once control is gone: never on a frame path.
        assert_eq!(LcoreId::current().map_or(0, LcoreId::index), 0);
        self.gate.keys.fetch_sub(1, Ordering::Relaxed);
    }
}

fn setup(gate: &Arc<Gate>) -> Setup {
    let inner = select(EngineChoice::Auto).expect("an engine").factory;
    let gate = Arc::clone(gate);
    Setup {
        factory: Arc::new(Gated { inner, gate }),
        speed_mbps: 10_000,
    }
}

#[track_caller]
fn wait(what: &str, traffic: &mut Traffic, mut done: impl FnMut(&mut Traffic) -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done(traffic) {
        assert!(Instant::now() < end, "{what}");
        traffic.turn([0, 0]);
    }
}

/// As many helpers as there are, keys that change all the time: every frame arrives once, in order.
#[test]
fn keys_change_under_load_with_none_one_and_two_helpers() {
    for helpers in 0..=2 {
        let name = "keys_change_under_load_with_none_one_and_two_helpers";
        // Each in a process of its own: EAL starts once.
        if std::env::var("HELPERS").is_ok_and(|given| given != helpers.to_string()) {
            continue;
        }
        alone_with(name, helpers, || keys_change(helpers));
    }
}

/// Runs the body in a child process that knows how many helpers it is about.
fn alone_with(name: &str, helpers: usize, body: impl FnOnce()) {
    if std::env::var("HELPERS").is_ok() {
        return alone(name, body);
    }
    let this = std::env::current_exe().expect("this program");
    let status = std::process::Command::new(this)
        .args([name, "--exact", "--nocapture"])
        .env("HELPERS", helpers.to_string())
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{helpers} helpers"
    );
}

fn keys_change(helpers: usize) {
    const CHANGES: u32 = 40;
    let eal = lanes::eal();
    let pool = lanes::pool(&eal, "frames", 8191);
    let (mut traffic, queues) = Traffic::between(&eal, &pool);
    let gate = Arc::<Gate>::default();
    let mut lanes = Lanes::helped(&eal, setup(&gate), queues, helpers);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let changes = scope.spawn(|| {
            for number in 1..=CHANGES {
                lanes.change_keys(number);
                std::thread::sleep(Duration::from_millis(30));
            }
        });
        while !changes.is_finished() {
            traffic.turn([32, 32]);
        }
    });
    traffic.settle();
    let helped = gate.helped.load(Ordering::Relaxed);
    println!(
        "{helpers} helpers: {} frames in {:.1?}, {helped} bursts by helpers",
        traffic.received(),
        begun.elapsed()
    );
    assert_nothing_lost(&lanes, &traffic);
    assert_eq!(helped > 0, helpers > 0);
    for helper in &lanes.helpers {
        let counters = &helper.counters;
        assert!(counters.bursts.value() > counters.taken_back.value());
        assert_eq!(counters.stalls.value(), 0);
    }
    lanes.stop(&eal);
    assert_eq!(gate.keys.load(Ordering::Relaxed), 0, "every key is wiped");
}

/// What it held is lost and counted, and nothing else; all that follows keeps its order; its key goes home
/// when it does.
#[test]
fn a_helper_that_stalls_costs_one_burst_and_comes_back() {
    alone(
        "a_helper_that_stalls_costs_one_burst_and_comes_back",
        || {
            let eal = lanes::eal();
            let pool = lanes::pool(&eal, "frames", 8191);
            let (mut traffic, queues) = Traffic::between(&eal, &pool);
            let gate = Arc::<Gate>::default();
            let mut lanes = Lanes::helped(&eal, setup(&gate), queues, 1);
            traffic.carry([2_000, 2_000]);
            let keys = gate.keys.load(Ordering::Relaxed);
            let protect = Arc::clone(&lanes.counted[0].protect);
            let stalled = || protect.dropped(DropReason::HelperStalled).value();

            gate.closed.store(true, Ordering::Relaxed);
            traffic.ways[0].may_lose = true;
            wait("the helper has a burst", &mut traffic, |traffic| {
                traffic.turn([8, 0]);
                gate.held.load(Ordering::Relaxed)
            });
            let held = u64::from(gate.frames.load(Ordering::Relaxed));
            // More comes while it stands there; the lane waits for it no longer than its patience.
            traffic.turn([64, 64]);
            wait("given up", &mut traffic, |_| stalled() > 0);
            assert_eq!(stalled(), held);
            assert_eq!(lanes.helpers[0].counters.stalls.value(), 1);
            let sent = traffic.ways[0].sent;
            wait("the others came", &mut traffic, |traffic| {
                traffic.ways[0].received == sent
            });
            assert_eq!(traffic.ways[0].lost, held);
            traffic.ways[0].may_lose = false;

            // The lane goes on alone, and keys change meanwhile: one of them is with the helper.
            traffic.carry([2_000, 2_000]);
            let alarms = |lanes: &mut Lanes| {
                let links = lanes.links();
                links[0]
                    .alarms
                    .iter()
                    .any(|alarm| alarm.name == "helper_stalled")
            };
            wait("an alarm", &mut traffic, |_| alarms(&mut lanes));
            for number in 1..=2 {
                lanes.change_keys(number);
                traffic.carry([500, 500]);
            }
            let all = || gate.keys.load(Ordering::Relaxed);
            // Frames that keep coming show the new keys in use, which ends the old ones.
            wait("one key is out", &mut traffic, |traffic| {
                traffic.turn([1, 1]);
                all() == keys + 1
            });

            // Back again: what it held ends, its key goes home, and after a rest it works.
            gate.closed.store(false, Ordering::Relaxed);
            wait("all keys are home", &mut traffic, |_| all() == keys);
            let given = lanes.helpers[0].counters.bursts.value();
            wait("no alarm", &mut traffic, |_| !alarms(&mut lanes));
            traffic.carry([2_000, 2_000]);
            assert!(lanes.helpers[0].counters.bursts.value() > given);
            assert_eq!(stalled(), held);
            assert_eq!(
                protect.frames_in.value(),
                protect.frames_out.value() + held,
                "{}",
                lanes.account()
            );
            lanes.stop(&eal);
            assert_eq!(all(), 0, "every key is wiped");
        },
    );
}
