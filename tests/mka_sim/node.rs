//! A node: a KaY, its data plane, its disk, and a clock of its own.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use macsec_gateway::{
    crypto::{Cak, KeyAgreement},
    ieee::{Ckn, KeyIdentifier, Pn, Sci},
    mka::{AgreedKey, Identity, Kay, KaySetup, NewCak, Policy, Remembered, RememberedKey, Time},
};

use crate::{
    crypto::FakeCrypto,
    plane::{Habits, Plane},
    rng::Rng,
};

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) struct NodeSpec {
    pub(crate) sci: Sci,
    pub(crate) policy: Policy,
    pub(crate) keeps_identity: bool,
    pub(crate) habits: Habits,
    /// Microseconds that the data plane takes for a command, and again for its word on it.
    pub(crate) latency: (u64, u64),
}

/// A CAK that nodes may have.
#[derive(Clone, Debug)]
pub(crate) struct CakSpec {
    pub(crate) ckn: Ckn,
    pub(crate) cak: Vec<u8>,
    pub(crate) fallback: bool,
    pub(crate) rank: u64,
}

impl CakSpec {
    /// The `number`-th CAK, of 16 or 32 octets, its CKN of 1 to 32.
    pub(crate) fn new(number: u8, fallback: bool) -> Self {
        let len = [16, 32][usize::from(number & 1)];
        let name = [1, 16, 32, 5][usize::from(number & 3)];
        Self {
            ckn: Ckn::new(&vec![number + 1; name]).unwrap(),
            cak: (0..len)
                .map(|at| number.wrapping_mul(31).wrapping_add(at))
                .collect(),
            fallback,
            rank: u64::from(number),
        }
    }

    pub(crate) fn start(&self, crypto: &dyn KeyAgreement) -> NewCak {
        let cak = Cak::take(&mut self.cak.clone()).unwrap();
        NewCak {
            ckn: self.ckn.clone(),
            keys: crypto.derive(&cak, &self.ckn).unwrap(),
            fallback: self.fallback,
            rank: self.rank,
        }
    }
}

/// What a node knows of its last life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Nothing.
    Nothing,
    /// What it saved last.
    Identity,
    /// A copy of what it saved earlier.
    Stale,
    /// What it saved last, and its SAs.
    Keys,
    /// The same, but with packet numbers that were used already: what must never be given.
    SpentKeys,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) spec: NodeSpec,
    pub(crate) kay: Option<Kay>,
    /// Words for an earlier life are thrown away.
    pub(crate) life: u32,
    /// Its clock is the world's less this, modulo the time that there is.
    pub(crate) origin: u64,
    pub(crate) plane: Plane,
    pub(crate) link: bool,
    /// CAKs by index into the world's, while it is up and when it comes up.
    pub(crate) caks: Vec<usize>,
    pub(crate) disk: Option<Identity>,
    pub(crate) old_disks: Vec<Identity>,
    /// When it is woken next.
    pub(crate) wake: Option<u64>,
    /// When the last command takes effect: protect, validate, disk.
    pub(crate) commands: [u64; 3],
    /// When the last word arrives, of each.
    pub(crate) words: [u64; 3],
    /// SAs that it went on with after a restart.
    pub(crate) remembered: HashSet<KeyIdentifier>,
    /// It came up with an old copy of its identity.
    pub(crate) stale: bool,
    /// The SAK of every KI that this life was given or made.
    pub(crate) saks: HashMap<KeyIdentifier, Vec<u8>>,
    /// What this life protected with.
    pub(crate) used: HashSet<KeyIdentifier>,
    /// What it would go on with.
    kept: Vec<RememberedKey>,
}

impl Node {
    pub(crate) fn new(spec: NodeSpec, caks: Vec<usize>) -> Self {
        Self {
            plane: Plane::new(spec.sci, spec.habits.clone()),
            spec,
            kay: None,
            life: 0,
            origin: 0,
            link: true,
            caks,
            disk: None,
            old_disks: Vec::new(),
            wake: None,
            commands: [0; 3],
            words: [0; 3],
            remembered: HashSet::new(),
            stale: false,
            saks: HashMap::new(),
            used: HashSet::new(),
            kept: Vec::new(),
        }
    }

    pub(crate) fn time(&self, now: u64) -> Time {
        Time(Duration::from_micros(now - self.origin + 7_000_000))
    }

    /// The world's time of a time of this node's.
    pub(crate) fn world(&self, time: Time) -> u64 {
        let micros = u64::try_from(time.0.as_nanos().div_ceil(1000)).unwrap();
        (micros + self.origin).saturating_sub(7_000_000)
    }

    pub(crate) fn is_up(&self) -> bool {
        self.kay.is_some()
    }

    /// SIGKILL: the KaY and its data plane are gone. What its runtime storage holds by then stays.
    pub(crate) fn kill(&mut self) {
        self.kept = keep(&self.plane);
        self.kay = None;
        self.life += 1;
        self.wake = None;
        self.commands = [0; 3];
        self.words = [0; 3];
        self.plane = Plane::new(self.spec.sci, self.spec.habits.clone());
        self.saks.clear();
        self.used.clear();
        self.remembered.clear();
    }

    /// Comes up, with its CAKs.
    pub(crate) fn start(&mut self, now: u64, memory: Memory, caks: &[CakSpec], rng: &mut Rng) {
        self.origin = now - rng.below(now + 1);
        self.plane = Plane::new(self.spec.sci, self.spec.habits.clone());
        self.stale = false;
        let time = self.time(now);
        let remembered = self.recall(memory, rng);
        self.remembered = remembered.keys.iter().map(|kept| kept.key.id.ki).collect();
        let crypto = FakeCrypto::new(rng.fork());
        let setup = KaySetup {
            sci: self.spec.sci,
            policy: self.spec.policy.clone(),
            crypto: Box::new(crypto),
            remembered,
            keeps_identity: self.spec.keeps_identity,
        };
        let mut kay = Kay::new(time, setup).unwrap();
        let derive = FakeCrypto::new(rng.fork());
        for cak in &self.caks {
            kay.add_cak(time, caks[*cak].start(&derive)).unwrap();
        }
        self.kay = Some(kay);
    }

    fn recall(&mut self, memory: Memory, rng: &mut Rng) -> Remembered {
        let kept = std::mem::take(&mut self.kept);
        if !self.spec.keeps_identity {
            return Remembered::default();
        }
        match memory {
            Memory::Nothing => Remembered::default(),
            Memory::Identity => Remembered {
                identity: self.disk.clone(),
                keys: vec![],
            },
            Memory::Stale if self.old_disks.is_empty() => Remembered::default(),
            Memory::Stale => {
                self.stale = true;
                let old = self.old_disks[rng.index(self.old_disks.len())].clone();
                Remembered {
                    identity: Some(old),
                    keys: vec![],
                }
            }
            Memory::Keys => Remembered {
                identity: self.disk.clone(),
                keys: kept,
            },
            Memory::SpentKeys => {
                let spent = kept.into_iter().map(|mut kept| {
                    kept.next_pn = kept.next_pn.map(|_| Pn::FIRST);
                    kept
                });
                Remembered {
                    identity: self.disk.clone(),
                    keys: spent.collect(),
                }
            }
        }
    }
}

/// The SAs of a data plane as they are kept: transmit numbers reserved ahead, the one in use last.
fn keep(plane: &Plane) -> Vec<RememberedKey> {
    const AHEAD: u64 = 10_000;
    let mut keys: Vec<Arc<AgreedKey>> = Vec::new();
    let rx = plane.peers.values().flatten().flatten().map(|rx| &rx.key);
    for key in plane.tx.iter().flatten().map(|tx| &tx.key).chain(rx) {
        if !keys.iter().any(|have| have.id == key.id) {
            keys.push(key.clone());
        }
    }
    let in_use = plane.in_use().map(|tx| tx.key.id);
    keys.sort_by_key(|key| Some(key.id) == in_use);
    let kept = keys.into_iter().map(|key| {
        let tx = plane.tx_sa(key.id);
        let peers = plane.peers.iter().filter_map(|(sci, slots)| {
            let rx = slots[key.id.an.index()]
                .as_ref()
                .filter(|rx| rx.key.id == key.id)?;
            Some((*sci, rx.ssci, Pn(rx.lowest.max(rx.next))))
        });
        RememberedKey {
            own_ssci: tx.and_then(|tx| tx.ssci),
            next_pn: tx.map(|tx| Pn((tx.next / AHEAD + 1) * AHEAD)),
            peers: peers.collect(),
            key,
        }
    });
    kept.collect()
}
