//! What happens to a burst between the port that it came by and the one that it leaves by.
//!
//! Two lanes, one module each. A lane looks at each frame once, hands what MACsec has to do to the
//! SecY as one burst, and says which frames go on. It owns its SecY half and its counters, so it has
//! one writer: the worker that runs it. There is no DPDK in here; a frame is a
//! [`FrameBuf`](crate::macsec::FrameBuf).
//!
//! A burst goes through a lane in three pieces: `prepare`, the engine's work, `finish`. The first and the
//! last are the lane's own and in order; the second needs no lane, so that another thread can do it:
//! [`ProtectJob`], [`ValidateJob`].

mod eapol;
mod ethernet;
mod fate;
mod protect;
#[cfg(test)]
mod tests;
mod validate;

pub use protect::{ProtectJob, ProtectLane, ProtectSetup};
pub use validate::{ValidateJob, ValidateLane, ValidateSetup};

/// A piece of a lane's work on a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Each frame's outside: where it goes by EtherType and mode.
    Classify,
    /// All of MACsec ahead of the engine: SecTAG, numbers, SAs.
    Prepare,
    /// The engine.
    Crypto,
    /// All behind it: windows, verdicts, counters.
    Finish,
}
