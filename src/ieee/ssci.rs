//! The short secure channel identifier of the XPN suites (802.1AE-2018 10.7.13).

use core::fmt;

/// A 32-bit SSCI: which SC of the CA, in the nonce of an XPN suite.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssci(pub u32);

impl fmt::Display for Ssci {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Ssci {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ssci({})", self.0)
    }
}
