//! Names of the places: links, lanes, ports' sides, workers, and what a lane lets through.

use core::fmt;

/// A link's place in the config, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkIndex(pub usize);

/// A worker's place among the workers, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerIndex(pub usize);

/// One direction of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Plain to secure.
    Protect,
    /// Secure to plain.
    Validate,
}

impl Direction {
    /// Both, protect first.
    pub const BOTH: [Self; 2] = [Self::Protect, Self::Validate];

    /// The label in metrics, `status` and the config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Protect => "protect",
            Self::Validate => "validate",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One lane: a link and a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LaneIndex {
    /// Which link.
    pub link: LinkIndex,
    /// Which way.
    pub direction: Direction,
}

/// Which of a link's two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortSide {
    /// The customer's side: frames without MACsec.
    Plain,
    /// The cloud's side: frames with MACsec.
    Secure,
}

impl PortSide {
    /// Both, plain first.
    pub const BOTH: [Self; 2] = [Self::Plain, Self::Secure];

    /// The label in metrics and `status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Secure => "secure",
        }
    }
}

impl fmt::Display for PortSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a lane lets through. Control says so, the worker confirms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LaneMode {
    /// Nothing but what belongs to key agreement. Every lane starts so.
    #[default]
    Closed,
    /// `no_encrypt`: a wire. EAPOL and frames that others protected pass like any frame.
    Wire,
    /// `should_encrypt` without keys: clear frames pass, EAPOL goes to control.
    Clear,
    /// Secured a moment ago: protected frames pass, and clear ones still do on receive, until the
    /// first protected frame proves that the peer has switched, or control ends it.
    SecuredAcceptClear,
    /// Protected frames only.
    Secured,
}

impl LaneMode {
    /// The word in `status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Wire => "wire",
            Self::Clear => "clear",
            Self::SecuredAcceptClear => "secured-accepting-clear",
            Self::Secured => "secured",
        }
    }
}
