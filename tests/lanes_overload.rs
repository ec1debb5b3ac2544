//! Twice as many frames as a validate lane can take: EAPOL among them gets to control all the same, order
//! is kept, and what is too much is dropped and counted.
//!
//! The key is slow and says how many frames it opened; the test pushes so many in for each of them. So the
//! load is a multiple of the capacity however fast, or busy, the machine is.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod lanes;
mod support;

use dpdk::{Burst, Eal, LcoreId, Mempool, RxQueue, TxQueue};
use lanes::alone::alone;
use macsec_gateway::bus::{
    Bypass, Command, CommandSender, Direction, DropReason, EapolFilter, EapolSlots, LaneCommand,
    LaneCounters, LaneIndex, LaneMode, LinkIndex, PortSide, ReportReceiver, WorkerCounters,
    worker_rings,
};
use macsec_gateway::crypto::{AeadFrame, AeadKey, Opened};
use macsec_gateway::ieee::{An, CipherSuite, Ckn, EtherType, KeyIdentifier, MacAddr, Pn, Sci};
use macsec_gateway::macsec::{
    Confidentiality, Reject, Replay, RxParams, RxSa, RxSaParams, RxSaShared, RxSecy, ValidateFrames,
};
use macsec_gateway::pipeline::{ValidateLane, ValidateSetup};
use macsec_gateway::worker::{IdlePolicy, Lane, Runner, Worker};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const PEER: MacAddr = MacAddr([2, 0, 0, 0, 0, 0xaa]);
const SCI: Sci = Sci::new(PEER, 1);
const LANE: LaneIndex = LaneIndex {
    link: LinkIndex(0),
    direction: Direction::Validate,
};

/// The last octet of a frame that [`Slow`] finds valid.
const VALID: u8 = 1;

/// Takes some time for each frame, and opens those that say so.
#[derive(Debug, Default)]
struct Slow {
    opened: AtomicU64,
}

impl AeadKey for Slow {
    fn seal(&self, _: &mut [AeadFrame<'_>]) {}

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        let mut opened = Opened::default();
        for (at, frame) in burst.iter().enumerate() {
            for _ in 0..1000 {
                std::hint::spin_loop();
            }
            if frame.buffer.get(..frame.len).and_then(<[u8]>::last) == Some(&VALID) {
                opened.set_ok(at);
            }
        }
        self.opened.fetch_add(burst.len() as u64, Ordering::Relaxed);
        opened
    }
}

/// A validate lane on its worker; the test is control, and the far end of both wires.
struct Rig {
    lcore: LcoreId,
    _commands: CommandSender,
    _reports: ReportReceiver,
    key: Arc<Slow>,
    eapol: Arc<EapolSlots>,
    counters: Arc<LaneCounters>,
    stop: Arc<AtomicBool>,
}

fn secy(key: &Arc<Slow>) -> RxSecy {
    let mut secy = RxSecy::new(RxParams {
        validate: ValidateFrames::Strict,
        replay: Replay::Strict,
        duplicate_depth: 64,
        clear_vlan_tags: 0,
        mtu: 1500,
    });
    secy.add_sc(SCI);
    let sa = RxSa::new(RxSaParams {
        an: An::ALL[0],
        ki: KeyIdentifier([1; 16]),
        suite: CipherSuite::GcmAes128,
        key: Arc::<Slow>::clone(key),
        sci: SCI,
        xpn: None,
        confidentiality: Confidentiality::Offset0,
        lowest_pn: Pn::FIRST,
        duplicate_depth: 64,
        shared: RxSaShared::new(),
    });
    let installed = secy.install_sa(SCI, Box::new(sa.expect("an SA")));
    assert!(installed.is_ok_and(|before| before.is_none()));
    secy
}

impl Rig {
    fn start(eal: &Eal, secure: RxQueue, plain: TxQueue) -> Self {
        let key = Arc::<Slow>::default();
        let eapol = Arc::<EapolSlots>::default();
        let counters = Arc::<LaneCounters>::default();
        let lane = ValidateLane::new(ValidateSetup {
            secy: secy(&key),
            clear_vlan_tags: 0,
            bypass: Box::new(Bypass::default()),
            eapol: Arc::clone(&eapol),
            counters: Arc::clone(&counters),
        });
        let runner = Runner::new(
            LANE,
            Lane::Validate(lane),
            Arc::clone(&counters),
            vec![secure],
            plain,
        );
        let (commands, obeyed, said, reports) = worker_rings();
        let stop = Arc::<AtomicBool>::default();
        let worker = Worker {
            runners: vec![runner],
            commands: obeyed,
            reports: said,
            counters: Arc::new(WorkerCounters::default()),
            idle: IdlePolicy::Sleep {
                after: 1000,
                longest: Duration::from_micros(50),
            },
            stop: Arc::clone(&stop),
        };
        let filter = EapolFilter {
            ethertype: EtherType::EAPOL,
            own: MacAddr([2, 0, 0, 0, 0, 0xbb]),
            ckns: vec![Ckn::new(b"name").expect("a CKN")],
            live: vec![PEER],
        };
        for what in [
            LaneCommand::UsePort(PortSide::Secure, true),
            LaneCommand::UsePort(PortSide::Plain, true),
            LaneCommand::Mode(LaneMode::Secured),
            LaneCommand::EapolFilter(Some(Box::new(filter))),
        ] {
            let sent = commands.send(Command { lane: LANE, what });
            sent.expect("room for a command");
        }
        let lcore = eal.workers()[0];
        eal.launch(lcore, move || worker.run()).expect("a worker");
        let end = Instant::now() + Duration::from_secs(10);
        for _ in 0..4 {
            while reports.take().is_none() {
                assert!(Instant::now() < end, "the lane does not obey");
                std::thread::yield_now();
            }
        }
        Self {
            lcore,
            _commands: commands,
            _reports: reports,
            key,
            eapol,
            counters,
            stop,
        }
    }

    #[track_caller]
    fn stop(self, eal: &Eal) {
        self.stop.store(true, Ordering::Relaxed);
        assert_eq!(eal.wait(self.lcore), Ok(0));
    }
}

/// The `number`-th data frame, protected in the eyes of [`Slow`]: `last` is its ICV's last octet.
fn data(number: u32, last: u8) -> Vec<u8> {
    let mut octets = vec![2, 0, 0, 0, 0, 0xcc];
    octets.extend(PEER.0);
    octets.extend([0x88, 0xe5, 0x2c, 0]);
    octets.extend((number + 1).to_be_bytes());
    octets.extend(SCI.octets());
    octets.extend([0x88, 0xb5]);
    octets.extend(number.to_be_bytes());
    octets.resize(28 + 60, 0);
    octets.extend([0; 15]);
    octets.push(last);
    octets
}

/// The `number`-th MKPDU.
fn mkpdu(number: u32) -> Vec<u8> {
    let mut octets = vec![0x01, 0x80, 0xc2, 0, 0, 3];
    octets.extend(PEER.0);
    octets.extend([0x88, 0x8e, 3, 5, 0, 52, 3, 16, 0xe0, 32]);
    octets.extend([7; 20]);
    octets.extend(number.to_be_bytes());
    octets.extend([7; 4]);
    octets.extend(b"name");
    octets.extend([7; 16]);
    octets
}

/// The far ends: what is pushed in, and what came out.
struct Ends {
    pool: Mempool,
    wire: TxQueue,
    plain: RxQueue,
    /// Data frames and MKPDUs pushed, and those that the ring had no room for.
    pushed: [u32; 2],
    refused: [u32; 2],
    /// Numbers of those that arrived.
    delivered: Vec<u32>,
    heard: Vec<u32>,
}

impl Ends {
    fn push(&mut self, octets: &[u8], kind: usize) {
        let mut burst = Burst::new();
        let mut mbuf = self.pool.alloc().expect("a buffer");
        let room = mbuf.append(octets.len()).expect("room in it");
        room.copy_from_slice(octets);
        burst.push(mbuf).expect("room in a burst");
        self.pushed[kind] += 1;
        if self.wire.tx_burst(&mut burst) == 0 {
            self.refused[kind] += 1;
        }
    }

    fn take(&mut self, rig: &Rig) {
        while let Some(frame) = rig.eapol.take() {
            let at = frame.octets()[42..].first_chunk().expect("a number");
            self.heard.push(u32::from_be_bytes(*at));
        }
        let mut burst = Burst::new();
        while self.plain.rx_burst(&mut burst) > 0 {
            for mbuf in burst.drain() {
                let at = mbuf.data()[14..].first_chunk().expect("a number");
                self.delivered.push(u32::from_be_bytes(*at));
            }
        }
    }
}

/// Pushes `times` as many frames in as the lane takes, an MKPDU after every hundredth, until it took so
/// many; then waits for what is under way.
fn overload(rig: &Rig, ends: &mut Ends, times: u64, last: u8) {
    const TAKEN: u64 = 10_000;
    /// Half of the ring: a test that was kept from running does not make up for it at once.
    const MOST: u64 = 512;
    let end = Instant::now() + Duration::from_secs(60);
    let (mut opened, mut due) = (0, MOST);
    while opened < TAKEN {
        assert!(Instant::now() < end, "stuck at {opened}");
        for _ in 0..due {
            ends.push(&data(ends.pushed[0], last), 0);
            if ends.pushed[0].is_multiple_of(100) {
                ends.push(&mkpdu(ends.pushed[1]), 1);
            }
        }
        ends.take(rig);
        let before = opened;
        opened = rig.key.opened.load(Ordering::Relaxed);
        due = (times * (opened - before)).min(MOST);
        if due == 0 {
            std::thread::yield_now();
        }
    }
    let all = |counts: [u32; 2]| u64::from(counts[0] + counts[1]);
    let ended = |lane: &LaneCounters| {
        lane.frames_out.value() + lane.to_control.value() + lane.dropped_total()
    };
    while ended(&rig.counters) < all(ends.pushed) - all(ends.refused) {
        assert!(Instant::now() < end, "frames that end nowhere");
        ends.take(rig);
        std::thread::yield_now();
    }
    ends.take(rig);
    assert_eq!(rig.counters.frames_in.value(), ended(&rig.counters));
}

fn run(times: u64, last: u8) -> (Ends, Arc<LaneCounters>) {
    let eal = lanes::eal();
    let pool = lanes::pool(&eal, "frames", 8191);
    let (secure, wire, _) = lanes::ring(&eal, "net_ring0", &pool);
    let (plain, out, _) = lanes::ring(&eal, "net_ring1", &pool);
    let rig = Rig::start(&eal, secure, out);
    let counters = Arc::clone(&rig.counters);
    let mut ends = Ends {
        pool: pool.clone(),
        wire,
        plain,
        pushed: [0; 2],
        refused: [0; 2],
        delivered: Vec::new(),
        heard: Vec::new(),
    };
    overload(&rig, &mut ends, times, last);
    rig.stop(&eal);
    assert_eq!(pool.in_use(), 0, "frames that nobody freed");
    (ends, counters)
}

#[test]
fn twice_the_capacity_of_junk_costs_no_mkpdu() {
    alone("twice_the_capacity_of_junk_costs_no_mkpdu", || {
        let (ends, counters) = run(2, 0);
        let all: Vec<_> = (0..ends.pushed[1]).collect();
        assert_eq!(ends.heard, all, "of {:?} frames", ends.pushed);
        assert!(ends.heard.len() > 100);
        assert_eq!(ends.refused, [0, 0], "the queue never filled");
        assert!(ends.delivered.is_empty());
        let [overload, invalid] = [DropReason::Overload, DropReason::Macsec(Reject::NotValid)]
            .map(|why| counters.dropped(why).value());
        assert!(overload > 2000, "no overload: {overload}");
        assert_eq!(overload + invalid, u64::from(ends.pushed[0]));
    });
}

#[test]
fn twice_the_capacity_of_good_frames_is_delivered_in_order_as_far_as_it_goes() {
    alone(
        "twice_the_capacity_of_good_frames_is_delivered_in_order_as_far_as_it_goes",
        || {
            let (ends, counters) = run(2, VALID);
            assert_eq!(ends.heard.len(), ends.pushed[1] as usize);
            assert!(ends.delivered.is_sorted());
            assert!(ends.delivered.len() >= 10_000);
            let lost = ends.pushed[0] as usize - ends.delivered.len();
            assert_eq!(counters.dropped(DropReason::Overload).value(), lost as u64);
            assert_eq!(counters.dropped_total(), lost as u64);
        },
    );
}

/// What fits into queue and backlog is late and not lost.
#[test]
fn a_load_that_the_lane_can_take_loses_nothing() {
    alone("a_load_that_the_lane_can_take_loses_nothing", || {
        let (ends, counters) = run(1, VALID);
        assert_eq!(ends.refused, [0, 0]);
        assert_eq!(counters.dropped_total(), 0);
        assert_eq!(ends.delivered, (0..ends.pushed[0]).collect::<Vec<_>>());
        assert_eq!(ends.heard, (0..ends.pushed[1]).collect::<Vec<_>>());
    });
}
