//! The gateway against a Linux kernel's own MACsec, with static SAs, over real DPDK ports.
//!
//! One guest serves all cases; each has a gateway of its own. At the end of each, what one side says that it
//! sent is what the other says that it accepted, frame for frame.

mod support;

use std::time::Duration;
use support::{
    Capture, Frame, Gateway, Line, MacsecCounters, MacsecDevice, Metrics, Shell, Suite,
    iperf_client, iperf_server, ping, wait_until,
};

/// What one side sent against what the other accepted, both ways, by each side's own counters.
fn books(metrics: &Metrics, linux: &MacsecCounters, encrypt: bool) -> Books {
    let (sent, way, octets) = match encrypt {
        true => ("encrypted", "Encrypted", ["decrypted", "Decrypted"]),
        false => ("protected", "Protected", ["validated", "Validated"]),
    };
    let [here, there] = octets;
    let ours = |name: String| metrics.count(&format!("macsec_{name}_total"), &[]);
    Books {
        sent: [
            ours(format!("tx_sc_out_pkts_{sent}")),
            ours(format!("tx_sc_out_octets_{sent}")),
            linux.of(&format!("txsc.OutPkts{way}")),
            linux.of(&format!("txsc.OutOctets{way}")),
        ],
        accepted: [
            linux.of("rxsc.InPktsOK"),
            linux.of(&format!("rxsc.InOctets{there}")),
            ours("rx_sc_in_pkts_ok".into()),
            ours(format!("rx_sc_in_octets_{here}")),
        ],
    }
}

/// Frames and octets from the gateway, then frames and octets from the peer.
#[derive(Debug)]
struct Books {
    sent: [u64; 4],
    accepted: [u64; 4],
}

/// What both sides counted must agree, in frames and octets, once what is on its way has come; and the
/// gateway's lanes must have accounted for every frame.
fn agree(line: &Line, gateway: &Gateway<'_>, device: &MacsecDevice) {
    let mut seen = String::new();
    for _ in 0..20 {
        let (metrics, linux) = (gateway.metrics(), line.guest.macsec_counters());
        let Books { sent, accepted } = books(&metrics, &linux, device.encrypt);
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
    let shown = evidence(line, gateway);
    assert!(seen.is_empty(), "{device:?}\n{shown}\n{seen}");
}

/// What both sides counted, without the zeros.
fn evidence(line: &Line, gateway: &Gateway<'_>) -> String {
    let metrics = gateway.metrics_text();
    let lines = metrics
        .lines()
        .filter(|line| !line.starts_with('#') && !line.ends_with(" 0"));
    let linux = line
        .guest
        .sh("ip -s macsec show; ip -s link", Duration::from_secs(10))
        .stdout;
    let host = line.host.sh("ip -s link", Duration::from_secs(10)).stdout;
    format!(
        "{}\nguest:\n{linux}\nhost:\n{host}",
        lines.collect::<Vec<_>>().join("\n")
    )
}

/// Both ways: ordinary frames, the shortest that the host's stack makes, and the longest that fit.
fn pings(line: &Line, gateway: &Gateway<'_>) {
    for (from, to) in [
        (&line.host as &dyn Shell, Line::PEER),
        (&line.guest, Line::HOST),
    ] {
        for (count, payload) in [(10, 56), (5, 0), (5, 1472)] {
            let report = ping(from, to, count, payload);
            if report.sent != report.received {
                println!("{}", evidence(line, gateway));
            }
            report.lossless();
        }
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
            pings(line, &gateway);
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
    pings(&line, &gateway);
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
