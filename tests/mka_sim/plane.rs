//! A data plane without frames' octets: SAs, packet numbers, and reports that come late.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use macsec_gateway::{
    ieee::{An, KeyIdentifier, Pn, Sci, Ssci},
    mka::{Action, AgreedKey, Report, SaId},
};

/// What a data plane does that it should not, or can't help. All false: it is honest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Habits {
    /// So many SAs fail to be made from now on.
    pub(crate) failures: u32,
    /// Receive SAs are never made and nothing is said of them.
    pub(crate) deaf: bool,
    /// Says that a receive SA stands when none does.
    pub(crate) lies: bool,
    /// Protects with a new SA before it is told to.
    pub(crate) eager: bool,
    /// Lets go of the last key's receive SAs as soon as it transmits with the next.
    pub(crate) hasty: bool,
    /// Says nothing of receive SAs that went with their peer.
    pub(crate) silent_removal: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct TxSa {
    pub(crate) key: Arc<AgreedKey>,
    pub(crate) ssci: Option<Ssci>,
    pub(crate) nonce: Arc<Nonce>,
    pub(crate) next: u64,
    pub(crate) octets: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct RxSa {
    pub(crate) key: Arc<AgreedKey>,
    pub(crate) ssci: Option<Ssci>,
    pub(crate) nonce: Arc<Nonce>,
    pub(crate) lowest: u64,
    pub(crate) next: u64,
    pub(crate) octets: u64,
}

/// What makes a nonce, and the key that it is used under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Nonce {
    pub(crate) sak: Vec<u8>,
    pub(crate) prefix: u64,
    pub(crate) salt: Option<[u8; 12]>,
}

impl Nonce {
    fn of(key: &AgreedKey, sender: Sci, ssci: Option<Ssci>) -> Arc<Self> {
        Arc::new(Self {
            sak: key.sak.expose().to_vec(),
            prefix: ssci.map_or(sender.0, |ssci| u64::from(ssci.0)),
            salt: key.salt.map(|salt| salt.0),
        })
    }
}

/// Why a receiver did not take a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lost {
    UnknownSci,
    NotUsingSa,
    NotValid,
    Late,
}

/// A run of frames on the wire: `first` to `last` under one SA.
#[derive(Clone, Debug)]
pub(crate) struct Frames {
    pub(crate) sender: Sci,
    pub(crate) an: An,
    pub(crate) ki: KeyIdentifier,
    pub(crate) nonce: Arc<Nonce>,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) sci: Sci,
    pub(crate) habits: Habits,
    pub(crate) peers: BTreeMap<Sci, [Option<RxSa>; An::COUNT]>,
    pub(crate) tx: [Option<TxSa>; An::COUNT],
    pub(crate) encoding: Option<An>,
    /// Transmit SAs that could not be made.
    failed: HashSet<SaId>,
}

impl Plane {
    pub(crate) fn new(sci: Sci, habits: Habits) -> Self {
        Self {
            sci,
            habits,
            peers: BTreeMap::new(),
            tx: [const { None }; An::COUNT],
            encoding: None,
            failed: HashSet::new(),
        }
    }

    /// Does it. What it then says; `Err`: something that no data plane could do.
    pub(crate) fn apply(&mut self, action: Action) -> Result<Vec<Report>, String> {
        match action {
            Action::AddPeer(sci) => {
                if self
                    .peers
                    .insert(sci, [const { None }; An::COUNT])
                    .is_some()
                {
                    return Err(format!("{sci} added twice"));
                }
                Ok(vec![])
            }
            Action::RemovePeer(sci) => self.remove_peer(sci),
            Action::CreateRx {
                key,
                peer,
                ssci,
                lowest_pn,
            } => self.create_rx(key, peer, ssci, lowest_pn),
            Action::CreateTx { key, ssci, next_pn } => self.create_tx(key, ssci, next_pn),
            Action::UseTx(sa) => self.use_tx(sa),
            Action::RetireTx(sa) => {
                let slot = &mut self.tx[sa.an.index()];
                if slot.as_ref().is_some_and(|tx| tx.key.id == sa) {
                    *slot = None;
                    self.encoding = self.encoding.filter(|an| *an != sa.an);
                }
                Ok(vec![Report::TxRetired(sa)])
            }
            Action::RetireRx(peer, sa) => {
                if let Some(slots) = self.peers.get_mut(&peer) {
                    let slot = &mut slots[sa.an.index()];
                    if slot.as_ref().is_some_and(|rx| rx.key.id == sa) {
                        *slot = None;
                    }
                }
                Ok(vec![Report::RxRetired(peer, sa)])
            }
            Action::RaiseLowestPn { peer, sa, lowest } => {
                if let Some(rx) = self.rx_mut(peer, sa) {
                    rx.lowest = rx.lowest.max(lowest.0);
                }
                Ok(vec![])
            }
            Action::Save(_) => Err("a file is not the data plane's".into()),
        }
    }

    fn remove_peer(&mut self, sci: Sci) -> Result<Vec<Report>, String> {
        let slots = self
            .peers
            .remove(&sci)
            .ok_or_else(|| format!("{sci} removed, never added"))?;
        if self.habits.silent_removal {
            return Ok(vec![]);
        }
        let gone = slots.into_iter().flatten();
        Ok(gone.map(|rx| Report::RxRetired(sci, rx.key.id)).collect())
    }

    fn create_rx(
        &mut self,
        key: Arc<AgreedKey>,
        peer: Sci,
        ssci: Option<Ssci>,
        lowest: Pn,
    ) -> Result<Vec<Report>, String> {
        let sa = key.id;
        check_xpn(&key, ssci)?;
        let slots = self.peers.get_mut(&peer);
        let slot =
            &mut slots.ok_or_else(|| format!("CreateRx for {peer}: no such SC"))?[sa.an.index()];
        if let Some(there) = slot {
            return Err(format!(
                "CreateRx {peer} {sa:?}: the AN stands under {}",
                there.key.id.ki
            ));
        }
        if self.habits.deaf {
            return Ok(vec![]);
        }
        if self.habits.failures > 0 {
            self.habits.failures -= 1;
            return Ok(vec![Report::Failed(sa)]);
        }
        if !self.habits.lies {
            let nonce = Nonce::of(&key, peer, ssci);
            *slot = Some(RxSa {
                key,
                ssci,
                nonce,
                lowest: lowest.0,
                next: lowest.0,
                octets: 0,
            });
        }
        Ok(vec![Report::RxInstalled(peer, sa)])
    }

    fn create_tx(
        &mut self,
        key: Arc<AgreedKey>,
        ssci: Option<Ssci>,
        next: Pn,
    ) -> Result<Vec<Report>, String> {
        let sa = key.id;
        check_xpn(&key, ssci)?;
        let slot = &mut self.tx[sa.an.index()];
        if let Some(there) = slot {
            return Err(format!(
                "CreateTx {sa:?}: the AN stands under {}",
                there.key.id.ki
            ));
        }
        if self.habits.failures > 0 {
            self.failed.insert(sa);
            self.habits.failures -= 1;
            return Ok(vec![Report::Failed(sa)]);
        }
        let nonce = Nonce::of(&key, self.sci, ssci);
        *slot = Some(TxSa {
            key,
            ssci,
            nonce,
            next: next.0,
            octets: 0,
        });
        if self.habits.eager {
            self.encoding = Some(sa.an);
        }
        Ok(vec![Report::TxInstalled(sa)])
    }

    fn use_tx(&mut self, sa: SaId) -> Result<Vec<Report>, String> {
        if self.tx_sa(sa).is_none() && self.failed.contains(&sa) {
            return Ok(vec![Report::Failed(sa)]);
        }
        if self.tx_sa(sa).is_none() {
            return Err(format!("UseTx {sa:?}: no such SA"));
        }
        self.encoding = Some(sa.an);
        if self.habits.hasty {
            for slot in self.peers.values_mut().flatten() {
                if slot.as_ref().is_some_and(|rx| rx.key.id != sa) {
                    *slot = None;
                }
            }
        }
        Ok(vec![Report::TxInUse(sa)])
    }

    pub(crate) fn tx_sa(&self, sa: SaId) -> Option<&TxSa> {
        self.tx[sa.an.index()].as_ref().filter(|tx| tx.key.id == sa)
    }

    fn rx_mut(&mut self, peer: Sci, sa: SaId) -> Option<&mut RxSa> {
        let slot = &mut self.peers.get_mut(&peer)?[sa.an.index()];
        slot.as_mut().filter(|rx| rx.key.id == sa)
    }

    /// The SA that frames are protected with.
    pub(crate) fn in_use(&self) -> Option<&TxSa> {
        self.encoding.and_then(|an| self.tx[an.index()].as_ref())
    }

    /// `count` frames of `octets` each; `None`: nothing to protect with, or its numbers are used up.
    pub(crate) fn send(&mut self, count: u64, octets: u64) -> Option<Frames> {
        let an = self.encoding?;
        let tx = self.tx[an.index()].as_mut()?;
        let first = tx.next;
        let last = first.checked_add(count - 1)?;
        if last > tx.key.suite.pn_space().last().0 {
            return None;
        }
        tx.next = last + 1;
        tx.octets = tx.octets.saturating_add(count.saturating_mul(octets));
        Some(Frames {
            sender: self.sci,
            an,
            ki: tx.key.id.ki,
            nonce: tx.nonce.clone(),
            first,
            last,
        })
    }

    pub(crate) fn receive(&mut self, frames: &Frames, octets: u64) -> Result<(), Lost> {
        let slots = self.peers.get_mut(&frames.sender).ok_or(Lost::UnknownSci)?;
        let rx = slots[frames.an.index()].as_mut().ok_or(Lost::NotUsingSa)?;
        if rx.nonce != frames.nonce {
            return Err(Lost::NotValid);
        }
        if frames.first < rx.lowest {
            return Err(Lost::Late);
        }
        rx.next = rx.next.max(frames.last + 1);
        let count = frames.last - frames.first + 1;
        rx.octets = rx.octets.saturating_add(count.saturating_mul(octets));
        Ok(())
    }

    /// What is said at least every 100 ms.
    pub(crate) fn progress(&self) -> Vec<Report> {
        let tx = self.tx.iter().flatten().map(|tx| Report::TxProgress {
            sa: tx.key.id,
            next_pn: Pn(tx.next),
            octets: tx.octets,
        });
        let rx = self.peers.iter().flat_map(|(peer, slots)| {
            slots.iter().flatten().map(|rx| Report::RxProgress {
                peer: *peer,
                sa: rx.key.id,
                next_pn: Pn(rx.next),
                octets: rx.octets,
            })
        });
        tx.chain(rx).collect()
    }
}

fn check_xpn(key: &AgreedKey, ssci: Option<Ssci>) -> Result<(), String> {
    let whole = key.salt.is_some() == key.suite.is_xpn() && ssci.is_some() == key.suite.is_xpn();
    let length = key.sak.expose().len() == key.suite.sak_len();
    if whole && length {
        Ok(())
    } else {
        Err(format!(
            "{key:?} with SSCI {ssci:?}: does not fit its suite"
        ))
    }
}
