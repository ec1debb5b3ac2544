//! Starts, stops and kills of a gateway: nothing leaves in clear at any point, and nothing stays behind.

mod support;

use nix::sys::signal::Signal;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use support::{
    Capture, Frame, Gateway, GatewayConfig, Line, LinkConfig, MacsecDevice, Namespace, RawPort,
    Scratch, StaticKeys, Suite, ping, read_pcap, wait_until,
};

const ROUNDS: u32 = 50;
const QUICK: Duration = Duration::from_secs(20);

/// A frame that the plain side keeps sending, to everybody.
fn broadcast() -> Vec<u8> {
    let mut frame = vec![0xFF; 6];
    frame.extend([2, 0, 0, 0, 0, 0xC1, 0x08, 0x00, 0x45]);
    frame.resize(200, 0x5A);
    frame
}

#[test]
fn nothing_leaves_in_clear_over_starts_stops_and_kills() {
    let scratch = Scratch::new("rounds");
    let [host, middle, wan] = ["host", "gateway", "wan"].map(Namespace::new);
    host.wire("lan", &middle, "plain0", 1508);
    middle.wire("secure0", &wan, "wan", 1600);
    middle.mac("secure0", Line::SECURE_MAC);
    let device = MacsecDevice::new(Suite::ALL[3], Line::SECURE_MAC);
    let keys = StaticKeys::facing(&device, Line::PEER_MAC);
    let link = LinkConfig::on_interfaces("dx1", 0, ["plain0", "secure0"], keys);
    let config = GatewayConfig::new("rounds", vec![link]);

    let wire = Capture::start(&wan, "wan", "", &scratch);
    let (stop, sent) = (AtomicBool::new(false), AtomicU32::new(0));
    let plain = RawPort::open(&host, "lan");
    std::thread::scope(|scope| {
        let sender = std::thread::Builder::new().name("plain-side".into());
        let sender = sender.spawn_scoped(scope, || {
            let frame = broadcast();
            while !stop.load(Ordering::Relaxed) {
                sent.fetch_add(u32::from(plain.try_send(&frame)), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        assert!(sender.is_ok());
        // Ends the sender also when a round fails.
        let _stop = Stop(&stop);
        let mut gateway = Gateway::start(&middle, &config);
        for round in 0..ROUNDS {
            std::thread::sleep(Duration::from_millis(50));
            let signal = if round % 2 == 0 {
                Signal::SIGTERM
            } else {
                Signal::SIGKILL
            };
            gateway.restart(signal);
        }
        assert_eq!(gateway.stop(), 0);
    });
    let frames = wire.stop();
    let sent = sent.load(Ordering::Relaxed);
    println!(
        "{sent} frames sent on the plain side, {} on the wire",
        frames.len()
    );
    assert!(sent > 1000, "the plain side had no traffic: {sent}");
    assert!(
        frames.len() > 100,
        "the wire had no traffic: {}",
        frames.len()
    );
    let clear: Vec<&Frame> = frames.iter().filter(|frame| !frame.is_macsec()).collect();
    assert!(
        clear.is_empty(),
        "{} clear frames, the first: {:02x?}",
        clear.len(),
        clear[0]
    );
    let numbers: std::collections::BTreeSet<&[u8]> =
        frames.iter().map(|frame| &frame.0[16..20]).collect();
    assert_eq!(
        numbers.len(),
        frames.len(),
        "a packet number was used twice under one key"
    );
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The hugepage files of a gateway by inode and name. Its own name begins what EAL calls them.
fn page_files(name: &str) -> Vec<(u64, String)> {
    use std::os::unix::fs::DirEntryExt;
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mounts = mounts.lines().filter(|line| line.contains(" hugetlbfs "));
    let folders = mounts.filter_map(|line| line.split(' ').nth(1));
    let entries = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten());
    let files = entries.flatten().map(|entry| {
        (
            entry.ino(),
            entry.file_name().to_string_lossy().into_owned(),
        )
    });
    files.filter(|(_, file)| file.starts_with(name)).collect()
}

/// Captures a port of a running gateway under traffic, from another process that shares its memory.
fn dumpcap(line: &Line, gateway: &str, port: &str) -> Vec<Frame> {
    let file = line.scratch.join(&format!("{port}.pcap"));
    let prefix = format!("--file-prefix={gateway}");
    let path = file.display().to_string();
    // One interface at a time: in 22.11 a second `-i` takes the first one's place.
    let argv = ["dpdk-dumpcap", &prefix, "-i", port, "-P", "-w", &path];
    let mut dumpcap = line
        .gateway
        .daemon(&format!("dumpcap-{port}"), &argv, &line.scratch);
    wait_until("frames captured by dpdk-dumpcap", QUICK, || {
        dumpcap.check_alive();
        ping(&line.host, Line::PEER, 10, 56).lossless();
        std::fs::metadata(&file)
            .is_ok_and(|file| file.len() > 4000)
            .then_some(())
    });
    dumpcap.signal(Signal::SIGINT);
    assert_eq!(dumpcap.wait_end(QUICK), Some(0), "{}", dumpcap.log_text());
    read_pcap(&file)
}

#[test]
fn memory_is_shared_for_captures_and_given_back_after_a_kill() {
    let line = Line::new();
    let device = MacsecDevice::new(Suite::ALL[3], Line::SECURE_MAC);
    let mut config = line.config(&device, &[]);
    config.memory = "hugepages";
    let mut gateway = Gateway::start(&line.gateway, &config);
    line.connect(&device);
    ping(&line.host, Line::PEER, 3, 56).lossless();

    for (port, macsec) in [("net_af_packet0", false), ("net_af_packet1", true)] {
        let frames = dumpcap(&line, &config.name, port);
        for mac in [[2, 0, 0, 0, 0, 0xC1], [2, 0, 0, 0, 0, 0x0B]] {
            let from = frames.iter().filter(|frame| frame.0[6..12] == mac);
            let count = from.filter(|frame| frame.is_macsec() == macsec).count();
            assert!(count >= 5, "{port}: {count} frames from {mac:02x?}");
        }
        let other = frames.iter().find(|frame| frame.is_macsec() != macsec);
        assert_eq!(other, None, "on {port}");
    }
    ping(&line.host, Line::PEER, 3, 56).lossless();

    let killed = page_files(&config.name);
    assert!(
        !killed.is_empty(),
        "the gateway has no hugepage files to look at"
    );
    gateway.restart(Signal::SIGKILL);
    let after = page_files(&config.name);
    let left: Vec<_> = killed.iter().filter(|file| after.contains(file)).collect();
    assert!(
        left.is_empty(),
        "of the killed process {left:?} are left, of {killed:?}"
    );
    assert_eq!(gateway.stop(), 0);
}
