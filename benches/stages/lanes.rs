//! Lanes with static keys on ports of DPDK, as the benchmarks of the path use them.

use std::sync::{Arc, atomic::AtomicBool};

use dpdk::{Eal, RxQueue, TxQueue};
use macsec_gateway::{
    bus::{
        Bypass, Command, CommandSender, Direction, EapolSlots, LaneCommand, LaneCounters,
        LaneIndex, LaneMode, LinkIndex, PortSide, ReportReceiver, WorkerCounters, worker_rings,
    },
    crypto::{AeadFrame, AeadKey, KeyError, KeyFactory, Opened, SaKey, Sak, engine},
    ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Pn, Salt, Sci, Ssci},
    macsec::{
        Confidentiality, FrameSet, Replay, RxParams, RxSa, RxSaParams, RxSaShared, RxSecy,
        SectagSci, TxParams, TxSa, TxSaParams, TxSaShared, TxSecy, ValidateFrames, XpnParams,
    },
    pipeline::{ProtectLane, ProtectSetup, ValidateLane, ValidateSetup},
    worker::{IdlePolicy, Lane, Polling, Runner, Worker},
};

pub(crate) const SUITE: CipherSuite = CipherSuite::GcmAesXpn256;
const KI: KeyIdentifier = KeyIdentifier([0x11; 16]);
const DEPTH: usize = 4096;

/// EAL with two lcores: the first CPU's, which is the main one, and that of `core`.
pub(crate) fn eal(core: u32, huge: bool, vdevs: impl IntoIterator<Item = String>) -> Eal {
    eal_on(&format!("0@0,1@{core}"), huge, vdevs)
}

/// EAL with the lcores that are named.
pub(crate) fn eal_on(lcores: &str, huge: bool, vdevs: impl IntoIterator<Item = String>) -> Eal {
    let mut arguments = vec![
        format!("--lcores={lcores}"),
        "--no-pci".to_owned(),
        "--no-telemetry".to_owned(),
        "--log-level=error".to_owned(),
        format!("--file-prefix=lanes-{}", std::process::id()),
    ];
    let memory: &[&str] = if huge {
        &["--in-memory"]
    } else {
        &["--no-shconf", "--no-huge", "-m", "512"]
    };
    arguments.extend(memory.iter().map(|argument| (*argument).to_owned()));
    arguments.extend(vdevs.into_iter().map(|vdev| format!("--vdev={vdev}")));
    Eal::init(&arguments).unwrap()
}

/// Pages of 2 MiB that nobody uses: enough, or ordinary memory.
pub(crate) fn hugepages() -> bool {
    let path = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
    let free = std::fs::read_to_string(path).map_or(0, |text| text.trim().parse().unwrap_or(0));
    free >= 256
}

/// A port that is never empty. It writes each frame, zeros all of it: else frames would come with what
/// the last one left in the buffer.
pub(crate) fn source(name: &str, size: u16) -> String {
    format!("{name},size={size},copy=1")
}

/// What a setting of the environment says.
pub(crate) fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(text) => match text.parse() {
            Ok(value) => value,
            Err(_) => {
                eprintln!("{name}={text} can't be read");
                std::process::exit(2);
            }
        },
        Err(_) => default,
    }
}

/// The value that `percent` of the values lie below.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of a count"
)]
pub(crate) fn percentile(values: impl IntoIterator<Item = f64>, percent: f64) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * percent / 100.0) as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// An engine that does nothing, for a closer look at the path around it.
#[derive(Debug)]
struct NoCipher;

impl AeadKey for NoCipher {
    fn seal(&self, _: &mut [AeadFrame<'_>]) {}

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        Opened(FrameSet::first(burst.len()).0)
    }
}

impl KeyFactory for NoCipher {
    fn name(&self) -> &'static str {
        "none"
    }

    fn make_key(&self, _: &Sak) -> Result<SaKey, KeyError> {
        Ok(Arc::new(Self))
    }
}

/// The engine of that name, or the first that is at its fast form.
pub(crate) fn factory(name: &str) -> Arc<dyn KeyFactory> {
    if name == "none" {
        return Arc::new(NoCipher);
    }
    let candidates = engine::candidates();
    let found = candidates
        .iter()
        .find(|candidate| candidate.factory.name() == name || (name == "auto" && candidate.fast));
    Arc::clone(&found.unwrap().factory)
}

pub(crate) fn key(factory: &dyn KeyFactory) -> SaKey {
    let sak = Sak::take(&mut vec![7; SUITE.sak_len()]).unwrap();
    factory.make_key(&sak).unwrap()
}

/// The channel of link `nth`.
pub(crate) const fn sci(nth: u16) -> Sci {
    let [high, low] = nth.to_be_bytes();
    Sci::new(MacAddr([2, 0, 0, 0, high, low]), 1)
}

fn xpn(sci: Sci) -> XpnParams {
    XpnParams {
        // No two channels here have the same.
        ssci: Ssci(u32::try_from(sci.0 >> 16 & 0xffff_ffff).unwrap()),
        salt: Salt([0xE0; 12]),
    }
}

/// A transmit half with that SA in use.
pub(crate) fn tx_secy(sci: Sci, an: An, key: SaKey) -> TxSecy {
    let mut secy = TxSecy::new(TxParams {
        sci,
        sectag_sci: SectagSci::Explicit,
        clear_vlan_tags: 0,
        mtu: 9000,
    });
    let sa = TxSa::new(TxSaParams {
        an,
        ki: KI,
        suite: SUITE,
        key,
        sci,
        xpn: Some(xpn(sci)),
        confidentiality: Confidentiality::Offset0,
        next_pn: Pn(1),
        shared: TxSaShared::new(Pn(u64::MAX)),
    });
    assert!(secy.install_sa(Box::new(sa.unwrap())).is_none());
    assert!(secy.encode_with(an, KI));
    secy
}

/// A receive half with these SAs, replay protection being strict.
pub(crate) fn rx_secy(sas: impl IntoIterator<Item = (Sci, An, SaKey)>) -> RxSecy {
    let mut secy = RxSecy::new(RxParams {
        validate: ValidateFrames::Strict,
        replay: Replay::Strict,
        duplicate_depth: DEPTH,
        clear_vlan_tags: 0,
        mtu: 9000,
    });
    for (sci, an, key) in sas {
        let _ = secy.add_sc(sci);
        let sa = RxSa::new(RxSaParams {
            an,
            ki: KI,
            suite: SUITE,
            key,
            sci,
            xpn: Some(xpn(sci)),
            confidentiality: Confidentiality::Offset0,
            lowest_pn: Pn(1),
            duplicate_depth: DEPTH,
            shared: RxSaShared::new(),
        });
        let replaced = secy.install_sa(sci, Box::new(sa.unwrap()));
        assert!(replaced.is_ok_and(|old| old.is_none()));
    }
    secy
}

pub(crate) const fn lane(link: usize, direction: Direction) -> LaneIndex {
    LaneIndex {
        link: LinkIndex(link),
        direction,
    }
}

/// A lane, and its counters.
pub(crate) type Counted = (Runner, Arc<LaneCounters>);

fn counted(
    index: LaneIndex,
    lane: Lane,
    counters: Arc<LaneCounters>,
    rx: RxQueue,
    tx: TxQueue,
) -> Counted {
    let runner = Runner::new(index, lane, Arc::clone(&counters), vec![rx], tx);
    (runner, counters)
}

pub(crate) fn protect_lane(link: usize, secy: TxSecy, rx: RxQueue, tx: TxQueue) -> Counted {
    let counters = Arc::new(LaneCounters::default());
    let protect = ProtectLane::new(ProtectSetup {
        secy,
        bypass: Box::new(Bypass::default()),
        counters: Arc::clone(&counters),
    });
    let index = lane(link, Direction::Protect);
    counted(index, Lane::Protect(protect), counters, rx, tx)
}

pub(crate) fn validate_lane(link: usize, secy: RxSecy, rx: RxQueue, tx: TxQueue) -> Counted {
    let counters = Arc::new(LaneCounters::default());
    let validate = ValidateLane::new(ValidateSetup {
        secy,
        clear_vlan_tags: 0,
        bypass: Box::new(Bypass::default()),
        eapol: Arc::new(EapolSlots::default()),
        counters: Arc::clone(&counters),
    });
    let index = lane(link, Direction::Validate);
    counted(index, Lane::Validate(validate), counters, rx, tx)
}

/// Lanes on a worker, to be turned by hand.
pub(crate) struct Joined {
    pub(crate) polling: Polling,
    pub(crate) counters: Vec<Arc<LaneCounters>>,
    /// Control's ends, which stay open.
    _ends: (CommandSender, ReportReceiver),
}

impl Joined {
    /// Secured, and on ports that are started.
    pub(crate) fn new(lanes: Vec<Counted>) -> Self {
        let (to_worker, commands, reports, from_worker) = worker_rings();
        let (runners, counters): (Vec<_>, _) = lanes.into_iter().unzip();
        for runner in &runners {
            for what in [
                LaneCommand::UsePort(PortSide::Plain, true),
                LaneCommand::UsePort(PortSide::Secure, true),
                LaneCommand::Mode(LaneMode::Secured),
            ] {
                let lane = runner.index();
                assert!(to_worker.send(Command { lane, what }).is_ok());
            }
        }
        let worker = Worker {
            runners,
            commands,
            reports,
            counters: Arc::new(WorkerCounters::default()),
            idle: IdlePolicy::Spin,
            stop: Arc::new(AtomicBool::new(false)),
        };
        let mut joined = Self {
            polling: worker.begin(),
            counters,
            _ends: (to_worker, from_worker),
        };
        joined.look();
        joined
    }

    /// Some turns, none of which may lose a frame.
    pub(crate) fn look(&mut self) {
        assert!(self.polling.look());
        let lost = self.counters.iter().any(|lane| lane.dropped_total() != 0);
        assert!(!lost, "frames are lost");
    }
}
