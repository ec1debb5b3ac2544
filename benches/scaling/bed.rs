//! A lane with helpers on lcores of their own, and what it did in a stretch of time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use dpdk::{Eal, Mempool, PortConfig, PortControl, RxQueue, SocketId, TxQueue, headroom};
use macsec_gateway::{
    bus::{
        Command, CommandSender, Direction, HelperCounters, LaneCommand, LaneCounters, LaneIndex,
        LaneMode, PortSide, ReportReceiver, WorkerCounters, worker_rings,
    },
    crypto::SaKey,
    ieee::An,
    worker::{Crew, HelpPolicy, IdlePolicy, Worker},
};
use nix::unistd::{Pid, gettid};

use crate::lanes::{eal_on, lane, protect_lane, sci, setting, source, tx_secy};
use crate::sample::{Look, Sample, quick};

const LANE: LaneIndex = lane(0, Direction::Protect);

/// A stretch of a round.
const WINDOW: Duration = Duration::from_millis(5);

/// Until a lane without a fault has long carried frames.
const BEGINS: Duration = Duration::from_secs(20);

/// Main where it disturbs least, the worker on the second CPU, helpers on those behind it and on the first.
pub(crate) fn eal(cpus: &[usize], helpers: usize, huge: bool) -> Eal {
    let all: Vec<_> = cpus.iter().map(ToString::to_string).collect();
    let mut lcores = format!("0@({})", all.join(","));
    let own = cpus.iter().cycle().skip(1).take(helpers + 1);
    for (lcore, cpu) in (1..).zip(own) {
        lcores += &format!(",{lcore}@{cpu}");
    }
    eal_on(&lcores, huge, [])
}

/// What all runs with frames of one size have in common.
pub(crate) struct Bed<'a> {
    eal: &'a Eal,
    pool: Mempool,
    key: SaKey,
    pub(crate) size: u16,
    burst: u16,
}

type OneHelper = (Arc<HelperCounters>, Arc<WorkerCounters>, IdlePolicy);

/// A lane that runs. Before [`Running::begin`] no frame comes.
pub(crate) struct Running<'a> {
    bed: &'a Bed<'a>,
    counters: Arc<LaneCounters>,
    helpers: Vec<OneHelper>,
    stop: Arc<AtomicBool>,
    lcores: Vec<dpdk::LcoreId>,
    /// The worker's thread, then the helpers'.
    pub(crate) threads: Vec<Pid>,
    commands: CommandSender,
    _ends: (ReportReceiver, PortControl, PortControl),
}

impl<'a> Bed<'a> {
    pub(crate) fn new(eal: &'a Eal, key: SaKey, size: u16, burst: u16) -> Self {
        let room = (size + 256).max(2304) + headroom();
        let name = format!("frames{size}");
        Self {
            eal,
            pool: Mempool::create(eal, &name, 8191, 256, room, SocketId::Any).unwrap(),
            key,
            size,
            burst,
        }
    }

    /// A quick window of each crew.
    pub(crate) fn rounds(&self, crews: &[(usize, HelpPolicy)]) -> Vec<Sample> {
        let time = Duration::from_millis(setting("MILLIS", 500));
        let mut windows = vec![Vec::new(); crews.len()];
        for _ in 0..setting("ROUNDS", 5) {
            for ((helpers, policy), windows) in crews.iter().zip(&mut windows) {
                let running = self.launch(*helpers, *policy);
                running.begin();
                windows.extend(running.windows(time));
                running.end();
            }
        }
        let crews = crews.iter().zip(windows);
        crews
            .map(|((_, policy), windows)| quick(windows, *policy))
            .collect()
    }

    /// A lane with so many helpers, on lcores.
    pub(crate) fn launch(&'a self, helpers: usize, policy: HelpPolicy) -> Running<'a> {
        let (rx, _, plain) = self.port(&source("net_null0", self.size));
        let (_, tx, secure) = self.port("net_null1,no-rx=1");
        let secy = tx_secy(sci(1), An::ALL[0], SaKey::clone(&self.key));
        let (runner, counters) = protect_lane(0, secy, rx.with_burst(self.burst), tx);
        let stop = Arc::<AtomicBool>::default();
        let own: Vec<OneHelper> = (0..helpers)
            .map(|_| (Arc::default(), Arc::default(), IdlePolicy::Spin))
            .collect();
        let crew = Crew {
            helpers: own.clone(),
            policy,
            patience: Duration::from_secs(1),
            stop: Arc::clone(&stop),
        };
        let (runner, crowd) = if helpers > 0 {
            runner.with_helpers(&crew)
        } else {
            (runner, Vec::new())
        };
        let (commands, obeyed, said, reports) = worker_rings();
        let worker = Worker {
            runners: vec![runner],
            commands: obeyed,
            reports: said,
            counters: Arc::default(),
            idle: IdlePolicy::Spin,
            stop: Arc::clone(&stop),
        };
        let helpers = crowd.into_iter().map(|helper| {
            let run: Box<dyn FnOnce() -> i32 + Send> = Box::new(move || helper.run());
            run
        });
        let worker: Box<dyn FnOnce() -> i32 + Send> = Box::new(move || worker.run());
        let (mut lcores, mut threads) = (Vec::new(), Vec::new());
        for (run, lcore) in std::iter::once(worker)
            .chain(helpers)
            .zip(self.eal.workers())
        {
            let (say, said) = mpsc::channel();
            let launched = self.eal.launch(lcore, move || {
                say.send(gettid()).unwrap();
                run()
            });
            launched.unwrap();
            lcores.push(lcore);
            threads.push(said.recv().unwrap());
        }
        Running {
            bed: self,
            counters,
            helpers: own,
            stop,
            lcores,
            threads,
            commands,
            _ends: (reports, plain, secure),
        }
    }

    fn port(&self, vdev: &str) -> (RxQueue, TxQueue, PortControl) {
        let port = self.eal.hotplug_add(vdev).unwrap();
        let mut port = port.configure(PortConfig::wire(&self.pool)).unwrap();
        let mut queues = port.take_queues().unwrap();
        let control = port.start().unwrap().control();
        (queues.rx.remove(0), queues.tx.remove(0), control)
    }
}

impl Running<'_> {
    /// Lets frames come, and waits until they go.
    pub(crate) fn begin(&self) {
        for what in [
            LaneCommand::Mode(LaneMode::Secured),
            LaneCommand::UsePort(PortSide::Secure, true),
            LaneCommand::UsePort(PortSide::Plain, true),
        ] {
            assert!(self.commands.send(Command { lane: LANE, what }).is_ok());
        }
        let begun = Instant::now();
        while self.counters.frames_out.value() < 1_000_000 {
            assert!(begun.elapsed() < BEGINS, "no frames: {:#?}", self.counters);
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn look(&self) -> Look {
        let sum = |of: fn(&OneHelper) -> u64| self.helpers.iter().map(of).sum();
        Look {
            tsc: dpdk::tsc(),
            frames: self.counters.frames_out.value(),
            bursts: self.counters.bursts.value(),
            helped: sum(|(seen, ..)| seen.bursts.value() - seen.taken_back.value()),
            busy: sum(|(_, own, _)| own.busy_cycles.value()),
            empty_polls: sum(|(_, own, _)| own.empty_polls.value()),
            stalls: sum(|(seen, ..)| seen.stalls.value()),
        }
    }

    fn windows(&self, time: Duration) -> Vec<Sample> {
        let begun = Instant::now();
        let mut before = self.look();
        let mut windows = Vec::new();
        while begun.elapsed() < time {
            thread::sleep(WINDOW);
            let now = self.look();
            windows.push(now.since(&before));
            before = now;
        }
        windows
    }

    /// Ends the lane: every frame that came must have gone, and every buffer be home.
    pub(crate) fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for lcore in self.lcores {
            assert_eq!(self.bed.eal.wait(lcore), Ok(0));
        }
        let stalled: u64 = self
            .helpers
            .iter()
            .map(|(seen, ..)| seen.stalls.value())
            .sum();
        let (lane, out) = (&self.counters, self.counters.frames_out.value());
        let lost = lane.frames_in.value() - out;
        assert!(
            stalled > 0 || lost == 0,
            "{lost} frames are lost: {lane:#?}"
        );
        assert_eq!(self.bed.pool.in_use(), 0, "buffers are not home");
    }
}
