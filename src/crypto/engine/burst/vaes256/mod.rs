//! The kernel for CPUs with VAES and VPCLMULQDQ on 256 bits.
#![expect(
    unsafe_code,
    clippy::multiple_unsafe_ops_per_block,
    reason = "a CPU kernel, where one bound carries an address and what is done there; \
              docs/adr/0012-a-burst-engine-of-our-own.md"
)]

mod abreast;
mod aes;
mod front;
mod ghash;
mod hash;
mod kinds;
mod open;
#[cfg(test)]
#[path = "tests/oracle.rs"]
mod oracle;
mod place;
mod queue;
mod seal;
mod sums;
mod tables;

use std::arch::is_x86_feature_detected;

use super::{Kernel, Left};
use crate::crypto::{AeadFrame, KeyError, Opened, Sak};
use tables::Tables;

/// A key for this kernel. It exists only where the CPU can run it.
pub(in super::super) struct Kernel256(Tables);

impl Kernel for Kernel256 {
    const NAME: &'static str = "vaes256";

    const WHY: &'static str = "the CPU has VAES and VPCLMULQDQ on 256 bits; whole bursts by our own kernel, \
        frames with less than 16 octets of room behind the ICV or more than 16 KiB of text by ring";

    const LACKING: &'static str = "the CPU lacks AVX2, VAES or VPCLMULQDQ";

    fn runs_here() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("aes")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("vaes")
            && is_x86_feature_detected!("vpclmulqdq")
    }

    fn new(sak: &Sak) -> Result<Self, KeyError> {
        if !Self::runs_here() {
            return Err(KeyError::Refused);
        }
        // SAFETY: the CPU has what the function asks for.
        unsafe { Tables::of(sak) }.map(Self)
    }

    fn seal(&self, burst: &mut [AeadFrame<'_>]) -> Left {
        match self.0.rounds {
            // SAFETY: `new` looked for what the function asks of the CPU.
            10 => unsafe { seal::seal::<10>(&self.0, burst) },
            // SAFETY: as above.
            _ => unsafe { seal::seal::<14>(&self.0, burst) },
        }
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> (Opened, Left) {
        match self.0.rounds {
            // SAFETY: `new` looked for what the function asks of the CPU.
            10 => unsafe { open::open::<10>(&self.0, burst) },
            // SAFETY: as above.
            _ => unsafe { open::open::<14>(&self.0, burst) },
        }
    }
}
