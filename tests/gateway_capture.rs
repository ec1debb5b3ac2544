//! Captures on a running gateway by DPDK's own tool, and what a killed gateway leaves in hugepages: nothing
//! past its next start.

mod support;

use nix::sys::signal::Signal;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{Ends, Hugepages, Span, Suite, assert_balanced, wait_until};

const QUICK: Duration = Duration::from_secs(20);

fn inodes(files: &[PathBuf]) -> BTreeSet<u64> {
    let metadata = files.iter().filter_map(|file| file.metadata().ok());
    metadata.map(|metadata| metadata.ino()).collect()
}

fn octets(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_default()
}

/// Whether `frame` stands in `octets` as a whole.
fn holds(octets: &[u8], frame: &[u8]) -> bool {
    octets.windows(frame.len()).any(|window| window == frame)
}

#[test]
fn dumpcap_sees_both_sides_of_a_gateway_with_hugepages_and_a_kill_leaves_no_pages() {
    let Some(pages) = Hugepages::reserve(128) else {
        println!("no hugepages: only the reason in status is looked at, in the other test");
        return;
    };
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[3]);
    let mut config = Span::config(&keys, &[]);
    config.memory = "hugepages";
    let mut gateway = span.start(&config);
    let mut ends = Ends::new(&span, &keys, 1);
    ends.pass();
    let capture = gateway.status()["capture"].clone();
    assert_eq!(capture["possible"], true, "{capture:#}");

    // In 22.11 a dumpcap takes one port; -p, or it would switch promiscuous mode off when it ends.
    let prefix = format!("--file-prefix={}", config.name);
    // One after the other: of two that join a primary process at the same moment DPDK can let both wait for
    // an answer until they give up.
    let mut captures = ["net_af_packet0", "net_af_packet1"].map(|port| {
        let file = span.scratch.join(&format!("{port}.pcapng"));
        let path = file.display().to_string();
        let argv = ["dpdk-dumpcap", &prefix, "-p", "-i", port, "-w", &path];
        let mut dumpcap = span
            .gateway
            .daemon(&format!("dumpcap-{port}"), &argv, &span.scratch);
        // It says nothing when it begins: frames go round until some have come into the file.
        wait_until("frames captured by dpdk-dumpcap", QUICK, || {
            dumpcap.check_alive();
            ends.pass();
            (octets(&file).len() > 4000).then_some(())
        });
        (dumpcap, file)
    });
    let out = ends.fresh(Span::HOST_MAC, 333);
    ends.lan.send(&out);
    let out_protected = ends.from_gateway_secure.next(QUICK).map(|seen| seen.0);
    let out_protected = out_protected.unwrap_or_default();
    assert_eq!(ends.peer.validate(&out_protected).as_ref(), Ok(&out));
    let back = ends.fresh(Span::PEER_MAC, 333);
    let back_protected = ends.peer.protect(&back);
    ends.wan.send(&back_protected);
    let seen = ends.from_gateway_plain.next(QUICK).map(|seen| seen.0);
    assert_eq!(seen.as_ref(), Some(&back));
    let wanted = [[&out, &back], [&out_protected, &back_protected]];
    for ((dumpcap, file), frames) in captures.iter_mut().zip(wanted) {
        wait_until("the last frames in the file", QUICK, || {
            dumpcap.check_alive();
            // It writes as its buffer fills.
            ends.pass();
            let octets = octets(file);
            frames
                .iter()
                .all(|frame| holds(&octets, frame))
                .then_some(())
        });
        dumpcap.signal(Signal::SIGINT);
        assert_eq!(dumpcap.wait_end(QUICK), Some(0), "{}", dumpcap.log_text());
        let octets = octets(file);
        assert_eq!(
            octets.get(..4),
            Some(&[0x0A, 0x0D, 0x0D, 0x0A][..]),
            "pcapng"
        );
        for frame in wanted.concat() {
            let own = frames.contains(&frame);
            assert_eq!(
                holds(&octets, frame),
                own,
                "{}: {frame:02x?}",
                file.display()
            );
        }
    }
    for _ in 0..5 {
        ends.pass();
    }
    assert_balanced(&gateway);

    // The kill leaves its pages; the next start removes them and takes no more than it needs.
    let first = pages.files_of(&config.name);
    assert!(
        !first.is_empty(),
        "no page files in {}",
        pages.folder().display()
    );
    let old = inodes(&first);
    gateway.restart(Signal::SIGKILL);
    let second = pages.files_of(&config.name);
    assert!(
        inodes(&second).is_disjoint(&old),
        "pages of the killed gateway are left: {second:?}"
    );
    assert!(
        second.len() <= first.len(),
        "{} then {}",
        first.len(),
        second.len()
    );
    span.wait_carrier(true);
    ends.pass();
    assert_balanced(&gateway);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn without_hugepages_status_says_why_nothing_can_be_captured() {
    let span = Span::new(1600);
    let keys = Span::keys(Suite::ALL[3]);
    let gateway = span.start(&Span::config(&keys, &[]));
    let capture = gateway.status()["capture"].clone();
    assert_eq!(capture["possible"], false, "{capture:#}");
    let reason = capture["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("--no-huge"), "{capture:#}");
    assert!(gateway.ask(&["status"]).ok().contains("--no-huge"));
    let metrics = gateway.metrics();
    assert_eq!(metrics.count("macsecgw_capture_possible", &[]), 0);
    assert_eq!(gateway.stop(), 0);
}
