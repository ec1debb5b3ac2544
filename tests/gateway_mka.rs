//! Two gateways that agree on their keys by MKA, as processes, with numbered frames both ways all the time:
//! none may be lost by a rekey, by a CAK rollover in either order, or by a change of the encryption mode.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{
    CakPair, Capture, Frame, Gateway, GatewayConfig, LinkConfig, MkaKeys, Namespace, Pair,
    PairEnds, RawPort, Shell, Suite, ethernet, wait_until,
};

const QUICK: Duration = Duration::from_secs(15);

const EAPOL: u16 = 0x888E;

/// What numbered frames carry behind their header, where nothing else on the wire has it.
const MARK: [u8; 4] = *b"none";

/// One link's keys at both ends, the edge being the key server.
fn keys(edge: &[CakPair], cloud: &[CakPair], lines: &[&str]) -> [MkaKeys; 2] {
    [
        MkaKeys::new(edge, lines, &["key_server_priority = 8"]),
        MkaKeys::new(cloud, lines, &["key_server_priority = 16"]),
    ]
}

/// Sends a numbered frame each 2 ms from both ends while `meanwhile` runs; all of them come, each once and
/// in order, and neither plain side sees its link go down.
fn without_loss(pair: &Pair, meanwhile: impl FnOnce()) {
    let mut ends = pair.ends(0);
    let before = carrier_changes(pair);
    let stop = AtomicBool::new(false);
    let sent = std::thread::scope(|scope| {
        let sender = scope.spawn(|| send_until(&ends.left, &ends.right, &stop));
        meanwhile();
        stop.store(true, Ordering::Relaxed);
        sender.join().expect("the sender")
    });
    assert!(sent > 200, "{sent} frames sent");
    let PairEnds {
        at_left, at_right, ..
    } = &mut ends;
    for (side, at) in [("left", at_left), ("right", at_right)] {
        let came = numbers(at, sent);
        let missing = (0..sent).filter(|number| !came.contains(number));
        let missing: Vec<_> = missing.collect();
        assert!(
            missing.is_empty(),
            "lost {missing:?} on the way to {side}, of {sent}"
        );
        assert!(came.is_sorted_by(|a, b| a < b), "out of order at {side}");
    }
    assert_eq!(carrier_changes(pair), before, "a link went down");
}

fn send_until(left: &RawPort, right: &RawPort, stop: &AtomicBool) -> u32 {
    let mut number = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        for (port, last) in [(left, 0x0A), (right, 0x0B)] {
            let mut frame = ethernet(
                [2, 0, 0, 0, 0, last ^ 1],
                [2, 0, 0, 0, 0, last],
                0x88B5,
                100,
            );
            if let Some(place) = frame.get_mut(14..22) {
                let (mark, place) = place.split_at_mut(4);
                mark.copy_from_slice(&MARK);
                place.copy_from_slice(&number.to_be_bytes());
            }
            port.send(&frame);
        }
        number += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    number
}

/// The numbers that came, in their order, until so many did or nothing comes for a second.
fn numbers(at: &mut Capture, wanted: u32) -> Vec<u32> {
    let mut came = Vec::new();
    while came.len() < wanted as usize {
        let Some(frame) = at.next(Duration::from_secs(1)) else {
            break;
        };
        came.extend(number_of(&frame));
    }
    came
}

fn number_of(frame: &Frame) -> Option<u32> {
    let (mark, number) = frame.0.get(14..22)?.split_at(4);
    (mark == MARK).then_some(())?;
    Some(u32::from_be_bytes(number.try_into().ok()?))
}

/// How often the plain sides' links went up or down so far.
fn carrier_changes(pair: &Pair) -> [u64; 2] {
    let of = |ns: &Namespace, interface: &str| {
        let file = format!("cat /sys/class/net/{interface}/carrier_changes");
        ns.sh(&file, QUICK).ok().trim().parse().unwrap_or(0)
    };
    [of(&pair.left, "l0"), of(&pair.right, "r0")]
}

/// Nothing but MACsec and MKA.
fn assert_no_clear(frames: &[Frame]) {
    let clear = frames
        .iter()
        .find(|frame| !frame.is_macsec() && frame.ethertype() != Some(EAPOL));
    assert_eq!(clear, None, "a clear frame on the wire");
}

fn an_changes(gateway: &Gateway<'_>) -> u64 {
    gateway
        .metrics()
        .count("macsecgw_link_an_changes_total", &[])
}

#[test]
fn all_suites_agree_and_a_rekey_on_the_operators_word_loses_nothing() {
    let pair = Pair::new(1, 1508, 1540);
    let cak = [CakPair::long(1)];
    for suite in Suite::ALL {
        println!("case: {}", suite.name);
        let line = format!("cipher_suite = \"{}\"", suite.name);
        let configs = pair.agreeing(keys(&cak, &cak, &[&line]));
        let wire = Capture::start(&pair.edge, "secure0", "", &pair.scratch);
        let gateways = pair.start(&configs);
        let before = an_changes(&gateways[1]);
        // The first key is only just there: this one waits until the gap between two keys is over.
        without_loss(&pair, || {
            gateways[0].ask(&["rekey", "dx0"]).ok();
            wait_until("another key", QUICK, || {
                (an_changes(&gateways[1]) >= before + 2).then_some(())
            });
            std::thread::sleep(Duration::from_secs(4));
        });
        for gateway in gateways {
            assert_eq!(gateway.stop(), 0);
        }
        assert_no_clear(&wire.stop());
    }
}

/// Gives a running gateway other pairs.
fn reload(gateway: &Gateway<'_>, config: &GatewayConfig, pairs: &[CakPair]) {
    let mut config = config.clone();
    for link in &mut config.links {
        if let Some(keys) = &mut link.mka {
            keys.caks = pairs.to_vec();
        }
    }
    gateway.rewrite(&config, &[]);
    assert!(gateway.reload(), "{:#}", gateway.status()["reload"]);
}

/// The CKN by which the link's principal speaks.
fn principal(gateway: &Gateway<'_>) -> String {
    let status = gateway.status();
    let ckn = &status["links"][0]["mka"]["principal"];
    ckn.as_str().unwrap_or_default().to_owned()
}

fn wait_principal(gateways: &[Gateway<'_>; 2], pair: &CakPair) {
    for gateway in gateways {
        wait_until("the principal", QUICK, || {
            (principal(gateway) == pair.ckn).then_some(())
        });
    }
}

#[test]
fn a_cak_rollover_in_either_order_loses_nothing() {
    let pair = Pair::new(1, 1508, 1540);
    let [old, new] = [CakPair::long(2), CakPair::long(3)];
    let both = [old.clone(), new.clone()];
    let configs = pair.agreeing(keys(
        std::slice::from_ref(&old),
        std::slice::from_ref(&old),
        &["profile = \"aws-direct-connect-100g\""],
    ));
    let wire = Capture::start(&pair.edge, "secure0", "", &pair.scratch);
    let gateways = pair.start(&configs);
    wait_principal(&gateways, &old);
    // The key server first, then back again with the other end first.
    for (order, from, to) in [([0, 1], &old, &new), ([1, 0], &new, &old)] {
        let both = if from == &old {
            both.to_vec()
        } else {
            vec![new.clone(), old.clone()]
        };
        without_loss(&pair, || {
            for end in order {
                reload(&gateways[end], &configs[end], &both);
                std::thread::sleep(Duration::from_millis(500));
            }
            wait_principal(&gateways, to);
            std::thread::sleep(Duration::from_secs(2));
            for end in order {
                reload(&gateways[end], &configs[end], std::slice::from_ref(to));
                std::thread::sleep(Duration::from_millis(500));
            }
            std::thread::sleep(Duration::from_secs(4));
        });
        wait_principal(&gateways, to);
    }
    // One end never gets the new pair: both stay with what both have.
    without_loss(&pair, || {
        reload(&gateways[0], &configs[0], &both);
        std::thread::sleep(Duration::from_secs(8));
    });
    wait_principal(&gateways, &old);
    for gateway in gateways {
        assert_eq!(gateway.stop(), 0);
    }
    assert_no_clear(&wire.stop());
}

#[test]
fn a_killed_gateway_is_secured_again_and_its_peer_tears_nothing_down() {
    let pair = Pair::new(1, 1508, 1540);
    let cak = [CakPair::long(4)];
    let configs = pair.agreeing(keys(&cak, &cak, &[]));
    for killed in [0, 1] {
        let wire = Capture::start(&pair.edge, "secure0", "", &pair.scratch);
        let mut gateways = pair.start(&configs);
        let before = carrier_changes(&pair);
        gateways[killed].end(Signal::SIGKILL);
        gateways[killed].start_again();
        gateways[killed].wait_ready(Duration::from_secs(30));
        let begun = Instant::now();
        wait_until("secured again", QUICK, || {
            let status = gateways[killed].status();
            (status["links"][0]["secured"] == true).then_some(())
        });
        println!("secured {:?} after it was ready", begun.elapsed());
        without_loss_once_open(&pair);
        // The survivor's neighbour saw nothing of it.
        let other = 1 - killed;
        assert_eq!(carrier_changes(&pair)[other], before[other]);
        for gateway in gateways {
            assert_eq!(gateway.stop(), 0);
        }
        assert_no_clear(&wire.stop());
    }
}

fn without_loss_once_open(pair: &Pair) {
    for (ns, interface) in [(&pair.left, "l0"), (&pair.right, "r0")] {
        wait_until("a link on the plain side", QUICK, || {
            let file = format!("cat /sys/class/net/{interface}/operstate");
            (ns.sh(&file, QUICK).stdout.trim() == "up").then_some(())
        });
    }
    without_loss(pair, || std::thread::sleep(Duration::from_secs(2)));
}

#[test]
fn encryption_modes_change_on_a_live_link_without_loss() {
    let pair = Pair::new(1, 1508, 1540);
    let cak = [CakPair::long(5)];
    let configs = pair.agreeing(keys(&cak, &cak, &["encryption = \"must_encrypt\""]));
    let gateways = pair.start(&configs);
    let mode = |end: usize, mode: &str| {
        let mut config = configs[end].clone();
        for keys in config.links.iter_mut().filter_map(|link| link.mka.as_mut()) {
            keys.lines = vec![format!("encryption = \"{mode}\"")];
        }
        gateways[end].rewrite(&config, &[]);
        assert!(
            gateways[end].reload(),
            "{:#}",
            gateways[end].status()["reload"]
        );
    };
    without_loss(&pair, || {
        for wanted in ["should_encrypt", "must_encrypt", "should_encrypt"] {
            for end in [0, 1] {
                mode(end, wanted);
                std::thread::sleep(Duration::from_millis(300));
            }
        }
    });
    for gateway in gateways {
        assert_eq!(gateway.stop(), 0);
    }
}

/// A gateway on the interface "wan", with nobody behind its plain port.
fn lonely(label: &str, cak: &CakPair) -> GatewayConfig {
    let pairs = std::slice::from_ref(cak);
    let keys = MkaKeys::new(pairs, &[], &["max_peers = 1"]);
    let mut link = LinkConfig::agreeing("dx0", 0, ["none", "wan"], keys);
    link.plain = "net_null0".into();
    GatewayConfig::new(label, vec![link])
}

#[test]
fn a_member_that_turns_up_uninvited_is_told_and_the_session_goes_on() {
    let [left, right, third] = ["left", "right", "third"].map(Namespace::new);
    let stations = [&left, &right, &third];
    let _hub = Namespace::hub("hub", &stations.map(|station| (station, "wan")));
    let cak = CakPair::long(6);
    let start = |at: usize| Gateway::start(stations[at], &lonely("member", &cak));
    let pair = [start(0), start(1)];
    let secured = |gateway: &Gateway<'_>| gateway.status()["links"][0]["secured"] == true;
    wait_until("both secured", QUICK, || {
        pair.iter().all(secured).then_some(())
    });
    let alarm = |gateway: &Gateway<'_>| {
        let labels = [("alarm", "unknown_member")];
        gateway.metrics().sum("macsecgw_link_alarm", &labels)
    };
    assert!(pair.iter().all(|gateway| alarm(gateway).is_none()));
    let stranger = start(2);
    wait_until("an alarm at both", QUICK, || {
        pair.iter()
            .all(|gateway| alarm(gateway) == Some(1.0))
            .then_some(())
    });
    let own = stranger.status()["links"][0]["sci"].clone();
    let told = format!(
        "ALARM    unknown_member: the member {} has the CAK {}",
        own.as_str().expect("an SCI"),
        cak.ckn
    );
    for gateway in &pair {
        let status = gateway.ask(&["status"]).ok();
        assert!(status.contains(&told), "no \"{told}\" in {status}");
    }
    // The session between the two is not touched.
    assert!(!secured(&stranger));
    for gateway in pair {
        let losses = gateway.metrics().count("macsec_mka_losses_total", &[]);
        assert!(secured(&gateway) && losses == 0, "{losses} losses");
        assert_eq!(gateway.stop(), 0);
    }
}
