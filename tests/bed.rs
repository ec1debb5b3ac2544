//! The test bed tested on itself, with `dpdk-testpmd` in the gateway's place.

mod support;

use std::time::{Duration, Instant};
use support::{
    Capture, Daemon, GatewayConfig, LinkConfig, MacsecCounters, MacsecDevice, Metrics, Namespace,
    PciOptions, PciVm, RawPort, Scratch, Shell, StaticKeys, Suite, UmlOptions, UmlPeer,
    iperf_client, iperf_server, ping, run,
};

const QUICK: Duration = Duration::from_secs(20);

/// testpmd between two interfaces of a namespace, forwarding every frame as it is.
fn testpmd(ns: &Namespace, [near, far]: [&str; 2], scratch: &Scratch) -> Daemon {
    let vdevs =
        [near, far].map(|interface| format!("--vdev=net_af_packet_{interface},iface={interface}"));
    let prefix = format!("--file-prefix={}", ns.name());
    let mut argv = vec![
        "dpdk-testpmd",
        "-l",
        "0,1",
        "--no-pci",
        "--no-telemetry",
        "--no-huge",
    ];
    argv.extend([
        "-m",
        "128",
        &*prefix,
        &*vdevs[0],
        &*vdevs[1],
        "--",
        "--forward-mode=io",
    ]);
    argv.extend(["--auto-start", "--stats-period=1", "--total-num-mbufs=8192"]);
    let mut daemon = ns.daemon("testpmd", &argv, scratch);
    daemon.wait_log("NIC statistics for port 1", QUICK);
    daemon
}

#[test]
fn a_command_that_does_not_end_is_ended() {
    let begun = Instant::now();
    let caught = std::panic::catch_unwind(|| {
        run(
            &["sh", "-c", "sleep 100 & echo begun; sleep 100"],
            Duration::from_millis(300),
        )
    });
    let Err(panic) = caught else {
        panic!("a command of 100 s was said to be done");
    };
    let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(
        message.contains("not done") && message.contains("begun"),
        "{message}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn exit_code_and_both_outputs_are_told_apart() {
    let outcome = run(&["sh", "-c", "echo out; echo err >&2; exit 7"], QUICK);
    let seen = (
        outcome.code,
        outcome.stdout.as_str(),
        outcome.stderr.as_str(),
    );
    assert_eq!(seen, (7, "out\n", "err\n"));
}

#[test]
fn a_wire_carries_frames_unchanged_with_two_vlan_tags_too() {
    let scratch = Scratch::new("wire");
    let (left, right) = (Namespace::new("left"), Namespace::new("right"));
    left.wire("a", &right, "b", 1600);
    let mut capture = Capture::incoming(&right, "b", &scratch);
    let port = RawPort::open(&left, "a");
    let mut frames = Vec::new();
    for (length, tags) in [(60, 0), (64, 1), (68, 2), (1522, 2), (1514, 0)] {
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        for tag in 0..tags {
            frame.extend([0x81, 0, 0, 5 + tag]);
        }
        frame.extend([0x88, 0xB5]);
        frame.extend((0..length - frame.len()).map(|octet| octet.to_le_bytes()[0]));
        port.send(&frame);
        frames.push(frame);
    }
    for frame in &frames {
        let seen = capture.next(QUICK);
        assert_eq!(seen.map(|seen| seen.0).as_ref(), Some(frame));
    }
    assert_eq!(
        capture.next(Duration::from_millis(200)),
        None,
        "frames that nobody sent"
    );
    assert_eq!(capture.stop().len(), frames.len());
}

#[test]
fn a_namespace_is_gone_after_its_owner() {
    let name = Namespace::new("short").name().to_owned();
    let list = run(&["ip", "netns", "list"], QUICK).ok();
    assert!(!list.lines().any(|line| line.starts_with(&name)), "{list}");
}

#[test]
fn two_linux_guests_talk_macsec_through_testpmd() {
    let scratch = Scratch::new("guests");
    let (a, b, middle) = (
        Namespace::new("a"),
        Namespace::new("b"),
        Namespace::new("mid"),
    );
    a.wire("peer", &middle, "near", 1600);
    b.wire("peer", &middle, "far", 1600);
    let forwarder = testpmd(&middle, ["near", "far"], &scratch);
    let (mac_a, mac_b) = ("02:00:00:00:00:0a", "02:00:00:00:00:0b");
    let guest_a = UmlPeer::start(&a, "peer", &UmlOptions::new("a", mac_a));
    let guest_b = UmlPeer::start(&b, "peer", &UmlOptions::new("b", mac_b));
    guest_a.wait_ready();
    guest_b.wait_ready();

    let wire = Capture::start(&b, "peer", "", &scratch);
    let near = MacsecDevice::new(Suite::ALL[3], mac_b);
    let mut far = MacsecDevice::new(Suite::ALL[3], mac_a);
    std::mem::swap(&mut far.tx_key, &mut far.rx_key);
    std::mem::swap(&mut far.tx_ssci, &mut far.rx_ssci);
    guest_a.secure(&near, "10.9.0.1/24");
    guest_b.secure(&far, "10.9.0.2/24");
    ping(&guest_a, "10.9.0.2", 20, 56).lossless();
    ping(&guest_a, "10.9.0.2", 5, 1472).lossless();
    let (sent, got) = (guest_a.macsec_counters(), guest_b.macsec_counters());
    assert!(sent.of("txsc.OutPktsEncrypted") >= 25, "{sent:?}");
    assert_eq!(
        sent.of("txsc.OutPktsEncrypted"),
        got.of("rxsc.InPktsOK"),
        "{sent:?} {got:?}"
    );
    assert_eq!(got.of("rxsc.InPktsOK"), got.of("rxsa.InPktsOK"));
    let frames = wire.stop();
    assert!(
        frames.len() >= 50 && frames.iter().all(support::Frame::is_macsec),
        "{}",
        frames.len()
    );

    // Other suite, same guests: what a case after the first costs.
    let mut plain = MacsecDevice::new(Suite::ALL[0], mac_b);
    plain.encrypt = false;
    let mut other = plain.clone();
    other.peer_mac = mac_a.into();
    std::mem::swap(&mut other.tx_key, &mut other.rx_key);
    guest_a.secure(&plain, "10.9.0.1/24");
    guest_b.secure(&other, "10.9.0.2/24");
    iperf_server(&guest_b);
    let bulk = iperf_client(&guest_a, "10.9.0.2", 2, "");
    assert!(bulk.octets > 100_000, "{bulk:?}");
    assert!(guest_b.macsec_counters().of("rxsc.InPktsOK") > 100);
    guest_a.power_off();
    drop(forwarder);
}

#[test]
fn a_machine_with_pci_ports_boots_and_runs_commands() {
    let ns = Namespace::new("pci");
    ns.tap("t0", 1600);
    ns.tap("t1", 1600);
    let vm = PciVm::boot(&ns, ["t0", "t1"], &PciOptions::new("bed"));
    let status = vm.sh("dpdk-devbind.py -s", Duration::from_secs(60)).ok();
    for nic in PciVm::NICS {
        let line = status
            .lines()
            .find(|line| line.starts_with(nic))
            .unwrap_or_default();
        assert!(line.contains("drv=vfio-pci"), "{nic}: {status}");
    }
    let daemon = vm.daemon("waiter", "sleep 300");
    assert_eq!(vm.sh("exit 3", QUICK).code, 3);
    assert_eq!(daemon.ended(), None);
    assert_eq!(daemon.stop(QUICK), 143);
    vm.set_link(0, false);
    let told = vm.qmp("query-status", serde_json::json!({}));
    assert_eq!(told["running"], true, "{told}");
}

#[test]
fn counters_of_ip_macsec_are_read_by_part() {
    let text = "\
13: macsec0: protect on validate strict sc off sa off encrypt on send_sci on end_station off scb off replay on window 0
    cipher suite: GCM-AES-128, using ICV length 16
    TXSC: 02000000000a0001 on SA 0
    stats: OutPktsUntagged InPktsUntagged OutPktsTooLong InPktsNoTag InPktsBadTag InPktsUnknownSCI InPktsNoSCI InPktsOverrun
                         0              0              0           3            0                0           7             0
    stats: OutPktsProtected OutPktsEncrypted OutOctetsProtected OutOctetsEncrypted
                          0               25                  0               2100
        0: PN 26, state on, key 01000000000000000000000000000000
    stats: OutPktsProtected OutPktsEncrypted
                          0               25
    RXSC: 02000000000b0001, state on
    stats: InOctetsValidated InOctetsDecrypted InPktsUnchecked InPktsDelayed InPktsOK
                           0              2100               0             0       25
        0: PN 26, state on, key 02000000000000000000000000000000
    stats: InPktsOK InPktsInvalid
                 24             1
";
    let counters = MacsecCounters::parse(text);
    assert_eq!(counters.of("txsc.InPktsNoSCI"), 7);
    assert_eq!(counters.of("txsc.OutPktsEncrypted"), 25);
    assert_eq!(counters.of("txsa.OutPktsEncrypted"), 25);
    assert_eq!(counters.of("rxsc.InPktsOK"), 25);
    assert_eq!(counters.of("rxsa.InPktsOK"), 24);
}

#[test]
fn metrics_are_summed_over_the_labels_that_are_not_asked_for() {
    let text = "# HELP x y\nx_total{link=\"a\",lane=\"p\"} 3\nx_total{link=\"a\",lane=\"v\"} 4\n\
                x_total{link=\"b\"} 5\nup 1\n";
    let metrics = Metrics::parse(text);
    assert_eq!(metrics.count("x_total", &[("link", "a")]), 7);
    assert_eq!(metrics.count("x_total", &[]), 12);
    assert_eq!(metrics.count("x_total", &[("lane", "v"), ("link", "a")]), 4);
    assert_eq!(metrics.sum("x_total", &[("link", "c")]), None);
    assert_eq!(metrics.sum("up", &[]), Some(1.0));
}

#[test]
fn configurations_of_the_bed_are_ones_that_the_gateway_reads() {
    for suite in Suite::ALL {
        let scratch = Scratch::new("config");
        let device = MacsecDevice::new(suite, "02:00:00:00:00:1c");
        let keys = StaticKeys::facing(&device, "02:00:00:00:00:0b");
        let link = LinkConfig::on_interfaces("dx1", 0, ["plain0", "secure0"], keys.clone());
        let other = LinkConfig::on_interfaces("dx2", 1, ["plain1", "secure1"], {
            let mut keys = keys.mirrored();
            keys.tx_key = keys.tx_key.replace('4', "5");
            keys.rx_key = keys.rx_key.replace('4', "6");
            keys
        });
        let config = GatewayConfig::new("read", vec![link.with("replay = \"strict\""), other]);
        let seen = scratch.path().display().to_string();
        let path = config.write(scratch.path(), &seen);
        let read = macsec_gateway::config::Config::load(&path)
            .unwrap_or_else(|problems| panic!("{problems}\n{}", config.text(&seen)));
        let known: Vec<(String, String)> = read
            .links
            .iter()
            .filter_map(|link| {
                Some((
                    link.name.clone(),
                    link.static_keys()?.tx.key.fingerprint.to_string(),
                ))
            })
            .collect();
        assert_eq!(known, config.transmit_keys());
    }
}
