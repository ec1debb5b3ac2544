//! Between two processes, through shared memory (`net_memif`): testpmd feeds the plain side and empties the
//! secure side, in one thread on the first CPU; the gateway's worker has the other.
//!
//! Frames of one size are generated (`flowgen`); the mix comes from a file. The rate is the highest of any
//! round, without loss by back-pressure: in each of its turns testpmd takes in a burst and sends a burst, and
//! a frame for which it finds the ring full was offered beyond what the gateway takes, and not sent: testpmd
//! counts it. What is under way is at most the plain side's ring, the worker's hands and what waits on the
//! secure side, and of that testpmd takes as much as it sends; so a secure ring that is longer than all else
//! together is never full, whichever process is kept from its CPU. With two rings of one length it is: the
//! gateway then counts a drop for each frame that it can't send. `net_memif` itself counts frames and octets
//! both ways and nothing else: what was not there to be received, or not sent, is in no counter of the port.
//!
//! Each run ends with testpmd taking in what is still under way, and each hop's count of the whole run must
//! then be the one before it.

use std::fmt;
use std::thread;
use std::time::Duration;

use crate::gateway::{Counts, Gateway, Ports};
use crate::row::{Row, Sample};
use crate::size::Size;
use crate::testpmd::Testpmd;
use crate::{FRAMES, Plan, capture, pcap_vdev, plain_file};

/// Frames in the rings of the plain side and of the secure side, as powers of two.
const RINGS: [u8; 2] = [10, 11];

/// SecTAG with SCI, and ICV.
const OVERHEAD: usize = 32;

/// What a run with each of its frames counted gave.
#[derive(Clone, Copy, Debug, Default)]
struct Hops {
    /// Offered by the generator when the plain side's ring was full: not sent.
    refused: u64,
    handed: u64,
    plain_port: u64,
    lane_in: u64,
    encrypted: u64,
    lane_out: u64,
    /// By the gateway, under any reason, and of these because the secure side's ring stayed full.
    dropped: u64,
    tx_full: u64,
    secure_port: u64,
    arrived: u64,
    /// Into the lane and out of it.
    octets: [u64; 2],
}

impl Hops {
    fn read(testpmd: &mut Testpmd, ends: [usize; 2], counts: &Counts, refused: u64) -> Self {
        let lane = |name: &str| counts.link(&format!("lanes/protect/{name}"));
        Self {
            refused,
            handed: testpmd.port(ends[0]).tx,
            plain_port: counts.link("ports/plain/rx_packets"),
            lane_in: lane("frames_in"),
            encrypted: counts.link("tx_sc/counters/out_pkts_encrypted"),
            lane_out: lane("frames_out"),
            dropped: lane("dropped"),
            tx_full: lane("drops/tx_full"),
            secure_port: counts.link("ports/secure/tx_packets"),
            arrived: testpmd.port(ends[1]).rx,
            octets: [lane("octets_in"), lane("octets_out")],
        }
    }

    /// Frames that were sent and did not arrive.
    const fn lost(&self) -> u64 {
        self.handed.saturating_sub(self.arrived)
    }

    /// How far each hop's count is from that of the one before it.
    fn miscounted(&self, size: Size) -> u64 {
        // The mix is not sent in equal parts.
        let octets = match size {
            Size::Fixed(_) => self.lane_in * size.longest() as u64,
            Size::Imix => self.octets[0],
        };
        let octets_out = self.octets[0] + self.lane_out * OVERHEAD as u64;
        let octets = self.octets[0].abs_diff(octets)
            + if self.dropped == 0 {
                self.octets[1].abs_diff(octets_out)
            } else {
                0
            };
        octets
            + self.plain_port.abs_diff(self.handed)
            + self.lane_in.abs_diff(self.plain_port)
            + self.encrypted.abs_diff(self.lane_in)
            + (self.lane_out + self.dropped).abs_diff(self.lane_in)
            + self.secure_port.abs_diff(self.lane_out)
            + self.arrived.abs_diff(self.secure_port)
    }

    const fn plus(&self, other: &Self) -> Self {
        Self {
            refused: self.refused + other.refused,
            handed: self.handed + other.handed,
            plain_port: self.plain_port + other.plain_port,
            lane_in: self.lane_in + other.lane_in,
            encrypted: self.encrypted + other.encrypted,
            lane_out: self.lane_out + other.lane_out,
            dropped: self.dropped + other.dropped,
            tx_full: self.tx_full + other.tx_full,
            secure_port: self.secure_port + other.secure_port,
            arrived: self.arrived + other.arrived,
            octets: [
                self.octets[0] + other.octets[0],
                self.octets[1] + other.octets[1],
            ],
        }
    }
}

impl fmt::Display for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sent {} (and {} more found the ring full), plain port {}, lane in {}, encrypted {}, out {}, \
             dropped {} (ring full {}), secure port {}, arrived {}; octets in {}, out {}",
            self.handed,
            self.refused,
            self.plain_port,
            self.lane_in,
            self.encrypted,
            self.lane_out,
            self.dropped,
            self.tx_full,
            self.secure_port,
            self.arrived,
            self.octets[0],
            self.octets[1],
        )
    }
}

fn memif(plan: &Plan, number: usize, role: &str, more: &str) -> String {
    let socket = plan.dir.join(format!("memif{number}.sock"));
    format!(
        "net_memif{number},role={role},id={number},socket={},socket-abstract=no{more}",
        socket.display()
    )
}

/// Both programs, joined, and testpmd's ports towards the gateway's plain and secure side; testpmd does not
/// forward yet.
fn start(plan: &Plan, size: Size) -> (Testpmd, Gateway, [usize; 2]) {
    let server = |number| memif(plan, number, "server", "");
    // Everything but the gateway's worker is on the first CPU.
    let (mut testpmd, ends) = if let Size::Fixed(octets) = size {
        let vdevs = [server(0), server(1)];
        let testpmd = Testpmd::generate(plan, 0, &vdevs, octets, FRAMES);
        (testpmd, [0, 1])
    } else {
        let file = plain_file(plan, size);
        capture::write(&file, &capture::udp_frames(size, FRAMES));
        let nowhere = "net_null0,no-rx=1".to_owned();
        let vdevs = [pcap_vdev(0, &file), server(0), server(1), nowhere];
        (Testpmd::start(plan, 0, &vdevs), [1, 2])
    };
    // It answers when its sockets are there.
    testpmd.port(ends[1]);
    // Every frame in one buffer.
    let buffer = (size.longest() + OVERHEAD).next_multiple_of(64).max(2048);
    let client = |number: usize| {
        let more = format!(",rsize={},bsize={buffer}", RINGS[number]);
        memif(plan, number, "client", &more)
    };
    let ports = Ports {
        from: client(0),
        to: client(1),
    };
    let gateway = Gateway::start(plan, size, &[ports]);
    (testpmd, gateway, ends)
}

/// Every hop's count when none of them changes any more.
fn settled(testpmd: &mut Testpmd, gateway: &Gateway, ends: [usize; 2], refused: u64) -> Hops {
    let mut before = None;
    for _ in 0..30 {
        // Ports are read twice a second.
        thread::sleep(Duration::from_millis(600));
        let hops = Hops::read(testpmd, ends, &gateway.counts(), refused);
        let now = (hops.secure_port, hops.lane_out, hops.arrived);
        if before == Some(now) {
            return hops;
        }
        before = Some(now);
    }
    panic!("frames over net_memif do not settle: {before:?}");
}

fn timed(plan: &Plan, size: Size) -> (Sample, Hops) {
    let (mut testpmd, gateway, ends) = start(plan, size);
    testpmd.forward();
    thread::sleep(plan.warm());
    let (before, begun) = (gateway.cpu(), testpmd.port(ends[1]).rx);
    thread::sleep(plan.time());
    let (after, ended) = (gateway.cpu(), testpmd.port(ends[1]).rx);
    let refused = testpmd.halt(ends[0]);
    testpmd.take_in();
    let hops = settled(&mut testpmd, &gateway, ends, refused);
    // A side that goes while the other polls takes the memory from under it; testpmd polls no more.
    testpmd.halt(ends[0]);
    gateway.stop();
    testpmd.quit();
    assert!(hops.handed > 0, "nothing was sent over net_memif");
    let sample = Sample {
        rate: (ended - begun) as f64 / after.seconds_since(&before),
        lost: hops.lost(),
    };
    (sample, hops)
}

pub(crate) fn measure(plan: &Plan) -> Vec<Row> {
    let row = |&size: &Size| {
        let runs: Vec<_> = (0..plan.rounds).map(|_| timed(plan, size)).collect();
        eprintln!("memif: {size} octets done");
        let hops = runs
            .iter()
            .fold(Hops::default(), |sum, (_, hops)| sum.plus(hops));
        Row {
            part: "memif",
            what: "macsecgw protect over net_memif".to_owned(),
            size,
            // A round in which one of the two was kept from its CPU says less than they can do.
            rate: runs
                .iter()
                .map(|(sample, _)| sample.rate)
                .fold(0.0, f64::max),
            ratio: f64::NAN,
            against: "-".to_owned(),
            lost: runs.iter().map(|(sample, _)| sample.lost).sum(),
            reordered: None,
            miscounted: Some(runs.iter().map(|(_, hops)| hops.miscounted(size)).sum()),
            account: hops.to_string(),
        }
    };
    plan.sizes.iter().map(row).collect()
}
