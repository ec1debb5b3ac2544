//! The SecTAG (802.1AE-2018 9.3 to 9.12): its bits, and the checks of a received one.
//!
//! ```text
//!  0      2        3     4          8                16
//!  +------+--------+-----+----------+- - - - - - - - -+
//!  | 88E5 | TCI/AN | SL  |    PN    |       SCI       |
//!  +------+--------+-----+----------+- - - - - - - - -+
//!           V ES SC SCB E C AN AN     only where SC is set
//! ```
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use core::fmt;

use crate::crypto::TAG_LEN;
use crate::ieee::{An, EtherType, MacAddr, PnSpace, Sci};

/// The octet that holds the tag control information and the AN (802.1AE-2018 9.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tci(pub u8);

impl Tci {
    /// The version bit.
    pub const V: u8 = 0x80;
    /// The source address and port 1 are the SCI.
    pub const ES: u8 = 0x40;
    /// The SCI is in the SecTAG.
    pub const SC: u8 = 0x20;
    /// The source address and port 0 are the SCI (EPON single copy broadcast).
    pub const SCB: u8 = 0x10;
    /// The user data is encrypted.
    pub const E: u8 = 0x08;
    /// The user data is not what it was before protection.
    pub const C: u8 = 0x04;

    /// The association number.
    #[must_use]
    pub const fn an(self) -> An {
        An::from_tci(self.0)
    }

    /// Whether all bits of `mask` are set.
    #[must_use]
    pub const fn has(self, mask: u8) -> bool {
        self.0 & mask == mask
    }
}

impl fmt::Debug for Tci {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tci({:#04x})", self.0)
    }
}

/// A SecTAG that passed every check that needs no SA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecTag {
    /// The control bits and the AN.
    pub tci: Tci,
    /// The short length: octets of user data below 48, else 0.
    pub short_length: u8,
    /// The packet number, or with XPN its low half.
    pub pn: u32,
    /// The SCI where it is sent: exactly when [`Tci::SC`] is set.
    pub sci: Option<Sci>,
}

impl SecTag {
    /// Octets of a SecTAG without SCI, EtherType included.
    pub const LEN: usize = 8;
    /// Octets of a SecTAG with SCI, EtherType included.
    pub const LEN_WITH_SCI: usize = 16;
    /// User data shorter than this is told by the short length (802.1AE-2018 9.7).
    pub const SHORT: usize = 48;

    /// Octets of this SecTAG, EtherType included.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a SecTAG is never empty")]
    pub const fn len(&self) -> usize {
        if self.sci.is_some() {
            Self::LEN_WITH_SCI
        } else {
            Self::LEN
        }
    }

    /// The short length that tells `data_len` octets of user data.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "below 48")]
    pub const fn short_length_of(data_len: usize) -> u8 {
        if data_len < Self::SHORT {
            data_len as u8
        } else {
            0
        }
    }

    /// Reads the SecTAG at the start of `octets`, EtherType included; what follows it is not looked at.
    ///
    /// # Errors
    /// The first check of 802.1AE-2018 9.12 that fails. Whether the PN may be 0 depends on the SA:
    /// [`Self::check_pn`]; whether the frame is long enough: [`Self::data_len`].
    pub fn parse(octets: &[u8]) -> Result<Self, SecTagError> {
        let Some((&[ether, type_, tci, short_length, a, b, c, d], rest)) =
            octets.split_first_chunk::<{ Self::LEN }>()
        else {
            return Err(SecTagError::Truncated {
                wanted: Self::LEN,
                found: octets.len(),
            });
        };
        if u16::from_be_bytes([ether, type_]) != EtherType::MACSEC.0 {
            return Err(SecTagError::EtherType);
        }
        let tci = Tci(tci);
        Self::check_tci(tci)?;
        if usize::from(short_length) >= Self::SHORT {
            return Err(SecTagError::ShortLength {
                found: short_length,
            });
        }
        let sci = if tci.has(Tci::SC) {
            let sci = rest.first_chunk::<8>().ok_or(SecTagError::Truncated {
                wanted: Self::LEN_WITH_SCI,
                found: octets.len(),
            })?;
            Some(Sci::from_octets(*sci))
        } else {
            None
        };
        Ok(Self {
            tci,
            short_length,
            pn: u32::from_be_bytes([a, b, c, d]),
            sci,
        })
    }

    const fn check_tci(tci: Tci) -> Result<(), SecTagError> {
        if tci.has(Tci::V) {
            Err(SecTagError::Version)
        } else if tci.has(Tci::ES | Tci::SC) {
            Err(SecTagError::EndStationWithSci)
        } else if tci.has(Tci::SCB | Tci::SC) {
            Err(SecTagError::SingleCopyBroadcastWithSci)
        } else {
            Ok(())
        }
    }

    /// Writes the SecTAG to the start of `out` and returns its length; `None`, and nothing written,
    /// where `out` is too short or `sci` and [`Tci::SC`] disagree.
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        if self.sci.is_some() != self.tci.has(Tci::SC) {
            return None;
        }
        let len = self.len();
        let (front, sci) = out
            .get_mut(..len)?
            .split_first_chunk_mut::<{ Self::LEN }>()?;
        let [ether, type_] = EtherType::MACSEC.0.to_be_bytes();
        let [a, b, c, d] = self.pn.to_be_bytes();
        *front = [ether, type_, self.tci.0, self.short_length, a, b, c, d];
        if let Some(value) = self.sci {
            sci.copy_from_slice(&value.octets());
        }
        Some(len)
    }

    /// Whether the packet number can be one: 0 only as the low half of an extended one.
    ///
    /// # Errors
    /// [`SecTagError::ZeroPn`].
    pub const fn check_pn(&self, space: PnSpace) -> Result<(), SecTagError> {
        match space {
            PnSpace::Short if self.pn == 0 => Err(SecTagError::ZeroPn),
            _ => Ok(()),
        }
    }

    /// Octets of user data in a frame that has `mpdu_len` octets from the EtherType on.
    ///
    /// A short length that is set says where the user data ends; what follows the ICV is then pad of
    /// an Ethernet that knows no shorter frames (802.1AE-2018 9.7).
    ///
    /// # Errors
    /// [`SecTagError::TooShort`]: fewer octets than SecTAG, the user data told and ICV.
    pub fn data_len(&self, mpdu_len: usize) -> Result<usize, SecTagError> {
        let overhead = self.len().saturating_add(TAG_LEN);
        let told = match usize::from(self.short_length) {
            0 => Self::SHORT,
            told => told,
        };
        let wanted = overhead.saturating_add(told);
        if mpdu_len < wanted {
            return Err(SecTagError::TooShort {
                wanted,
                found: mpdu_len,
            });
        }
        if self.short_length == 0 {
            Ok(mpdu_len.saturating_sub(overhead))
        } else {
            Ok(told)
        }
    }

    /// The channel: the SCI sent, or what `source` and the bits ES and SCB stand for (802.1AE-2018
    /// 9.5). `None`: the frame says nothing, and only a receiver with one peer knows.
    #[must_use]
    pub const fn channel(&self, source: MacAddr) -> Option<Sci> {
        if let Some(sci) = self.sci {
            return Some(sci);
        }
        if self.tci.has(Tci::SCB) {
            Some(Sci::new(source, Sci::SINGLE_COPY_BROADCAST_PORT))
        } else if self.tci.has(Tci::ES) {
            Some(Sci::new(source, Sci::END_STATION_PORT))
        } else {
            None
        }
    }
}

/// Why octets are no SecTAG, or a frame does not fit the SecTAG it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecTagError {
    /// The SecTAG does not end inside the frame.
    Truncated {
        /// Octets that it has.
        wanted: usize,
        /// Octets that there are.
        found: usize,
    },
    /// Another EtherType than 88-E5.
    EtherType,
    /// The version bit is set.
    Version,
    /// ES and SC are both set.
    EndStationWithSci,
    /// SCB and SC are both set.
    SingleCopyBroadcastWithSci,
    /// A short length of 48 or more, or with one of its two reserved bits set.
    ShortLength {
        /// The octet.
        found: u8,
    },
    /// Packet number 0 with a suite without XPN.
    ZeroPn,
    /// The frame is too short for SecTAG, user data and ICV.
    TooShort {
        /// Octets that it must have from the EtherType on.
        wanted: usize,
        /// Octets that it has.
        found: usize,
    },
}

impl fmt::Display for SecTagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { wanted, found } => {
                write!(f, "a SecTAG of {wanted} octets of which {found} are there")
            }
            Self::EtherType => f.write_str("not the EtherType 88-E5"),
            Self::Version => f.write_str("version bit set; only version 0 is defined"),
            Self::EndStationWithSci => f.write_str("ES and SC both set"),
            Self::SingleCopyBroadcastWithSci => f.write_str("SCB and SC both set"),
            Self::ShortLength { found } => {
                write!(f, "short length octet {found}; 0 to 47 is valid")
            }
            Self::ZeroPn => f.write_str("packet number 0"),
            Self::TooShort { wanted, found } => write!(
                f,
                "{found} octets from the EtherType on; this SecTAG needs at least {wanted}"
            ),
        }
    }
}

impl core::error::Error for SecTagError {}

#[cfg(test)]
mod tests;
