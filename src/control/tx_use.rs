//! A transmit SA as control keeps it: its key object, its packet numbers, its reservation.

use std::sync::Arc;

use crate::{
    bus::TxSaView,
    config::Fingerprint,
    crypto::SaKey,
    ieee::{An, KeyIdentifier, Pn, PnSpace, Ssci},
    macsec::TxSaShared,
};

/// A transmit SA that was handed to a worker.
pub(super) struct TxUse {
    pub(super) an: An,
    pub(super) ki: KeyIdentifier,
    pub(super) fingerprint: Fingerprint,
    pub(super) ssci: Option<Ssci>,
    pub(super) space: PnSpace,
    pub(super) soft_at: Pn,
    pub(super) shared: Arc<TxSaShared>,
    /// The last reference: the key is wiped when this drops, on control's thread.
    pub(super) _key: SaKey,
    pub(super) installed: bool,
}

impl std::fmt::Debug for TxUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TxUse({} {})", self.an, self.ki)
    }
}

/// How far a transmit SA is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TxEnd {
    /// It can go on.
    Running,
    /// The packet numbers of its key are used up.
    Exhausted,
    /// Those that were reserved on disk are used up.
    ReservationEnded,
}

impl TxUse {
    pub(super) fn is(&self, an: An, ki: KeyIdentifier) -> bool {
        self.an == an && self.ki == ki
    }

    /// The next packet number, as the worker last published it.
    pub(super) fn next_pn(&self) -> Pn {
        self.shared.next_pn()
    }

    pub(super) fn soft_passed(&self) -> bool {
        self.next_pn() >= self.soft_at
    }

    pub(super) fn end(&self) -> TxEnd {
        let next = self.next_pn();
        if next > self.space.last() {
            TxEnd::Exhausted
        } else if next >= self.shared.reserved_until() {
            TxEnd::ReservationEnded
        } else {
            TxEnd::Running
        }
    }

    pub(super) fn view(&self) -> TxSaView {
        TxSaView {
            an: self.an,
            ki: self.ki,
            next_pn: self.next_pn(),
            reserved_until: self.shared.reserved_until(),
            soft_threshold_passed: self.soft_passed(),
            ssci: self.ssci,
        }
    }
}
