//! Back pressure: a transmit queue that stays full, and a pool without a free buffer. Both cost frames
//! and nothing else; every one is counted, and traffic goes on when there is room again.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod lanes;
mod support;

use dpdk::{Burst, Eal};
use lanes::alone::alone;
use lanes::traffic::Traffic;
use lanes::{Lanes, Setup};
use macsec_gateway::bus::{DropReason, PortOps as _, PortSide};
use macsec_gateway::crypto::engine::{EngineChoice, select};
use macsec_gateway::worker::{Brought, PortPlan, bring_up};
use std::time::{Duration, Instant};

/// How often a lane tries a full queue again, for one burst.
const TX_RETRIES: u64 = 64;

fn start(eal: &Eal, queues: lanes::Queues) -> Lanes {
    let engine = select(EngineChoice::Auto).expect("an engine");
    let setup = Setup {
        factory: engine.factory,
        speed_mbps: 10_000,
    };
    Lanes::start(eal, setup, queues)
}

#[track_caller]
fn wait(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_transmit_queue_that_stays_full_costs_a_bounded_time_and_counted_frames() {
    alone(
        "a_transmit_queue_that_stays_full_costs_a_bounded_time_and_counted_frames",
        || {
            const FRAMES: u64 = 5000;
            let eal = lanes::eal();
            let pool = lanes::pool(&eal, "frames", 8191);
            let (mut traffic, queues) = Traffic::between(&eal, &pool);
            let lanes = start(&eal, queues);
            let lane = std::sync::Arc::clone(&lanes.counted[1].validate);
            traffic.carry([100, 100]);
            assert_eq!(lane.tx_retries.value(), 0);

            // Nobody takes what leaves the far side.
            traffic.ways[0].most = u64::MAX;
            while traffic.ways[0].sent < 100 + FRAMES {
                let more = 100 + FRAMES - traffic.ways[0].sent;
                traffic.ways[0].send(&pool, more.min(32));
                std::thread::yield_now();
            }
            wait("all frames at the far side", || {
                traffic.ways[0].send(&pool, 0);
                lane.frames_in.value() == 100 + FRAMES
            });
            wait("the last burst's end", || {
                lane.frames_out.value() + lane.dropped_total() == 100 + FRAMES
            });
            let full = lane.dropped(DropReason::TxFull).value();
            let taken = lane.frames_out.value() - 100;
            assert_eq!((full + taken, lane.dropped_total()), (FRAMES, full));
            // A DPDK ring of 1,024 places holds one frame less.
            assert_eq!(taken, 1023);
            let retries = lane.tx_retries.value();
            assert!(
                retries >= TX_RETRIES && retries <= TX_RETRIES * lane.bursts.value(),
                "{retries}"
            );

            // What the queue took comes in order and whole; what follows passes as ever.
            while traffic.ways[0].received < 100 + taken {
                traffic.ways[0].receive();
            }
            let lost = traffic.ways[0].sent - traffic.ways[0].received;
            assert_eq!(lost, full);
            traffic.ways[0].received += lost;
            traffic.carry([500, 500]);
            assert_eq!(lane.dropped_total(), full);
            lanes::assert_balanced(&lanes.counted);
            lanes.stop(&eal);
            drop(traffic);
            assert_eq!(pool.in_use(), 0, "frames that nobody freed");
        },
    );
}

/// A port that makes frames without end out of a small pool, and nobody who takes them at the far side.
#[test]
fn a_lane_survives_a_pool_without_a_free_buffer() {
    alone("a_lane_survives_a_pool_without_a_free_buffer", || {
        let eal = lanes::eal();
        let pool = lanes::pool(&eal, "frames", 4095);
        let small = lanes::pool(&eal, "small", 511);
        let (mut traffic, mut queues) = Traffic::between(&eal, &pool);
        let (source, _, _) = lanes::device(&eal, "net_null1,size=100", &small);
        let given = std::mem::replace(&mut queues.protect[0].0, source);
        let lanes = start(&eal, queues);
        let lane = &lanes.counted[1].validate;
        // All of the pool ends up in the far side's queue, but for less than a burst.
        wait("an empty pool", || {
            small.avail() < 64 && lane.frames_out.value() > 511 - 64
        });
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(lane.dropped_total(), 0);
        // The other way has buffers of its own, and passes all the while.
        let other = &mut traffic.ways[1];
        wait("the other way's frames", || {
            other.send(&pool, (1000 - other.sent).min(32));
            other.receive();
            other.received == 1000
        });
        // Each buffer that comes back is a frame received again.
        let mut more = 0;
        wait("frames after the empty pool", || {
            more += traffic.ways[0].discard();
            more > 5000
        });
        lanes.stop(&eal);
        traffic.ways[0].discard();
        drop((traffic, given));
        assert_eq!(
            (pool.in_use(), small.in_use()),
            (0, 0),
            "frames that nobody freed"
        );
    });
}

/// Drivers differ in what they count; the port's own counter tells of an empty pool whatever they do.
#[test]
fn an_empty_pool_is_counted_by_the_port() {
    alone("an_empty_pool_is_counted_by_the_port", || {
        let eal = lanes::eal();
        let plan = PortPlan {
            device: "net_null1,size=100",
            side: PortSide::Plain,
            mtu: 1500,
            must_encrypt: false,
            queues: 1,
            held: 0,
        };
        let mut port = bring_up(&eal, &plan).expect("a port");
        port.ops.start().expect("a started port");
        let counted = |port: &Brought| port.ops.stats().expect("counters").rx_no_mbuf;
        assert_eq!(counted(&port), 0);
        let mut held = Vec::new();
        loop {
            let mut burst = Burst::new();
            if port.rx[0].rx_burst(&mut burst) == 0 {
                break;
            }
            held.push(burst);
        }
        let first = counted(&port);
        assert!(first > 0 && counted(&port) > first);
        drop(held);
        let last = counted(&port);
        let mut burst = Burst::new();
        assert!(port.rx[0].rx_burst(&mut burst) > 0, "received again");
        assert_eq!(counted(&port), last);
    });
}
