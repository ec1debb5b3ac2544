//! Commands from control to a lane.

use alloc::{boxed::Box, sync::Arc};

use super::{Direction, EapolFilter, LaneIndex, LaneMode, PortSide};
use crate::{
    ieee::{An, EtherType, KeyIdentifier, Pn, Sci},
    macsec::{Replay, RxSa, RxScCounters, TxSa, ValidateFrames},
};

/// A command and the lane that it is for.
#[derive(Debug)]
pub struct Command {
    /// Which lane of the worker's.
    pub lane: LaneIndex,
    /// What it is to do.
    pub what: LaneCommand,
}

/// What a lane can be told. Boxes are made and dropped by control; the lane sends retired ones home.
#[derive(Debug)]
pub enum LaneCommand {
    /// What to let through from the next burst on. Answered.
    Mode(LaneMode),
    /// Protect lanes: put a SA under its AN. Answered.
    InstallTxSa(Box<TxSa>),
    /// Protect lanes: use this SA from the next frame on. Answered.
    EncodeWith(An, KeyIdentifier),
    /// Protect lanes: give this SA back. Answered.
    RetireTxSa(An, KeyIdentifier),
    /// Protect lanes: frames of this EtherType are key agreement's and never leave in clear, as EAPOL's own
    /// never do; from the next burst on.
    KayEtherType(EtherType),
    /// Validate lanes: add a receive SC that counts in this. Answered.
    AddRxSc(Sci, Arc<RxScCounters>),
    /// Validate lanes: take a receive SC out, and its SAs with it. Answered.
    RemoveRxSc(Sci),
    /// Validate lanes: put a SA of this SC under its AN. Answered.
    InstallRxSa(Sci, Box<RxSa>),
    /// Validate lanes: give this SA back. Answered.
    RetireRxSa(Sci, An, KeyIdentifier),
    /// Validate lanes: no packet number below this is acceptable any more (MKA's delay protection); a
    /// lower one than that in force changes nothing. Answered.
    RaiseLowestPn(Sci, An, KeyIdentifier, Pn),
    /// Validate lanes: what of EAPOL goes to control from the next burst on; without a filter all of it.
    /// The old one comes home.
    EapolFilter(Option<Box<EapolFilter>>),
    /// Validate lanes: replay protection from the next burst on.
    Replay(Replay),
    /// Validate lanes: `validateFrames` from the next burst on.
    Validate(ValidateFrames),
    /// What passes in clear from the next burst on. The old list comes home.
    Bypass(Box<Bypass>),
    /// Leave this port's queue alone (`false`) or use it again (`true`). Answered.
    UsePort(PortSide, bool),
}

/// One entry of a bypass list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BypassEntry {
    /// The EtherType that passes in clear.
    pub ethertype: EtherType,
    /// Which way, or both where `None`.
    pub direction: Option<Direction>,
}

/// The bypass list of a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bypass(pub Vec<BypassEntry>);

impl Bypass {
    /// Whether a frame of `ethertype` passes in clear on its way `direction`.
    pub fn covers(&self, ethertype: EtherType, direction: Direction) -> bool {
        self.0.iter().any(|entry| {
            entry.ethertype == ethertype && entry.direction.is_none_or(|way| way == direction)
        })
    }
}
