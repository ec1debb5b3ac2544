//! EAPOL of our own on its way out: whatever the lane does, whatever data does, and whatever the transmit
//! queue does, it leaves first, costs data nothing, and is counted.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod lanes;
mod support;

use dpdk::{Burst, Eal, LcoreId, Mempool, RxQueue, TxQueue};
use lanes::alone::alone;
use lanes::traffic::Traffic;
use lanes::{Lanes, Setup};
use macsec_gateway::bus::{
    Bypass, Command, CommandSender, Direction, DropReason, EapolOut, LaneCommand, LaneCounters,
    LaneIndex, LaneMode, LaneReport, LinkIndex, PortSide, ReportReceiver, UnsentReason,
    WorkerCounters, worker_rings,
};
use macsec_gateway::crypto::engine::{EngineChoice, select};
use macsec_gateway::ieee::{MacAddr, Sci};
use macsec_gateway::macsec::{SectagSci, TxParams, TxSecy};
use macsec_gateway::pipeline::{ProtectLane, ProtectSetup};
use macsec_gateway::worker::{IdlePolicy, Lane, Runner, Worker};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a DPDK ring of 1,024 places holds.
const RING: u64 = 1023;

/// Frames that the worker keeps for a full queue.
const WAITING: u64 = 32;

const LANE: LaneIndex = LaneIndex {
    link: LinkIndex(0),
    direction: Direction::Protect,
};

#[track_caller]
fn wait(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::yield_now();
    }
}

/// An EAPOL frame with a number.
fn eapol(number: u32) -> Vec<u8> {
    let mut octets = vec![0x01, 0x80, 0xc2, 0, 0, 3, 2, 0, 0, 0, 0, 0xee, 0x88, 0x8e];
    octets.extend([3, 5, 0, 96]);
    octets.extend(number.to_be_bytes());
    octets.resize(18 + 96, 0x5e);
    octets
}

/// The number of an EAPOL frame that must be as it was given; `None`: it is data.
fn number_of(octets: &[u8]) -> Option<u32> {
    (octets[12..14] == [0x88, 0x8e]).then(|| {
        let number = u32::from_be_bytes(*octets[18..].first_chunk().expect("a number"));
        assert_eq!(octets, eapol(number));
        number
    })
}

/// A protect lane on its worker; the test is control, and the far end of the wire.
struct Rig {
    lcore: LcoreId,
    commands: CommandSender,
    reports: ReportReceiver,
    out: Arc<EapolOut>,
    counters: Arc<LaneCounters>,
    stop: Arc<AtomicBool>,
}

impl Rig {
    /// A closed lane that may use the secure port alone.
    fn start(eal: &Eal, plain: RxQueue, secure: TxQueue, buffers: &Mempool) -> Self {
        let counters = Arc::<LaneCounters>::default();
        let out = Arc::<EapolOut>::default();
        let stop = Arc::<AtomicBool>::default();
        let lane = ProtectLane::new(ProtectSetup {
            secy: TxSecy::new(TxParams {
                sci: Sci::new(MacAddr([2, 0, 0, 0, 0, 0xee]), 1),
                sectag_sci: SectagSci::Explicit,
                clear_vlan_tags: 0,
                mtu: 1500,
            }),
            bypass: Box::new(Bypass::default()),
            counters: Arc::clone(&counters),
        });
        let lane = Lane::Protect(lane);
        let runner = Runner::new(LANE, lane, Arc::clone(&counters), vec![plain], secure);
        let (commands, obeyed, said, reports) = worker_rings();
        let worker = Worker {
            runners: vec![runner.with_eapol(Arc::clone(&out), buffers.clone())],
            commands: obeyed,
            reports: said,
            counters: Arc::new(WorkerCounters::default()),
            idle: IdlePolicy::Sleep {
                after: 1000,
                longest: Duration::from_micros(50),
            },
            stop: Arc::clone(&stop),
        };
        let lcore = eal.workers()[0];
        eal.launch(lcore, move || worker.run()).expect("a worker");
        let rig = Self {
            lcore,
            commands,
            reports,
            out,
            counters,
            stop,
        };
        rig.tell(LaneCommand::UsePort(PortSide::Secure, true));
        rig
    }

    /// Commands the lane and waits for its word.
    #[track_caller]
    fn tell(&self, what: LaneCommand) {
        let command = Command { lane: LANE, what };
        self.commands.send(command).expect("room for a command");
        wait("a report", || match self.reports.take() {
            Some(report) => matches!(report.what, LaneReport::Mode(_) | LaneReport::UsesPort(..)),
            None => false,
        });
    }

    #[track_caller]
    fn offer(&self, number: u32) {
        wait("a slot", || self.out.offer(&eapol(number)));
    }

    fn unsent(&self, why: UnsentReason) -> u64 {
        self.counters.eapol_unsent(why).value()
    }

    /// No frame but data is in the books of the lane.
    #[track_caller]
    fn assert_balanced(&self) {
        let ends = self.counters.frames_out.value() + self.counters.dropped_total();
        assert_eq!(self.counters.frames_in.value(), ends);
    }

    #[track_caller]
    fn stop(self, eal: &Eal) {
        self.stop.store(true, Ordering::Relaxed);
        assert_eq!(eal.wait(self.lcore), Ok(0));
        self.assert_balanced();
    }
}

/// Takes one frame off the wire, if there is one: the number of EAPOL, `None` for data.
fn take(wire: &mut RxQueue, burst: &mut Burst) -> Option<Option<u32>> {
    if burst.is_empty() {
        wire.rx_burst(burst);
        // Taken from its end below.
        burst.as_mut_slice().reverse();
    }
    burst.pop().map(|mbuf| number_of(mbuf.data()))
}

#[test]
fn eapol_leaves_in_every_mode_but_a_wire_with_or_without_a_plain_port() {
    alone(
        "eapol_leaves_in_every_mode_but_a_wire_with_or_without_a_plain_port",
        || {
            let eal = lanes::eal();
            let pool = lanes::pool(&eal, "frames", 2047);
            let buffers = lanes::pool(&eal, "eapol", 1151);
            let (plain, _, _) = lanes::ring(&eal, "net_ring0", &pool);
            let (mut wire, secure, _) = lanes::ring(&eal, "net_ring1", &pool);
            let rig = Rig::start(&eal, plain, secure, &buffers);
            let mut burst = Burst::new();
            let mut number = 0;
            for plain_port in [false, true] {
                rig.tell(LaneCommand::UsePort(PortSide::Plain, plain_port));
                for mode in [
                    LaneMode::Closed,
                    LaneMode::Clear,
                    LaneMode::SecuredAcceptClear,
                    LaneMode::Secured,
                ] {
                    rig.tell(LaneCommand::Mode(mode));
                    number += 1;
                    rig.offer(number);
                    wait("EAPOL on the wire", || {
                        take(&mut wire, &mut burst) == Some(Some(number))
                    });
                }
            }
            wait("the count", || rig.counters.eapol_sent.value() == 8);

            rig.tell(LaneCommand::Mode(LaneMode::Wire));
            rig.offer(100);
            wait("given up", || rig.unsent(UnsentReason::Wire) == 1);
            rig.tell(LaneCommand::Mode(LaneMode::Closed));
            rig.tell(LaneCommand::UsePort(PortSide::Secure, false));
            rig.offer(101);
            rig.offer(102);
            wait("given up", || rig.unsent(UnsentReason::PortStopped) == 2);
            // What was given up does not come later.
            rig.tell(LaneCommand::UsePort(PortSide::Secure, true));
            rig.offer(103);
            wait("EAPOL on the wire", || {
                take(&mut wire, &mut burst) == Some(Some(103))
            });
            assert_eq!(rig.counters.frames_in.value(), 0);
            rig.stop(&eal);
            assert_eq!((pool.in_use(), buffers.in_use()), (0, 0));
        },
    );
}

/// Data without end into a queue that nobody empties: EAPOL waits, the newest stay, data goes on being
/// dropped and counted; and the room that comes is EAPOL's first.
#[test]
fn a_full_queue_keeps_the_newest_eapol_and_gives_it_the_first_room() {
    alone(
        "a_full_queue_keeps_the_newest_eapol_and_gives_it_the_first_room",
        || {
            let eal = lanes::eal();
            let pool = lanes::pool(&eal, "frames", 4095);
            let buffers = lanes::pool(&eal, "eapol", 1151);
            let (plain, _, _) = lanes::device(&eal, "net_null1,size=100", &pool);
            let (mut wire, secure, _) = lanes::ring(&eal, "net_ring1", &pool);
            let rig = Rig::start(&eal, plain, secure, &buffers);
            rig.tell(LaneCommand::Mode(LaneMode::Clear));
            rig.tell(LaneCommand::UsePort(PortSide::Plain, true));
            let full = rig.counters.dropped(DropReason::TxFull);
            wait("a full queue", || full.value() > 0);
            assert_eq!(rig.counters.frames_out.value(), RING);

            let offered = u32::try_from(WAITING + 8).expect("a number");
            for number in 0..offered {
                rig.offer(number);
            }
            wait("the oldest pushed out", || {
                rig.unsent(UnsentReason::TxFull) == 8
            });
            let before = full.value();
            wait("data that is dropped meanwhile", || full.value() > before);
            assert_eq!(rig.counters.eapol_sent.value(), 0);

            // One place comes free at a time, and data wants each of them.
            let others = lanes::pool(&eal, "others", 127);
            let (mut burst, mut came, mut taken) = (Burst::new(), Vec::new(), 0);
            while burst.room() > 1 {
                let held = burst.push(others.alloc().expect("a buffer"));
                held.expect("room for it");
            }
            while came.len() < 32 {
                let end = Instant::now() + Duration::from_secs(10);
                while wire.rx_burst(&mut burst) == 0 {
                    assert!(Instant::now() < end, "no frame");
                }
                let frame = burst.pop().expect("the frame");
                came.extend(number_of(frame.data()));
                taken += 1;
                assert!(taken <= RING + 200, "EAPOL has no way: {came:?}");
                wait("the place to be filled", || {
                    rig.counters.frames_out.value() + rig.counters.eapol_sent.value()
                        == RING + taken
                });
            }
            assert_eq!(came, (8..offered).collect::<Vec<_>>(), "in order");
            assert_eq!(rig.counters.eapol_sent.value(), WAITING);
            rig.tell(LaneCommand::UsePort(PortSide::Plain, false));
            burst.clear();
            lanes::drain(&mut wire);
            assert_eq!(rig.unsent(UnsentReason::TxFull), 8);
            rig.stop(&eal);
            assert_eq!(buffers.in_use(), 0);
        },
    );
}

#[test]
fn data_takes_no_buffer_of_eapols_and_eapol_none_of_datas() {
    alone(
        "data_takes_no_buffer_of_eapols_and_eapol_none_of_datas",
        || {
            let eal = lanes::eal();
            // Fewer than the ring holds: all of them end in it.
            let pool = lanes::pool(&eal, "frames", 511);
            let buffers = lanes::pool(&eal, "eapol", 16);
            let (plain, _, _) = lanes::device(&eal, "net_null1,size=100", &pool);
            let (mut wire, secure, _) = lanes::ring(&eal, "net_ring1", &pool);
            let rig = Rig::start(&eal, plain, secure, &buffers);
            rig.tell(LaneCommand::Mode(LaneMode::Clear));
            rig.tell(LaneCommand::UsePort(PortSide::Plain, true));
            wait("an empty pool", || pool.avail() < 64);
            for number in 0..20 {
                rig.offer(number);
            }
            wait("every buffer used", || {
                rig.counters.eapol_sent.value() == 16 && rig.unsent(UnsentReason::NoBuffer) == 4
            });
            rig.tell(LaneCommand::UsePort(PortSide::Plain, false));
            assert_eq!(
                lanes::drain(&mut wire),
                rig.counters.frames_out.value() + 16
            );
            assert_eq!((pool.in_use(), buffers.in_use()), (0, 0));
            rig.offer(99);
            let mut burst = Burst::new();
            wait("EAPOL again", || {
                take(&mut wire, &mut burst) == Some(Some(99))
            });
            rig.stop(&eal);
        },
    );
}

/// Two links that carry all they can, and EAPOL between their frames: none of either is lost.
#[test]
fn eapol_under_full_load_comes_in_order_and_costs_data_no_frame() {
    alone(
        "eapol_under_full_load_comes_in_order_and_costs_data_no_frame",
        || {
            const FRAMES: u32 = 500;
            let eal = lanes::eal();
            let pool = lanes::pool(&eal, "frames", 8191);
            let (mut traffic, queues) = Traffic::between(&eal, &pool);
            let engine = select(EngineChoice::Auto).expect("an engine");
            let setup = Setup {
                factory: engine.factory,
                speed_mbps: 10_000,
            };
            let lanes = Lanes::start(&eal, setup, queues);
            let [here, there] = lanes.counted.clone();
            for number in 0..FRAMES {
                traffic.carry([300, 300]);
                assert!(here.eapol_out.offer(&eapol(number)), "no slot");
                assert!(there.eapol_out.offer(&eapol(number)), "no slot");
                // Strangers' slots are 64: control, whose core this thread keeps busy, must get to them.
                if number % 16 == 15 {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
            for (from, to) in [(&here, &there), (&there, &here)] {
                wait("all EAPOL", || {
                    to.validate.to_control.value() == u64::from(FRAMES)
                });
                assert_eq!(from.protect.eapol_sent.value(), u64::from(FRAMES));
                let unsent = UnsentReason::ALL.map(|why| from.protect.eapol_unsent(why).value());
                assert_eq!(unsent, [0; UnsentReason::ALL.len()]);
                for lane in [&from.protect, &to.validate] {
                    assert_eq!(lane.dropped_total(), 0);
                }
            }
            for way in &traffic.ways {
                assert_eq!((way.sent, way.received), (300 * 500, 300 * 500));
            }
            lanes::assert_balanced(&lanes.counted);
            lanes.stop(&eal);
            drop(traffic);
            assert_eq!(pool.in_use(), 0, "frames that nobody freed");
        },
    );
}
