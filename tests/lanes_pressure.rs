//! Back pressure: a transmit queue that stays full, and a pool without a free buffer. Both cost frames
//! and nothing else; every one is counted, and traffic goes on when there is room again.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod lanes;
mod support;

use dpdk::Eal;
use lanes::alone::alone;
use lanes::traffic::Traffic;
use lanes::{Lanes, Setup};
use macsec_gateway::bus::DropReason;
use macsec_gateway::crypto::engine::{EngineChoice, select};
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
