//! The basic parameter set (802.1X-2020 figure 11-8). It comes first and has no type.

use super::{
    Frame,
    set::{self, HEADER_LEN, body_len, padding, put},
};
use crate::{
    ieee::{Ckn, Sci},
    mka::{Mi, Mn},
};

/// Algorithm agility of the only algorithms that there are (802.1X-2020 11.11.1): AES-CMAC ICVs
/// and AES key wrap.
pub(super) const AGILITY: [u8; 4] = [0x00, 0x80, 0xc2, 0x01];

/// The sender is, or may become, the key server.
const KEY_SERVER: u8 = 0x80;
/// The sender wants MACsec.
const MACSEC_DESIRED: u8 = 0x40;

/// Who sends, and of which CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basic {
    /// MKA version: 1, 2 or 3; later ones are heard as the latest known.
    pub version: u8,
    /// Key server priority.
    pub priority: u8,
    /// The sender is, or may become, the key server.
    pub key_server: bool,
    /// The sender wants MACsec.
    pub macsec_desired: bool,
    /// What its SecY can do.
    pub capability: Capability,
    /// Its SCI.
    pub sci: Sci,
    /// Its member identifier.
    pub mi: Mi,
    /// The number of this message.
    pub mn: Mn,
    /// The name of the CAK.
    pub ckn: Ckn,
}

/// MACsec capability (802.1X-2020 table 11-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// No MACsec.
    None,
    /// Integrity only.
    Integrity,
    /// And confidentiality without offset.
    Offset0,
    /// And confidentiality with offsets 30 and 50.
    Offsets,
}

impl Basic {
    /// Reads the set at the start of a MKPDU without its ICV: the set, its algorithm agility, and the
    /// sets that follow. `None` where it does not fit or its CKN has no 1 to 32 octets.
    pub(super) fn parse(mkpdu: &[u8]) -> Option<(Self, [u8; 4], &[u8])> {
        let (&header, rest) = mkpdu.split_first_chunk::<HEADER_LEN>()?;
        let len = body_len(header);
        let (body, rest) = rest.split_at_checked(len)?;
        let (_, rest) = rest.split_at_checked(padding(len))?;
        let (&sci, body) = body.split_first_chunk()?;
        let (&mi, body) = body.split_first_chunk()?;
        let (&mn, body) = body.split_first_chunk()?;
        let (&agility, ckn) = body.split_first_chunk()?;
        let [version, priority, flags, _] = header;
        let basic = Self {
            version,
            priority,
            key_server: flags & KEY_SERVER != 0,
            macsec_desired: flags & MACSEC_DESIRED != 0,
            capability: Capability::from_bits(flags >> 4),
            sci: Sci::from_octets(sci),
            mi: Mi(mi),
            mn: Mn(u32::from_be_bytes(mn)),
            ckn: Ckn::new(ckn).ok()?,
        };
        Some((basic, agility, rest))
    }

    /// Appends the set.
    pub(super) fn emit(&self, out: &mut Frame) -> Option<()> {
        let flags = self.capability.flags()
            | if self.key_server { KEY_SERVER } else { 0 }
            | if self.macsec_desired {
                MACSEC_DESIRED
            } else {
                0
            };
        set::emit(out, [self.version, self.priority, flags], |out| {
            put(out, &self.sci.octets())?;
            put(out, &self.mi.0)?;
            put(out, &self.mn.0.to_be_bytes())?;
            put(out, &AGILITY)?;
            put(out, self.ckn.octets())
        })
    }
}

impl Capability {
    /// From the lowest two bits.
    pub(super) const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::None,
            1 => Self::Integrity,
            2 => Self::Offset0,
            _ => Self::Offsets,
        }
    }

    /// As they stand in the third octet.
    const fn flags(self) -> u8 {
        match self {
            Self::None => 0x00,
            Self::Integrity => 0x10,
            Self::Offset0 => 0x20,
            Self::Offsets => 0x30,
        }
    }
}
