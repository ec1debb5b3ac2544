//! MKA's cryptography with randomness that a seed gives: for unit tests, which must run alike again.

use super::{AesKeyAgreement, KeyError, RandomSource};

/// Octets of SplitMix64 from a seed. Nobody's secret.
#[derive(Clone, Debug)]
struct Seeded(u64);

impl RandomSource for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), KeyError> {
        for part in out.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut word = self.0;
            word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^= word >> 31;
            for (to, from) in part.iter_mut().zip(word.to_be_bytes()) {
                *to = from;
            }
        }
        Ok(())
    }
}

/// Real cryptography, keys and identifiers from `seed`.
pub(crate) const fn seeded(seed: u64) -> AesKeyAgreement<impl RandomSource> {
    AesKeyAgreement::new(Seeded(seed))
}
