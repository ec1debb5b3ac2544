//! A control thread's state without its thread, between fake ports and a fake worker.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam::queue::SegQueue;

use super::{
    plane::{FakeLink, Frame, Plane},
    ports::{FakePort, Journal},
};
use crate::{
    bus::{
        EapolOut, EapolSlots, LaneCounters, LinkDownWay, LinkSnapshot, Snapshot, SnapshotReader,
        WorkerIndex, snapshot_channel, worker_rings,
    },
    config::{Config, Fingerprint, Utc},
    control::{Books, Control, ControlParts, LinkParts, ProcessFacts, Requests, request_channel},
    crypto::{
        AeadKey, KeyError, KeyFactory, SaKey, Sak, engine::RingEngine, static_key_identifier,
    },
    ieee::{An, Pn, Sci},
    macsec::{
        FrameSet, RxParams, RxSecy, TxParams, TxSa, TxSaParams, TxSaShared, TxSecy, Verdicts,
    },
    state::{KeyUse, StateDir},
};

const MTU: usize = 1500;

/// Makes keys, and knows which are still somewhere.
#[derive(Debug, Default)]
pub(super) struct Watching {
    made: SegQueue<WeakKey>,
}

struct WeakKey(Weak<dyn AeadKey>);

impl std::fmt::Debug for WeakKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WeakKey")
    }
}

impl Watching {
    /// Keys that were made and are not wiped.
    pub(super) fn alive(&self) -> usize {
        let all: Vec<_> = core::iter::from_fn(|| self.made.pop()).collect();
        let alive = all.iter().filter(|key| key.0.strong_count() > 0).count();
        all.into_iter().for_each(|key| self.made.push(key));
        alive
    }
}

impl KeyFactory for Watching {
    fn name(&self) -> &'static str {
        "ring"
    }

    fn make_key(&self, sak: &Sak) -> Result<SaKey, KeyError> {
        let key = RingEngine.make_key(sak)?;
        self.made.push(WeakKey(Arc::downgrade(&key)));
        Ok(key)
    }
}

/// A folder of keys, state and the config.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) path: PathBuf,
}

impl Desk {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "macsecgw-control-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        let desk = Self { path };
        for value in 1..=8 {
            desk.key(value);
        }
        desk
    }

    fn key(&self, value: u8) {
        let path = self.path.join(format!("{value}.sak"));
        fs::write(&path, format!("{value:02x}").repeat(16)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// A link with the keys number `tx` and `rx` under these ANs.
    pub(super) fn link(
        &self,
        index: usize,
        (tx, tx_an): (u8, u8),
        (rx, rx_an): (u8, u8),
    ) -> String {
        format!(
            "[[link]]\nname = \"l{index}\"\nplain = \"net_null{}\"\nsecure = \"net_null{}\"\n\
             agreement = \"static\"\ncipher_suite = \"gcm-aes-128\"\n\
             sci = \"02:00:00:00:00:01/{}\"\n#more\n\
             [link.static]\npeer_sci = \"02:00:00:00:00:02/{}\"\n\
             tx_sak_file = \"{tx}.sak\"\ntx_an = {tx_an}\nrx_sak_file = \"{rx}.sak\"\nrx_an = {rx_an}\n",
            2 * index,
            2 * index + 1,
            index + 1,
            index + 1,
        )
    }

    pub(super) fn write(&self, text: &str) {
        let head = format!("[gateway]\nstate_dir = \"{}/state\"\n", self.path.display());
        fs::write(self.config(), head + text).unwrap();
    }

    pub(super) fn config(&self) -> PathBuf {
        self.path.join("gw.toml")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.path.join("state")
    }

    pub(super) fn load(&self) -> Config {
        Config::load(&self.config()).unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

pub(super) fn sak(value: u8) -> Sak {
    Sak::take(&mut [value; 16]).unwrap()
}

pub(super) fn fingerprint(value: u8) -> Fingerprint {
    Fingerprint::of(&sak(value))
}

/// What the state knows the key number `value` by.
pub(super) fn key_use(link: usize, value: u8, an: u8) -> KeyUse {
    KeyUse {
        link: format!("l{link}"),
        fingerprint: fingerprint(value),
        suite: crate::ieee::CipherSuite::GcmAes128,
        an: An::new(an).unwrap(),
    }
}

/// Says that keys are fresh.
pub(super) fn state_fresh(state: &Path, keys: &[KeyUse]) {
    for key in keys {
        crate::state::declare_fresh(state, key, None).unwrap();
    }
}

/// A gateway that the test turns.
#[derive(Debug)]
pub(super) struct Bed {
    pub(super) control: Control,
    pub(super) plane: Plane,
    /// Plain and secure of each link.
    pub(super) ports: Vec<[Arc<FakePort>; 2]>,
    pub(super) journal: Journal,
    pub(super) now: Instant,
    /// The wall clock at `began`: a test steps it by changing this.
    pub(super) utc_then: Utc,
    began: Instant,
    pub(super) keys: Arc<Watching>,
    pub(super) desk: Desk,
    reader: SnapshotReader,
    _requests: Requests,
}

impl Bed {
    /// One link with the keys 1 and 2; `more` are lines of the link.
    pub(super) fn one_link(plain: LinkDownWay, more: &str) -> Self {
        let desk = Desk::new();
        desk.write(&desk.link(0, (1, 0), (2, 0)).replace("#more", more));
        state_fresh(&desk.state(), &[key_use(0, 1, 0)]);
        Self::start(desk, plain).unwrap()
    }

    /// What stands in the desk's config.
    pub(super) fn start(desk: Desk, plain: LinkDownWay) -> Result<Self, String> {
        let (config, journal, keys) = (desk.load(), Journal::default(), Arc::default());
        let (commands, taker, sayer, reports) = worker_rings();
        let (snapshots, mut readers) = snapshot_channel(1);
        let (requests, asked) = request_channel();
        let now = Instant::now();
        let (mut links, mut fakes, mut ports, mut worker_of) = (vec![], vec![], vec![], vec![]);
        for (index, link) in config.links.iter().enumerate() {
            let (parts, fake, pair) = make_link(index, link, plain, &journal);
            links.push(parts);
            fakes.push(fake);
            ports.push(pair);
            worker_of.extend(
                crate::bus::Direction::BOTH.map(|way| (Plane::lane(index, way), WorkerIndex(0))),
            );
        }
        let parts = ControlParts {
            config,
            links,
            commands: vec![commands],
            reports: vec![reports],
            worker_of,
            requests: asked,
            snapshots,
            factory: Arc::<Watching>::clone(&keys),
            books: Books::new(StateDir::open(&desk.state()).unwrap()),
            facts: facts(),
        };
        Ok(Self {
            control: Control::new(parts, now)?,
            plane: Plane {
                commands: taker,
                reports: sayer,
                links: fakes,
                journal: journal.clone(),
                holds_keys: false,
                clings: false,
                held: Default::default(),
            },
            ports,
            journal,
            now,
            utc_then: Utc::now(),
            began: now,
            keys,
            desk,
            reader: readers.pop().unwrap(),
            _requests: requests,
        })
    }

    /// The wall clock now.
    pub(super) fn utc(&self) -> Utc {
        let passed = self.now.duration_since(self.began).as_secs();
        Utc(self.utc_then.0 + passed.cast_signed())
    }

    /// Control looks, the worker obeys, a moment passes.
    pub(super) fn turn(&mut self) {
        self.control.turn(self.now, self.utc());
        self.plane.obey();
        self.now += Duration::from_millis(10);
    }

    /// Time passes, with turns in it.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.turn();
        }
    }

    /// So long that everything that was begun is done.
    pub(super) fn settle(&mut self) {
        self.pass(Duration::from_millis(300));
    }

    /// The snapshot that control published last.
    pub(super) fn newest(&mut self) -> Arc<Snapshot> {
        self.reader.newest().unwrap()
    }

    pub(super) fn snapshot(&mut self) -> Arc<Snapshot> {
        self.pass(Duration::from_millis(120));
        self.reader.newest().unwrap()
    }

    /// The first link as an operator sees it.
    pub(super) fn link(&mut self) -> LinkSnapshot {
        self.snapshot().links[0].clone()
    }

    pub(super) fn alarms(&mut self) -> Vec<&'static str> {
        self.link().alarms.iter().map(|alarm| alarm.name).collect()
    }

    pub(super) fn reload(&mut self, text: &str) -> Result<String, String> {
        self.desk.write(text);
        self.control.reload(self.now)
    }

    /// A peer that protects for the first link with key number `value`.
    pub(super) fn peer(&self, value: u8, an: u8) -> impl FnMut() -> Frame + use<> {
        let link = &self.control.config.links[0];
        let sci = link.static_keys().unwrap().peer_sci;
        let mut secy = TxSecy::new(TxParams {
            sci,
            ..tx_params(sci)
        });
        let sak = sak(value);
        let (an, ki) = (An::new(an).unwrap(), static_key_identifier(&sak));
        let sa = TxSa::new(TxSaParams {
            an,
            ki,
            suite: link.cipher_suite,
            key: RingEngine.make_key(&sak).unwrap(),
            sci,
            xpn: None,
            confidentiality: link.confidentiality,
            next_pn: Pn::FIRST,
            shared: TxSaShared::new(Pn(1 << 20)),
        });
        assert!(secy.install_sa(Box::new(sa.unwrap())).is_none());
        assert!(secy.encode_with(an, ki));
        move || {
            let mut frames = [Frame::plain()];
            let mut verdicts = Verdicts::new();
            secy.protect_burst(&mut frames, FrameSet::first(1), &mut verdicts);
            assert!(verdicts.passed().contains(0));
            frames[0].clone()
        }
    }
}

fn tx_params(sci: Sci) -> TxParams {
    TxParams {
        sci,
        sectag_sci: crate::macsec::SectagSci::Explicit,
        clear_vlan_tags: 0,
        mtu: MTU,
    }
}

fn make_link(
    index: usize,
    link: &crate::config::Link,
    plain: LinkDownWay,
    journal: &Journal,
) -> (LinkParts, FakeLink, [Arc<FakePort>; 2]) {
    let own_sci = link.sci.unwrap();
    let tx = TxSecy::new(tx_params(own_sci));
    let mut rx = RxSecy::new(RxParams {
        validate: link.validate_frames,
        replay: link.replay,
        duplicate_depth: link.duplicate_depth as usize,
        clear_vlan_tags: 0,
        mtu: MTU,
    });
    let peer = link.static_keys().into_iter().map(|keys| keys.peer_sci);
    let rx_scs = peer.map(|sci| (sci, rx.add_sc(sci))).collect();
    let mac = own_sci.address();
    let port = |side, way| FakePort::new(format!("{index} {side}"), mac, way, journal);
    let ports = [port("plain", plain), port("secure", LinkDownWay::SetLink)];
    let parts = LinkParts {
        plain: Arc::<FakePort>::clone(&ports[0]),
        secure: Arc::<FakePort>::clone(&ports[1]),
        own_sci,
        protect: Arc::new(LaneCounters::default()),
        validate: Arc::new(LaneCounters::default()),
        tx_counters: tx.counters(),
        rx_counters: rx.counters(),
        rx_scs,
        eapol: Arc::new(EapolSlots::default()),
        eapol_out: Arc::new(EapolOut::default()),
    };
    let fake = FakeLink {
        tx,
        rx,
        modes: Default::default(),
        filter: None,
    };
    (parts, fake, ports)
}

fn facts() -> ProcessFacts {
    ProcessFacts {
        dpdk_version: String::from("DPDK 0"),
        hugepages: false,
        capture_refused: Some(String::from("no")),
        engine: String::from("ring"),
        engines: vec![],
        hardening: vec![],
        workers: vec![],
        helpers: Vec::new(),
        tsc_hz: 1,
    }
}
