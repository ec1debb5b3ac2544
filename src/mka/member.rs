//! Members of a CA by their random identifiers (802.1X-2020 9.4.2).

use core::fmt;

use crate::ieee::KeyIdentifier;

/// A member identifier: 96 random bits that a participant picks for itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mi(pub [u8; 12]);

impl Mi {
    /// The identifier of this key server's `kn`-th key (802.1X-2020 9.8).
    pub fn key(self, kn: Kn) -> KeyIdentifier {
        let mut ki = [0; 16];
        let (mi, number) = ki.split_at_mut(12);
        mi.copy_from_slice(&self.0);
        number.copy_from_slice(&kn.0.to_be_bytes());
        KeyIdentifier(ki)
    }

    /// The key server's part and the number of a key identifier.
    pub fn of_key(ki: KeyIdentifier) -> (Self, Kn) {
        let [a, b, c, d, e, f, g, h, i, j, k, l, w, x, y, z] = ki.0;
        let mi = Self([a, b, c, d, e, f, g, h, i, j, k, l]);
        (mi, Kn(u32::from_be_bytes([w, x, y, z])))
    }
}

impl fmt::Display for Mi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Mi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mi({self})")
    }
}

/// A message number (802.1X-2020 9.4.2): 1 for a member identifier's first MKPDU, then one more each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mn(pub u32);

/// A key number (802.1X-2020 9.8): a key server's keys in their order, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kn(pub u32);
