//! The association number (802.1AE-2018 9.6): which of an SC's four SAs a frame belongs to.

use core::fmt;

/// An association number, 0 to 3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct An(u8);

impl An {
    /// How many association numbers there are.
    pub const COUNT: usize = 4;

    /// All of them, ascending.
    pub const ALL: [Self; Self::COUNT] = [Self(0), Self(1), Self(2), Self(3)];

    /// The association number `value`, or `None` above 3.
    pub const fn new(value: u8) -> Option<Self> {
        if value < 4 { Some(Self(value)) } else { None }
    }

    /// The low two bits of a SecTAG's TCI/AN octet.
    pub const fn from_tci(octet: u8) -> Self {
        Self(octet & 3)
    }

    /// The number as it stands on the wire.
    pub const fn value(self) -> u8 {
        self.0
    }

    /// The number as an index into a table of four.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The number that follows, 0 after 3.
    #[must_use]
    pub const fn next(self) -> Self {
        Self((self.0 + 1) & 3)
    }
}

impl fmt::Debug for An {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "An({})", self.0)
    }
}

impl fmt::Display for An {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
