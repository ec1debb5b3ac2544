//! The nonce of each frame (802.1AE-2018 14.5, 14.7).

use crate::crypto::NONCE_LEN;
use crate::ieee::{Pn, Sci};

use super::XpnParams;

/// What a nonce is made of besides the packet number: fixed for an SA.
///
/// Without XPN it is the SCI, then a 32-bit PN; with XPN the SSCI, then a 64-bit PN, all XORed with the
/// salt. Either is a fixed value of 12 octets whose last 8 are XORed with the PN, since a number without
/// XPN has no upper half.
#[derive(Clone, Copy, Debug)]
pub(super) struct NonceBase {
    first: [u8; 4],
    rest: u64,
}

impl NonceBase {
    pub(super) fn new(sci: Sci, xpn: Option<XpnParams>) -> Self {
        let base = match xpn {
            None => u128::from(sci.0) << 32,
            Some(XpnParams { ssci, salt }) => {
                let mut octets = [0; 16];
                octets[4..].copy_from_slice(&salt.0);
                u128::from(ssci.0) << 64 ^ u128::from_be_bytes(octets)
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "cut into 4 and 8 octets")]
        let (first, rest) = ((base >> 64) as u32, base as u64);
        Self {
            first: first.to_be_bytes(),
            rest,
        }
    }

    /// The nonce of a frame. Without XPN `pn` is below 2^32.
    #[inline]
    pub(super) fn nonce(&self, pn: Pn) -> [u8; NONCE_LEN] {
        let [a, b, c, d] = self.first;
        let [e, f, g, h, i, j, k, l] = (self.rest ^ pn.0).to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ieee::{Salt, Ssci, decode_hex};

    fn octets<const N: usize>(hex: &str) -> [u8; N] {
        let mut out = [0; N];
        decode_hex(hex.as_bytes(), &mut out).unwrap();
        out
    }

    #[test]
    fn the_figures_of_annex_c() {
        let sci = Sci(0x1215_3524_c089_5e81);
        assert_eq!(
            NonceBase::new(sci, None).nonce(Pn(2_999_092_325)),
            octets::<12>("12153524c0895e81b2c28465")
        );
        let xpn = XpnParams {
            ssci: Ssci(0x7a30_c118),
            salt: Salt(octets("e630e81a48de86a21c66fa6d")),
        };
        assert_eq!(
            NonceBase::new(sci, Some(xpn)).nonce(Pn(12_744_982_009_798_100_069)),
            octets::<12>("9c002902f801c33eaea47e08")
        );
    }
}
