//! An hour's worth of association numbers in a minute: 1,000 changes of static keys under traffic, a new
//! key each time, and no frame lost. And a control thread that stands still, which stops no frame before
//! its reservation of packet numbers ends.
//!
//! Control, worker, lanes, configuration, key files and state directory are the gateway's own; DPDK's
//! rings take the place of wires (`tests/lanes`). Last, the same procedure between two processes, by their
//! sockets. Runs for about 15 s.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod lanes;
mod support;

use lanes::alone::alone;
use lanes::traffic::{Paced, Traffic, assert_nothing_lost};
use lanes::{Lanes, Setup, key};
use macsec_gateway::bus::{DropReason, LinkSnapshot, TxSaView};
use macsec_gateway::crypto::engine::{EngineChoice, select};
use macsec_gateway::crypto::{KeyError, KeyFactory, SaKey, Sak};
use macsec_gateway::macsec::Reject;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{Gateway, GatewayConfig, Pair, lane_count, macsecgw, settled_counters, wait_until};

const CHANGES: u32 = 1000;

/// Changes during which the loss-free rate is measured.
const MEASURED: u32 = 100;

/// Frames each way that make a key a used one.
const USED: u64 = 20;

/// Frames so far that each link sent under `an`.
fn sent_under(lanes: &Lanes, number: u32) -> [u64; 2] {
    let an = usize::try_from(number % 4).unwrap_or(0);
    lanes
        .counted
        .each_ref()
        .map(|counted| counted.tx.sas[an].out_pkts_encrypted.value())
}

/// Carries out changes `numbers` on a thread of their own while this one sees to the traffic.
fn during_changes(
    lanes: &mut Lanes,
    numbers: std::ops::RangeInclusive<u32>,
    mut turn: impl FnMut(),
) {
    std::thread::scope(|scope| {
        let changes = scope.spawn(|| {
            for number in numbers {
                let before = sent_under(lanes, number);
                lanes.change_keys(number);
                wait_used(lanes, number, before);
            }
        });
        while !changes.is_finished() {
            turn();
        }
    });
}

/// The next change comes when frames have gone both ways under this one's keys.
#[track_caller]
fn wait_used(lanes: &mut Lanes, number: u32, before: [u64; 2]) {
    let used = |lanes: &Lanes| {
        let mut ways = sent_under(lanes, number).into_iter().zip(before);
        ways.all(|(now, then)| now >= then + USED)
    };
    let end = Instant::now() + Duration::from_secs(10);
    while !used(lanes) {
        let in_time = Instant::now() < end;
        assert!(in_time, "change {number}: not used\n{}", lanes.account());
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn a_thousand_changes_of_an_under_traffic_lose_no_frame() {
    alone(
        "a_thousand_changes_of_an_under_traffic_lose_no_frame",
        || {
            let eal = lanes::eal();
            let pool = lanes::pool(&eal, "frames", 8191);
            let (mut traffic, queues) = Traffic::between(&eal, &pool);
            let engine = select(EngineChoice::Auto).expect("an engine");
            let setup = Setup {
                factory: engine.factory,
                speed_mbps: 10_000,
            };
            let mut lanes = Lanes::start(&eal, setup, queues);

            // What the lanes can do without loss while keys change: as many frames as may be under way.
            let begun = Instant::now();
            during_changes(&mut lanes, 1..=MEASURED, || traffic.turn([32, 32]));
            traffic.settle();
            let best = traffic.received() as f64 / begun.elapsed().as_secs_f64();

            let target = 0.8 * best;
            let mut paced = Paced::new(traffic, target / 2.0);
            let begun = Instant::now();
            during_changes(&mut lanes, MEASURED + 1..=MEASURED + CHANGES, || {
                paced.turn()
            });
            let (achieved, took) = (paced.achieved(), begun.elapsed());
            paced.traffic.settle();
            println!(
                "{CHANGES} changes in {took:.1?}: loss-free rate {best:.0}/s, pace {target:.0}/s, \
             achieved {achieved:.0}/s, {} frames",
                paced.traffic.sent()
            );
            assert_nothing_lost(&lanes, &paced.traffic);
            let all = MEASURED + CHANGES;
            for counted in &lanes.counted {
                let sas = counted.tx.sas.each_ref();
                let under = sas.map(|sa| sa.out_pkts_encrypted.value());
                let least = u64::from(all / 4) * USED;
                assert!(under.iter().all(|frames| *frames >= least), "{under:?}");
            }
            // The first keys were a change too, and each link has two directions.
            let changes = 2 * (u64::from(all) + 1);
            let links = wait_links(&mut lanes, "all changes", |link| link.an_changes == changes);
            for link in links {
                assert!(link.alarms.is_empty(), "{:?}", link.alarms);
            }
            // The machine may be busier now than when the rate was measured; the lanes were not idle.
            assert!(achieved > 0.1 * target, "{achieved:.0}/s of {target:.0}/s");
            lanes.stop(&eal);
            drop(paced);
            assert_eq!(pool.in_use(), 0, "frames that nobody freed");
        },
    );
}

/// An engine that keeps who asks for a key waiting: control's thread then does nothing at all.
#[derive(Debug)]
struct SlowEngine {
    engine: Arc<dyn KeyFactory>,
    shut: AtomicBool,
    waits: AtomicBool,
}

impl SlowEngine {
    fn shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::Release);
    }

    fn has_control_waiting(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }
}

impl KeyFactory for SlowEngine {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn make_key(&self, sak: &Sak) -> Result<SaKey, KeyError> {
        while self.shut.load(Ordering::Acquire) {
            self.waits.store(true, Ordering::Release);
            std::thread::sleep(Duration::from_millis(1));
        }
        self.waits.store(false, Ordering::Release);
        self.engine.make_key(sak)
    }
}

/// Where the reservation of the SA in use ends.
fn end(link: &LinkSnapshot) -> u64 {
    in_use(link).map_or(0, |sa| sa.reserved_until.0)
}

/// Packet numbers that a link may still use.
fn left(link: &LinkSnapshot) -> u64 {
    in_use(link).map_or(0, |sa| sa.reserved_until.0 - sa.next_pn.0)
}

fn in_use(link: &LinkSnapshot) -> Option<&TxSaView> {
    let mut sas = link.tx_sas.iter();
    sas.find(|sa| Some(sa.an) == link.tx_encoding)
}

/// Waits for a picture of both links in which what was asked for is so.
#[track_caller]
fn wait_links(
    lanes: &mut Lanes,
    what: &str,
    so: impl Fn(&LinkSnapshot) -> bool,
) -> Vec<LinkSnapshot> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let links = lanes.links();
        if links.iter().all(&so) {
            return links;
        }
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_control_thread_that_stands_still_stops_no_frame_before_the_reservation_ends() {
    let name = "a_control_thread_that_stands_still_stops_no_frame_before_the_reservation_ends";
    alone(name, || {
        let eal = lanes::eal();
        let pool = lanes::pool(&eal, "frames", 8191);
        let (mut traffic, queues) = Traffic::between(&eal, &pool);
        let engine = Arc::new(SlowEngine {
            engine: select(EngineChoice::Auto).expect("an engine").factory,
            shut: AtomicBool::new(false),
            waits: AtomicBool::new(false),
        });
        let factory: Arc<dyn KeyFactory> = Arc::clone(&engine) as _;
        // The slowest of all links: ten seconds of its line rate are few enough to be used up here.
        let setup = Setup {
            factory,
            speed_mbps: 1,
        };
        let ten_seconds = 1_000_000 / 672 * 10;
        let mut lanes = Lanes::start(&eal, setup, queues);
        // Only now control has heard of the speed: the first keys' reservations are for a faster one.
        lanes.change_keys(1);
        let sent_with_new = |link: &LinkSnapshot| left(link) <= 2 * ten_seconds;
        wait_links(&mut lanes, "new keys in use", sent_with_new);
        traffic.carry([20_000; 2]);
        std::thread::sleep(Duration::from_millis(300));
        let links = lanes.links();

        engine.shut(true);
        for link in &mut lanes.config.links {
            let keys = link.keys.as_mut().expect("static keys");
            (keys.rx_an, keys.rx_key) = (2, key(2, if link.name == "a" { 1 } else { 0 }));
        }
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| lanes.write_and_ask());
            let limit = Instant::now() + Duration::from_secs(15);
            while !engine.has_control_waiting() {
                assert!(Instant::now() < limit, "control does not get to the key");
                std::thread::yield_now();
            }
            // All that is reserved goes through, to the last packet number.
            let left = [left(&links[0]), left(&links[1])];
            assert!(left.iter().all(|left| *left >= ten_seconds), "{left:?}");
            traffic.carry(left);
            assert!(engine.has_control_waiting(), "control went on");
            // And not one more.
            for way in &mut traffic.ways {
                way.send(&pool, 32);
            }
            let ended = DropReason::Macsec(Reject::ReservationEnded);
            let dropped = |at: usize| lanes.counted[at].protect.dropped(ended).value();
            while [dropped(0), dropped(1)] != [32, 32] {
                assert!(Instant::now() < limit, "frames past the reservation");
                std::thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(
                lanes
                    .counted
                    .each_ref()
                    .map(|counted| counted.protect.dropped_total()),
                [32, 32]
            );
            engine.shut(false);
            let answer = asked.join().expect("the asker");
            assert!(answer.is_ok(), "{answer:?}");
        });
        // Control is back, and so are packet numbers.
        let before = &links;
        wait_links(&mut lanes, "new reservations", |link| {
            let old = before.iter().find(|old| old.name == link.name);
            left(link) > ten_seconds && old.is_some_and(|old| end(link) > end(old))
        });
        for way in &mut traffic.ways {
            way.received += 32;
        }
        traffic.carry([1000; 2]);
        lanes::assert_balanced(&lanes.counted);
        lanes.stop(&eal);
        drop(traffic);
        assert_eq!(pool.in_use(), 0, "frames that nobody freed");
    });
}

/// Has the gateway read its configuration, as the `reload` verb of its socket does.
#[track_caller]
fn reload(gateway: &Gateway<'_>, config: &GatewayConfig) {
    let folder = gateway.scratch().path();
    config.write(folder, &folder.display().to_string());
    let socket = gateway.scratch().join("run/control.sock");
    let mut stream = UnixStream::connect(socket).expect("the gateway's socket");
    stream
        .write_all(b"{\"v\":1,\"verb\":\"reload\"}\n")
        .expect("a request");
    let mut answer = String::new();
    BufReader::new(stream)
        .read_line(&mut answer)
        .expect("an answer");
    assert!(answer.contains("\"ok\""), "{answer}");
}

/// Says that the transmit key of `config` is fresh, before the gateway hears of it.
#[track_caller]
fn state_fresh(gateway: &Gateway<'_>, config: &GatewayConfig) {
    let folder = gateway.scratch().path();
    config.write(folder, &folder.display().to_string());
    let file = gateway.config().display().to_string();
    for (link, key) in config.transmit_keys() {
        let words = [
            "fresh-key",
            "--config",
            &*file,
            "--link",
            &*link,
            "--fingerprint",
            &*key,
        ];
        macsecgw(&words, Duration::from_secs(10)).ok();
    }
}

/// The association numbers of the receive SAs that are installed, and of the transmit SA in use.
fn ans(gateway: &Gateway<'_>) -> (Vec<u64>, Option<u64>) {
    let link = &gateway.status()["links"][0];
    let sas = link["rx_scs"][0]["sas"].as_array().into_iter().flatten();
    let rx = sas.filter_map(|sa| sa["an"].as_u64()).collect();
    (rx, link["tx_encoding"].as_u64())
}

/// The whole procedure between two processes, by their sockets, with a wire between them.
#[test]
fn two_gateways_change_keys_by_their_sockets_and_lose_no_frame() {
    let pair = Pair::new(1, 1600, 1600);
    let configs = pair.configs([1500, 1500]);
    keys_change_by_sockets(&pair, configs);
}

/// The same, with a crypto helper for each lane that sends data on: two CPUs, whatever is used of them.
#[test]
fn two_gateways_with_helpers_change_keys_and_lose_no_frame_and_no_order() {
    let pair = Pair::new(1, 1600, 1600);
    let mut configs = pair.configs([1500, 1500]);
    for (config, lane) in configs.iter_mut().zip(["protect", "validate"]) {
        config.use_helper_always(lane);
        // Whatever leaves its order is late.
        config.links[0].settings.push("replay = \"strict\"".into());
    }
    let bursts = keys_change_by_sockets(&pair, configs);
    assert!(bursts.iter().all(|bursts| *bursts > 0), "{bursts:?}");
}

/// Changes keys under frames both ways, which must all arrive in their order. Says how many bursts helpers of
/// each gateway had.
#[track_caller]
fn keys_change_by_sockets(pair: &Pair, mut configs: [GatewayConfig; 2]) -> [u64; 2] {
    const CHANGES: u8 = 6;
    const GROUP: u32 = 16;
    let gateways = pair.start(&configs);
    let mut ends = pair.ends(0);
    let stop = AtomicBool::new(false);
    let frame = |number: u32| {
        let header = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xB5];
        [&header[..], &number.to_be_bytes(), &[0x5a; 100]].concat()
    };
    let (left, right) = (&ends.left, &ends.right);
    let sent = std::thread::scope(|scope| {
        let traffic = scope.spawn(|| {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                // Some at once, so that bursts follow each other closely.
                let group = number..number + GROUP;
                group.clone().for_each(|number| left.send(&frame(number)));
                group.for_each(|number| right.send(&frame(number)));
                number += GROUP;
                std::thread::sleep(Duration::from_millis(2));
            }
            number
        });
        let changed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for number in 1..=CHANGES {
                change_by_socket(&gateways, &mut configs, number);
            }
        }));
        stop.store(true, Ordering::Relaxed);
        let sent = traffic.join().expect("the traffic");
        changed.map_or_else(|panic| std::panic::resume_unwind(panic), |()| sent)
    });
    for capture in [&mut ends.at_left, &mut ends.at_right] {
        for number in 0..sent {
            let seen = capture.next(Duration::from_secs(5)).map(|seen| seen.0);
            assert_eq!(seen, Some(frame(number)), "frame {number} of {sent}");
        }
    }
    for gateway in &gateways {
        let counters = settled_counters(gateway);
        for lane in ["protect", "validate"] {
            let of = |name| lane_count(&counters, 0, lane, name);
            assert_eq!(
                (of("frames_out"), of("dropped")),
                (sent.into(), 0),
                "{counters:#}"
            );
        }
    }
    let bursts = gateways.each_ref().map(|gateway| {
        let status = gateway.status();
        let helpers = status["helpers"].as_array().into_iter().flatten();
        helpers.filter_map(|helper| helper["bursts"].as_u64()).sum()
    });
    assert_eq!(gateways.map(Gateway::stop), [0, 0]);
    bursts
}

/// One change: fresh keys, receivers first, transmitters once both receivers have said that they are ready.
#[track_caller]
fn change_by_socket(gateways: &[Gateway<'_>; 2], configs: &mut [GatewayConfig; 2], number: u8) {
    let an = number % 4;
    let old = configs.clone();
    for (at, config) in configs.iter_mut().enumerate() {
        let keys = config.links[0].keys.as_mut().expect("static keys");
        let ways = if at == 0 { [0, 1] } else { [1, 0] };
        (keys.tx_an, keys.rx_an) = (an, an);
        [keys.tx_key, keys.rx_key] = ways.map(|way| key(number.into(), way));
    }
    let mut receivers = configs.clone();
    for (config, old) in receivers.iter_mut().zip(&old) {
        if let (Some(keys), Some(old)) = (&mut config.links[0].keys, &old.links[0].keys) {
            (keys.tx_an, keys.tx_key) = (old.tx_an, old.tx_key.clone());
        }
    }
    for (gateway, config) in gateways.iter().zip(&*configs) {
        state_fresh(gateway, config);
    }
    for (gateway, config) in gateways.iter().zip(&receivers) {
        reload(gateway, config);
    }
    let limit = Duration::from_secs(10);
    for gateway in gateways {
        // The newest stands last.
        wait_until("a new receive SA", limit, || {
            let newest = ans(gateway).0.last().copied();
            (newest == Some(an.into())).then_some(())
        });
    }
    for (gateway, config) in gateways.iter().zip(&*configs) {
        reload(gateway, config);
    }
    for gateway in gateways {
        wait_until("a new transmit SA", limit, || {
            (ans(gateway).1 == Some(an.into())).then_some(())
        });
    }
}
