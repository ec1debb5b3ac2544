//! The nonce of each frame (802.1AE-2018 14.5, 14.7).

use crate::crypto::NONCE_LEN;
use crate::ieee::{Pn, Sci};

use super::XpnParams;

/// What a nonce is made of besides the packet number: fixed for an SA.
#[derive(Clone, Copy, Debug)]
pub(super) enum NonceBase {
    /// SCI, then a 32-bit PN.
    Short(Sci),
    /// SSCI, then a 64-bit PN, all XORed with the salt.
    Extended(XpnParams),
}

impl NonceBase {
    pub(super) const fn new(sci: Sci, xpn: Option<XpnParams>) -> Self {
        match xpn {
            None => Self::Short(sci),
            Some(xpn) => Self::Extended(xpn),
        }
    }

    pub(super) fn nonce(&self, pn: Pn) -> [u8; NONCE_LEN] {
        let mut nonce = [0; NONCE_LEN];
        match self {
            Self::Short(sci) => {
                nonce[..8].copy_from_slice(&sci.octets());
                nonce[8..].copy_from_slice(&pn.wire().to_be_bytes());
            }
            Self::Extended(XpnParams { ssci, salt }) => {
                nonce[..4].copy_from_slice(&ssci.0.to_be_bytes());
                nonce[4..].copy_from_slice(&pn.0.to_be_bytes());
                for (octet, salt) in nonce.iter_mut().zip(salt.0) {
                    *octet ^= salt;
                }
            }
        }
        nonce
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
