//! Control, a worker and its lanes on DPDK's rings, in one process with the test.
//!
//! Two links are each other's peers, so that every frame is protected and validated. A `net_ring` port
//! gives back what it is given, so each arrow is one port:
//!
//! ```text
//! test --> [link 0 protect] --> [link 1 validate] --> test      way 0
//! test --> [link 1 protect] --> [link 0 validate] --> test      way 1
//! ```
//!
//! Nothing here but the test loses or delays a frame: no kernel, no other process.
#![allow(dead_code, reason = "each test file uses its part")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a broken step must end the test and say why"
)]

pub(crate) mod alone;
mod rekey;
pub(crate) mod tap;
pub(crate) mod traffic;

use crate::support::{GatewayConfig, LinkConfig, MkaKeys, Scratch, StaticKeys, Suite, fingerprint};
use dpdk::{Burst, Eal, LcoreId, Mempool, PortConfig, PortControl, RxQueue, SocketId, TxQueue};
use macsec_gateway::bus::{
    Bypass, Direction, DropReason, EapolOut, EapolSlots, HelperView, LaneCounters, LaneIndex,
    LaneMode, LinkDownWay, LinkIndex, LinkSnapshot, LinkState, PortError, PortOps, PortStats,
    SnapshotReader, WorkerCounters, WorkerIndex, snapshot_channel, worker_rings,
};
use macsec_gateway::config::{Config, Link};
use macsec_gateway::control::{
    Books, Control, ControlParts, Ended, LinkParts, ProcessFacts, Request, Requests,
    request_channel,
};
use macsec_gateway::crypto::KeyFactory;
use macsec_gateway::ieee::{MacAddr, Sci};
use macsec_gateway::macsec::{RxParams, RxSecy, TxCounters, TxParams, TxSecy};
use macsec_gateway::pipeline::{ProtectLane, ProtectSetup, ValidateLane, ValidateSetup};
use macsec_gateway::state::{KeyUse, StateDir, declare_fresh};
use macsec_gateway::worker::{Crew, HelpPolicy, Helper, IdlePolicy, Lane, Runner, Worker};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a helper may have a burst: longer than a busy machine takes its CPU away.
pub(crate) const PATIENCE: Duration = Duration::from_millis(700);

const QUICK: Duration = Duration::from_secs(10);

/// EAL with one worker lcore, and four for crypto helpers. Once per process: see [`alone`].
pub(crate) fn eal() -> Eal {
    let prefix = format!("--file-prefix=lanes-{}", std::process::id());
    let args = [
        "--lcores=0@(0,1),1@1,2@0,3@0,4@0,5@0",
        "--main-lcore=0",
        "--no-huge",
        "-m",
        "128",
        "--no-pci",
        "--no-telemetry",
        "--log-level=error",
        &prefix,
    ];
    Eal::init(&args.map(str::to_owned)).expect("EAL")
}

/// A started port whose receive queue gives what its transmit queue took.
pub(crate) fn ring(eal: &Eal, name: &str, pool: &Mempool) -> (RxQueue, TxQueue, PortControl) {
    device(eal, name, pool)
}

/// A started port of any vdev.
pub(crate) fn device(eal: &Eal, vdev: &str, pool: &Mempool) -> (RxQueue, TxQueue, PortControl) {
    let port = eal.hotplug_add(vdev).expect("a vdev");
    let mut port = port.configure(PortConfig::wire(pool)).expect("a port");
    let mut queues = port.take_queues().expect("its queues");
    let control = port.start().expect("a started port").control();
    (queues.rx.remove(0), queues.tx.remove(0), control)
}

pub(crate) fn pool(eal: &Eal, name: &str, mbufs: u32) -> Mempool {
    let room = 2048 + dpdk::headroom();
    Mempool::create(eal, name, mbufs, 0, room, SocketId::Any).expect("a pool")
}

/// A port for control alone: always there, always up. The lanes' queues are the test's.
#[derive(Debug)]
struct StillPort {
    name: String,
    mac: MacAddr,
    speed_mbps: u32,
}

impl PortOps for StillPort {
    fn device(&self) -> &str {
        &self.name
    }
    fn driver(&self) -> &str {
        "net_ring"
    }
    fn mac(&self) -> MacAddr {
        self.mac
    }
    fn mtu(&self) -> u16 {
        u16::MAX
    }
    fn link(&self) -> LinkState {
        LinkState {
            up: true,
            speed_mbps: self.speed_mbps,
            full_duplex: true,
        }
    }
    fn stats(&self) -> Result<PortStats, PortError> {
        Ok(PortStats::default())
    }
    fn xstats(&self) -> Result<Vec<(String, u64)>, PortError> {
        Ok(Vec::new())
    }
    fn link_down_way(&self) -> LinkDownWay {
        LinkDownWay::SetLink
    }
    fn show_link(&self, _up: bool) -> Result<(), PortError> {
        Ok(())
    }
    fn start(&self) -> Result<(), PortError> {
        Ok(())
    }
    fn stop(&self) -> Result<(), PortError> {
        Ok(())
    }
    fn is_started(&self) -> bool {
        true
    }
    fn buffers(&self) -> (u32, u32) {
        (0, 0)
    }
}

/// What a link's counters are, for the test to read while all runs.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) protect: Arc<LaneCounters>,
    pub(crate) validate: Arc<LaneCounters>,
    pub(crate) tx: Arc<TxCounters>,
    /// What control would have sent to the secure side.
    pub(crate) eapol_out: Arc<EapolOut>,
}

/// Control and worker while they run.
#[derive(Debug)]
pub(crate) struct Lanes {
    lcore: LcoreId,
    helper_lcores: Vec<LcoreId>,
    /// The crypto helpers: of link 0's protect lane, then of link 1's validate lane.
    pub(crate) helpers: Vec<HelperView>,
    pub(crate) config: GatewayConfig,
    pub(crate) counted: [Counted; 2],
    /// What the one worker counts.
    pub(crate) worker: Arc<WorkerCounters>,
    scratch: Scratch,
    requests: Requests,
    snapshots: SnapshotReader,
    control: Option<JoinHandle<Ended>>,
    stop_control: Arc<AtomicBool>,
    stop_worker: Arc<AtomicBool>,
}

/// How lanes are made.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) factory: Arc<dyn KeyFactory>,
    /// Of the ports, as control hears: reservations are made from it.
    pub(crate) speed_mbps: u32,
}

/// The lanes' queues: (receive, transmit) of each protect lane, then of each validate lane.
pub(crate) struct Queues {
    pub(crate) protect: [(RxQueue, TxQueue); 2],
    pub(crate) validate: [(RxQueue, TxQueue); 2],
}

impl Lanes {
    /// Starts worker and control; ready when both links are secured and open.
    pub(crate) fn start(eal: &Eal, setup: Setup, queues: Queues) -> Self {
        Self::start_with(eal, setup, queues, first_config(), 0)
    }

    /// The same with so many crypto helpers, 0 to 2, beside each of the two lanes of way 0, which get every
    /// burst.
    pub(crate) fn helped(eal: &Eal, setup: Setup, queues: Queues, helpers: usize) -> Self {
        Self::start_with(eal, setup, queues, first_config(), helpers)
    }

    /// The same with key agreement: what each link has of it.
    pub(crate) fn agreeing(eal: &Eal, setup: Setup, queues: Queues, keys: [MkaKeys; 2]) -> Self {
        Self::start_with(eal, setup, queues, agreeing_config(keys), 0)
    }

    fn start_with(
        eal: &Eal,
        setup: Setup,
        queues: Queues,
        config: GatewayConfig,
        helpers: usize,
    ) -> Self {
        let scratch = Scratch::new("lanes");
        let path = config.write(scratch.path(), &scratch.path().display().to_string());
        let read = Config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        for at in (0..2).filter(|at| config.links[*at].keys.is_some()) {
            state_fresh(&read, &config, at);
        }
        let eapol_buffers = pool(eal, "eapol", 127);
        let stop_worker = Arc::new(AtomicBool::new(false));
        let (commands, obeyed, reports, heard) = worker_rings();
        let mut runners = Vec::new();
        let mut links = Vec::new();
        let mut staff = Staff::new(helpers, &stop_worker);
        let Queues { protect, validate } = queues;
        for (at, (protect, validate)) in protect.into_iter().zip(validate).enumerate() {
            let config = &read.links[at];
            let (parts, [protect, validate]) =
                link(at, config, setup.speed_mbps, protect, validate);
            let out = Arc::clone(&parts.eapol_out);
            let protect = protect.with_eapol(out, eapol_buffers.clone());
            let (protect, validate) = match at {
                0 => (staff.help(protect), validate),
                _ => (protect, staff.help(validate)),
            };
            links.push(parts);
            runners.extend([protect, validate]);
        }
        let counted = [0, 1].map(|at: usize| Counted {
            protect: Arc::clone(&links[at].protect),
            validate: Arc::clone(&links[at].validate),
            tx: Arc::clone(&links[at].tx_counters),
            eapol_out: Arc::clone(&links[at].eapol_out),
        });
        let worker = Worker {
            runners,
            commands: obeyed,
            reports,
            counters: Arc::new(WorkerCounters::default()),
            idle: IdlePolicy::Sleep {
                after: 1000,
                longest: Duration::from_micros(50),
            },
            stop: Arc::clone(&stop_worker),
        };
        let worker_counters = Arc::clone(&worker.counters);
        let (snapshot_writer, mut readers) = snapshot_channel(1);
        let (requests, asked) = request_channel();
        let state = StateDir::open(&read.gateway.state_dir).expect("a state directory");
        let worker_of = [0, 1].map(LinkIndex).map(|link| {
            Direction::BOTH.map(|direction| (LaneIndex { link, direction }, WorkerIndex(0)))
        });
        let parts = ControlParts {
            config: read,
            links,
            commands: vec![commands],
            reports: vec![heard],
            worker_of: worker_of.concat(),
            requests: asked,
            snapshots: snapshot_writer,
            factory: setup.factory,
            books: Books::new(state),
            facts: ProcessFacts {
                helpers: staff.views.clone(),
                ..facts()
            },
        };
        let control = Control::new(parts, Instant::now()).unwrap_or_else(|why| panic!("{why}"));
        let lcores = eal.workers();
        let lcore = lcores[0];
        for (lcore, helper) in lcores[1..].iter().zip(staff.helpers) {
            eal.launch(*lcore, move || helper.run()).expect("a helper");
        }
        let helper_lcores = lcores[1..=staff.views.len()].to_vec();
        eal.launch(lcore, move || worker.run()).expect("a worker");
        let stop_control = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stop_control);
        let named = std::thread::Builder::new().name("control".into());
        let control = named.spawn(move || control.run(&stop)).expect("a thread");
        let mut lanes = Self {
            lcore,
            helper_lcores,
            helpers: staff.views,
            config,
            counted,
            worker: worker_counters,
            scratch,
            requests,
            snapshots: readers.remove(0),
            control: Some(control),
            stop_control,
            stop_worker,
        };
        let end = Instant::now() + QUICK;
        while !lanes.are_open() {
            assert!(Instant::now() < end, "not open: {:#?}", lanes.links());
            std::thread::sleep(Duration::from_millis(10));
        }
        lanes
    }

    /// Has control agree on a new SAK on a link; its answer, or why not.
    pub(crate) fn rekey(&self, link: &str) -> Result<String, String> {
        let link = link.to_owned();
        self.requests.ask(Request::Rekey { link })
    }

    fn are_open(&mut self) -> bool {
        let links = self.links();
        let open = |link: &LinkSnapshot| {
            link.controlled_port_open
                && link.protect_mode == LaneMode::Secured
                && link.validate_mode == LaneMode::Secured
        };
        links.len() == 2 && links.iter().all(open)
    }

    /// Both links as control last saw them.
    pub(crate) fn links(&mut self) -> Vec<LinkSnapshot> {
        let newest = self.snapshots.newest();
        newest.map_or_else(Vec::new, |snapshot| snapshot.links.clone())
    }

    /// Where frames ended and what the links' keys are, for a failure's message.
    pub(crate) fn account(&mut self) -> String {
        let lanes = self
            .counted
            .iter()
            .flat_map(|link| [("protect", &link.protect), ("validate", &link.validate)]);
        let drops = lanes.map(|(name, lane)| {
            let reasons = DropReason::all().map(|why| (why.name(), lane.dropped(why).value()));
            let seen: Vec<_> = reasons.filter(|(_, frames)| *frames > 0).collect();
            let (into, out) = (lane.frames_in.value(), lane.frames_out.value());
            format!("{name}: {into} in, {out} out, dropped {seen:?}\n")
        });
        let drops: String = drops.collect();
        let links = self.links();
        let links = links.iter().map(|link| {
            let lanes = (link.protect_mode, link.validate_mode);
            format!(
                "{} {lanes:?} {:?} {:#?} {:#?}\n",
                link.reason, link.tx_encoding, link.tx_sas, link.rx_scs
            )
        });
        drops + &links.collect::<String>() + &threads()
    }

    /// Writes the config and its keys as they are now and has control read them.
    #[track_caller]
    pub(crate) fn reload(&self) {
        let answer = self.write_and_ask();
        answer.unwrap_or_else(|why| panic!("reload: {why}"));
    }

    /// The same; gives the answer, or why there is none.
    pub(crate) fn write_and_ask(&self) -> Result<String, String> {
        let folder = self.scratch.path();
        self.config.write(folder, &folder.display().to_string());
        self.requests.ask(Request::Reload)
    }

    /// Says of the transmit key that link `at` has in `config` now that it is fresh.
    pub(crate) fn state_fresh(&self, at: usize) {
        let folder = self.scratch.path();
        let path = self.config.write(folder, &folder.display().to_string());
        let read = Config::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        state_fresh(&read, &self.config, at);
    }

    /// Ends control, then the worker, in order.
    #[track_caller]
    pub(crate) fn stop(mut self, eal: &Eal) {
        self.stop_control.store(true, Ordering::Relaxed);
        let control = self.control.take().expect("a control thread");
        assert_eq!(control.join().ok(), Some(Ended::InOrder));
        self.stop_worker.store(true, Ordering::Relaxed);
        for lcore in std::iter::once(&self.lcore).chain(&self.helper_lcores) {
            assert_eq!(eal.wait(*lcore), Ok(0));
        }
    }
}

/// Crypto helpers, and the lanes that have them.
struct Staff {
    each: usize,
    stop: Arc<AtomicBool>,
    helpers: Vec<Helper>,
    views: Vec<HelperView>,
}

impl Staff {
    fn new(each: usize, stop: &Arc<AtomicBool>) -> Self {
        Self {
            each,
            stop: Arc::clone(stop),
            helpers: Vec::new(),
            views: Vec::new(),
        }
    }

    fn help(&mut self, runner: Runner) -> Runner {
        if self.each == 0 {
            return runner;
        }
        let lane = runner.index();
        let views: Vec<_> = (0..self.each)
            .map(|_| HelperView {
                lcore: 0,
                cpu: 0,
                idle: String::new(),
                lane,
                lane_name: format!("{}/{}", lane.link.0, lane.direction),
                own: Arc::default(),
                counters: Arc::default(),
            })
            .collect();
        let idle = IdlePolicy::Sleep {
            after: 1000,
            longest: Duration::from_micros(50),
        };
        let of_view = |view: &HelperView| (Arc::clone(&view.counters), Arc::clone(&view.own), idle);
        let (runner, helpers) = runner.with_helpers(&Crew {
            helpers: views.iter().map(of_view).collect(),
            policy: HelpPolicy::Always,
            patience: PATIENCE,
            stop: Arc::clone(&self.stop),
        });
        self.helpers.extend(helpers);
        self.views.extend(views);
        runner
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.stop_control.store(true, Ordering::Relaxed);
        if let Some(control) = self.control.take() {
            let _ = control.join();
        }
        self.stop_worker.store(true, Ordering::Relaxed);
    }
}

fn facts() -> ProcessFacts {
    ProcessFacts {
        dpdk_version: dpdk::version(),
        hugepages: false,
        capture_refused: None,
        engine: "ring".into(),
        engines: Vec::new(),
        hardening: Vec::new(),
        workers: Vec::new(),
        helpers: Vec::new(),
        tsc_hz: dpdk::tsc_hz(),
    }
}

/// Two links that are each other's peers and agree on their keys.
fn agreeing_config(keys: [MkaKeys; 2]) -> GatewayConfig {
    let links = keys.into_iter().zip(["a", "b"]).enumerate();
    let links = links.map(|(at, (keys, name))| LinkConfig {
        name: name.into(),
        plain: format!("net_ring{}", 2 * at),
        secure: format!("net_ring{}", 2 * at + 1),
        mtu: 1500,
        keys: None,
        mka: Some(keys),
        settings: vec![
            format!("sci = \"02:00:00:00:00:0{name}/1\""),
            "replay = \"strict\"".into(),
        ],
    });
    GatewayConfig::new("lanes", links.collect())
}

/// Two links that are each other's peers.
fn first_config() -> GatewayConfig {
    let keys = StaticKeys {
        suite: Suite::ALL[3],
        sci: "02:00:00:00:00:0a/1".into(),
        peer_sci: "02:00:00:00:00:0b/1".into(),
        tx_key: key(0, 0),
        rx_key: key(0, 1),
        tx_an: 0,
        rx_an: 0,
        tx_ssci: 1,
        rx_ssci: 2,
        salt: "e0e1e2e3e4e5e6e7e8e9eaeb".into(),
    };
    let link = |name: &str, at: usize, keys| LinkConfig {
        name: name.into(),
        plain: format!("net_ring{}", 2 * at),
        secure: format!("net_ring{}", 2 * at + 1),
        mtu: 1500,
        keys: Some(keys),
        mka: None,
        settings: vec!["replay = \"strict\"".into()],
    };
    let links = vec![link("a", 0, keys.clone()), link("b", 1, keys.mirrored())];
    GatewayConfig::new("lanes", links)
}

/// The key of one way after so many changes: never the same twice.
pub(crate) fn key(change: u32, way: u32) -> String {
    let seed = ring_digest(change, way);
    seed.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn ring_digest(change: u32, way: u32) -> [u8; 32] {
    let text = format!("key {change} of way {way}");
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().try_into().expect("32 octets")
}

fn state_fresh(read: &Config, config: &GatewayConfig, at: usize) {
    let link = &read.links[at];
    let keys = link.static_keys().expect("static keys");
    let key = KeyUse {
        link: link.name.clone(),
        fingerprint: keys.tx.key.fingerprint,
        suite: link.cipher_suite,
        an: keys.tx.an,
    };
    let told = config.links[at].keys.as_ref().map(|keys| &keys.tx_key);
    assert_eq!(
        told.map(|key| fingerprint(key)),
        Some(key.fingerprint.to_string())
    );
    declare_fresh(&read.gateway.state_dir, &key, link.sci).expect("a fresh key");
}

fn link(
    at: usize,
    config: &Link,
    speed_mbps: u32,
    protect: (RxQueue, TxQueue),
    validate: (RxQueue, TxQueue),
) -> (LinkParts, [Runner; 2]) {
    let own_sci = config.sci.expect("an SCI");
    let mtu = usize::from(config.mtu);
    let tx_secy = TxSecy::new(TxParams {
        sci: own_sci,
        sectag_sci: config.sectag_sci,
        clear_vlan_tags: config.clear_vlan_tags,
        mtu,
    });
    let mut rx_secy = RxSecy::new(RxParams {
        validate: config.validate_frames,
        replay: config.replay,
        duplicate_depth: config.duplicate_depth as usize,
        clear_vlan_tags: config.clear_vlan_tags,
        mtu,
    });
    // With key agreement there are receive channels once there are peers.
    let rx_scs = config
        .static_keys()
        .map(|keys| (keys.peer_sci, rx_secy.add_sc(keys.peer_sci)));
    let rx_scs = rx_scs.into_iter().collect();
    let parts = LinkParts {
        plain: still(config.plain.as_str(), own_sci, speed_mbps),
        secure: still(config.secure.as_str(), own_sci, speed_mbps),
        own_sci,
        protect: Arc::default(),
        validate: Arc::default(),
        tx_counters: tx_secy.counters(),
        rx_counters: rx_secy.counters(),
        rx_scs,
        eapol: Arc::new(EapolSlots::default()),
        eapol_out: Arc::new(EapolOut::default()),
    };
    let lane = |direction| LaneIndex {
        link: LinkIndex(at),
        direction,
    };
    let protect_lane = Lane::Protect(ProtectLane::new(ProtectSetup {
        secy: tx_secy,
        bypass: Box::new(Bypass::default()),
        counters: Arc::clone(&parts.protect),
    }));
    let validate_lane = Lane::Validate(ValidateLane::new(ValidateSetup {
        secy: rx_secy,
        clear_vlan_tags: config.clear_vlan_tags,
        bypass: Box::new(Bypass::default()),
        eapol: Arc::clone(&parts.eapol),
        counters: Arc::clone(&parts.validate),
    }));
    let counters = [&parts.protect, &parts.validate].map(Arc::clone);
    let [of_protect, of_validate] = counters;
    let runners = [
        Runner::new(
            lane(Direction::Protect),
            protect_lane,
            of_protect,
            vec![protect.0],
            protect.1,
        ),
        Runner::new(
            lane(Direction::Validate),
            validate_lane,
            of_validate,
            vec![validate.0],
            validate.1,
        ),
    ];
    (parts, runners)
}

fn still(name: &str, sci: Sci, speed_mbps: u32) -> Arc<dyn PortOps> {
    Arc::new(StillPort {
        name: name.into(),
        mac: sci.address(),
        speed_mbps,
    })
}

/// What each thread of this process is at: its name, the kernel's word for its state, its times.
fn threads() -> String {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let lines = tasks.flatten().map(|task| {
        let read = |name| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        format!(
            "{}: {} {}\n",
            task.path().display(),
            read("stat").trim(),
            read("wchan")
        )
    });
    lines.collect()
}

/// Frees what is in a receive queue; how many frames that were.
pub(crate) fn drain(rx: &mut RxQueue) -> u64 {
    let mut burst = Burst::new();
    let mut all = 0;
    while rx.rx_burst(&mut burst) > 0 {
        all += burst.len() as u64;
        burst.clear();
    }
    all
}

/// On every lane frames in = frames out + to control + all drops, once nothing is under way.
#[track_caller]
pub(crate) fn assert_balanced(counted: &[Counted; 2]) {
    let lanes = counted
        .iter()
        .flat_map(|link| [&link.protect, &link.validate]);
    for (at, lane) in lanes.enumerate() {
        let ends = lane.frames_out.value() + lane.to_control.value() + lane.dropped_total();
        assert_eq!(lane.frames_in.value(), ends, "lane {at}");
    }
}
