//! One SA of an agreed key as control keeps it, of either direction.

use std::{fmt, sync::Arc};

use crate::{
    bus::{RxSaView, TxSaView},
    control::tx_use::TxEnd,
    crypto::SaKey,
    ieee::{Pn, Sci, Ssci},
    macsec::{RxSaShared, TxSaShared},
    mka::{AgreedKey, SaId},
};

/// How far an SA is, by what its worker said and what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::control) enum Stage {
    /// On its way to the worker.
    Sent,
    /// It stands.
    Installed,
    /// It was asked back, and is not home yet.
    Retiring,
}

/// What both directions have in common.
pub(in crate::control) struct Held {
    pub(in crate::control) key: Arc<AgreedKey>,
    /// The key object that all SAs of `key` share. With the last of them the key is wiped, on this thread.
    pub(in crate::control) object: SaKey,
    pub(in crate::control) ssci: Option<Ssci>,
    pub(in crate::control) stage: Stage,
}

impl Held {
    pub(in crate::control) fn id(&self) -> SaId {
        self.key.id
    }

    /// Whether it was not asked back.
    pub(in crate::control) fn stays(&self) -> bool {
        self.stage != Stage::Retiring
    }

    pub(in crate::control) fn stands(&self) -> bool {
        self.stage == Stage::Installed
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({:?} {:?})", self.key, self.stage)
    }
}

/// A transmit SA.
#[derive(Debug)]
pub(in crate::control) struct AgreedTx {
    pub(in crate::control) held: Held,
    pub(in crate::control) shared: Arc<TxSaShared>,
}

impl AgreedTx {
    /// Why it can't go on, if it can't.
    pub(in crate::control) fn end(&self) -> TxEnd {
        let next = self.shared.next_pn();
        if next > self.held.key.suite.pn_space().last() {
            TxEnd::Exhausted
        } else if next >= self.shared.reserved_until() {
            TxEnd::ReservationEnded
        } else {
            TxEnd::Running
        }
    }

    pub(in crate::control) fn view(&self, soft_at: Pn) -> TxSaView {
        let next_pn = self.shared.next_pn();
        TxSaView {
            an: self.held.id().an,
            ki: self.held.id().ki,
            next_pn,
            reserved_until: self.shared.reserved_until(),
            soft_threshold_passed: next_pn >= soft_at,
            ssci: self.held.ssci,
        }
    }
}

/// A receive SA.
#[derive(Debug)]
pub(in crate::control) struct AgreedRx {
    pub(in crate::control) held: Held,
    pub(in crate::control) peer: Sci,
    pub(in crate::control) shared: Arc<RxSaShared>,
}

impl AgreedRx {
    pub(super) fn is(&self, peer: Sci, id: SaId) -> bool {
        self.peer == peer && self.held.id() == id
    }

    pub(in crate::control) fn view(&self) -> RxSaView {
        RxSaView {
            an: self.held.id().an,
            ki: self.held.id().ki,
            next_pn: self.shared.next_pn(),
            lowest_pn: self.shared.lowest_pn(),
            ssci: self.held.ssci,
        }
    }
}
