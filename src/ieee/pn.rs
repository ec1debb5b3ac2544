//! Packet numbers (802.1AE-2018 10.5.2, 10.6.2).

use core::fmt;

/// A full packet number: 32 bits of use without XPN, 64 with. 0 is never sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pn(pub u64);

impl Pn {
    /// The first packet number of a fresh SAK.
    pub const FIRST: Self = Self(1);

    /// The 32 bits that the SecTAG carries.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the low half is what the wire carries"
    )]
    pub const fn wire(self) -> u32 {
        self.0 as u32
    }

    /// The number `count` further on, held at the top of the 64-bit space.
    #[must_use]
    pub const fn saturating_add(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The number `count` before, held at 0.
    #[must_use]
    pub const fn saturating_sub(self, count: u64) -> Self {
        Self(self.0.saturating_sub(count))
    }
}

impl fmt::Debug for Pn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pn({})", self.0)
    }
}

impl fmt::Display for Pn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// How many packet numbers one SAK has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PnSpace {
    /// 32-bit numbers: the suites without XPN.
    Short,
    /// 64-bit numbers: the XPN suites.
    Extended,
}

impl PnSpace {
    /// The last number that may be sent. With XPN one is left unused, so that "next" always fits.
    pub const fn last(self) -> Pn {
        match self {
            Self::Short => Pn(u32::MAX as u64),
            Self::Extended => Pn(u64::MAX - 1),
        }
    }
}
