//! What a KaY is made of, what it is asked, and what it answers.

use alloc::boxed::Box;
use core::{error, fmt, time::Duration};

use crate::{
    crypto::{CakKeys, KeyAgreement},
    ieee::{Ckn, Sci},
    mka::{Policy, Remembered},
};

/// What a new KaY is given.
#[derive(Debug)]
pub struct KaySetup {
    /// Our SCI: frozen for the life of the KaY.
    pub sci: Sci,
    /// What it does and accepts.
    pub policy: Policy,
    /// Cryptography and randomness.
    pub crypto: Box<dyn KeyAgreement>,
    /// What was kept over a restart.
    pub remembered: Remembered,
    /// Whether [`crate::mka::Action::Save`] is answered. If so, no message or key number leaves that is not
    /// reserved on disk; otherwise nothing is saved.
    pub keeps_identity: bool,
}

/// A CAK that a participant is to be made for.
#[derive(Debug)]
pub struct NewCak {
    /// Its name.
    pub ckn: Ckn,
    /// Its ICK and KEK.
    pub keys: CakKeys,
    /// Used only while no other CAK has live peers.
    pub fallback: bool,
    /// A higher one is newer; between CAKs whose key servers have the same priority the newest is principal.
    pub rank: u64,
}

/// Why a CAK was not added; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddCakError {
    /// There is one of this name already.
    Duplicate,
    /// There are as many as one KaY takes: [`crate::mka::MAX_CAKS`].
    TooMany,
    /// The system gives no randomness for a member identifier.
    Random,
}

impl fmt::Display for AddCakError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate => {
                f.write_str("a CAK of this name is in use; a CKN names one CAK of a link")
            }
            Self::TooMany => write!(
                f,
                "a link takes {} CAKs at the same time",
                crate::mka::MAX_CAKS
            ),
            Self::Random => f.write_str("no randomness for a member identifier"),
        }
    }
}

impl error::Error for AddCakError {}

/// What becomes of a request for a new SAK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RekeyAnswer {
    /// It is made now.
    Now,
    /// It is made after this time, when the gap since the last one is over or its peers are done with it.
    Queued(Duration),
}

/// Why no new SAK can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RekeyRefusal {
    /// No CAK has a live peer.
    NoPeer,
    /// The key server is this peer; the standard gives a client no way to ask it.
    NotKeyServer(Sci),
    /// Nobody was elected to be the key server.
    NoKeyServer,
}

impl fmt::Display for RekeyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPeer => f.write_str("no live peer: there is nobody to agree on a key with"),
            Self::NotKeyServer(sci) => write!(
                f,
                "the key server is the peer {sci}, and only a key server makes keys: rekey there, or give this \
                 end the lower priority value"
            ),
            Self::NoKeyServer => {
                f.write_str("no member of the CA serves keys: one end needs a priority below 255")
            }
        }
    }
}

impl error::Error for RekeyRefusal {}
