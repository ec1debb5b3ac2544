//! Raw keys: they wipe themselves, and nothing prints, copies or compares them by accident.

use alloc::boxed::Box;
use core::fmt;

use zeroize::Zeroize;

/// A secure association key, 16 or 32 octets. Lives on the control thread and nowhere else.
pub struct Sak(Box<[u8]>);

impl Sak {
    /// Takes `octets` over and wipes them where they stood.
    ///
    /// # Errors
    /// [`WrongSakLength`] unless there are 16 or 32; the octets are wiped all the same.
    pub fn take(octets: &mut [u8]) -> Result<Self, WrongSakLength> {
        let found = octets.len();
        let taken = matches!(found, 16 | 32).then(|| Self(Box::from(&*octets)));
        octets.zeroize();
        taken.ok_or(WrongSakLength { found })
    }

    /// The key itself, for an engine's key set-up and a fingerprint.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Sak {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Sak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sak(secret)")
    }
}

/// A key that is neither 16 nor 32 octets long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongSakLength {
    /// Octets that there were.
    pub found: usize,
}

impl fmt::Display for WrongSakLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a SAK of {} octets; there are only SAKs of 16 and 32",
            self.found
        )
    }
}

impl core::error::Error for WrongSakLength {}
