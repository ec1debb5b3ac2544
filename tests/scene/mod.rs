//! A hand-made gateway: what control would publish, with counters that a test moves.

#![allow(
    dead_code,
    reason = "each test binary takes what it needs of the scene"
)]
#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use macsec_gateway::{
    api::{ApiConfig, ApiThreads, serve},
    bus::{
        AlarmView, CakState, ClockState, ClockView, Direction, EngineView, HelperView,
        KeyServerView, LaneCounters, LaneIndex, LaneMode, LinkDownWay, LinkIndex, LinkSnapshot,
        LinkState, LossView, MkaCakView, MkaCounters, MkaKeyView, MkaParticipantCounters,
        MkaParticipantView, MkaPeerView, MkaView, PortSnapshot, PortStats, RxSaView, RxScView,
        Secured, Snapshot, SnapshotWriter, TxSaView, WorkerCounters, WorkerView, snapshot_channel,
    },
    control::{Request, request_channel},
    ieee::{An, CipherSuite, Ckn, KeyIdentifier, MacAddr, Pn, Sci, Ssci},
    macsec::{Replay, RxScCounters, RxSecyCounters, SectagSci, TxCounters, ValidateFrames},
};

/// The octets of every key identifier in the scene: they may stand in no metric.
pub(crate) const KEY_OCTET: u8 = 0xa7;

/// The blocks that live as long as the process.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pub(crate) protect: Arc<LaneCounters>,
    pub(crate) validate: Arc<LaneCounters>,
    pub(crate) tx: Arc<TxCounters>,
    pub(crate) rx: Arc<RxSecyCounters>,
    pub(crate) rx_sc: Arc<RxScCounters>,
    pub(crate) worker: Arc<WorkerCounters>,
    pub(crate) helper: Arc<WorkerCounters>,
}

impl Blocks {
    /// `n` frames of 100 octets both ways under `an`, and one late frame.
    pub(crate) fn traffic(&self, an: u8, n: u64) {
        for lane in [&self.protect, &self.validate] {
            lane.frames_in.add(n);
            lane.octets_in.add(n * 100);
            lane.frames_out.add(n);
            lane.octets_out.add(n * 100);
            lane.bursts.add(1);
        }
        self.tx.out_pkts_encrypted.add(n);
        self.tx.out_octets_encrypted.add(n * 100);
        self.tx.sas[usize::from(an)].out_pkts_encrypted.add(n);
        self.rx_sc.in_pkts_ok.add(n);
        self.rx_sc.in_octets_decrypted.add(n * 100);
        self.rx_sc.sas[usize::from(an)].in_pkts_ok.add(n);
        self.worker.polls.add(n + 10);
        self.worker.empty_polls.add(10);
        self.worker.busy_cycles.add(n * 2000);
        self.worker.idle_cycles.add(100_000);
        self.helper.busy_cycles.add(n * 1000);
    }
}

/// An association number.
pub(crate) fn an(value: u8) -> An {
    An::new(value).expect("0 to 3")
}

/// A port with these counters.
pub(crate) fn port(device: &str, last: u8, stats: PortStats) -> PortSnapshot {
    PortSnapshot {
        device: device.into(),
        driver: "net_ring".into(),
        mac: MacAddr([2, 0, 0, 0, 0, last]),
        mtu: 9000,
        started: true,
        link: LinkState {
            up: true,
            speed_mbps: 10_000,
            full_duplex: true,
        },
        link_down_way: LinkDownWay::Stop,
        stats,
        buffers: (4000, 4096),
    }
}

/// A secured link that uses `an` both ways.
pub(crate) fn link(name: &str, blocks: &Blocks, number: u8) -> LinkSnapshot {
    let ki = KeyIdentifier([KEY_OCTET; 16]);
    LinkSnapshot {
        name: name.into(),
        plain: port(
            "net_ring0",
            1,
            PortStats {
                rx_packets: 7,
                ..PortStats::default()
            },
        ),
        secure: port(
            "net_ring1",
            2,
            PortStats {
                tx_packets: 7,
                ..PortStats::default()
            },
        ),
        encryption: "must_encrypt",
        agreement: "static",
        secured: Secured::Yes,
        controlled_port_open: true,
        reason: "both SAs are installed".into(),
        protect_mode: LaneMode::Secured,
        validate_mode: LaneMode::Secured,
        cipher_suite: CipherSuite::GcmAesXpn256,
        confidentiality: true,
        confidentiality_offset: 0,
        sci: Sci::new(MacAddr([2, 0, 0, 0, 0, 2]), 1),
        sectag_sci: SectagSci::Explicit,
        clear_vlan_tags: 0,
        replay: Replay::Window(100_000),
        duplicate_depth: 4096,
        validate_frames: ValidateFrames::Strict,
        mtu: 1500,
        secure_mtu_needed: 1540,
        tx_encoding: Some(an(number)),
        tx_sas: vec![TxSaView {
            an: an(number),
            ki,
            next_pn: Pn(1_000_001),
            reserved_until: Pn(2_000_000),
            soft_threshold_passed: false,
            ssci: Some(Ssci(1)),
        }],
        rx_scs: vec![RxScView {
            sci: Sci::new(MacAddr([2, 0, 0, 0, 0, 9]), 1),
            sas: vec![RxSaView {
                an: an(number),
                ki,
                next_pn: Pn(500),
                lowest_pn: Pn(400),
                ssci: Some(Ssci(2)),
            }],
            counters: Arc::clone(&blocks.rx_sc),
        }],
        alarms: Vec::new(),
        an_changes: 2,
        mka: None,
        protect: Arc::clone(&blocks.protect),
        validate: Arc::clone(&blocks.validate),
        tx_counters: Arc::clone(&blocks.tx),
        rx_counters: Arc::clone(&blocks.rx),
    }
}

/// An alarm as a link may have it.
pub(crate) fn alarm() -> AlarmView {
    AlarmView {
        name: "bypass_in_must_encrypt",
        text: "the bypass list lets frames pass in clear".into(),
    }
}

/// A gateway of these links, all run by one worker.
pub(crate) fn snapshot(links: Vec<LinkSnapshot>, blocks: &Blocks) -> Snapshot {
    let now = Instant::now();
    Snapshot {
        taken: now,
        started: now,
        gateway: "edge".into(),
        dpdk_version: "22.11.7".into(),
        hugepages: false,
        capture_refused: Some("memory is not shared without hugepages".into()),
        engine: "ring".into(),
        engines: vec![EngineView {
            name: "ring".into(),
            in_use: true,
            why: "fastest here".into(),
        }],
        hardening: vec!["no core dumps".into()],
        helpers: vec![HelperView {
            lcore: 3,
            cpu: 4,
            idle: String::from("spin"),
            lane: LaneIndex {
                link: LinkIndex(0),
                direction: Direction::Protect,
            },
            lane_name: String::from("dx1/protect"),
            own: Arc::clone(&blocks.helper),
            counters: Arc::default(),
        }],
        workers: vec![WorkerView {
            lcore: 1,
            cpu: 1,
            idle: "sleep 100 us".into(),
            lanes: vec!["dx1/protect".into(), "dx1/validate".into()],
            counters: Arc::clone(&blocks.worker),
        }],
        links,
        last_reload: None,
        reload_generation: 0,
        tsc_hz: 2_000_000_000,
    }
}

/// A gateway of one link, `dx1`, under AN 0.
pub(crate) fn one_link(blocks: &Blocks) -> Snapshot {
    snapshot(vec![link("dx1", blocks, 0)], blocks)
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A directory of one test's own that other users may enter. Gone at the end.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mgw-api-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).expect("a directory of the test's own");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("edge/control.sock")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Both sockets served from a hand-made snapshot, and a control thread that answers changes.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) directory: Directory,
    pub(crate) writer: SnapshotWriter,
    pub(crate) threads: Option<ApiThreads>,
    stop: Arc<AtomicBool>,
}

impl Served {
    /// Serves for `group`, metrics on a port that the kernel chooses. Nothing is published yet.
    pub(crate) fn start(group: &str) -> Self {
        let directory = Directory::new();
        let config = config(&directory, group);
        let (writer, readers) = snapshot_channel(2);
        let readers = readers.try_into().expect("two readers");
        let (requests, asked) = request_channel();
        let control = std::thread::Builder::new().name("control".into());
        control
            .spawn(move || {
                for asked in asked {
                    let answer = match asked.request {
                        Request::Reload => Ok("nothing to change".into()),
                        Request::Rekey { link } => Ok(format!("link {link}: a new SAK is made")),
                    };
                    let _ = asked.answer.send(answer);
                }
            })
            .expect("a thread");
        let stop = Arc::new(AtomicBool::new(false));
        let threads = serve(&config, readers, requests, &stop).expect("both sockets");
        Self {
            directory,
            writer,
            threads: Some(threads),
            stop,
        }
    }

    pub(crate) fn publish(&self, snapshot: Snapshot) {
        self.writer.publish(&Arc::new(snapshot));
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.socket()
    }

    pub(crate) fn metrics(&self) -> std::net::SocketAddr {
        self.threads
            .as_ref()
            .and_then(|threads| threads.metrics_address)
            .expect("served")
    }

    pub(crate) fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(threads) = self.threads.take() {
            threads.join().expect("no panic in a thread of the API");
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Where such a gateway serves.
pub(crate) fn config(directory: &Directory, group: &str) -> ApiConfig {
    ApiConfig {
        socket_path: directory.socket(),
        group: group.into(),
        metrics_listen: Some(([127, 0, 0, 1], 0).into()),
    }
}

/// The KaY of a link in the midst of everything: a pair in use with a live and a potential peer, a fallback
/// without any, a pair to come, both keys, a loss, a clock that stepped.
pub(crate) fn mka() -> MkaView {
    let ckn = |octet: u8| Ckn::new(&[octet; 32]).expect("32 octets");
    let own = Sci::new(MacAddr([2, 0, 0, 0, 0, 2]), 1);
    let key = |number: u8, latest: bool| MkaKeyView {
        an: an(number),
        ki: KeyIdentifier([KEY_OCTET; 16]),
        suite: CipherSuite::GcmAesXpn256,
        tx: latest,
        rx: true,
        ssci: Some(Ssci(1)),
        next_pn: Pn(77),
    };
    let cak = |octet, state, participant| MkaCakView {
        ckn: ckn(octet),
        fallback: octet == 2,
        principal: octet == 1,
        state,
        start: (octet == 3).then_some(4_000_000_000),
        end: (octet == 1).then_some(3_000_000_000),
        starts_in: (octet == 3).then_some(Duration::from_secs(900)),
        expires_in: (octet == 1).then_some(Duration::from_secs(600)),
        participant,
    };
    let counters = MkaParticipantCounters {
        in_mkpdus: 11,
        out_mkpdus: 12,
        discarded: vec![("icv", 3), ("message_number", 0)],
        ..MkaParticipantCounters::default()
    };
    let participant = |peers: Vec<MkaPeerView>| MkaParticipantView {
        mi: "a1".repeat(12),
        mn: 12,
        peers,
        counters: counters.clone(),
    };
    let peer = |last: u8, live: bool| MkaPeerView {
        sci: live.then(|| Sci::new(MacAddr([2, 0, 0, 0, 0, last]), 1)),
        mi: "b2".repeat(12),
        mn: 9,
        live,
        heard: Duration::from_millis(700),
        priority: 16,
        version: 1,
        tx: live,
        rx: live,
    };
    let peers = vec![peer(9, true), peer(10, false)];
    MkaView {
        sci: own,
        cp_state: "TRANSMITTING",
        caks: vec![
            cak(1, CakState::Usable, Some(participant(peers))),
            cak(2, CakState::Usable, Some(participant(Vec::new()))),
            cak(3, CakState::Waiting, None),
        ],
        principal: Some(ckn(1)),
        key_server: Some(KeyServerView {
            sci: own,
            is_us: true,
        }),
        latest: Some(key(1, true)),
        old: Some(key(0, false)),
        rekeys: 4,
        since_rekey: Some(Duration::from_secs(30)),
        next_rekey: Some(Duration::from_secs(90)),
        last_loss: Some(LossView {
            why: "peers_gone",
            sentence: "no live peer was heard for MKA Life Time",
            ago: Duration::from_secs(120),
        }),
        losses: 1,
        falls_to_clear: 1,
        clock: ClockView {
            state: ClockState::Stepped,
            utc: 2_000_000_000,
            last_step: Some(-90),
            last_step_ago: Some(Duration::from_secs(5)),
            steps: 1,
        },
        counters: MkaCounters {
            saks_generated: 5,
            discarded: vec![("unknown_ckn", 7)],
            ..MkaCounters::default()
        },
    }
}
