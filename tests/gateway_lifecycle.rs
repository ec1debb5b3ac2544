//! Gateways that start, stop and are killed: at no point does a frame leave in clear, no packet number is
//! used twice, and the plain side's neighbour sees a link exactly while there is one.

mod support;

use nix::sys::signal::Signal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::{
    Capture, Ends, Frame, Gateway, GatewayConfig, LinkConfig, Namespace, PlayedPeer, RawPort,
    Scratch, Shell, Span, StaticKeys, Suite, assert_balanced, ethernet, wait_until,
};

const QUICK: Duration = Duration::from_secs(10);

/// What the systemd unit gives a gateway to end (`TimeoutStopSec`), and kills it behind. That it ended in order
/// and not by its own deadline, says the exit code.
const STOPPED: Duration = Duration::from_secs(10);
const ROUNDS: u32 = 50;
/// Where the packet number stands in a frame with a SecTAG.
const PN: std::ops::Range<usize> = 16..20;

/// A link of the lifecycle's gateway: its suite, and the ends that the test plays.
struct Route {
    index: u32,
    keys: StaticKeys,
    at_wan: Capture,
    at_lan: Capture,
    host: RawPort,
    attacker: RawPort,
}

impl Route {
    fn new(
        index: u32,
        suite: Suite,
        [host, gateway, peer]: [&Namespace; 3],
        scratch: &Scratch,
    ) -> Self {
        let name = |of: &str| format!("{of}{index}");
        host.wire(&name("lan"), gateway, &name("plain"), 1600);
        gateway.wire(&name("secure"), peer, &name("wan"), 1600);
        let quiet = format!("ip link set plain{index} arp off; ip link set secure{index} arp off");
        gateway.sh(&quiet, QUICK).ok();
        let mut keys = Span::keys(suite);
        keys.sci = format!("02:00:00:00:1c:0{index}/1");
        keys.peer_sci = format!("02:00:00:00:0b:0{index}/1");
        Self {
            index,
            keys,
            at_wan: Capture::incoming(peer, &name("wan"), scratch),
            at_lan: Capture::incoming(host, &name("lan"), scratch),
            host: RawPort::open(host, &name("lan")),
            attacker: RawPort::open(peer, &name("wan")),
        }
    }

    fn config(&self) -> LinkConfig {
        let (plain, secure) = (
            format!("plain{}", self.index),
            format!("secure{}", self.index),
        );
        let name = format!("dx{}", self.index);
        LinkConfig::on_interfaces(&name, self.index, [&plain, &secure], self.keys.clone())
    }
}

/// What the router on the plain side never stops sending.
fn routers_frame() -> Vec<u8> {
    ethernet([0xFF; 6], Span::HOST_MAC, 0x0800, 200)
}

/// Both ends send all the time: the router its frames, and someone on the secure wire frames in clear.
fn send_until(stop: &AtomicBool, routes: &[Route]) {
    let (clear, forged) = (
        routers_frame(),
        ethernet([0xFF; 6], Span::PEER_MAC, 0x0800, 200),
    );
    while !stop.load(Ordering::Relaxed) {
        for route in routes {
            route.host.try_send(&clear);
            route.attacker.try_send(&forged);
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

fn carrier(ns: &Namespace, interface: &str) -> bool {
    let text = ns.sh(&format!("cat /sys/class/net/{interface}/carrier"), QUICK);
    text.stdout.trim() == "1"
}

/// Both links have protected at least one frame since the start.
fn wait_protecting(gateway: &mut Gateway<'_>) {
    gateway.wait_ready(Duration::from_secs(30));
    wait_until("protected frames on both links", QUICK, || {
        let metrics = gateway.metrics();
        let out = |link| {
            let labels = [("link", link), ("lane", "protect")];
            metrics.count("macsecgw_lane_out_frames_total", &labels)
        };
        (out("dx0") > 0 && out("dx1") > 0).then_some(())
    });
}

/// One round: starts the gateway and ends it, by SIGKILL in one of four.
fn round(number: u32, gateway: &mut Gateway<'_>, host: &Namespace) {
    // Few kills: each costs what was reserved, and the packet numbers of a short suite are few.
    let signal = if number % 4 == 1 {
        Signal::SIGKILL
    } else {
        Signal::SIGTERM
    };
    if number > 0 {
        gateway.start_again();
    }
    if number % 4 == 2 {
        // Anywhere in the start, up to well behind it.
        std::thread::sleep(Duration::from_millis(u64::from(number) * 37 % 900));
    } else {
        wait_protecting(gateway);
        for lan in ["lan0", "lan1"] {
            wait_until("a carrier while secured", QUICK, || {
                carrier(host, lan).then_some(())
            });
        }
    }
    let (code, took) = gateway.end(signal);
    if signal == Signal::SIGTERM && number % 4 != 2 {
        assert_eq!(code, 0, "{}", gateway.log_text());
        assert!(took < STOPPED, "SIGTERM took {took:?}");
        assert!(
            !carrier(host, "lan0") && !carrier(host, "lan1"),
            "a carrier after the end"
        );
    }
}

/// Where the packet numbers of a link jump, which they do only where a start can't know what was used.
fn jumps(frames: &[Frame]) -> Vec<(u32, u32)> {
    let number = |frame: &Frame| {
        frame.0[PN]
            .iter()
            .fold(0, |pn: u32, octet| pn << 8 | u32::from(*octet))
    };
    let pairs = frames
        .windows(2)
        .map(|pair| (number(&pair[0]), number(&pair[1])));
    let pairs: Vec<_> = pairs.collect();
    for (before, after) in &pairs {
        assert!(
            before < after,
            "packet number {after} behind {before} under one key"
        );
    }
    pairs
        .into_iter()
        .filter(|(before, after)| before + 1 != *after)
        .collect()
}

#[test]
fn over_50_starts_stops_and_kills_nothing_leaves_in_clear_and_no_packet_number_twice() {
    let scratch = Scratch::new("rounds");
    let [host, middle, peer] = ["host", "gateway", "peer"].map(Namespace::new);
    let spaces = [&host, &middle, &peer];
    let routes = [(0, Suite::ALL[0]), (1, Suite::ALL[3])];
    let routes = routes.map(|(index, suite)| Route::new(index, suite, spaces, &scratch));
    let config = GatewayConfig::new("rounds", routes.iter().map(Route::config).collect());

    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sender = std::thread::Builder::new().name("both-ends".into());
        let sender = sender.spawn_scoped(scope, || send_until(&stop, &routes));
        assert!(sender.is_ok());
        let _stop = Stop(&stop);
        let mut gateway = Gateway::spawn(&middle, &config);
        for number in 0..ROUNDS {
            round(number, &mut gateway, &host);
        }
    });
    for route in routes {
        let mut played = PlayedPeer::facing(&route.keys, 1);
        let (at_wan, at_lan) = (route.at_wan.stop(), route.at_lan.stop());
        assert_eq!(
            at_lan,
            [],
            "frames in clear from the secure wire came through"
        );
        assert!(
            at_wan.len() > 500,
            "only {} frames on the secure wire",
            at_wan.len()
        );
        let expected = routers_frame();
        for frame in &at_wan {
            assert!(
                frame.is_macsec(),
                "in clear on the secure wire: {frame:02x?}"
            );
            assert_eq!(
                played.validate(&frame.0).as_deref(),
                Ok(&*expected),
                "{frame:02x?}"
            );
        }
        // A stop in order continues exactly; a kill costs what was reserved.
        let (jumps, kills) = (
            jumps(&at_wan),
            (0..ROUNDS - 1).filter(|number| number % 4 == 1).count(),
        );
        println!(
            "{}: {} frames, jumps {jumps:?}",
            route.keys.suite.name,
            at_wan.len()
        );
        assert_eq!(
            jumps.len(),
            kills,
            "{kills} kills, packet numbers jump at {jumps:?}"
        );
    }
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn link(ns: &Namespace, interface: &str, state: &str) {
    ns.sh(&format!("ip link set dev {interface} {state}"), QUICK)
        .ok();
}

#[test]
fn the_plain_link_follows_the_secure_one() {
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[3]);
    let mut gateway = span.start(&Span::config(&keys, &[]));
    let mut ends = Ends::new(&span, &keys, 1);
    ends.pass();
    for _ in 0..3 {
        link(&span.peer, "wan", "down");
        span.wait_carrier(false);
        link(&span.peer, "wan", "up");
        span.wait_carrier(true);
        // The old socket remembers that its interface was down.
        ends.wan = RawPort::open(&span.peer, "wan");
        ends.pass();
    }
    assert_balanced(&gateway);
    // A start that finds no secure link shows none on the plain side, whatever a killed one left there.
    gateway.end(Signal::SIGKILL);
    link(&span.peer, "wan", "down");
    gateway.start_again();
    gateway.wait_ready(QUICK);
    span.wait_carrier(false);
    link(&span.peer, "wan", "up");
    span.wait_carrier(true);
    ends.wan = RawPort::open(&span.peer, "wan");
    ends.pass();
    assert_balanced(&gateway);
    gateway.signal(Signal::SIGTERM);
    let (_, took) = gateway.end(Signal::SIGTERM);
    assert!(took < STOPPED, "two signals and no end: {took:?}");
    assert!(!span.carrier(), "a carrier after the end");
}

#[test]
fn a_tap_on_the_plain_side_runs_while_the_link_is_secured() {
    let [middle, peer] = ["gateway", "peer"].map(Namespace::new);
    let scratch = Scratch::new("tap");
    middle.wire("secure0", &peer, "wan", 1600);
    link(&middle, "secure0", "arp off");
    let keys = Span::keys(Suite::ALL[3]);
    let mut route = LinkConfig::on_interfaces("dx1", 0, ["tap", "secure0"], keys.clone());
    route.plain = "net_tap0,iface=host0".into();
    link(&peer, "wan", "down");
    let gateway = Gateway::start(&middle, &GatewayConfig::new("tap", vec![route]));
    let runs = |wanted: bool| {
        wait_until("the TAP's running state", QUICK, || {
            (carrier(&middle, "host0") == wanted).then_some(())
        });
    };
    runs(false);
    link(&peer, "wan", "up");
    runs(true);
    let mut wire = Capture::incoming(&peer, "wan", &scratch);
    let mut played = PlayedPeer::facing(&keys, 1);
    let frame = routers_frame();
    RawPort::open(&middle, "host0").send(&frame);
    let seen = wire.next(QUICK).expect("the TAP's frame leaves");
    assert!(seen.is_macsec(), "in clear on the secure wire: {seen:02x?}");
    assert_eq!(played.validate(&seen.0).as_deref(), Ok(&*frame));
    link(&peer, "wan", "down");
    runs(false);
    link(&peer, "wan", "up");
    runs(true);
    assert_balanced(&gateway);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn gateways_run_beside_each_other_by_name_and_not_on_the_same_state_or_name() {
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[3]);
    let config = Span::config(&keys, &[]);
    let first = span.start(&config);
    let mut ends = Ends::new(&span, &keys, 1);
    ends.pass();

    let other = Span::new(1600);
    let second = other.start(&Span::config(&keys, &[]));
    let mut others = Ends::new(&other, &keys, 1);
    others.pass();

    // The first one's own files, once more; then its name with files of its own.
    let file = first.config().to_str().expect("a path in UTF-8");
    let again = other.gateway.run(
        &[env!("CARGO_BIN_EXE_macsecgw"), "run", "--config", file],
        QUICK,
    );
    assert!(again.code != 0 && again.code < 128, "{again:?}");
    assert!(again.stderr.contains("another gateway"), "{again:?}");
    let mut namesake = Gateway::spawn(&other.gateway, &config);
    let ended = namesake.daemon().wait_end(QUICK);
    assert!(
        namesake.log_text().contains("gateway.name"),
        "{}",
        namesake.log_text()
    );
    assert!(
        ended.is_some_and(|code| code != 0 && code < 128),
        "{ended:?}: {}",
        namesake.log_text()
    );

    ends.pass();
    others.pass();
    for gateway in [first, second] {
        assert_balanced(&gateway);
        assert_eq!(gateway.stop(), 0);
    }
}
