//! What a KaY asks of the data plane, and what the data plane tells it.
//!
//! A KaY believes reports only: LRX, LTX, lowest packet numbers and exhaustion follow them.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use super::{Identity, Protection};
use crate::{
    crypto::Sak,
    ieee::{An, CipherSuite, Ckn, KeyIdentifier, Pn, Salt, Sci, Ssci},
};

/// Which SA: never by AN alone, so that a late word about the last key can't hit the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SaId {
    /// Association number.
    pub an: An,
    /// Key identifier.
    pub ki: KeyIdentifier,
}

/// A SAK that the CA agreed on, and all that goes with it.
pub struct AgreedKey {
    /// Its AN and KI.
    pub id: SaId,
    /// Its suite.
    pub suite: CipherSuite,
    /// What is done to frames.
    pub protection: Protection,
    /// With an XPN suite.
    pub salt: Option<Salt>,
    /// The key.
    pub sak: Sak,
    /// The CAK that it came by.
    pub ckn: Ckn,
}

impl fmt::Debug for AgreedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgreedKey({} {} {})", self.id.an, self.id.ki, self.suite)
    }
}

/// What the data plane is asked to do, in this order.
#[derive(Debug)]
pub enum Action {
    /// Make a receive SC for this peer.
    AddPeer(Sci),
    /// The peer is gone: its receive SC, and its SAs with it.
    RemovePeer(Sci),
    /// Make and install a receive SA. Answered by [`Report::RxInstalled`] or [`Report::Failed`].
    CreateRx {
        /// The key.
        key: Arc<AgreedKey>,
        /// Whose SC.
        peer: Sci,
        /// His SSCI, with XPN.
        ssci: Option<Ssci>,
        /// The lowest acceptable packet number: 1, or what was remembered.
        lowest_pn: Pn,
    },
    /// Make and install a transmit SA that is not yet used. Answered by [`Report::TxInstalled`] or
    /// [`Report::Failed`].
    CreateTx {
        /// The key.
        key: Arc<AgreedKey>,
        /// Our SSCI, with XPN.
        ssci: Option<Ssci>,
        /// The first packet number: 1, or what was remembered.
        next_pn: Pn,
    },
    /// Protect with this SA from now on. Answered by [`Report::TxInUse`].
    UseTx(SaId),
    /// Take this transmit SA back. Answered by [`Report::TxRetired`].
    RetireTx(SaId),
    /// Take this receive SA back. Answered by [`Report::RxRetired`].
    RetireRx(Sci, SaId),
    /// Delay protection: nothing below `lowest` is acceptable any more.
    RaiseLowestPn {
        /// Whose SC.
        peer: Sci,
        /// Which SA.
        sa: SaId,
        /// The new lowest acceptable packet number.
        lowest: Pn,
    },
    /// Write this to disk, then answer [`Report::Saved`] with its generation. What needs it waits.
    Save(Box<Identity>),
}

/// What the data plane, and the port, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The secure port has a link, or has none any more.
    Link(bool),
    /// The transmit SA stands.
    TxInstalled(SaId),
    /// Frames are protected with this SA now.
    TxInUse(SaId),
    /// The transmit SA is gone.
    TxRetired(SaId),
    /// The receive SA stands.
    RxInstalled(Sci, SaId),
    /// The receive SA is gone.
    RxRetired(Sci, SaId),
    /// A SA could not be made or installed.
    Failed(SaId),
    /// How far a transmit SA is; said at least every 100 ms while it is installed.
    TxProgress {
        /// Which SA.
        sa: SaId,
        /// The next packet number.
        next_pn: Pn,
        /// Octets protected under it.
        octets: u64,
    },
    /// How far a receive SA is; said at least every 100 ms while it is installed.
    RxProgress {
        /// Whose SC.
        peer: Sci,
        /// Which SA.
        sa: SaId,
        /// One more than the highest packet number accepted.
        next_pn: Pn,
        /// Octets validated under it.
        octets: u64,
    },
    /// This identity, and every older one, is on disk.
    Saved(u64),
}
