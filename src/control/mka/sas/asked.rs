//! What a KaY asks of the data plane: SAs made here, and commands for the lanes.

use std::sync::Arc;

use super::{
    super::used_sa::{AgreedRx, AgreedTx, Held, Stage},
    Sas,
};
use crate::{
    bus::{Direction, LaneCommand},
    crypto::{KeyFactory, SaKey},
    ieee::{KeyIdentifier, Pn, Sci, Ssci},
    macsec::{
        Confidentiality, RxSa, RxSaParams, RxSaShared, TxSa, TxSaParams, TxSaShared, XpnParams,
    },
    mka::{AgreedKey, Policy, Protection, Report, SaId},
};

/// What SAs of this link are made with.
#[derive(Debug)]
pub(in crate::control) struct Making<'a> {
    pub(in crate::control) factory: &'a dyn KeyFactory,
    pub(in crate::control) duplicate_depth: usize,
    pub(in crate::control) policy: &'a Policy,
}

impl Making<'_> {
    /// Whether the operator allows this key. The KaY has looked already; a closed link is worth a second
    /// look.
    fn check(&self, key: &AgreedKey) -> Result<(), String> {
        let allowed =
            self.policy.suites.contains(&key.suite) && self.policy.protection == key.protection;
        allowed.then_some(()).ok_or_else(|| {
            format!(
                "{} with {:?} is not allowed on this link",
                key.suite, key.protection
            )
        })
    }
}

impl Sas {
    pub(in crate::control::mka) fn add_peer(
        &mut self,
        sci: Sci,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        if let Some(counters) = self.channels.add(sci) {
            out(Direction::Validate, LaneCommand::AddRxSc(sci, counters));
        }
    }

    pub(in crate::control::mka) fn remove_peer(
        &mut self,
        sci: Sci,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        for used in self.rx.iter_mut().filter(|used| used.peer == sci) {
            used.held.stage = Stage::Retiring;
        }
        self.channels.remove(sci);
        out(Direction::Validate, LaneCommand::RemoveRxSc(sci));
    }

    /// Makes a receive SA and sends it to its lane.
    pub(in crate::control::mka) fn create_rx(
        &mut self,
        making: &Making<'_>,
        (key, peer, ssci): (Arc<AgreedKey>, Sci, Option<Ssci>),
        lowest_pn: Pn,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        let id = key.id;
        let shared = RxSaShared::new();
        let made = self.key_object(&key, making).and_then(|object| {
            let params = RxSaParams {
                an: id.an,
                ki: id.ki,
                suite: key.suite,
                key: Arc::clone(&object),
                sci: peer,
                xpn: xpn(&key, ssci),
                confidentiality: confidentiality(key.protection),
                lowest_pn,
                duplicate_depth: making.duplicate_depth,
                shared: Arc::clone(&shared),
            };
            let sa = RxSa::new(params).map_err(|error| error.to_string())?;
            Ok((sa, object))
        });
        let (sa, object) = match made {
            Ok(made) => made,
            Err(why) => return self.fail(id, &why),
        };
        self.rx.push(AgreedRx {
            held: held(key, object, ssci),
            peer,
            shared,
        });
        out(
            Direction::Validate,
            LaneCommand::InstallRxSa(peer, Box::new(sa)),
        );
    }

    /// Makes a transmit SA that may use the numbers from `next_pn` to before `until`, and sends it to
    /// its lane.
    pub(in crate::control::mka) fn create_tx(
        &mut self,
        making: &Making<'_>,
        (key, ssci): (Arc<AgreedKey>, Option<Ssci>),
        (next_pn, until): (Pn, Pn),
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        let id = key.id;
        if let Some(why) = self.would_repeat(id.ki, next_pn) {
            return self.fail(id, why);
        }
        let shared = TxSaShared::new(until);
        let made = self.key_object(&key, making).and_then(|object| {
            let params = TxSaParams {
                an: id.an,
                ki: id.ki,
                suite: key.suite,
                key: Arc::clone(&object),
                sci: self.own_sci,
                xpn: xpn(&key, ssci),
                confidentiality: confidentiality(key.protection),
                next_pn,
                shared: Arc::clone(&shared),
            };
            let sa = TxSa::new(params).map_err(|error| error.to_string())?;
            Ok((sa, object))
        });
        let (sa, object) = match made {
            Ok(made) => made,
            Err(why) => return self.fail(id, &why),
        };
        self.tx.push(AgreedTx {
            held: held(key, object, ssci),
            shared,
        });
        out(Direction::Protect, LaneCommand::InstallTxSa(Box::new(sa)));
    }

    /// A key must not meet a packet number twice, whatever it was that asked for it.
    fn would_repeat(&self, ki: KeyIdentifier, next_pn: Pn) -> Option<&'static str> {
        let stopped = self.spent.iter().find(|(spent, _)| *spent == ki);
        if self.tx.iter().any(|used| used.held.id().ki == ki) {
            Some("its key transmits already")
        } else if stopped.is_some_and(|(_, stopped)| next_pn < *stopped) {
            Some("its key was transmitted with before, and packet numbers would repeat")
        } else {
            None
        }
    }

    /// The key object of `key`: the one that another SA of it has, or a new one.
    fn key_object(&self, key: &Arc<AgreedKey>, making: &Making<'_>) -> Result<SaKey, String> {
        making.check(key)?;
        let tx = self.tx.iter().map(|used| &used.held);
        let rx = self.rx.iter().map(|used| &used.held);
        let same = tx.chain(rx).find(|held| Arc::ptr_eq(&held.key, key));
        match same {
            Some(held) => Ok(Arc::clone(&held.object)),
            None => making
                .factory
                .make_key(&key.sak)
                .map_err(|error| error.to_string()),
        }
    }

    fn fail(&mut self, id: SaId, why: &str) {
        tracing::error!(link = self.link, an = %id.an, ki = %id.ki, "an SA could not be made: {why}");
        self.reports.push_back(Report::Failed(id));
    }

    pub(in crate::control::mka) fn use_tx(
        &mut self,
        id: SaId,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        if self.tx.iter().any(|used| used.held.id() == id) {
            out(Direction::Protect, LaneCommand::EncodeWith(id.an, id.ki));
        } else {
            self.reports.push_back(Report::Failed(id));
        }
    }

    /// Takes a transmit SA back. One that never came to be is gone at once.
    pub(in crate::control::mka) fn retire_tx(
        &mut self,
        id: SaId,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        let mut is_there = false;
        for used in self.tx.iter_mut().filter(|used| used.held.id() == id) {
            used.held.stage = Stage::Retiring;
            is_there = true;
        }
        if is_there {
            out(Direction::Protect, LaneCommand::RetireTxSa(id.an, id.ki));
        } else {
            self.reports.push_back(Report::TxRetired(id));
        }
    }

    /// Takes a receive SA back. One that never came to be is gone at once.
    pub(in crate::control::mka) fn retire_rx(
        &mut self,
        peer: Sci,
        id: SaId,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        let mut is_there = false;
        for used in self.rx.iter_mut().filter(|used| used.is(peer, id)) {
            used.held.stage = Stage::Retiring;
            is_there = true;
        }
        if is_there {
            let command = LaneCommand::RetireRxSa(peer, id.an, id.ki);
            out(Direction::Validate, command);
        } else {
            self.reports.push_back(Report::RxRetired(peer, id));
        }
    }

    /// Asks for every SA back that was not asked for yet, and for the channels.
    pub(in crate::control) fn retire_all(&mut self, out: &mut impl FnMut(Direction, LaneCommand)) {
        let tx = self.tx.iter().filter(|used| used.held.stays());
        let rx = self.rx.iter().filter(|used| used.held.stays());
        let tx: Vec<_> = tx.map(|used| used.held.id()).collect();
        let rx: Vec<_> = rx.map(|used| (used.peer, used.held.id())).collect();
        let peers: Vec<_> = self.channels.iter().map(|(peer, _)| peer).collect();
        tx.into_iter().for_each(|id| self.retire_tx(id, out));
        rx.into_iter()
            .for_each(|(peer, id)| self.retire_rx(peer, id, out));
        peers
            .into_iter()
            .for_each(|peer| self.remove_peer(peer, out));
    }
}

const fn held(key: Arc<AgreedKey>, object: SaKey, ssci: Option<Ssci>) -> Held {
    Held {
        key,
        object,
        ssci,
        stage: Stage::Sent,
    }
}

fn xpn(key: &AgreedKey, ssci: Option<Ssci>) -> Option<XpnParams> {
    let (ssci, salt) = (ssci?, key.salt?);
    Some(XpnParams { ssci, salt })
}

/// `mka` and `macsec` do not know each other: this is where their words meet.
const fn confidentiality(protection: Protection) -> Confidentiality {
    match protection {
        Protection::IntegrityOnly => Confidentiality::IntegrityOnly,
        Protection::Offset0 => Confidentiality::Offset0,
        Protection::Offset30 => Confidentiality::Offset30,
        Protection::Offset50 => Confidentiality::Offset50,
    }
}
