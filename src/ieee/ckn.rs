//! The name of a CAK (802.1X-2020 9.3.1): 1 to 32 octets that both ends configure. Not a secret.

use core::{error, fmt, str::FromStr};

use arrayvec::ArrayVec;

use super::decode_hex;

/// A connectivity association key name. Its length is part of it: `61` and `6100` are two names.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ckn(ArrayVec<u8, { Self::MAX_LEN }>);

impl Ckn {
    /// Octets of the longest name.
    pub const MAX_LEN: usize = 32;

    /// A name of these octets.
    ///
    /// # Errors
    /// [`CknError`] unless there are 1 to 32.
    pub fn new(octets: &[u8]) -> Result<Self, CknError> {
        ArrayVec::try_from(octets)
            .ok()
            .filter(|name: &ArrayVec<_, { Self::MAX_LEN }>| !name.is_empty())
            .map(Self)
            .ok_or(CknError::Length(octets.len()))
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Ckn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Ckn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ckn({self})")
    }
}

impl FromStr for Ckn {
    type Err = CknError;

    fn from_str(text: &str) -> Result<Self, CknError> {
        let mut octets = [0; Self::MAX_LEN];
        let len = text.len() / 2;
        let place = octets.get_mut(..len).ok_or(CknError::Length(len))?;
        decode_hex(text.as_bytes(), place).map_err(|_| CknError::Digits)?;
        Self::new(place)
    }
}

/// What is wrong with a CKN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CknError {
    /// So many octets; there may be 1 to 32.
    Length(usize),
    /// Not an even count of hexadecimal digits.
    Digits,
}

impl fmt::Display for CknError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(found) => write!(f, "a CKN has 1 to 32 octets, not {found}"),
            Self::Digits => f.write_str("a CKN is an even count of hexadecimal digits, 2 to 64"),
        }
    }
}

impl error::Error for CknError {}
