//! The four cipher suites (802.1AE-2018 clause 14).

use core::{error, fmt, str::FromStr};

use super::PnSpace;

/// A cipher suite: key length and packet number space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CipherSuite {
    /// GCM-AES-128 (802.1AE-2018 14.5), the mandatory one.
    GcmAes128,
    /// GCM-AES-256 (802.1AE-2018 14.6).
    GcmAes256,
    /// GCM-AES-XPN-128 (802.1AE-2018 14.7): 64-bit packet numbers.
    GcmAesXpn128,
    /// GCM-AES-XPN-256 (802.1AE-2018 14.8): 64-bit packet numbers.
    GcmAesXpn256,
}

impl CipherSuite {
    /// All suites, in the order of their identifiers.
    pub const ALL: [Self; 4] = [
        Self::GcmAes128,
        Self::GcmAes256,
        Self::GcmAesXpn128,
        Self::GcmAesXpn256,
    ];

    /// Octets of a SAK of this suite: 16 or 32.
    pub const fn sak_len(self) -> usize {
        match self {
            Self::GcmAes128 | Self::GcmAesXpn128 => 16,
            Self::GcmAes256 | Self::GcmAesXpn256 => 32,
        }
    }

    /// Whether packet numbers have 64 bits, of which the wire carries the low 32.
    pub const fn is_xpn(self) -> bool {
        matches!(self, Self::GcmAesXpn128 | Self::GcmAesXpn256)
    }

    /// The packet number space.
    pub const fn pn_space(self) -> PnSpace {
        if self.is_xpn() {
            PnSpace::Extended
        } else {
            PnSpace::Short
        }
    }

    /// The identifier that MKA and the MIB use (802.1AE-2018 table 14-1).
    pub const fn identifier(self) -> [u8; 8] {
        let last = match self {
            Self::GcmAes128 => 1,
            Self::GcmAes256 => 2,
            Self::GcmAesXpn128 => 3,
            Self::GcmAesXpn256 => 4,
        };
        [0x00, 0x80, 0xc2, 0x00, 0x01, 0x00, 0x00, last]
    }

    /// The name as `ip macsec` and the config write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GcmAes128 => "gcm-aes-128",
            Self::GcmAes256 => "gcm-aes-256",
            Self::GcmAesXpn128 => "gcm-aes-xpn-128",
            Self::GcmAesXpn256 => "gcm-aes-xpn-256",
        }
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CipherSuite {
    type Err = UnknownCipherSuite;

    fn from_str(text: &str) -> Result<Self, UnknownCipherSuite> {
        Self::ALL
            .into_iter()
            .find(|suite| suite.name() == text)
            .ok_or(UnknownCipherSuite)
    }
}

/// A text that names none of the four suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCipherSuite;

impl fmt::Display for UnknownCipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a MACsec cipher suite; one of gcm-aes-128, gcm-aes-256, gcm-aes-xpn-128, gcm-aes-xpn-256",
        )
    }
}

impl error::Error for UnknownCipherSuite {}
