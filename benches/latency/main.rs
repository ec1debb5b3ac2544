//! How long a frame is in a lane's process, by frame size and load.
//!
//! `cargo bench --bench latency` (as root). One thread plays three parts in turn: frames that are due are
//! put into a `net_ring` port, a worker's poll loop with one protect lane takes a look, and what it sent is
//! taken out of another ring. Only the look's time passes: the clock stands still for the other two parts,
//! so that frames come at a steady pace to a lane that has its core to itself, whatever the machine has. A
//! frame's time runs from the moment at which it is due in the receive ring to the end of the look that
//! transmitted it; the wait for the worker's turn is in it. Frames are told by their packet numbers.
//!
//! The highest rate without a loss is what a lane with a full ring moves; 10, 50 and 90 percent of it are
//! measured. Looks that took longer than ten full bursts do, more than the loop moves in one, are left out and
//! counted: something else had the core.
//! `SIZES=64,512 FRAMES=300000 CORE=1 ENGINE=auto` set what they say.
#![expect(clippy::unwrap_used, reason = "a benchmark ends where it can't go on")]

#[path = "../stages/lanes.rs"]
#[expect(dead_code, reason = "shared with benchmarks that use more of it")]
mod lanes;

use dpdk::{Burst, Mempool, Port, PortConfig, RxQueue, SocketId, Started, TxQueue, headroom};
use lanes::{
    Joined, eal, factory, hugepages, key, percentile, protect_lane, sci, setting, tx_secy,
};
use macsec_gateway::ieee::An;

/// Frames that may be under way: as many as a ring holds.
const UNDER_WAY: u64 = 1000;

/// A lane, and the two ends of its wire.
struct Bed {
    joined: Joined,
    pool: Mempool,
    tx: TxQueue,
    rx: RxQueue,
    size: usize,
    /// Frames that were sent and taken out so far, which is also how far packet numbers are.
    sent: u64,
    taken: u64,
}

/// What a pace gave.
struct Run {
    latencies: Vec<f64>,
    /// Looks that were left out.
    gaps: u32,
}

impl Bed {
    /// Cycles of the lane for each frame while it always has a burst to move.
    fn full(&mut self, frames: u64) -> f64 {
        let (mut windows, first) = (Vec::new(), self.sent);
        while self.sent - first < frames {
            // The lane moves 64 at a time.
            self.send(self.taken + 64 - self.sent);
            let before = dpdk::tsc();
            assert!(self.joined.polling.look());
            let cycles = dpdk::tsc() - before;
            windows.push(cycles as f64 / self.take(|_| ()) as f64);
        }
        percentile(windows, 50.0)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of frames"
    )]
    /// Sends a frame each `interval` cycles. `None`: the lane did not keep up.
    fn run(&mut self, interval: f64, frames: u64, gap: f64) -> Option<Run> {
        let mut run = Run {
            latencies: Vec::new(),
            gaps: 0,
        };
        let first = self.sent;
        // Cycles that passed for the lane.
        let mut now = 0;
        while self.taken - first < frames {
            let due = first + (now as f64 / interval) as u64;
            if due - self.taken > UNDER_WAY {
                return None;
            }
            self.send(due - self.sent);
            let before = dpdk::tsc();
            assert!(self.joined.polling.look());
            let cycles = dpdk::tsc() - before;
            if cycles as f64 > gap {
                run.gaps += 1;
                self.take(|_| ());
                continue;
            }
            now += cycles;
            let latencies = &mut run.latencies;
            // Frame 1 is due at one interval.
            self.take(|pn| latencies.push(now as f64 - (pn - first) as f64 * interval));
        }
        Some(run)
    }

    fn send(&mut self, count: u64) {
        let mut burst = Burst::new();
        for _ in 0..count {
            let mut mbuf = self.pool.alloc().unwrap();
            mbuf.append(self.size).unwrap()[..14]
                .copy_from_slice(&[2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 8, 0]);
            burst.push(mbuf).unwrap();
            self.sent += 1;
            if burst.room() == 0 {
                self.tx.tx_burst(&mut burst);
                assert!(burst.is_empty());
            }
        }
        self.tx.tx_burst(&mut burst);
        assert!(burst.is_empty());
    }

    /// Takes out what there is, and says how much.
    fn take(&mut self, mut each: impl FnMut(u64)) -> u64 {
        let before = self.taken;
        let mut burst = Burst::new();
        while self.rx.rx_burst(&mut burst) > 0 {
            for mbuf in &burst {
                // The low half of the packet number, in the SecTAG: none is lost, and none overtakes.
                let pn = *mbuf.data()[16..].first_chunk().unwrap();
                assert_eq!(u64::from(u32::from_be_bytes(pn)), self.taken + 1);
                self.taken += 1;
                each(self.taken);
            }
            burst.clear();
        }
        self.taken - before
    }

    fn measure(&mut self, frames: u64) {
        self.full(frames / 10);
        let full = self.full(frames);
        let per_us = dpdk::tsc_hz() as f64 / 1e6;
        for load in [10, 50, 90] {
            let interval = full * 100.0 / f64::from(load);
            let (size, rate) = (self.size, per_us / interval);
            let Some(run) = self.run(interval, frames, 640.0 * full) else {
                println!("{size:6} {load:5} % {rate:10.3}   the lane did not keep up");
                while self.taken < self.sent {
                    assert!(self.joined.polling.look());
                    self.take(|_| ());
                }
                continue;
            };
            let at = |percent| percentile(run.latencies.iter().copied(), percent) / per_us;
            println!(
                "{size:6} {load:5} % {rate:10.3} {:9.2} {:9.2} {:9.2} {:9}",
                at(50.0),
                at(99.0),
                at(99.9),
                run.gaps
            );
        }
    }
}

fn measure(size: usize, frames: u64, engine: &str) {
    let vdevs = ["net_ring0".to_owned(), "net_ring1".to_owned()];
    let eal = eal(setting("CORE", 1), hugepages(), vdevs);
    let room = 9216 + headroom();
    let pool = Mempool::create(&eal, "p", 8191, 256, room, SocketId::Any).unwrap();
    let mut ports = Vec::new();
    let mut queues = |name: &str| {
        let port = eal.port_by_name(name).unwrap();
        let mut port = port.configure(PortConfig::wire(&pool)).unwrap();
        let mut queues = port.take_queues().unwrap();
        ports.push(port.start().unwrap());
        (queues.rx.pop().unwrap(), queues.tx.pop().unwrap())
    };
    // What is transmitted on a ring port is received there.
    let ((lane_rx, tx), (rx, lane_tx)) = (queues("net_ring0"), queues("net_ring1"));
    let factory = factory(engine);
    let secy = tx_secy(sci(1), An::ALL[0], key(&*factory));
    let mut bed = Bed {
        joined: Joined::new(vec![protect_lane(0, secy, lane_rx, lane_tx)]),
        pool,
        tx,
        rx,
        size,
        sent: 0,
        taken: 0,
    };
    let lcore = eal.workers()[0];
    eal.launch(lcore, move || {
        bed.measure(frames);
        0
    })
    .unwrap();
    assert_eq!(eal.wait(lcore).unwrap(), 0);
    drop::<Vec<Port<Started>>>(ports);
}

/// EAL starts once in a process: each size has one of its own.
fn main() {
    let frames = setting("FRAMES", 300_000);
    let engine: String = setting("ENGINE", "auto".to_owned());
    if let Ok(size) = std::env::var("ONE_SIZE") {
        measure(size.parse().unwrap(), frames, &engine);
        return;
    }
    println!("octets   load  Mframes/s    p50 us    p99 us  p99.9 us  left out");
    let sizes: String = setting("SIZES", "64,512,1518,9000".to_owned());
    for size in sizes.split(',') {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        assert!(child.env("ONE_SIZE", size).status().unwrap().success());
    }
}
