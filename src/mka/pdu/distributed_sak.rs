//! The Distributed SAK parameter set (802.1X-2020 figures 11-11 and 11-12).
//!
//! Three forms: without body, no MACsec; 28 octets, GCM-AES-128; otherwise with the identifier of a suite.

use super::{
    Frame,
    set::{self, Set, kind, put},
};
use crate::{
    crypto::WrappedSak,
    ieee::{An, CipherSuite},
    mka::{Discard, Kn, Protection},
};

/// Octets of the form without identifier.
const SHORT_LEN: usize = 28;

/// What 802.1X-2010 gave GCM-AES-128 by mistake, and some peers send still.
const GCM_AES_128_OF_2010: [u8; 8] = [0x00, 0x80, 0x02, 0x00, 0x01, 0x00, 0x00, 0x01];

/// What a key server distributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DistributedSak {
    /// No MACsec is to be used: a set without body.
    NoMacsec,
    /// A key.
    Key(DistributedKey),
}

/// A wrapped key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributedKey {
    /// Association number.
    pub an: An,
    /// What is done to frames.
    pub protection: Protection,
    /// Key number of the sender.
    pub kn: Kn,
    /// Its suite.
    pub suite: SuiteField,
    /// The SAK under the KEK: 8 octets more than its suite's key; of an unknown suite, 24 to 40.
    pub wrapped: WrappedSak,
}

/// The suite as it travels. GCM-AES-128 is always sent in the short form, without identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuiteField {
    /// A suite of 802.1AE, in either form, or by the identifier that older releases give to GCM-AES-128.
    Known(CipherSuite),
    /// Another identifier.
    Unknown([u8; 8]),
}

impl DistributedSak {
    /// Reads the set. A wrapped key that is not as long as its suite's is malformed.
    pub(super) fn parse(set: Set<'_>) -> Result<Self, Discard> {
        if set.body.is_empty() {
            return Ok(Self::NoMacsec);
        }
        DistributedKey::parse(set.flags, set.body)
            .map(Self::Key)
            .ok_or(Discard::Malformed)
    }

    /// Appends the set. `None` also for a wrapped key that is not as long as its suite's.
    pub(super) fn emit(&self, out: &mut Frame) -> Option<()> {
        match self {
            Self::NoMacsec => set::emit(out, [kind::DISTRIBUTED_SAK, 0, 0], |_| Some(())),
            Self::Key(key) => key.emit(out),
        }
    }
}

impl DistributedKey {
    fn parse(flags: u8, body: &[u8]) -> Option<Self> {
        let (&kn, rest) = body.split_first_chunk()?;
        let (suite, wrapped) = if body.len() == SHORT_LEN {
            (SuiteField::Known(CipherSuite::GcmAes128), rest)
        } else {
            let (&identifier, wrapped) = rest.split_first_chunk()?;
            (SuiteField::from_identifier(identifier), wrapped)
        };
        suite.takes(wrapped.len()).then_some(())?;
        Some(Self {
            an: An::from_tci(flags >> 6),
            protection: protection(flags),
            kn: Kn(u32::from_be_bytes(kn)),
            suite,
            wrapped: WrappedSak::try_from(wrapped).ok()?,
        })
    }

    fn emit(&self, out: &mut Frame) -> Option<()> {
        self.suite.takes(self.wrapped.len()).then_some(())?;
        let flags = self.an.value() << 6 | offset(self.protection);
        set::emit(out, [kind::DISTRIBUTED_SAK, flags, 0], |out| {
            put(out, &self.kn.0.to_be_bytes())?;
            match self.suite {
                // Some peers refuse the whole MKPDU when they see this suite's right identifier.
                SuiteField::Known(CipherSuite::GcmAes128) => {}
                SuiteField::Known(suite) => put(out, &suite.identifier())?,
                SuiteField::Unknown(identifier) => put(out, &identifier)?,
            }
            put(out, &self.wrapped)
        })
    }
}

impl SuiteField {
    /// The suite of an identifier.
    pub(super) fn from_identifier(identifier: [u8; 8]) -> Self {
        if identifier == GCM_AES_128_OF_2010 {
            return Self::Known(CipherSuite::GcmAes128);
        }
        CipherSuite::ALL
            .into_iter()
            .find(|suite| suite.identifier() == identifier)
            .map_or(Self::Unknown(identifier), Self::Known)
    }

    /// Whether a wrapped key of this suite can be so long: key wrap adds 8 octets and knows multiples of
    /// 8 only, from 24 on (RFC 3394).
    const fn takes(self, wrapped_len: usize) -> bool {
        match self {
            Self::Known(suite) => wrapped_len == suite.sak_len().saturating_add(8),
            Self::Unknown(_) => wrapped_len >= 24 && wrapped_len.is_multiple_of(8),
        }
    }
}

/// Bits 6 and 5 of the second octet: the confidentiality offset (802.1X-2020 11.11.1).
const fn protection(flags: u8) -> Protection {
    match (flags >> 4) & 3 {
        0 => Protection::IntegrityOnly,
        1 => Protection::Offset0,
        2 => Protection::Offset30,
        _ => Protection::Offset50,
    }
}

/// As it stands in the second octet.
const fn offset(protection: Protection) -> u8 {
    match protection {
        Protection::IntegrityOnly => 0x00,
        Protection::Offset0 => 0x10,
        Protection::Offset30 => 0x20,
        Protection::Offset50 => 0x30,
    }
}
