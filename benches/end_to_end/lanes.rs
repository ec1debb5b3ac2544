//! Lanes on a worker without control, in a process of their own, because EAL starts once per process:
//! for what a configured gateway can't be asked to do.

use std::env;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use dpdk::{Eal, Mempool, PortConfig, PortControl, RxQueue, SocketId, TxQueue};
use macsec_gateway::bus::{
    Bypass, Command as LaneOrder, CommandSender, Direction, EapolSlots, LaneCommand, LaneCounters,
    LaneIndex, LaneMode, LinkIndex, PortSide, ReportReceiver, WorkerCounters, worker_rings,
};
use macsec_gateway::crypto::{KeyFactory, SaKey, Sak};
use macsec_gateway::ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Pn, Sci};
use macsec_gateway::macsec::{
    Confidentiality, Replay, RxParams, RxSa, RxSaParams, RxSaShared, RxScCounters, RxSecy,
    SectagSci, TxCounters, TxParams, TxSa, TxSaParams, TxSaShared, TxSecy, ValidateFrames,
};
use macsec_gateway::pipeline::{ProtectLane, ProtectSetup, ValidateLane, ValidateSetup};
use macsec_gateway::worker::{IdlePolicy, Lane, Runner, Worker};

use crate::cpu::OnCpu;
use crate::size::Size;
use crate::{Plan, pcap_vdev, width};

/// The first argument of a process that is one of these runs.
pub(crate) const CHILD: &str = "--lanes";

/// What makes all keys: it is tested before it serves, once.
static ENGINE: LazyLock<Arc<dyn KeyFactory>> = LazyLock::new(|| width::engine().factory);

const SUITE: CipherSuite = CipherSuite::GcmAes256;
const MTU: usize = 9000;

/// What the first lane does with frames from the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Protect,
    /// Hands them on as they are.
    Wire,
}

/// The validate lane that takes them out of a ring, if there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Second {
    /// Receive channels, and association numbers of each that have an SA.
    pub(crate) channels: usize,
    pub(crate) ans: usize,
    /// Whether replay protection is strict, or off.
    pub(crate) strict: bool,
}

/// What the lanes do. A NIC's queue that is never empty is overload to a validate lane, and so would a file
/// be that is read over and over; out of the ring it takes what the first lane put in.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) first: First,
    pub(crate) second: Option<Second>,
    pub(crate) source: String,
    pub(crate) sink: String,
    /// Ends when so many frames came out; 0: after the time planned.
    pub(crate) once: u64,
}

impl Work {
    /// From a file over and over to nowhere.
    pub(crate) fn endless(first: First, second: Option<Second>, file: &Path) -> Self {
        Self {
            first,
            second,
            source: pcap_vdev(0, file),
            sink: NOWHERE.to_owned(),
            once: 0,
        }
    }
}

const NOWHERE: &str = "net_null0,no-rx=1";

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Frames out of the last lane in each second on a CPU.
    pub(crate) rate: f64,
    pub(crate) lost: u64,
    /// Frames that validation found late.
    pub(crate) late: u64,
    pub(crate) miscounted: u64,
}

/// Runs it in a child process and waits for it, not for ever.
pub(crate) fn run(plan: &Plan, work: &Work, size: Size) -> Outcome {
    let second = work.second.unwrap_or(Second {
        channels: 0,
        ans: 0,
        strict: false,
    });
    let this = env::current_exe().unwrap();
    let arguments = [
        second.channels.to_string(),
        second.ans.to_string(),
        u8::from(second.strict).to_string(),
        u8::from(work.first == First::Wire).to_string(),
        plan.core.to_string(),
        plan.warm().as_millis().to_string(),
        plan.time().as_millis().to_string(),
        u8::from(plan.huge).to_string(),
        (size.longest() + 200).to_string(),
        work.once.to_string(),
        work.source.clone(),
        work.sink.clone(),
    ];
    let child = Command::new(this)
        .arg(CHILD)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let folder = format!("/run/dpdk/{}", prefix(child.id()));
    let watched = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    let done = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&done);
    let limit = Duration::from_secs(40) + plan.time();
    let watcher = thread::Builder::new().name("watch".to_owned());
    let watch = watcher
        .spawn(move || {
            let end = Instant::now() + limit;
            while !seen.load(Ordering::Relaxed) {
                if Instant::now() > end {
                    let _ = nix::sys::signal::kill(watched, nix::sys::signal::Signal::SIGKILL);
                    return;
                }
                thread::sleep(Duration::from_millis(20));
            }
        })
        .unwrap();
    let out = child.wait_with_output().unwrap();
    done.store(true, Ordering::Relaxed);
    watch.join().unwrap();
    let _ = std::fs::remove_dir_all(folder);
    assert!(out.status.success(), "lanes {work:?}: {}", out.status);
    let text = String::from_utf8(out.stdout).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("outcome "))
        .unwrap();
    let numbers: Vec<f64> = line
        .split(' ')
        .map(|number| number.parse().unwrap())
        .collect();
    let count = |at: usize| numbers[at] as u64;
    Outcome {
        rate: numbers[0],
        lost: count(1),
        late: count(2),
        miscounted: count(3),
    }
}

fn prefix(process: u32) -> String {
    format!("e2e-lanes-{process}")
}

/// The channel of number `at`.
pub(crate) fn sci(at: usize) -> Sci {
    let [.., high, low] = at.to_be_bytes();
    Sci::new(MacAddr([2, 0, 0, 1, high, low]), 1)
}

/// The key of an SA: every one has its own.
pub(crate) fn key(channel: usize, an: usize) -> SaKey {
    let mut octets = vec![0x5a; 32];
    octets[..8].copy_from_slice(&((channel * 4 + an) as u64).to_be_bytes());
    let sak = Sak::take(&mut octets).unwrap();
    ENGINE.make_key(&sak).unwrap()
}

fn ki(channel: usize, an: usize) -> KeyIdentifier {
    KeyIdentifier([(channel % 250) as u8 ^ (an as u8) << 6; 16])
}

fn tx_secy() -> TxSecy {
    let mut secy = TxSecy::new(TxParams {
        sci: sci(0),
        sectag_sci: SectagSci::Explicit,
        clear_vlan_tags: 0,
        mtu: MTU,
    });
    let sa = TxSa::new(TxSaParams {
        an: An::ALL[0],
        ki: ki(0, 0),
        suite: SUITE,
        key: key(0, 0),
        sci: sci(0),
        xpn: None,
        confidentiality: Confidentiality::Offset0,
        next_pn: Pn(1),
        shared: TxSaShared::new(Pn(u64::from(u32::MAX))),
    });
    assert!(secy.install_sa(Box::new(sa.unwrap())).is_none());
    assert!(secy.encode_with(An::ALL[0], ki(0, 0)));
    secy
}

fn rx_secy(channels: usize, ans: usize, replay: Replay) -> (RxSecy, Vec<Arc<RxScCounters>>) {
    let mut secy = RxSecy::new(RxParams {
        validate: ValidateFrames::Strict,
        replay,
        duplicate_depth: 4096,
        clear_vlan_tags: 0,
        mtu: MTU,
    });
    let mut counters = Vec::new();
    for channel in 0..channels {
        counters.push(secy.add_sc(sci(channel)));
        for an in 0..ans {
            let sa = RxSa::new(RxSaParams {
                an: An::ALL[an],
                ki: ki(channel, an),
                suite: SUITE,
                key: key(channel, an),
                sci: sci(channel),
                xpn: None,
                confidentiality: Confidentiality::Offset0,
                lowest_pn: Pn(1),
                duplicate_depth: 4096,
                shared: RxSaShared::new(),
            });
            let replaced = secy.install_sa(sci(channel), Box::new(sa.unwrap()));
            assert!(replaced.is_ok_and(|old| old.is_none()));
        }
    }
    (secy, counters)
}

/// A started port.
fn port(eal: &Eal, vdev: &str, pool: &Mempool) -> (RxQueue, TxQueue, PortControl) {
    let port = eal.hotplug_add(vdev).unwrap();
    let mut port = port.configure(PortConfig::wire(pool)).unwrap();
    let mut queues = port.take_queues().unwrap();
    let control = port.start().unwrap().control();
    (queues.rx.remove(0), queues.tx.remove(0), control)
}

const fn lane(direction: Direction) -> LaneIndex {
    LaneIndex {
        link: LinkIndex(0),
        direction,
    }
}

fn protect(rx: RxQueue, tx: TxQueue) -> (Runner, Arc<LaneCounters>, Arc<TxCounters>) {
    let secy = tx_secy();
    let (counters, of_secy) = (Arc::<LaneCounters>::default(), secy.counters());
    let lane_of = ProtectLane::new(ProtectSetup {
        secy,
        bypass: Box::new(Bypass::default()),
        counters: Arc::clone(&counters),
    });
    let work = Lane::Protect(lane_of);
    let runner = Runner::new(
        lane(Direction::Protect),
        work,
        Arc::clone(&counters),
        vec![rx],
        tx,
    );
    (runner, counters, of_secy)
}

fn validate(secy: RxSecy, rx: RxQueue, tx: TxQueue) -> (Runner, Arc<LaneCounters>) {
    let counters = Arc::<LaneCounters>::default();
    let lane_of = ValidateLane::new(ValidateSetup {
        secy,
        clear_vlan_tags: 0,
        bypass: Box::new(Bypass::default()),
        eapol: Arc::<EapolSlots>::default(),
        counters: Arc::clone(&counters),
    });
    let work = Lane::Validate(lane_of);
    (
        Runner::new(
            lane(Direction::Validate),
            work,
            Arc::clone(&counters),
            vec![rx],
            tx,
        ),
        counters,
    )
}

/// Tells a lane and waits until it answered.
fn tell(commands: &CommandSender, reports: &ReportReceiver, lane: LaneIndex, what: LaneCommand) {
    assert!(commands.send(LaneOrder { lane, what }).is_ok());
    let end = Instant::now() + Duration::from_secs(10);
    while reports.take().is_none() {
        assert!(Instant::now() < end, "a lane does not obey");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The lanes of a child, and what they count.
struct Lanes {
    runners: Vec<Runner>,
    counted: Vec<(Direction, Arc<LaneCounters>)>,
    sent: Arc<TxCounters>,
    received: Vec<Arc<RxScCounters>>,
    keep: Vec<PortControl>,
}

impl Lanes {
    fn new(eal: &Eal, pool: &Mempool, second: Second, source: &str, sink: &str) -> Self {
        let (source, _, of_source) = port(eal, source, pool);
        let (_, sink, of_sink) = port(eal, sink, pool);
        let mut keep = vec![of_source, of_sink];
        if second.channels == 0 {
            let (runner, counted, sent) = protect(source, sink);
            let counted = vec![(Direction::Protect, counted)];
            return Self {
                runners: vec![runner],
                counted,
                sent,
                received: Vec::new(),
                keep,
            };
        }
        let (from_ring, to_ring, of_ring) = port(eal, "net_ring0", pool);
        keep.push(of_ring);
        let replay = if second.strict {
            Replay::Strict
        } else {
            Replay::Off
        };
        let (secy, received) = rx_secy(second.channels, second.ans, replay);
        let (first, of_first, sent) = protect(source, to_ring);
        let (last, of_last) = validate(secy, from_ring, sink);
        Self {
            runners: vec![first, last],
            counted: vec![
                (Direction::Protect, of_first),
                (Direction::Validate, of_last),
            ],
            sent,
            received,
            keep,
        }
    }
}

fn eal(core: usize, huge: bool) -> Eal {
    let memory: &[&str] = if huge {
        &["--in-memory"]
    } else {
        &["--no-huge", "-m", "512"]
    };
    let mut arguments = vec![
        format!("--lcores=0@0,1@{core}"),
        "--main-lcore=0".to_owned(),
        format!("--file-prefix={}", prefix(process::id())),
    ];
    let more = ["--no-pci", "--no-telemetry", "--log-level=error"].iter();
    let limit = width::eal_argument();
    let more = more.chain(memory).chain(&limit);
    arguments.extend(more.map(|argument| (*argument).to_owned()));
    Eal::init(&arguments).unwrap()
}

/// What a child process does: see [`run`].
pub(crate) fn child(arguments: &[String]) {
    let [numbers @ .., source, sink] = arguments else {
        panic!("arguments of a child")
    };
    let number = |at: usize| numbers[at].parse::<usize>().unwrap();
    let second = Second {
        channels: number(0),
        ans: number(1),
        strict: number(2) == 1,
    };
    let wire = number(3) == 1;
    let [warm, time] = [5, 6].map(|at| Duration::from_millis(number(at) as u64));
    let once = number(9) as u64;
    let eal = eal(number(4), number(7) == 1);
    let room = u16::try_from(number(8).max(2048)).unwrap() + dpdk::headroom();
    let pool = Mempool::create(&eal, "frames", 16_383, 256, room, SocketId::Any).unwrap();
    let Lanes {
        runners,
        counted,
        sent,
        received,
        keep,
    } = Lanes::new(&eal, &pool, second, source, sink);
    let (commands, obeyed, said, reports) = worker_rings();
    let stop = Arc::<AtomicBool>::default();
    let worker = Worker {
        runners,
        commands: obeyed,
        reports: said,
        counters: Arc::<WorkerCounters>::default(),
        idle: IdlePolicy::Spin,
        stop: Arc::clone(&stop),
    };
    let lcore = eal.workers()[0];
    eal.launch(lcore, move || worker.run()).unwrap();
    let tell = |direction, what| tell(&commands, &reports, lane(direction), what);
    // The last lane first, so that no frame is too early.
    for (direction, _) in counted.iter().rev() {
        let (mode, sides) = match direction {
            Direction::Protect if wire => (LaneMode::Wire, [PortSide::Secure, PortSide::Plain]),
            Direction::Protect => (LaneMode::Secured, [PortSide::Secure, PortSide::Plain]),
            Direction::Validate => (LaneMode::Secured, [PortSide::Plain, PortSide::Secure]),
        };
        tell(*direction, LaneCommand::Mode(mode));
        for side in sides {
            tell(*direction, LaneCommand::UsePort(side, true));
        }
    }
    let last = &counted[counted.len() - 1].1;
    let end = Instant::now() + Duration::from_secs(10);
    while last.frames_out.value() < once && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(warm);
    let (before, begun) = (OnCpu::of(process::id()), last.frames_out.value());
    thread::sleep(time);
    let (after, ended) = (OnCpu::of(process::id()), last.frames_out.value());
    // No more comes in; what is under way comes out.
    tell(
        Direction::Protect,
        LaneCommand::UsePort(PortSide::Plain, false),
    );
    thread::sleep(Duration::from_millis(100));
    stop.store(true, Ordering::Relaxed);
    assert_eq!(eal.wait(lcore), Ok(0));
    drop(keep);

    let (into, out) = (counted[0].1.frames_in.value(), last.frames_out.value());
    let sum = |of: fn(&RxScCounters) -> u64| received.iter().map(|one| of(one)).sum::<u64>();
    let encrypted = sent.out_pkts_encrypted.value();
    let mut miscounted = encrypted.abs_diff(if wire { 0 } else { into });
    if !received.is_empty() {
        // Without replay protection what came before counts as delayed, and is as valid.
        let valid = sum(|one| one.in_pkts_ok.value() + one.in_pkts_delayed.value());
        miscounted += valid.abs_diff(out);
    }
    let rate = (ended - begun) as f64 / after.seconds_since(&before);
    let late = sum(|one| one.in_pkts_late.value());
    println!("outcome {rate} {} {late} {miscounted}", into - out);
}
