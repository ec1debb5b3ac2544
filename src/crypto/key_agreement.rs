//! What MKA asks of cryptography and of chance: one trait, so that MKA itself stays pure.

use core::fmt;

use arrayvec::ArrayVec;

use super::{Cak, Ick, Kek, KeyError, Sak};
use crate::ieee::{CipherSuite, Ckn};

/// Octets of a MKPDU's ICV (802.1X-2020 9.4.1).
pub const ICV_LEN: usize = 16;

/// Octets of the longest wrapped SAK: a key of 32 octets and one block of RFC 3394.
pub const WRAPPED_SAK_MAX: usize = 40;

/// A SAK as it travels, wrapped by RFC 3394: 24 or 40 octets.
pub type WrappedSak = ArrayVec<u8, WRAPPED_SAK_MAX>;

/// The keys that serve one CAK (802.1X-2020 9.3.3). The CAK itself is not needed after this.
#[derive(Debug)]
pub struct CakKeys {
    /// Authenticates MKPDUs.
    pub ick: Ick,
    /// Wraps SAKs.
    pub kek: Kek,
}

/// Key derivation, ICVs, key wrap and randomness for MKA.
pub trait KeyAgreement: fmt::Debug + Send {
    /// ICK and KEK of a CAK with this name (802.1X-2020 9.3.3).
    ///
    /// # Errors
    /// [`KeyError`] where no memory for keys is left.
    fn derive(&self, cak: &Cak, ckn: &Ckn) -> Result<CakKeys, KeyError>;

    /// The ICV (AES-CMAC) over `parts` in a row (802.1X-2020 9.4.1).
    fn icv(&self, ick: &Ick, parts: &[&[u8]]) -> [u8; ICV_LEN];

    /// A SAK, wrapped for its way (802.1X-2020 9.8.2, RFC 3394).
    fn wrap_sak(&self, kek: &Kek, sak: &Sak) -> WrappedSak;

    /// The SAK out of a received field.
    ///
    /// # Errors
    /// [`UnwrapError`] where it was not wrapped by this KEK, or is not 24 or 40 octets long.
    fn unwrap_sak(&self, kek: &Kek, wrapped: &[u8]) -> Result<Sak, UnwrapError>;

    /// A fresh random SAK (802.1X-2020 9.8.1).
    ///
    /// # Errors
    /// [`KeyError`] where there is no randomness or no memory for keys.
    fn generate_sak(&mut self, suite: CipherSuite) -> Result<Sak, KeyError>;

    /// Fills `out` at random: member identifiers.
    ///
    /// # Errors
    /// [`KeyError`] where the system gives no randomness.
    fn random(&mut self, out: &mut [u8]) -> Result<(), KeyError>;
}

/// A wrapped key that does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnwrapError {
    /// Neither 24 nor 40 octets.
    Length(usize),
    /// The check value is wrong: another KEK, or a damaged field.
    Check,
    /// No memory for the key.
    Memory,
}

impl fmt::Display for UnwrapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(found) => write!(f, "a wrapped SAK of {found} octets; there are 24 or 40"),
            Self::Check => f.write_str("the wrapped SAK does not open with this CAK's KEK"),
            Self::Memory => f.write_str("no locked memory for a SAK"),
        }
    }
}

impl core::error::Error for UnwrapError {}
