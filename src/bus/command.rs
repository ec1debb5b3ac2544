//! Commands from control to a lane.

use alloc::boxed::Box;

use super::{Direction, LaneIndex, LaneMode, PortSide};
use crate::{
    ieee::{An, EtherType, KeyIdentifier, Sci},
    macsec::{Replay, RxSa, TxSa, ValidateFrames},
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
    /// Validate lanes: put a SA of this SC under its AN. Answered.
    InstallRxSa(Sci, Box<RxSa>),
    /// Validate lanes: give this SA back. Answered.
    RetireRxSa(Sci, An, KeyIdentifier),
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
