//! A data plane that does what it is asked and remembers it.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::time::Duration;

use crate::{
    ieee::{Pn, Sci},
    mka::{Action, Identity, Report, SaId, Time},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Answers,
    FailsInstalls,
    Silent,
}

#[derive(Debug)]
pub(super) struct TxSa {
    pub(super) next_pn: u64,
    pub(super) fingerprint: Vec<u8>,
    pub(super) ssci: Option<u32>,
}

#[derive(Debug)]
pub(super) struct RxSa {
    pub(super) lowest: u64,
    pub(super) next_pn: u64,
    pub(super) fingerprint: Vec<u8>,
    pub(super) ssci: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Plane {
    pub(super) manner: Manner,
    pub(super) delay: Duration,
    pub(super) in_use: Option<SaId>,
    pub(super) tx: BTreeMap<[u8; 17], TxSa>,
    pub(super) rx: BTreeMap<(u64, [u8; 17]), RxSa>,
    pub(super) peers: Vec<Sci>,
    pub(super) reports: Vec<(Time, Report)>,
    pub(super) saved: Option<Identity>,
    pub(super) keeps: bool,
    /// Every action, as text.
    pub(super) log: Vec<String>,
}

pub(super) fn key(sa: SaId) -> [u8; 17] {
    let mut out = [0; 17];
    out[0] = sa.an.value();
    out[1..].copy_from_slice(&sa.ki.0);
    out
}

impl Plane {
    pub(super) fn new() -> Self {
        Self {
            manner: Manner::Answers,
            delay: Duration::ZERO,
            in_use: None,
            tx: BTreeMap::new(),
            rx: BTreeMap::new(),
            peers: Vec::new(),
            reports: Vec::new(),
            saved: None,
            keeps: true,
            log: Vec::new(),
        }
    }

    pub(super) fn act(&mut self, now: Time, action: Action) {
        self.log.push(format!("{:?} {action:?}", now.0));
        let report = match action {
            Action::AddPeer(sci) => {
                assert!(!self.peers.contains(&sci), "{sci} added twice");
                self.peers.push(sci);
                None
            }
            Action::RemovePeer(sci) => {
                assert!(self.peers.contains(&sci), "{sci} removed and not there");
                self.peers.retain(|peer| *peer != sci);
                assert!(!self.rx.keys().any(|(peer, _)| *peer == sci.0), "SAs left");
                None
            }
            Action::CreateRx {
                key: agreed,
                peer,
                ssci,
                lowest_pn,
            } => {
                assert!(self.peers.contains(&peer), "SA for an unknown peer {peer}");
                if self.manner == Manner::FailsInstalls {
                    Some(Report::Failed(agreed.id))
                } else {
                    let an = agreed.id.an.value();
                    assert!(
                        !self
                            .rx
                            .keys()
                            .any(|(sci, sa)| *sci == peer.0 && sa[0] == an),
                        "receive AN {an} of {peer} taken"
                    );
                    let sa = RxSa {
                        lowest: lowest_pn.0,
                        next_pn: lowest_pn.0,
                        fingerprint: agreed.sak.expose().to_vec(),
                        ssci: ssci.map(|ssci| ssci.0),
                    };
                    self.rx.insert((peer.0, key(agreed.id)), sa);
                    Some(Report::RxInstalled(peer, agreed.id))
                }
            }
            Action::CreateTx {
                key: agreed,
                ssci,
                next_pn,
            } => {
                if self.manner == Manner::FailsInstalls {
                    Some(Report::Failed(agreed.id))
                } else {
                    let an = agreed.id.an.value();
                    assert!(
                        !self.tx.keys().any(|sa| sa[0] == an),
                        "transmit AN {an} taken"
                    );
                    let sa = TxSa {
                        next_pn: next_pn.0,
                        fingerprint: agreed.sak.expose().to_vec(),
                        ssci: ssci.map(|ssci| ssci.0),
                    };
                    self.tx.insert(key(agreed.id), sa);
                    Some(Report::TxInstalled(agreed.id))
                }
            }
            Action::UseTx(id) => {
                assert!(self.tx.contains_key(&key(id)), "used before it was made");
                self.in_use = Some(id);
                Some(Report::TxInUse(id))
            }
            Action::RetireTx(id) => {
                self.tx.remove(&key(id));
                if self.in_use == Some(id) {
                    self.in_use = None;
                }
                Some(Report::TxRetired(id))
            }
            Action::RetireRx(peer, id) => {
                self.rx.remove(&(peer.0, key(id)));
                Some(Report::RxRetired(peer, id))
            }
            Action::RaiseLowestPn { peer, sa, lowest } => {
                if let Some(rx) = self.rx.get_mut(&(peer.0, key(sa))) {
                    rx.lowest = rx.lowest.max(lowest.0);
                }
                None
            }
            Action::Save(identity) => {
                let generation = identity.generation;
                self.saved = Some(*identity);
                self.keeps.then_some(Report::Saved(generation))
            }
        };
        if let Some(report) = report
            && (self.manner != Manner::Silent || matches!(report, Report::Saved(_)))
        {
            self.reports.push((now + self.delay, report));
        }
    }

    pub(super) fn progress(&mut self, now: Time) {
        for (id, tx) in &self.tx {
            self.reports.push((
                now,
                Report::TxProgress {
                    sa: sa_id(id),
                    next_pn: Pn(tx.next_pn),
                    octets: tx.next_pn * 100,
                },
            ));
        }
        for ((peer, id), rx) in &self.rx {
            self.reports.push((
                now,
                Report::RxProgress {
                    peer: Sci(*peer),
                    sa: sa_id(id),
                    next_pn: Pn(rx.next_pn),
                    octets: rx.next_pn * 100,
                },
            ));
        }
    }
}

pub(super) fn sa_id(key: &[u8; 17]) -> SaId {
    let mut ki = [0; 16];
    ki.copy_from_slice(&key[1..]);
    SaId {
        an: crate::ieee::An::new(key[0]).unwrap(),
        ki: crate::ieee::KeyIdentifier(ki),
    }
}
