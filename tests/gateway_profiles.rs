//! Every profile between two gateways over ports: eight links, one a profile, with the same profile at both
//! ends. Keys come by agreement, data passes both ways, a rekey loses nothing, no clear frame is on the wires,
//! and what is on them is what docs/profiles.md promises. Octets are read here by hand.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::{
    CakPair, Capture, Frame, Gateway, GatewayConfig, LinkConfig, MkaKeys, Pair, PairEnds, ethernet,
    wait_until,
};

const QUICK: Duration = Duration::from_secs(20);

const EAPOL: u16 = 0x888E;

/// GCM-AES-XPN-256 as a Distributed SAK names it.
const XPN_256: [u8; 8] = [0x00, 0x80, 0xC2, 0x00, 0x01, 0x00, 0x00, 0x04];

/// What numbered frames carry behind their header.
const MARK: [u8; 4] = *b"prof";

/// What a profile says of both ends when nothing else is set.
#[derive(Debug)]
struct Promise {
    profile: &'static str,
    priority: u8,
    mka_version: u8,
    icv_indicator: bool,
    /// A new SAK after so many seconds; without, by packet numbers.
    rekey_s: Option<u64>,
}

impl Promise {
    const fn of(profile: &'static str) -> Self {
        Self {
            profile,
            priority: 16,
            mka_version: 1,
            icv_indicator: false,
            rekey_s: None,
        }
    }
}

/// By the tables of docs/profiles.md. All have explicit SCIs, offset 0, a window of 64, GCM-AES-XPN-256.
const PROMISES: [Promise; 8] = [
    Promise::of("aws-direct-connect-10g"),
    Promise::of("aws-direct-connect-100g"),
    Promise {
        priority: 15,
        icv_indicator: true,
        rekey_s: Some(28_800),
        ..Promise::of("google-cloud-interconnect")
    },
    Promise::of("azure-expressroute-direct"),
    Promise {
        rekey_s: Some(3600),
        ..Promise::of("oracle-fastconnect")
    },
    Promise::of("ibm-direct-link"),
    Promise::of("alibaba-express-connect"),
    Promise {
        mka_version: 3,
        ..Promise::of("generic")
    },
];

/// Both gateways' configurations. They differ in nothing but names.
fn configs() -> [GatewayConfig; 2] {
    ["edge", "cloud"].map(|label| {
        let links = (0_u8..).zip(&PROMISES).map(|(at, promise)| {
            let profile = format!("profile = \"{}\"", promise.profile);
            let keys = MkaKeys::new(&[CakPair::long(at + 31)], &[&profile], &[]);
            let ports = [format!("plain{at}"), format!("secure{at}")];
            let name = format!("dx{at}");
            LinkConfig::agreeing(&name, at.into(), [&*ports[0], &*ports[1]], keys)
        });
        GatewayConfig::new(label, links.collect())
    })
}

fn numbered(number: u32) -> Vec<u8> {
    let mut frame = ethernet([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], 0x88B5, 120);
    let place = frame.get_mut(14..22).expect("room for a number");
    let (mark, place) = place.split_at_mut(4);
    mark.copy_from_slice(&MARK);
    place.copy_from_slice(&number.to_be_bytes());
    frame
}

fn number_of(frame: &Frame) -> Option<u32> {
    let (mark, number) = frame.0.get(14..22)?.split_at(4);
    (mark == MARK).then_some(())?;
    Some(u32::from_be_bytes(number.try_into().ok()?))
}

/// Frames both ways on every link until `done` says so, and some more. How many went each way.
fn carry(ends: &[PairEnds], mut done: impl FnMut() -> bool) -> u32 {
    let mut left = 300;
    for number in 0.. {
        for end in ends {
            end.left.send(&numbered(number));
            end.right.send(&numbered(number));
        }
        std::thread::sleep(Duration::from_millis(4));
        // Asking takes longer than the pace of frames allows to ask each time.
        if left < 300 || number % 50 == 0 && done() {
            left -= 1;
        }
        if left == 0 {
            return number + 1;
        }
    }
    0
}

/// All of them came, each once and in order.
#[track_caller]
fn assert_all_came(at: &mut Capture, sent: u32, what: &str) {
    let mut wanted = 0..sent;
    while let Some(frame) = at.next(Duration::from_secs(1)) {
        let Some(number) = number_of(&frame) else {
            continue;
        };
        assert_eq!(Some(number), wanted.next(), "{what}, of {sent}");
        if wanted.is_empty() {
            return;
        }
    }
    panic!("{what}: lost {wanted:?}");
}

fn link(status: &Value, at: usize) -> &Value {
    &status["links"][at]
}

/// What `status` of one end says about a link, and its SCI.
#[track_caller]
fn assert_status(status: &Value, at: usize, promise: &Promise) -> [u8; 8] {
    let seen = link(status, at);
    let what = promise.profile;
    assert_eq!(seen["secured"], true, "{what}: {seen:#}");
    assert_eq!(seen["encryption"], "must_encrypt", "{what}");
    assert_eq!(seen["cipher_suite"], "gcm-aes-xpn-256", "{what}");
    assert_eq!(seen["mka"]["latest_key"]["tx"], true, "{what}: {seen:#}");
    assert_eq!(seen["confidentiality"], true, "{what}");
    assert_eq!(seen["confidentiality_offset"], 0, "{what}");
    assert_eq!(seen["sectag_sci"], "explicit", "{what}");
    assert_eq!(seen["replay"]["window"], 64, "{what}");
    assert_eq!(seen["alarms"], serde_json::json!([]), "{what}");
    let peers = &seen["mka"]["caks"][0]["peers"];
    assert_eq!(peers.as_array().map(Vec::len), Some(1), "{what}");
    assert_eq!(peers[0]["priority"], promise.priority, "{what}");
    assert_eq!(peers[0]["mka_version"], promise.mka_version, "{what}");
    // Whoever serves knows when the next key is due, if time says so.
    if seen["mka"]["key_server"]["is_us"] == true {
        let next = seen["mka"]["next_rekey_ms"].as_u64();
        let Some(every) = promise.rekey_s else {
            assert_eq!(next, None, "{what}");
            return sci(seen);
        };
        let next = next.expect("a time of the next rekey");
        let range = (every - 60) * 1000..=every * 1000;
        assert!(range.contains(&next), "{what}: {next} ms");
    }
    sci(seen)
}

/// The octets of an SCI, "MAC/port".
fn sci(link: &Value) -> [u8; 8] {
    let text = link["sci"].as_str().expect("an SCI");
    let (mac, port) = text.split_once('/').expect("address and port");
    let port: u16 = port.parse().expect("a port");
    let octets = mac.split(':').map(|octet| u8::from_str_radix(octet, 16));
    let octets = octets.map(|octet| octet.expect("an octet"));
    let octets: Vec<_> = octets.chain(port.to_be_bytes()).collect();
    octets.try_into().expect("eight octets")
}

/// The parameter sets of a MKPDU without the ICV at its end: type, octet 1, body.
fn sets(frame: &Frame) -> Vec<(u8, u8, &[u8])> {
    let length = frame
        .0
        .get(16..18)
        .map(|length| u16::from_be_bytes([length[0], length[1]]));
    let end = 18 + usize::from(length.expect("an EAPOL header")) - 16;
    let mut rest = frame.0.get(18..end).expect("a whole MKPDU");
    let mut found = Vec::new();
    while let [kind, octet, high, low, behind @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]) & 0x0FFF);
        // Of the ICV Indicator the body is the ICV.
        found.push((*kind, *octet, behind.get(..length).unwrap_or_default()));
        rest = behind.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// What one end put on the wire.
#[track_caller]
fn assert_wire(frames: &[Frame], sci: [u8; 8], promise: &Promise) -> usize {
    let what = promise.profile;
    let (mut protected, mut given) = (0, 0);
    for frame in frames {
        if frame.is_macsec() {
            protected += 1;
            // Explicit SCI, encrypted: SC, E and C, and neither ES nor SCB.
            assert_eq!(frame.0.get(14).map(|tci| tci & 0xFC), Some(0x2C), "{what}");
            assert_eq!(frame.0.get(20..28), Some(&sci[..]), "{what}");
            continue;
        }
        assert_eq!(frame.ethertype(), Some(EAPOL), "{what}: a clear frame");
        let group = [0x01, 0x80, 0xC2, 0x00, 0x00, 0x03];
        assert_eq!(frame.0.get(..6), Some(&group[..]), "{what}");
        assert_eq!(frame.0.get(14..16), Some(&[3, 5][..]), "{what}");
        let sets = sets(frame);
        let (version, priority, basic) = *sets.first().expect("a basic set");
        assert_eq!(version, promise.mka_version, "{what}");
        assert_eq!(priority, promise.priority, "{what}");
        assert_eq!(basic.get(..8), Some(&sci[..]), "{what}");
        let indicated = sets.last().is_some_and(|(kind, ..)| *kind == 255);
        assert_eq!(indicated, promise.icv_indicator, "{what}: {sets:?}");
        for (_, octet, body) in sets.iter().skip(1).filter(|(kind, ..)| *kind == 4) {
            given += 1;
            assert_eq!(octet >> 4 & 3, 1, "{what}: encrypted, offset 0");
            assert_eq!(body.get(4..12), Some(&XPN_256[..]), "{what}");
            assert_eq!(body.len(), 4 + 8 + 40, "{what}: a SAK of 256 bits");
        }
    }
    assert!(protected > 300, "{what}: {protected} protected frames");
    given
}

#[test]
fn every_profile_agrees_carries_and_rekeys_between_two_gateways() {
    let count = u32::try_from(PROMISES.len()).expect("a few profiles");
    let pair = Pair::new(count, 1508, 1540);
    let capture = |at: u32| {
        let wire = format!("secure{at}");
        // Each where it is received.
        [&pair.cloud, &pair.edge].map(|ns| Capture::incoming(ns, &wire, &pair.scratch))
    };
    let wires: Vec<_> = (0..count).map(capture).collect();
    let gateways = pair.start(&configs());
    let mut ends: Vec<_> = (0..count).map(|at| pair.ends(at)).collect();
    rekey_all(&gateways);
    let sent = carry(&ends, || {
        let statuses = gateways.each_ref().map(Gateway::status);
        let done = |status: &Value, at| link(status, at)["mka"]["rekeys"] == 1;
        (0..PROMISES.len()).all(|at| statuses.iter().all(|status| done(status, at)))
    });
    for (end, promise) in ends.iter_mut().zip(&PROMISES) {
        let what = promise.profile;
        assert_all_came(&mut end.at_right, sent, &format!("{what}, to the right"));
        assert_all_came(&mut end.at_left, sent, &format!("{what}, to the left"));
    }
    let statuses = gateways.each_ref().map(Gateway::status);
    for gateway in gateways {
        assert_eq!(gateway.stop(), 0);
    }
    for (at, (wires, promise)) in wires.into_iter().zip(&PROMISES).enumerate() {
        let mut given = [0; 2];
        for (end, wire) in wires.into_iter().enumerate() {
            let sci = assert_status(&statuses[end], at, promise);
            given[end] = assert_wire(&wire.stop(), sci, promise);
        }
        // One end alone gave keys.
        let serves = |status: &Value| link(status, at)["mka"]["key_server"]["is_us"] == true;
        let server = statuses.iter().position(serves).expect("a key server");
        assert!(given[server] >= 2, "{}: {given:?}", promise.profile);
        assert_eq!(given[1 - server], 0, "{}", promise.profile);
    }
}

/// Asks for a new key of every link, at the end that gives it; the other one refuses.
fn rekey_all(gateways: &[Gateway<'_>; 2]) {
    let all = |status: &Value| (0..PROMISES.len()).all(|at| link(status, at)["secured"] == true);
    wait_until("all links secured", QUICK, || {
        let statuses = gateways.each_ref().map(Gateway::status);
        statuses.iter().all(all).then_some(())
    });
    for at in 0..PROMISES.len() {
        let name = format!("dx{at}");
        let codes = gateways
            .each_ref()
            .map(|gateway| gateway.ask(&["rekey", &name]).code);
        let served = codes.iter().filter(|code| **code == 0).count();
        assert_eq!(served, 1, "{name}: {codes:?}");
    }
}
