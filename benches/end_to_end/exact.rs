//! A file of known length through both lanes: every count is that length, and no octet is another.

use std::fs;

use crate::gateway::{Gateway, Ports};
use crate::{Plan, capture, files};

/// SecTAG with SCI, and ICV.
const OVERHEAD: usize = 32;

/// Makes the plain file of a size, protects it into the secure one, and validates that.
pub(crate) fn check(plan: &Plan, size: usize, count: usize) {
    let (plain, secure) = files(plan, size);
    let frames = capture::udp_frames(size, count);
    capture::write(&plain, &frames);
    protect(plan, size, count, &Ports::files(&plain, &secure));
    let protected = capture::read(&secure);
    assert_eq!(protected.len(), count);
    for (plain, secure) in frames.iter().zip(&protected) {
        assert_eq!(secure.len(), plain.len() + OVERHEAD);
        assert_eq!(secure[12..14], [0x88, 0xe5]);
    }
    let back = plan.dir.join("back.pcap");
    validate(plan, size, count, &Ports::endless_to_file(&secure, &back));
    let found = capture::read(&back);
    let _ = fs::remove_file(&back);
    // The file goes round: from wherever the plain port was opened, in order.
    let first = frames
        .iter()
        .position(|frame| Some(frame) == found.first())
        .unwrap();
    let wanted = frames.iter().cycle().skip(first);
    assert!(
        found.len() >= count
            && found
                .iter()
                .zip(wanted)
                .all(|(found, wanted)| found == wanted),
        "{size} octets: not what was sent"
    );
}

/// The protect lane over the whole file: the plain port starts last, so that no frame is too early.
fn protect(plan: &Plan, size: usize, count: usize, ports: &Ports) {
    let mut gateway = Gateway::start(plan, size, ports);
    let (size, count) = (size as u64, count as u64);
    let mut last = None;
    // The ports' counts come with control's next snapshot.
    gateway.wait("through", |gateway| {
        let counts = gateway.counts();
        let done = counts.link("ports/secure/tx_packets") >= count
            && counts.link("ports/plain/rx_packets") >= count;
        last = Some(counts);
        done
    });
    let counts = last.unwrap();
    let (octets_in, octets_out) = (count * size, count * (size + OVERHEAD as u64));
    for (name, wanted) in [
        ("lanes/protect/frames_in", count),
        ("lanes/protect/frames_out", count),
        ("lanes/protect/dropped", 0),
        ("lanes/protect/octets_in", octets_in),
        ("lanes/protect/octets_out", octets_out),
        ("secy/out_pkts_untagged", 0),
        ("tx_sc/counters/out_pkts_encrypted", count),
        ("ports/plain/rx_packets", count),
        ("ports/plain/rx_octets", octets_in),
        ("ports/secure/tx_packets", count),
        ("ports/secure/tx_octets", octets_out),
    ] {
        assert_eq!(
            counts.link(name),
            wanted,
            "{name} at {size} octets: {counts:?}"
        );
    }
    gateway.stop();
}

/// The validate lane. The secure port starts before the plain one, and what comes meanwhile is dropped
/// as it should be; afterwards nothing is.
fn validate(plan: &Plan, size: usize, count: usize, ports: &Ports) {
    let mut gateway = Gateway::start(plan, size, ports);
    gateway.wait("through", |gateway| {
        gateway.counts().link("ports/plain/tx_packets") >= count as u64
    });
    let counts = gateway.counts();
    let link = |name: &str| counts.link(&format!("lanes/validate/{name}"));
    assert_eq!(
        link("dropped"),
        link("drops/closed") + link("drops/port_stopped"),
        "{counts:?}"
    );
    // Killed: an end in order would drain for a second, which is gigabytes here.
    drop(gateway);
}
