//! A file of known length through both lanes: every count is that length, order is kept, and no octet is
//! another. The protect lane as a gateway; then both lanes, one behind the other.

use std::fs;
use std::path::Path;

use crate::gateway::{Counts, Gateway, Ports};
use crate::lanes::{self, First, Second, Work};
use crate::row::Faults;
use crate::size::Size;
use crate::{Plan, capture, plain_file};

/// SecTAG with SCI, and ICV.
const OVERHEAD: usize = 32;

/// Makes the plain file of a size, protects it into a secure one, and validates that.
pub(crate) fn check(plan: &Plan, size: Size, count: usize) -> Faults {
    let (plain, secure) = (plain_file(plan, size), plan.dir.join("secure.pcap"));
    let frames = capture::udp_frames(size, count);
    capture::write(&plain, &frames);
    let octets = frames.iter().map(|frame| frame.len() as u64).sum();
    let mut faults = Faults {
        miscounted: protect(
            plan,
            size,
            count as u64,
            octets,
            &Ports::files(&plain, &secure),
        ),
        ..Faults::default()
    };
    let protected = capture::read(&secure);
    faults.lost += (count - protected.len()) as u64;
    let pns: Vec<_> = protected
        .iter()
        .map(|frame| frame[16..20].to_vec())
        .collect();
    faults.reordered += pns.windows(2).filter(|pair| pair[0] >= pair[1]).count() as u64;
    for frame in &protected {
        assert_eq!(frame[12..14], [0x88, 0xe5]);
    }
    let _ = fs::remove_file(&secure);
    let back = plan.dir.join("back.pcap");
    let outcome = lanes::run(plan, &both(&plain, &back, count as u64), size);
    let found = capture::read(&back);
    let _ = fs::remove_file(&back);
    faults.lost += count.saturating_sub(found.len()) as u64;
    faults.reordered += outcome.late
        + found
            .iter()
            .zip(&frames)
            .filter(|(found, sent)| found != sent)
            .count() as u64;
    faults.miscounted += outcome.miscounted;
    faults
}

/// Both lanes, one behind the other, over a file, into another.
fn both(from: &Path, to: &Path, count: u64) -> Work {
    Work {
        first: First::Protect,
        second: Some(Second {
            channels: 1,
            ans: 1,
            strict: true,
        }),
        source: format!("net_pcap0,rx_pcap={}", from.display()),
        sink: format!("net_pcap1,tx_pcap={}", to.display()),
        once: count,
    }
}

/// The protect lane over the whole file: the plain port starts last, so that no frame is too early. How
/// far the counts are from what they should be.
fn protect(plan: &Plan, size: Size, count: u64, octets: u64, ports: &Ports) -> u64 {
    let mut gateway = Gateway::start(plan, size, std::slice::from_ref(ports));
    let mut last = None;
    // The ports' counts come with control's next snapshot.
    gateway.wait("through", |gateway| {
        let counts = gateway.counts();
        // What was dropped is lost, and told so.
        let ended = counts.link("ports/secure/tx_packets") + counts.link("lanes/protect/dropped");
        let done = ended >= count && counts.link("ports/plain/rx_packets") >= count;
        last = Some(counts);
        done
    });
    let counts: Counts = last.unwrap();
    let octets_out = octets + count * OVERHEAD as u64;
    let wrong = [
        ("lanes/protect/frames_in", count),
        ("lanes/protect/frames_out", count),
        ("lanes/protect/dropped", 0),
        ("lanes/protect/octets_in", octets),
        ("lanes/protect/octets_out", octets_out),
        ("secy/out_pkts_untagged", 0),
        ("tx_sc/counters/out_pkts_encrypted", count),
        ("ports/plain/rx_packets", count),
        ("ports/plain/rx_octets", octets),
        ("ports/secure/tx_packets", count),
        ("ports/secure/tx_octets", octets_out),
    ]
    .map(|(name, wanted)| counts.link(name).abs_diff(wanted));
    gateway.stop();
    wrong.iter().sum()
}
