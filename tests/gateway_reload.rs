//! What changes while a gateway runs: its configuration on SIGHUP, and its keys' packet numbers, which end.
#![expect(clippy::expect_used, reason = "a test ends where it can't go on")]

mod support;

use macsec_gateway::ieee::{An, CipherSuite, Pn};
use macsec_gateway::state::{KeyUse, StateDir};
use nix::sys::signal::Signal;
use std::time::Duration;
use support::{
    Ends, Gateway, GatewayConfig, PlayedPeer, Span, StaticKeys, Suite, assert_balanced, ethernet,
    fingerprint, wait_until,
};

const QUICK: Duration = Duration::from_secs(10);
/// Where the packet number stands in a frame with a SecTAG.
const PN: std::ops::Range<usize> = 16..20;

/// Keys that differ from `keys` in every octet that matters, for other ANs.
fn successor(keys: &StaticKeys, an: u8) -> StaticKeys {
    let mut new = keys.clone();
    let turned = |key: &str| key.chars().rev().collect();
    (new.tx_key, new.rx_key) = (turned(&keys.tx_key), turned(&keys.rx_key));
    (new.tx_an, new.rx_an) = (an, an);
    new
}

#[test]
fn a_reload_changes_what_can_change_and_a_bad_one_changes_nothing() {
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[0]);
    let strict = Span::config(&keys, &["replay = \"strict\""]);
    let gateway = span.start(&strict);
    let mut ends = Ends::new(&span, &keys, 1);
    ends.pass();
    let take = |config: &GatewayConfig, fresh: &[&str]| {
        let mut config = config.clone();
        config.name.clone_from(&strict.name);
        gateway.rewrite(&config, fresh);
        assert!(gateway.reload(), "{:#}", gateway.status()["reload"]);
    };

    // The replay window: strict refuses the first of two that come in the wrong order, a window does not.
    let late = |reason| {
        let labels = [("lane", "validate"), ("reason", reason)];
        gateway
            .metrics()
            .count("macsecgw_lane_dropped_frames_total", &labels)
    };
    for (lines, passes) in [
        (["replay = \"strict\""].as_slice(), false),
        (&["replay = \"window\"", "replay_window = 8"], true),
    ] {
        take(&Span::config(&keys, lines), &[]);
        let (first, second) = (
            ends.fresh(Span::PEER_MAC, 100),
            ends.fresh(Span::PEER_MAC, 100),
        );
        let early = ends.peer.protect(&first);
        let before = late("late");
        ends.back(&second);
        ends.wan.send(&early);
        let limit = if passes {
            QUICK
        } else {
            Duration::from_millis(200)
        };
        let seen = ends.from_gateway_plain.next(limit);
        assert_eq!(
            seen.map(|seen| seen.0 == first),
            passes.then_some(true),
            "{lines:?}"
        );
        assert_eq!(late("late") - before, u64::from(!passes));
    }

    // The bypass list, and back.
    let lldp = ethernet([1, 0x80, 0xC2, 0, 0, 0x0E], Span::HOST_MAC, 0x88CC, 100);
    let bypass = "bypass = [{ ethertype = 0x88CC, direction = \"protect\" }]";
    take(&Span::config(&keys, &[bypass]), &[]);
    ends.lan.send(&lldp);
    let seen = ends.from_gateway_secure.next(QUICK);
    assert_eq!(seen.map(|seen| seen.0).as_ref(), Some(&lldp));
    take(&Span::config(&keys, &[]), &[]);
    ends.out(&lldp);

    // The mode. While secured it is the same frames that pass.
    for mode in ["should_encrypt", "must_encrypt"] {
        let line = format!("encryption = \"{mode}\"");
        take(&Span::config(&keys, &[&line]), &[]);
        let link = &gateway.status()["links"][0];
        assert_eq!(link["encryption"], mode, "{link:#}");
        ends.wan
            .send(&ethernet([0xFF; 6], Span::PEER_MAC, 0x0800, 100));
        ends.pass();
    }

    // New keys on new ANs, both ways, more often than there are ANs.
    let mut current = keys.clone();
    for turn in 1..=5_u8 {
        current = successor(&current, turn % 4);
        let digit = char::from(b'0' + turn);
        for key in [&mut current.tx_key, &mut current.rx_key] {
            key.replace_range(0..1, &digit.to_string());
        }
        take(&Span::config(&current, &[]), &["dx1"]);
        ends.peer = PlayedPeer::facing(&current, 1);
        ends.pass();
        ends.pass();
    }

    // A configuration that is refused: the running one stays, and status says so.
    let running = gateway.status()["links"].clone();
    let mut bad = Span::config(&current, &["replay_window = 8", "no_such_key = 1"]);
    bad.name.clone_from(&strict.name);
    gateway.rewrite(&bad, &[]);
    assert!(!gateway.reload(), "a bad configuration was taken");
    let reload = &gateway.status()["reload"];
    assert!(
        reload["error"].to_string().contains("no_such_key"),
        "{reload:#}"
    );
    let metrics = gateway.metrics();
    assert_eq!(
        metrics.count("macsecgw_config_last_reload_successful", &[]),
        0
    );
    assert_eq!(
        gateway.status()["links"][0]["encryption"],
        running[0]["encryption"]
    );
    ends.pass();
    assert_balanced(&gateway);
    assert_eq!(gateway.stop(), 0);
}

const LAST: u64 = u32::MAX as u64;

/// Stops the gateway and writes down that all but `left` packet numbers of its transmit key may have been
/// used; then starts it again.
fn near_the_end(gateway: &mut Gateway<'_>, span: &Span, keys: &StaticKeys, left: u64) {
    assert_eq!(gateway.end(Signal::SIGTERM).0, 0);
    let state = gateway.scratch().join("state");
    let suite: CipherSuite = keys.suite.name.parse().expect("a suite");
    let key = KeyUse {
        link: "dx1".into(),
        fingerprint: fingerprint(&keys.tx_key).parse().expect("a fingerprint"),
        suite,
        an: An::new(keys.tx_an).expect("an AN"),
    };
    let sci = keys.sci.parse().expect("an SCI");
    let books = StateDir::open(&state).expect("the state directory, which nobody uses now");
    let mut reservation = books.reservation(&key, sci).expect("the key's state");
    books
        .extend(&mut reservation, Pn(LAST - left))
        .expect("a reservation");
    drop((reservation, books));
    gateway.start_again();
    gateway.wait_ready(QUICK);
    span.wait_carrier(true);
}

fn alarm(gateway: &Gateway<'_>, name: &str) -> bool {
    let standing = gateway
        .metrics()
        .sum("macsecgw_link_alarm", &[("alarm", name)]);
    standing.is_some_and(|standing| standing > 0.5)
}

fn wait_alarm(gateway: &Gateway<'_>, name: &str, wanted: bool) {
    wait_until(&format!("alarm {name} = {wanted}"), QUICK, || {
        (alarm(gateway, name) == wanted).then_some(())
    });
}

/// Sends so many frames as there are packet numbers left, which leave under just these, and some more, which
/// do not leave protected.
fn use_up(ends: &mut Ends, left: u64) {
    for used in 1..=left {
        let frame = ends.fresh(Span::HOST_MAC, 100);
        ends.lan.send(&frame);
        let seen = ends
            .from_gateway_secure
            .next(QUICK)
            .expect("a frame while there are numbers");
        let number = LAST - left + used;
        assert_eq!(
            seen.0.get(PN),
            Some(&u32::try_from(number).expect("short").to_be_bytes()[..])
        );
        assert_eq!(ends.peer.validate(&seen.0).as_deref(), Ok(&*frame));
    }
}

#[test]
fn when_the_packet_numbers_are_used_up_the_link_closes_until_there_is_a_new_key() {
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[0]);
    let mut config = Span::config(&keys, &["pn_soft_threshold = 1.0"]);
    let mut gateway = span.start(&config);
    near_the_end(&mut gateway, &span, &keys, 20);
    let mut ends = Ends::new(&span, &keys, 1);
    assert!(!alarm(&gateway, "pn_soft_threshold") && !alarm(&gateway, "pn_exhausted"));
    let name = config.name.clone();
    let mut take = |lines: &[&str], keys: &StaticKeys, fresh: &[&str]| {
        config = Span::config(keys, lines);
        config.name.clone_from(&name);
        gateway.rewrite(&config, fresh);
        assert!(gateway.reload(), "{:#}", gateway.status()["reload"]);
    };
    take(&[], &keys, &[]);
    wait_alarm(&gateway, "pn_soft_threshold", true);

    use_up(&mut ends, 20);
    span.wait_carrier(false);
    wait_alarm(&gateway, "pn_exhausted", true);
    assert_eq!(
        ends.from_gateway_secure.next(Duration::from_millis(200)),
        None
    );

    let new = successor(&keys, 1);
    take(&[], &new, &["dx1"]);
    span.wait_carrier(true);
    ends.peer = PlayedPeer::facing(&new, 1);
    ends.pass();
    wait_alarm(&gateway, "pn_exhausted", false);
    assert_balanced(&gateway);
    assert_eq!(gateway.stop(), 0);
}

/// One frame each way in clear: whether they pass.
fn clear_passes(ends: &mut Ends) -> [bool; 2] {
    let (out, back) = (
        ends.fresh(Span::HOST_MAC, 100),
        ends.fresh(Span::PEER_MAC, 100),
    );
    ends.lan.try_send(&out);
    ends.wan.send(&back);
    let limit = Duration::from_millis(300);
    let left = ends
        .from_gateway_secure
        .next_where(limit, |seen| seen.0 == out);
    let came = ends
        .from_gateway_plain
        .next_where(limit, |seen| seen.0 == back);
    [left.is_some(), came.is_some()]
}

#[test]
fn should_encrypt_is_in_clear_without_usable_keys_and_says_so_and_never_while_secured() {
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[0]);
    let clear = ["encryption = \"should_encrypt\"", "clear_wait_s = 1"];
    let config = Span::config(&keys, &clear);
    let mut gateway = span.start(&config);
    near_the_end(&mut gateway, &span, &keys, 5);
    let mut ends = Ends::new(&span, &keys, 1);
    assert_eq!(clear_passes(&mut ends), [false; 2], "secured");
    assert!(!alarm(&gateway, "in_clear"));
    // One number was used just now.
    wait_until("the last number used", QUICK, || {
        ends.lan
            .try_send(&ethernet([0xFF; 6], Span::HOST_MAC, 0x0800, 100));
        alarm(&gateway, "in_clear").then_some(())
    });
    // The lanes pass clear before the plain side's neighbour sees its link again.
    span.wait_carrier(true);
    assert_eq!(clear_passes(&mut ends), [true; 2], "no numbers are left");
    // EAPOL of the plain side never leaves in clear, and that of the secure side is control's.
    let eapol = |from| ethernet([1, 0x80, 0xC2, 0, 0, 3], from, 0x888E, 100);
    ends.lan.send(&eapol(Span::HOST_MAC));
    ends.wan.send(&eapol(Span::PEER_MAC));
    assert_eq!(clear_passes(&mut ends), [true; 2]);
    let metrics = gateway.metrics();
    let eapol = [("lane", "protect"), ("reason", "eapol_from_plain")];
    assert_eq!(
        metrics.count("macsecgw_lane_dropped_frames_total", &eapol),
        1
    );
    let to_control = [("lane", "validate")];
    assert_eq!(
        metrics.count("macsecgw_lane_to_control_frames_total", &to_control),
        1
    );

    // A new key: protected from now on, clear received until the peer's first protected frame.
    let new = successor(&keys, 1);
    let mut next = Span::config(&new, &clear);
    next.name.clone_from(&config.name);
    gateway.rewrite(&next, &["dx1"]);
    assert!(gateway.reload(), "{:#}", gateway.status()["reload"]);
    wait_alarm(&gateway, "in_clear", false);
    ends.peer = PlayedPeer::facing(&new, 1);
    assert_eq!(
        clear_passes(&mut ends),
        [false, true],
        "the peer still sends in clear"
    );
    ends.from_gateway_secure
        .next_where(Duration::from_millis(50), |_| false);
    ends.pass();
    assert_eq!(clear_passes(&mut ends), [false; 2], "the peer protects");
    assert_balanced(&gateway);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn should_encrypt_with_a_latch_stays_closed_once_it_was_secured() {
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[0]);
    let lines = [
        "encryption = \"should_encrypt\"",
        "clear_wait_s = 1",
        "after_secured = \"close\"",
    ];
    let mut gateway = span.start(&Span::config(&keys, &lines));
    near_the_end(&mut gateway, &span, &keys, 5);
    let mut ends = Ends::new(&span, &keys, 1);
    use_up(&mut ends, 5);
    span.wait_carrier(false);
    // Longer than the wait before clear.
    std::thread::sleep(Duration::from_millis(1500));
    assert!(!alarm(&gateway, "in_clear") && !span.carrier());
    assert_eq!(clear_passes(&mut ends), [false; 2]);
    assert_balanced(&gateway);
    assert_eq!(gateway.stop(), 0);
}
