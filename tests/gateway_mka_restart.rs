//! Restarts of a gateway whose SAKs outlive it by the operator's leave: on the wire no packet number is used
//! twice under one key, what was recorded before is refused after, and the peer tears nothing down.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod support;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use macsec_gateway::crypto::random::SystemRandom;
use macsec_gateway::crypto::{AesKeyAgreement, Cak, KeyAgreement};
use macsec_gateway::ieee::{Ckn, EtherType, MacAddr, decode_hex};
use macsec_gateway::mka::IcvHeader;
use macsec_gateway::mka::pdu::{DistributedSak, Received};
use nix::sys::signal::Signal;
use support::{
    CakPair, Capture, Frame, Gateway, MkaKeys, Namespace, Pair, RawPort, Scratch, Shell, ethernet,
    wait_until,
};

const QUICK: Duration = Duration::from_secs(20);

/// A RAM-backed folder for SAKs that no swap can take: a ramfs of the test's own.
struct Ram(Scratch);

impl Ram {
    fn new() -> Self {
        let scratch = Scratch::new("saks");
        let path = scratch.path().display().to_string();
        support::run(
            &["mount", "-t", "ramfs", "-o", "mode=0700", "none", &path],
            QUICK,
        )
        .ok();
        Self(scratch)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Ram {
    fn drop(&mut self) {
        let path = self.path().display().to_string();
        let _ = std::panic::catch_unwind(|| support::run(&["umount", &path], QUICK));
    }
}

/// What names a protected frame's nonce on the wire: source, AN, the wire's packet number, and the SCI.
type Nonce = ([u8; 6], u8, u32);

fn nonce(frame: &Frame) -> Option<Nonce> {
    frame.is_macsec().then_some(())?;
    let source = frame.0.get(6..12)?.try_into().ok()?;
    let an = frame.0.get(14)? & 3;
    let number = u32::from_be_bytes(frame.0.get(16..20)?.try_into().ok()?);
    Some((source, an, number))
}

/// The key identifiers that were distributed under each AN, by the recorded MKPDUs themselves.
fn keys_by_an(pair: &CakPair, frames: &[Frame]) -> HashMap<u8, HashSet<[u8; 16]>> {
    let crypto = AesKeyAgreement::new(SystemRandom);
    let mut octets = [0; 32];
    decode_hex(pair.cak.as_bytes(), &mut octets).expect("hexadecimal digits");
    let cak = Cak::take(&mut octets).expect("32 octets");
    let ckn: Ckn = pair.ckn.parse().expect("a CKN");
    let keys = crypto.derive(&cak, &ckn).expect("memory for keys");
    let mut found: HashMap<u8, HashSet<[u8; 16]>> = HashMap::new();
    let own = MacAddr([0; 6]);
    for frame in frames {
        let Ok(received) = Received::parse(&frame.0, EtherType(0x888E), own) else {
            continue;
        };
        let Ok(pdu) = received.verify(&crypto, &keys.ick, IcvHeader::AsSent) else {
            continue;
        };
        if let Some(DistributedSak::Key(key)) = pdu.distributed_sak {
            let ki = pdu.basic.mi.key(key.kn);
            found.entry(key.an.value()).or_default().insert(ki.0);
        }
    }
    found
}

/// Frames both ways for a while, whether or not they arrive.
fn traffic([left, right]: [&RawPort; 2], length: Duration) {
    let end = Instant::now() + length;
    while Instant::now() < end {
        left.try_send(&ethernet(
            [2, 0, 0, 0, 0, 0xB],
            [2, 0, 0, 0, 0, 0xA],
            0x88B5,
            200,
        ));
        right.try_send(&ethernet(
            [2, 0, 0, 0, 0, 0xA],
            [2, 0, 0, 0, 0, 0xB],
            0x88B5,
            200,
        ));
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn wait_secured(gateway: &Gateway<'_>) {
    wait_until("secured", QUICK, || {
        (gateway.status()["links"][0]["secured"] == true).then_some(())
    });
}

fn carrier(ns: &Namespace, interface: &str) -> u64 {
    let file = format!("cat /sys/class/net/{interface}/carrier_changes");
    ns.sh(&file, QUICK).ok().trim().parse().unwrap_or(0)
}

/// The state directory and the kept SAKs of a gateway, copied as they are now.
fn copy(from: &Path, to: &Path) {
    let script = format!(
        "rm -rf {to} && cp -a {from} {to}",
        from = from.display(),
        to = to.display()
    );
    support::run(&["sh", "-c", &script], QUICK).ok();
}

#[test]
fn kept_saks_are_used_again_without_a_packet_number_twice() {
    let pair = Pair::new(1, 1508, 1540);
    let ram = [Ram::new(), Ram::new()];
    let cak = [CakPair::long(21)];
    let keys = [(8, &ram[0]), (16, &ram[1])].map(|(priority, ram)| {
        let knobs = [
            format!("key_server_priority = {priority}"),
            format!("keep_saks_dir = \"{}/saks\"", ram.path().display()),
        ];
        let knobs: Vec<&str> = knobs.iter().map(|knob| &**knob).collect();
        MkaKeys::new(&cak, &["replay = \"strict\""], &knobs)
    });
    let configs = pair.agreeing(keys);
    // Each wire end sees what the other sent: nothing that a gateway sends is missed.
    let wires = [
        Capture::incoming(&pair.cloud, "secure0", &pair.scratch),
        Capture::incoming(&pair.edge, "secure0", &pair.scratch),
    ];
    let mut gateways = pair.start(&configs);
    let ends = pair.ends(0);
    let ports = [&ends.left, &ends.right];
    let old = pair.scratch.path().join("old-saks");
    traffic(ports, Duration::from_secs(3));
    for killed in [0, 1, 0] {
        // A copy from before: it must not be taken in place of the one that was written last.
        copy(ram[killed].path(), &old);
        traffic(ports, Duration::from_millis(700));
        let other = 1 - killed;
        let (ns, interface) = [(&pair.left, "l0"), (&pair.right, "r0")][other];
        let before = carrier(ns, interface);
        gateways[killed].end(Signal::SIGKILL);
        gateways[killed].start_again();
        gateways[killed].wait_ready(QUICK);
        let begun = Instant::now();
        wait_secured(&gateways[killed]);
        println!("secured {:?} after it was ready", begun.elapsed());
        traffic(ports, Duration::from_secs(1));
        assert_eq!(carrier(ns, interface), before, "the peer's link went down");
    }
    // Killed once more, and this time started on the older copy.
    gateways[0].end(Signal::SIGKILL);
    let script = format!("cp -a {}/. {}/", old.display(), ram[0].path().display());
    support::run(&["sh", "-c", &script], QUICK).ok();
    gateways[0].start_again();
    gateways[0].wait_ready(QUICK);
    wait_secured(&gateways[0]);
    traffic(ports, Duration::from_secs(2));

    // What was on the wire so far is played in again towards both: none of it comes out.
    let recorded = wires.map(Capture::stop);
    let taken = |gateway: &Gateway<'_>| {
        gateway
            .metrics()
            .count("macsec_rx_sc_in_pkts_ok_total", &[])
    };
    std::thread::sleep(Duration::from_millis(300));
    let before = [taken(&gateways[0]), taken(&gateways[1])];
    for (frames, (ns, interface)) in recorded
        .iter()
        .zip([(&pair.edge, "secure0"), (&pair.cloud, "secure0")])
    {
        // Sent on the interface of the one that sent it first, it arrives at the other.
        let port = RawPort::open(ns, interface);
        let protected = frames.iter().filter(|frame| frame.is_macsec());
        for frame in protected {
            port.send(&frame.0);
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    let after = [taken(&gateways[0]), taken(&gateways[1])];
    assert_eq!(after, before, "recorded frames were taken");
    for gateway in gateways {
        assert_eq!(gateway.stop(), 0);
    }

    let all: Vec<Frame> = recorded.into_iter().flatten().collect();
    let keys = keys_by_an(&cak[0], &all);
    // An AN that came round has a second key, and the same numbers again by right.
    let once = |an: u8| keys.get(&an).is_some_and(|keys| keys.len() == 1);
    let mut seen = HashSet::new();
    let mut ans = HashSet::new();
    for nonce in all.iter().filter_map(nonce).filter(|nonce| once(nonce.1)) {
        assert!(seen.insert(nonce), "a packet number used twice: {nonce:?}");
        ans.insert(nonce.1);
    }
    println!(
        "{} protected frames under {} keys of one AN each, no nonce twice",
        seen.len(),
        ans.len()
    );
    assert!(seen.len() > 1000 && ans.len() >= 2, "{keys:?}");
}
