//! Random octets from the operating system, for new keys.

use core::{error, fmt};

use ring::rand::SecureRandom;

use super::{KeyError, RandomSource, Sak};
use crate::ieee::CipherSuite;

/// Fills `out` from the operating system's generator. It waits, early after boot, until the
/// generator is seeded. For a key that is no SAK, such as a CAK: the caller wipes `out` when done.
///
/// # Errors
/// [`NoRandomness`] where the system gives none; `out` is then no key.
pub fn fill(out: &mut [u8]) -> Result<(), NoRandomness> {
    ring::rand::SystemRandom::new()
        .fill(out)
        .map_err(|_| NoRandomness)
}

/// The operating system as the source of an [`AesKeyAgreement`](super::AesKeyAgreement)'s keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), KeyError> {
        fill(out).map_err(|NoRandomness| KeyError::Randomness)
    }
}

impl Sak {
    /// A fresh SAK of the length that `suite` wants.
    ///
    /// # Errors
    /// [`NoRandomness`] where the system gives none.
    pub fn generate(suite: CipherSuite) -> Result<Self, NoRandomness> {
        let mut octets = [0; 32];
        let (octets, _) = octets.split_at_mut(suite.sak_len());
        fill(octets)?;
        Self::take(octets).map_err(|_| NoRandomness)
    }
}

/// The operating system gave no random octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system gave no random octets; no key can be made here")
    }
}

impl error::Error for NoRandomness {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_key_has_its_suites_length_and_is_unlike_the_last() {
        for suite in CipherSuite::ALL {
            let (one, other) = (Sak::generate(suite).unwrap(), Sak::generate(suite).unwrap());
            assert_eq!(one.expose().len(), suite.sak_len());
            assert_ne!(one.expose(), other.expose());
        }
    }
}
