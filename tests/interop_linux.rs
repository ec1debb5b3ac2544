//! The gateway against a Linux kernel's own MACsec, with static SAs, over real DPDK ports.
//!
//! One guest serves all cases; each has a gateway of its own. At the end of each, what one side says that it
//! sent is what the other says that it accepted, frame for frame.

mod support;

use std::time::Duration;
use support::{
    Capture, Frame, Gateway, Line, MacsecDevice, Shell, Suite, iperf_client, iperf_server, ping,
    wait_until,
};

/// What both sides counted must agree, in frames, once what is on its way has come; and the gateway's lanes
/// must have accounted for every frame.
fn agree(line: &Line, gateway: &Gateway<'_>, device: &MacsecDevice) {
    let (ours, theirs) = match device.encrypt {
        true => (
            "macsec_tx_sc_out_pkts_encrypted_total",
            "txsc.OutPktsEncrypted",
        ),
        false => (
            "macsec_tx_sc_out_pkts_protected_total",
            "txsc.OutPktsProtected",
        ),
    };
    let mut seen = String::new();
    for _ in 0..20 {
        let (metrics, linux) = (gateway.metrics(), line.guest.macsec_counters());
        let sent = [metrics.count(ours, &[]), linux.of(theirs)];
        let accepted = [
            linux.of("rxsc.InPktsOK"),
            metrics.count("macsec_rx_sc_in_pkts_ok_total", &[]),
        ];
        let lanes = ["in", "out", "to_control", "dropped"]
            .map(|what| metrics.count(&format!("macsecgw_lane_{what}_frames_total"), &[]));
        let accounted = lanes[0] == lanes[1] && lanes[2] + lanes[3] == 0;
        if accounted && sent == accepted && sent.iter().all(|count| *count > 10) {
            return;
        }
        seen = format!(
            "sent {sent:?}, accepted {accepted:?}\nlanes: in, out, to control, dropped {lanes:?}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    let metrics = gateway.metrics_text();
    let lines: Vec<&str> = metrics
        .lines()
        .filter(|line| !line.starts_with('#') && !line.ends_with(" 0"))
        .collect();
    let linux = line
        .guest
        .sh("ip -s macsec show", Duration::from_secs(10))
        .stdout;
    let shown = lines.join("\n");
    assert!(seen.is_empty(), "{device:?}\n{shown}\n{linux}\n{seen}");
}

/// Both ways: ordinary frames, the shortest that the host's stack makes, and the longest that fit.
fn pings(line: &Line) {
    for (from, to) in [
        (&line.host as &dyn Shell, Line::PEER),
        (&line.guest, Line::HOST),
    ] {
        ping(from, to, 10, 56).lossless();
        ping(from, to, 5, 0).lossless();
        ping(from, to, 5, 1472).lossless();
    }
}

/// The cases of one way to name the channel: all suites, encrypted and not.
fn cases(line: &Line, name: &str, shape: impl Fn(&mut MacsecDevice), lines: &[&str]) {
    for suite in Suite::ALL {
        for encrypt in [true, false] {
            let mut device = MacsecDevice::new(suite, Line::SECURE_MAC);
            device.encrypt = encrypt;
            shape(&mut device);
            let confidentiality = format!("confidentiality = {encrypt}");
            let lines = [lines, &["replay = \"strict\"", &confidentiality]].concat();
            println!("case: {name}, {}, encrypt {encrypt}", suite.name);
            let gateway = line.start(&device, &lines);
            let wire = Capture::start(&line.peer, "wan", "", &line.scratch);
            pings(line);
            agree(line, &gateway, &device);
            let frames = wire.stop();
            assert!(frames.len() >= 80, "{} frames on the wire", frames.len());
            assert!(
                frames.iter().all(Frame::is_macsec),
                "a clear frame on the wire"
            );
            assert_eq!(gateway.stop(), 0);
        }
    }
}

#[test]
fn all_suites_with_and_without_confidentiality_with_and_without_sci() {
    let line = Line::new();
    cases(&line, "SCI in every frame", |_| (), &[]);
    let end_station = |device: &mut MacsecDevice| {
        device.send_sci = false;
        device.end_station = true;
        device.peer_mac = Line::HOST_MAC.into();
    };
    cases(
        &line,
        "end station",
        end_station,
        &["sectag_sci = \"end-station\""],
    );
    let none = |device: &mut MacsecDevice| {
        device.send_sci = false;
        device.peer_mac = Line::HOST_MAC.into();
    };
    cases(&line, "no SCI", none, &["sectag_sci = \"none\""]);

    // The highest association number, packet numbers that cross 2^32 while we look, and bulk.
    let mut device = MacsecDevice::new(Suite::ALL[3], Line::SECURE_MAC);
    device.tx_an = 3;
    device.rx_an = 2;
    device.tx_pn = (1 << 32) - 20;
    let gateway = line.start(&device, &["replay = \"strict\""]);
    let (wire, nic) = (received(&line.peer, "wan"), received(&line.guest, "vec0"));
    pings(&line);
    agree(&line, &gateway, &device);
    for options in ["", "-R"] {
        iperf_server(&line.guest);
        let bulk = iperf_client(&line.host, Line::PEER, 3, options);
        println!(
            "bulk {options}: {:.0} Mbit/s, {bulk:?}",
            bulk.bits_per_second / 1e6
        );
        assert!(bulk.octets > 1_000_000, "{bulk:?}");
    }
    // The guest's driver may miss frames under load. So: what the gateway says that it sent is what came
    // over the wire, and what came into the guest is what it accepted.
    wait_until(
        "counters that agree after bulk",
        Duration::from_secs(5),
        || {
            let (metrics, linux) = (gateway.metrics(), line.guest.macsec_counters());
            let sent = metrics.count("macsec_tx_sc_out_pkts_encrypted_total", &[]);
            let accepted = metrics.count("macsec_rx_sc_in_pkts_ok_total", &[]);
            let dropped = metrics.count("macsecgw_lane_dropped_frames_total", &[]);
            let came = received(&line.peer, "wan") - wire;
            let entered = received(&line.guest, "vec0") - nic;
            println!(
                "sent {sent}, on the wire {came}, in the guest {entered}, {dropped} dropped\n{linux:?}"
            );
            let agreed = sent == came
                && linux.of("rxsc.InPktsOK") == entered
                && linux.of("txsc.OutPktsEncrypted") == accepted
                && dropped == 0;
            agreed.then_some(())
        },
    );
    assert_eq!(gateway.stop(), 0);
}

/// Frames that an interface received since it was made.
fn received(at: &dyn Shell, interface: &str) -> u64 {
    let script = format!("cat /sys/class/net/{interface}/statistics/rx_packets");
    at.sh(&script, Duration::from_secs(10))
        .ok()
        .trim()
        .parse()
        .unwrap_or(0)
}
