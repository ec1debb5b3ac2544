//! Between two processes: testpmd feeds the plain side through shared memory (`net_memif`) and empties the
//! secure side, in one thread, so that on two CPUs neither waits for the other's time slice.

use std::thread;
use std::time::Duration;

use crate::gateway::{Counts, Gateway, Ports};
use crate::row::{Faults, Row, Sample, median};
use crate::size::Size;
use crate::testpmd::Testpmd;
use crate::{FRAMES, Plan, capture, pcap_vdev, plain_file};

/// Testpmd's ports, in their order.
const GATEWAY_SECURE: usize = 2;

/// The longest frame, without FCS, that a buffer of `net_memif` takes with SecTAG and ICV.
const LONGEST: usize = 2048 - 32;

/// Frames that go through once and must all arrive.
const ONCE: usize = 20_000;

fn memif(plan: &Plan, number: usize, role: &str) -> String {
    let socket = plan.dir.join(format!("memif{number}.sock"));
    format!(
        "net_memif{number},role={role},id={number},socket={},socket-abstract=no",
        socket.display()
    )
}

/// Both programs, joined; testpmd does not forward yet.
fn start(plan: &Plan, size: Size, source: String) -> (Testpmd, Gateway) {
    let server = |number| memif(plan, number, "server");
    let vdevs = [source, server(0), server(1), "net_null0,no-rx=1".to_owned()];
    // Everything but the gateway's worker is on the first CPU.
    let mut testpmd = Testpmd::start(plan, 0, &vdevs);
    // It answers when its sockets are there.
    testpmd.port(GATEWAY_SECURE);
    let ports = Ports {
        from: memif(plan, 0, "client"),
        to: memif(plan, 1, "client"),
    };
    let gateway = Gateway::start(plan, size, &[ports]);
    (testpmd, gateway)
}

/// A file through both, once: what did not arrive, or was counted otherwise.
fn check(plan: &Plan, size: Size) -> Faults {
    let file = plan.dir.join("once.pcap");
    capture::write(&file, &capture::udp_frames(size, ONCE));
    let source = format!("net_pcap0,rx_pcap={}", file.display());
    let (mut testpmd, gateway) = start(plan, size, source);
    testpmd.forward();
    let (sent, arrived, counts) = settled(&mut testpmd, &gateway);
    let lane = |name: &str| counts.link(&format!("lanes/protect/{name}"));
    let faults = Faults {
        // What testpmd itself found no room for was never in the gateway's hands.
        lost: sent - arrived.min(sent),
        reordered: 0,
        miscounted: lane("frames_in").abs_diff(sent)
            + counts.link("ports/secure/tx_packets").abs_diff(arrived)
            + counts
                .link("tx_sc/counters/out_pkts_encrypted")
                .abs_diff(lane("frames_in")),
    };
    testpmd.quit();
    gateway.stop();
    let _ = std::fs::remove_file(&file);
    faults
}

/// What testpmd handed over, what it got, and the gateway's counts, when none of it changes any more. How
/// many the generator hands over depends on how often it found the ring full.
fn settled(testpmd: &mut Testpmd, gateway: &Gateway) -> (u64, u64, Counts) {
    let mut before = None;
    for _ in 0..30 {
        // Ports are read twice a second.
        thread::sleep(Duration::from_millis(700));
        let (sent, arrived) = (testpmd.port(1).tx, testpmd.port(GATEWAY_SECURE).rx);
        let counts = gateway.counts();
        let now = (sent, arrived, counts.link("ports/secure/tx_packets"));
        if sent > 0 && before == Some(now) {
            return (sent, arrived, counts);
        }
        before = Some(now);
    }
    panic!("frames over net_memif do not settle: {before:?}");
}

fn timed(plan: &Plan, size: Size) -> Sample {
    let (mut testpmd, gateway) = start(plan, size, pcap_vdev(0, &plain_file(plan, size)));
    testpmd.forward();
    thread::sleep(plan.warm());
    let (before, begun) = (gateway.cpu(), testpmd.port(GATEWAY_SECURE).rx);
    let drops = |gateway: &Gateway| gateway.counts().link("lanes/protect/dropped");
    let dropped = drops(&gateway);
    thread::sleep(plan.time());
    let (after, ended) = (gateway.cpu(), testpmd.port(GATEWAY_SECURE).rx);
    let lost = drops(&gateway) - dropped;
    testpmd.quit();
    gateway.stop();
    Sample {
        rate: (ended - begun) as f64 / after.seconds_since(&before),
        lost,
    }
}

pub(crate) fn measure(plan: &Plan) -> Vec<Row> {
    let sizes = plan
        .sizes
        .iter()
        .copied()
        .filter(|size| size.longest() <= LONGEST);
    let row = |size: Size| {
        capture::write(&plain_file(plan, size), &capture::udp_frames(size, FRAMES));
        let faults = check(plan, size);
        let samples: Vec<_> = (0..plan.rounds).map(|_| timed(plan, size)).collect();
        eprintln!("memif: {size} octets done");
        Row {
            part: "memif",
            what: "macsecgw protect over net_memif".to_owned(),
            size,
            rate: median(samples.iter().map(|sample| sample.rate)),
            ratio: f64::NAN,
            against: "-".to_owned(),
            lost: faults.lost + samples.iter().map(|sample| sample.lost).sum::<u64>(),
            reordered: None,
            miscounted: Some(faults.miscounted),
        }
    };
    sizes.map(row).collect()
}
