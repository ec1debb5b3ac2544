//! The SAs of one key in the data plane, as reports tell of them.

use alloc::{sync::Arc, vec::Vec};

use super::progress::Progress;
use crate::{
    ieee::{Pn, Sci, Ssci},
    mka::{AgreedKey, SaId, Time},
};

/// How far an SA is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not asked for.
    #[default]
    Absent,
    /// Asked for, not yet reported.
    Asked,
    /// Reported to stand.
    Installed,
    /// Asked to end, not yet reported.
    Retiring,
    /// Reported to be gone; it never comes back, because its packet numbers are no longer known.
    Gone,
}

/// The receive SA for one peer.
#[derive(Debug)]
pub(super) struct Rx {
    pub(super) peer: Sci,
    pub(super) stage: Stage,
    /// One more than the highest packet number accepted.
    pub(super) next_pn: Pn,
    pub(super) octets: u64,
    /// The lowest acceptable packet number that the data plane was told.
    pub(super) lowest: Pn,
}

/// All SAs of one key.
#[derive(Debug)]
pub(super) struct Sa {
    pub(super) key: Arc<AgreedKey>,
    /// Our SSCI, with XPN.
    pub(super) own_ssci: Option<Ssci>,
    /// Peers' SSCIs, with XPN.
    pub(super) sscis: Vec<(Sci, Ssci)>,
    pub(super) tx: Stage,
    /// Reported to be what frames are protected with.
    pub(super) in_use: bool,
    /// It was asked to be used, so packet numbers of it may be on the wire.
    pub(super) use_asked: bool,
    pub(super) rx: Vec<Rx>,
    /// A restart would know it.
    pub(super) known: bool,
    /// What we tell peers as LRX or ORX: once it was true for every peer, it is until an SA goes.
    pub(super) receiving: bool,
    /// Its packet numbers are used up.
    pub(super) ended: bool,
    pub(super) progress: Progress,
    /// Since when its retirement was asked for.
    pub(super) retiring: Option<Time>,
}

impl Sa {
    pub(super) const fn new(
        key: Arc<AgreedKey>,
        own_ssci: Option<Ssci>,
        sscis: Vec<(Sci, Ssci)>,
    ) -> Self {
        Self {
            key,
            own_ssci,
            sscis,
            tx: Stage::Absent,
            in_use: false,
            use_asked: false,
            rx: Vec::new(),
            known: false,
            receiving: false,
            ended: false,
            progress: Progress::new(),
            retiring: None,
        }
    }

    pub(super) fn id(&self) -> SaId {
        self.key.id
    }

    pub(super) fn is_xpn(&self) -> bool {
        self.key.suite.is_xpn()
    }

    /// The peer's SSCI; `Err` where there has to be one and it is not known.
    pub(super) fn ssci_of(&self, peer: Sci) -> Result<Option<Ssci>, NoSsci> {
        if !self.is_xpn() {
            return Ok(None);
        }
        self.sscis
            .iter()
            .find(|(sci, _)| *sci == peer)
            .map(|(_, ssci)| Some(*ssci))
            .ok_or(NoSsci)
    }

    pub(super) fn rx(&self, peer: Sci) -> Option<&Rx> {
        self.rx.iter().find(|rx| rx.peer == peer)
    }

    pub(super) fn rx_mut(&mut self, peer: Sci) -> Option<&mut Rx> {
        self.rx.iter_mut().find(|rx| rx.peer == peer)
    }

    /// Whether the data plane has, or may have, a part of it.
    pub(super) fn stands(&self) -> bool {
        let stands = |stage: Stage| !matches!(stage, Stage::Absent | Stage::Gone);
        stands(self.tx) || self.rx.iter().any(|rx| stands(rx.stage))
    }

    /// Whether the data plane receives with it from at least one peer.
    pub(super) fn receives(&self) -> bool {
        self.rx.iter().any(|rx| rx.stage == Stage::Installed)
    }

    /// Whether no frame can have been protected or validated with it: nobody transmits before we said that we receive.
    pub(super) fn is_unused(&self) -> bool {
        !self.use_asked && !self.receiving && self.rx.iter().all(|rx| rx.next_pn == Pn::FIRST)
    }

    /// Protects our frames and validates someone's.
    pub(super) fn is_secured(&self) -> bool {
        self.in_use && !self.ended && self.receives()
    }
}

/// A peer has no SSCI under a key that needs one.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoSsci;
