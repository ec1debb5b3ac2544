//! AES-CMAC (RFC 4493, NIST SP 800-38B), and MKA's key derivation on top of it (802.1X-2020 6.2.1).

use aes::{Aes128, Aes256};
use cmac::{
    Cmac, KeyInit, Mac,
    digest::{OutputSizeUser, array::typenum::U16},
};

use super::{scrub::with_clean_stack_to, secret::KeyOctets};

/// Octets of a CMAC.
const CMAC_LEN: usize = 16;

/// Octets of stack that a CMAC or a key wrap may have used: round keys, above all.
/// `tests/crypto_residue.rs` finds out if it is too few.
pub(super) const CIPHER_DEPTH: usize = 8 * 1024;

/// The AES-CMAC over `parts` in a row, into `out`: 16 octets, or fewer of the first.
pub(super) fn cmac(key: KeyOctets<'_>, parts: &[&[u8]], out: &mut [u8]) {
    // Round keys stand on the stack for this one call alone: to expand a key takes less than a block of
    // most MKPDUs, and to keep it expanded would take locked memory for each CAK.
    with_clean_stack_to::<CIPHER_DEPTH, _>(|| match key {
        KeyOctets::Short(key) => run(Cmac::<Aes128>::new(key.into()), parts, out),
        KeyOctets::Long(key) => run(Cmac::<Aes256>::new(key.into()), parts, out),
    });
}

fn run<M: Mac + OutputSizeUser<OutputSize = U16>>(mut mac: M, parts: &[&[u8]], out: &mut [u8]) {
    for part in parts {
        mac.update(part);
    }
    for (to, from) in out.iter_mut().zip(mac.finalize().into_bytes()) {
        *to = from;
    }
}

/// Fills `out` with the key that `key` gives for `label` and `context`: SP 800-108 in counter mode with
/// an 8-bit counter and a 16-bit length in bits. At most 255 blocks of 16 octets; MKA has one or two.
pub(super) fn derive(key: KeyOctets<'_>, label: &[u8], context: &[u8], out: &mut [u8]) {
    let bits = u16::try_from(8 * out.len()).unwrap_or(u16::MAX);
    for (counter, block) in (1..=u8::MAX).zip(out.chunks_mut(CMAC_LEN)) {
        let parts = [&[counter], label, &[0], context, &bits.to_be_bytes()];
        cmac(key, &parts, block);
    }
}

#[cfg(test)]
mod tests;
