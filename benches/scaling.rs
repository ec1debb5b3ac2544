//! What a protect lane carries with so many crypto helpers, and what it would with more.
//!
//! Real lanes, worker and helpers on EAL's lcores between two `net_null` ports, GCM-AES-XPN-256, helpers used
//! for every burst. For each number of helpers that the machine has CPUs for, in turns, round by round, the
//! best round counts. Three inputs come out of it, in cycles of the time stamp counter per frame, and the
//! model from them (`docs/performance.md`, "More cores for one lane") beside what was measured.
//!
//! `SIZES=64,1518 ROUNDS=5 MILLIS=500 HELPERS=3 ENGINE=ring cargo bench --bench scaling`. `HOLD=1` runs one
//! size with `HELPERS` helpers for so many seconds and prints nothing else, for `perf stat --per-thread`.
#![expect(
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a benchmark ends where it can't go on, and its figures are no exact ones"
)]

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use dpdk::{Burst, Eal, Mempool, PortConfig, PortControl, RxQueue, SocketId, TxQueue};
use macsec_gateway::{
    bus::{
        Bypass, Command, Direction, HelperCounters, LaneCommand, LaneCounters, LaneIndex, LaneMode,
        LinkIndex, PortSide, WorkerCounters, worker_rings,
    },
    crypto::{
        SaKey, Sak,
        engine::{EngineChoice, select},
    },
    ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Pn, PnSpace, Salt, Sci, Ssci},
    macsec::{
        Confidentiality, SectagSci, TxParams, TxSa, TxSaParams, TxSaShared, TxSecy, XpnParams,
    },
    pipeline::{ProtectLane, ProtectSetup},
    worker::{Crew, HelpPolicy, IdlePolicy, Lane, Runner, Worker},
};

const LANE: LaneIndex = LaneIndex {
    link: LinkIndex(0),
    direction: Direction::Protect,
};

/// Rows of the model's table.
const MODEL: usize = 15;

/// One run: frames and the time that they took, in cycles.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    cycles: u64,
    frames: u64,
    /// Of these, frames that helpers sealed, and how long they were at it, all together.
    helped: f64,
    helpers_busy: u64,
    stalled: u64,
}

impl Sample {
    fn per_frame(&self) -> f64 {
        self.cycles as f64 / self.frames.max(1) as f64
    }
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn main() {
    let cpus: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_default()
        .into_iter()
        .map(|core| core.id)
        .collect();
    let most = setting("HELPERS", MODEL).min(cpus.len().saturating_sub(1));
    let eal = eal(&cpus, most);
    let engine = select(
        EngineChoice::ALL
            .into_iter()
            .find(|choice| choice.name() == setting("ENGINE", String::from("auto")))
            .unwrap_or(EngineChoice::Auto),
    )
    .expect("an engine");
    let sak = Sak::take(&mut [7; 32]).expect("a key");
    let key = engine.factory.make_key(&sak).expect("a key object");
    let sizes = setting("SIZES", String::from("64,1518"));
    let sizes = sizes.split(',').map(|size| size.parse().expect("a size"));
    let hold: u64 = setting("HOLD", 0);
    for size in sizes {
        let pool = pool(&eal, size);
        let bench = Bench {
            eal: &eal,
            pool,
            key: &key,
            size,
        };
        if hold > 0 {
            let sample = bench.run(most, Duration::from_secs(hold));
            println!("{} frames, {:.0} by helpers", sample.frames, sample.helped);
            return;
        }
        let rounds = bench.rounds(most);
        report(size, engine.factory.name(), &rounds);
    }
}

/// Main where it disturbs least, the worker on the second CPU, helpers on those behind it and on the first.
fn eal(cpus: &[usize], helpers: usize) -> Eal {
    let all: Vec<_> = cpus.iter().map(ToString::to_string).collect();
    let mut lcores = format!("0@({})", all.join(","));
    let own = cpus.iter().cycle().skip(1).take(helpers + 1);
    for (lcore, cpu) in (1..).zip(own) {
        lcores += &format!(",{lcore}@{cpu}");
    }
    let prefix = format!("--file-prefix=scaling-{}", std::process::id());
    let args = [
        &format!("--lcores={lcores}"),
        "--main-lcore=0",
        "--no-huge",
        "-m",
        "512",
        "--no-pci",
        "--no-telemetry",
        "--log-level=error",
        &prefix,
    ];
    Eal::init(&args.map(str::to_owned)).expect("EAL")
}

fn pool(eal: &Eal, size: usize) -> Mempool {
    let room = u16::try_from(size.max(2048) + 512).expect("a frame") + dpdk::headroom();
    let name = format!("frames{size}");
    Mempool::create(eal, &name, 8191, 256, room, SocketId::Any).expect("a pool")
}

struct Bench<'a> {
    eal: &'a Eal,
    pool: Mempool,
    key: &'a SaKey,
    size: usize,
}

impl Bench<'_> {
    /// The best round of each number of helpers.
    fn rounds(&self, most: usize) -> Vec<Sample> {
        let time = Duration::from_millis(setting("MILLIS", 500));
        let mut best = vec![Sample::default(); most + 1];
        for _ in 0..setting("ROUNDS", 5) {
            for (helpers, best) in best.iter_mut().enumerate() {
                let sample = self.run(helpers, time);
                if best.frames == 0 || sample.per_frame() < best.per_frame() {
                    *best = sample;
                }
            }
        }
        best
    }

    fn port(&self, name: &str) -> (RxQueue, TxQueue, PortControl) {
        let vdev = format!("{name},size={}", self.size);
        let port = self.eal.hotplug_add(&vdev).expect("net_null");
        let mut port = port
            .configure(PortConfig::wire(&self.pool))
            .expect("a port");
        let mut queues = port.take_queues().expect("its queues");
        let control = port.start().expect("a started port").control();
        (queues.rx.remove(0), queues.tx.remove(0), control)
    }

    fn run(&self, helpers: usize, time: Duration) -> Sample {
        let (rx, _, plain) = self.port("net_null0");
        let (_, tx, secure) = self.port("net_null1");
        let counters = Arc::<LaneCounters>::default();
        let stop = Arc::<AtomicBool>::default();
        let lane = ProtectLane::new(ProtectSetup {
            secy: TxSecy::new(TxParams {
                sci: sci(),
                sectag_sci: SectagSci::Explicit,
                clear_vlan_tags: 0,
                mtu: 9_600,
            }),
            bypass: Box::new(Bypass::default()),
            counters: Arc::clone(&counters),
        });
        let lane = Lane::Protect(lane);
        let mut runner = Runner::new(LANE, lane, Arc::clone(&counters), vec![rx], tx);
        let own: Vec<_> = (0..helpers)
            .map(|_| {
                let idle = IdlePolicy::Spin;
                (Arc::<HelperCounters>::default(), Arc::default(), idle)
            })
            .collect();
        let crew = Crew {
            helpers: own.clone(),
            policy: HelpPolicy::Always,
            patience: Duration::from_secs(1),
            stop: Arc::clone(&stop),
        };
        let mut crowd = Vec::new();
        if helpers > 0 {
            (runner, crowd) = runner.with_helpers(&crew);
        }
        let (commands, obeyed, said, reports) = worker_rings();
        let worker = Worker {
            runners: vec![runner],
            commands: obeyed,
            reports: said,
            counters: Arc::default(),
            idle: IdlePolicy::Spin,
            stop: Arc::clone(&stop),
        };
        for what in [
            LaneCommand::InstallTxSa(Box::new(self.sa())),
            LaneCommand::EncodeWith(An::ALL[0], KeyIdentifier([1; 16])),
            LaneCommand::Mode(LaneMode::Secured),
            LaneCommand::UsePort(PortSide::Secure, true),
            LaneCommand::UsePort(PortSide::Plain, true),
        ] {
            let sent = commands.send(Command { lane: LANE, what });
            sent.expect("room for a command");
        }
        let mut lcores = self.eal.workers().into_iter();
        let mut launched = Vec::new();
        let lcore = lcores.next().expect("an lcore");
        self.eal
            .launch(lcore, move || worker.run())
            .expect("a worker");
        launched.push(lcore);
        for (helper, lcore) in crowd.into_iter().zip(lcores) {
            self.eal
                .launch(lcore, move || helper.run())
                .expect("a helper");
            launched.push(lcore);
        }
        let look = || Look::at(&counters, &own);
        while counters.frames_out.value() < 10_000 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(50));
        let before = look();
        thread::sleep(time);
        let sample = look().since(&before);
        stop.store(true, Ordering::Relaxed);
        for lcore in launched {
            assert_eq!(self.eal.wait(lcore), Ok(0));
        }
        drop((reports, plain, secure));
        sample
    }

    fn sa(&self) -> TxSa {
        TxSa::new(TxSaParams {
            an: An::ALL[0],
            ki: KeyIdentifier([1; 16]),
            suite: CipherSuite::GcmAesXpn256,
            key: SaKey::clone(self.key),
            sci: sci(),
            xpn: Some(XpnParams {
                ssci: Ssci(1),
                salt: Salt([9; 12]),
            }),
            confidentiality: Confidentiality::Offset0,
            next_pn: Pn::FIRST,
            shared: TxSaShared::whole(PnSpace::Extended),
        })
        .expect("an SA")
    }
}

const fn sci() -> Sci {
    Sci::new(MacAddr([2, 0, 0, 0, 0, 1]), 1)
}

/// The counters at one moment.
struct Look {
    at: Instant,
    tsc: u64,
    frames: u64,
    bursts: u64,
    helped: u64,
    busy: u64,
    lost: u64,
}

impl Look {
    fn at(
        lane: &LaneCounters,
        helpers: &[(Arc<HelperCounters>, Arc<WorkerCounters>, IdlePolicy)],
    ) -> Self {
        let sum = |of: fn(&HelperCounters, &WorkerCounters) -> u64| {
            helpers.iter().map(|(seen, own, _)| of(seen, own)).sum()
        };
        Self {
            at: Instant::now(),
            tsc: dpdk::tsc(),
            frames: lane.frames_out.value(),
            bursts: lane.bursts.value(),
            helped: sum(|seen, _| seen.bursts.value() - seen.taken_back.value()),
            busy: sum(|_, own| own.busy_cycles.value()),
            lost: sum(|seen, _| seen.stalls.value()),
        }
    }

    fn since(&self, before: &Self) -> Sample {
        assert!(self.at > before.at);
        let frames = self.frames - before.frames;
        // Bursts of these ports are all alike.
        let share = (self.helped - before.helped) as f64 / (self.bursts - before.bursts) as f64;
        Sample {
            cycles: self.tsc - before.tsc,
            frames,
            helped: share.min(1.0) * frames as f64,
            helpers_busy: self.busy - before.busy,
            stalled: self.lost - before.lost,
        }
    }
}

/// The model's inputs, in cycles per frame.
struct Inputs {
    /// The worker, where it does everything.
    alone: f64,
    /// The worker, for a frame that a helper seals.
    sequencer: f64,
    /// The helper, for such a frame.
    helper: f64,
}

impl Inputs {
    /// From runs without helpers and with one: the worker's time of the second is that of the frames that it
    /// did itself and that of the others.
    fn of(alone: &Sample, helped: &Sample) -> Self {
        let done_here = helped.frames as f64 - helped.helped;
        let for_helped = helped.cycles as f64 - done_here * alone.per_frame();
        Self {
            alone: alone.per_frame(),
            sequencer: for_helped / helped.helped.max(1.0),
            helper: helped.helpers_busy as f64 / helped.helped.max(1.0),
        }
    }

    /// Frames a cycle. Helpers take what they can; in what is left of its time the worker does the rest.
    fn rate(&self, helpers: usize) -> f64 {
        let by_helpers = (helpers as f64 / self.helper).min(1.0 / self.sequencer);
        let here = (1.0 - by_helpers * self.sequencer) / self.alone;
        by_helpers + here.max(0.0)
    }
}

fn report(size: usize, engine: &str, rounds: &[Sample]) {
    let hz = dpdk::tsc_hz() as f64;
    let octets = size as f64;
    println!(
        "{size} octets, bursts of {}, engine {engine}",
        Burst::CAPACITY
    );
    let Some((alone, helped)) = rounds.first().zip(rounds.get(1)) else {
        println!("one CPU: no helper can be measured here");
        return;
    };
    let inputs = Inputs::of(alone, helped);
    println!(
        "cycles per frame: worker alone {:.0}, sequencer {:.0}, helper {:.0}; the sequencer is full at {:.1} helpers",
        inputs.alone,
        inputs.sequencer,
        inputs.helper,
        inputs.helper / inputs.sequencer
    );
    println!("cores  helpers  model Mframes/s   Gbit/s  measured  by helpers  stalls");
    for helpers in 0..=MODEL {
        let model = inputs.rate(helpers) * hz;
        let measured = rounds.get(helpers).map_or_else(String::new, |sample| {
            format!(
                "{:10.3} {:10.0}% {:7}",
                hz / sample.per_frame() / 1e6,
                100.0 * sample.helped / sample.frames as f64,
                sample.stalled
            )
        });
        println!(
            "{:5} {helpers:8} {:16.3} {:8.1}{measured}",
            helpers + 1,
            model / 1e6,
            model * octets * 8.0 / 1e9
        );
    }
}
