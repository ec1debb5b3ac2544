//! The key identifier (802.1X-2020 9.8): who made a SAK, and which one of his it is.

use core::fmt;

/// A key identifier: the key server's member identifier (12 octets) and the key number.
///
/// With static keys, where no key server exists, the identifier is made from the key's fingerprint.
/// SA state is keyed by (AN, KI), so that a late command for the last key can't hit the next one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyIdentifier(pub [u8; 16]);

impl fmt::Display for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for KeyIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyIdentifier({self})")
    }
}
