//! A receive SA as control keeps it.

use std::{sync::Arc, time::Instant};

use crate::{
    bus::RxSaView,
    config::Fingerprint,
    crypto::SaKey,
    ieee::{An, KeyIdentifier, Pn, Sci, Ssci},
    macsec::RxSaShared,
};

/// A receive SA that was handed to a worker.
pub(super) struct RxUse {
    pub(super) sci: Sci,
    pub(super) an: An,
    pub(super) ki: KeyIdentifier,
    pub(super) fingerprint: Fingerprint,
    pub(super) ssci: Option<Ssci>,
    pub(super) first_pn: Pn,
    /// The lowest acceptable packet number as it is on disk.
    pub(super) saved_floor: Pn,
    pub(super) shared: Arc<RxSaShared>,
    /// The last reference: the key is wiped when this drops, on control's thread.
    pub(super) _key: SaKey,
    pub(super) installed: bool,
    /// When a newer SA was first seen carrying frames: this one is kept a little longer for those
    /// that are still under way (SAK Retire Time, 802.1X-2020 table 9-3).
    pub(super) outlived: Option<Instant>,
    /// Told to the worker, and not home yet.
    pub(super) retiring: bool,
}

impl std::fmt::Debug for RxUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RxUse({} {} {})", self.sci, self.an, self.ki)
    }
}

impl RxUse {
    pub(super) fn is(&self, sci: Sci, an: An, ki: KeyIdentifier) -> bool {
        self.sci == sci && self.an == an && self.ki == ki
    }

    /// Whether a frame was accepted with it.
    pub(super) fn was_used(&self) -> bool {
        self.shared.next_pn() > self.first_pn
    }

    pub(super) fn view(&self) -> RxSaView {
        RxSaView {
            an: self.an,
            ki: self.ki,
            next_pn: self.shared.next_pn(),
            lowest_pn: self.shared.lowest_pn(),
            ssci: self.ssci,
        }
    }
}
