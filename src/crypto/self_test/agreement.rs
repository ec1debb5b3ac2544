//! Known-answer tests of MKA's cryptography: derivation, ICV and key wrap, with both lengths of key.

use core::{error, fmt};

use crate::crypto::{Cak, Ick, Kek, KeyAgreement, Sak};
use crate::ieee::Ckn;

/// What key agreement got wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreementFault {
    /// No memory for keys.
    Memory,
    /// An ICK or a KEK is not that of 802.1X-2020 Annex G.
    Derivation,
    /// An ICV is not that of NIST SP 800-38B's examples.
    Icv,
    /// A wrapped key is not that of RFC 3394's examples, or does not open.
    Wrap,
    /// A wrapped key with a bit changed opens.
    TamperedAccepted,
}

impl fmt::Display for AgreementFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("self-test of key agreement failed: ")?;
        f.write_str(match self {
            Self::Memory => {
                "no locked memory for keys; raise the limit (LimitMEMLOCK=infinity, or ulimit -l)"
            }
            Self::Derivation => "other keys than the figures of 802.1X-2020 Annex G",
            Self::Icv => "other ICVs than the figures of NIST SP 800-38B",
            Self::Wrap => "other wrapped keys than the figures of RFC 3394",
            Self::TamperedAccepted => "a wrapped key with a bit changed is taken",
        })
    }
}

impl error::Error for AgreementFault {}

/// The figures for one length of key.
struct Figures {
    cak: &'static [u8],
    ckn: [u8; 16],
    ick: &'static [u8],
    kek: &'static [u8],
    icv_key: &'static [u8],
    icv: [u8; 16],
    wrap_key: &'static [u8],
    wrapped: &'static [u8],
}

const fn octets<const N: usize>(number: &str) -> [u8; N] {
    let digits = number.as_bytes();
    assert!(digits.len() == 2 * N);
    let mut octets = [0; N];
    let mut i = 0;
    while i < N {
        octets[i] = nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]);
        i += 1;
    }
    octets
}

const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit - b'a' + 10,
    }
}

/// 802.1X-2020 G.4.1 and G.5.1, G.4.2 and G.5.2; SP 800-38B D.1 and D.3, 16 octets; RFC 3394 4.1 and 4.6.
const FIGURES: [Figures; 2] = [
    Figures {
        cak: &octets::<16>("135bd758b0ee5c11c55ff6ab19fdb199"),
        ckn: octets("96437a93ccf10d9dfe347846cce52c7d"),
        ick: &octets::<16>("8f1c5cb1c8ed2e5f047906e0473aad4d"),
        kek: &octets::<16>("8f5a384c15d6ae9302b462e363d03ca6"),
        icv_key: &octets::<16>("2b7e151628aed2a6abf7158809cf4f3c"),
        icv: octets("070a16b46b4d4144f79bdd9dd04a287c"),
        wrap_key: &octets::<16>("000102030405060708090a0b0c0d0e0f"),
        wrapped: &octets::<24>("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
    },
    Figures {
        cak: &octets::<32>("a29efdb63d6fba73c65daab2295340a837a8886e94a905b5c9c7ef1d9dbb297e"),
        ckn: octets("7888f5d48ba8b24e96bb95bd8c7304ec"),
        ick: &octets::<32>("98b8544d7390a41e50ef72e25b4a036523c919e812918871949b48123eab526e"),
        kek: &octets::<32>("71340e454c84a1232aa7977d5ed86f78f250f3f9d53584b9337ff0c6dfdc9f96"),
        icv_key: &octets::<32>("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
        icv: octets("28a7023f452e8f82bd4bf28d8c37c35c"),
        wrap_key: &octets::<32>("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
        wrapped: &octets::<40>(
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
        ),
    },
];

/// The text of both CMAC figures.
const ICV_TEXT: [u8; 16] = octets("6bc1bee22e409f96e93d7e117393172a");

/// The key that the wrap figures wrap: all of it, or its first half.
const WRAPPED_KEY: [u8; 32] =
    octets("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");

/// Runs all known-answer tests on `agreement`. They take microseconds.
///
/// # Errors
/// The first [`AgreementFault`]: no key is to be agreed with it.
pub fn run_agreement(agreement: &dyn KeyAgreement) -> Result<(), AgreementFault> {
    FIGURES.iter().try_for_each(|figures| {
        check_derivation(agreement, figures)?;
        check_icv(agreement, figures)?;
        check_wrap(agreement, figures)
    })
}

fn check_derivation(agreement: &dyn KeyAgreement, figures: &Figures) -> Result<(), AgreementFault> {
    let fault = AgreementFault::Derivation;
    let cak = Cak::take(&mut copy(figures.cak)).map_err(|_| fault)?;
    let ckn = Ckn::new(&figures.ckn).map_err(|_| fault)?;
    let keys = agreement
        .derive(&cak, &ckn)
        .map_err(|_| AgreementFault::Memory)?;
    let right = keys.ick.expose() == figures.ick && keys.kek.expose() == figures.kek;
    right.then_some(()).ok_or(fault)
}

fn check_icv(agreement: &dyn KeyAgreement, figures: &Figures) -> Result<(), AgreementFault> {
    let ick = Ick::take(&mut copy(figures.icv_key)).map_err(|_| AgreementFault::Icv)?;
    let (front, back) = ICV_TEXT.split_at(5);
    let right = agreement.icv(&ick, &[front, back]) == figures.icv;
    right.then_some(()).ok_or(AgreementFault::Icv)
}

fn check_wrap(agreement: &dyn KeyAgreement, figures: &Figures) -> Result<(), AgreementFault> {
    let fault = AgreementFault::Wrap;
    let (key, _) = WRAPPED_KEY.split_at(figures.wrap_key.len());
    let kek = Kek::take(&mut copy(figures.wrap_key)).map_err(|_| fault)?;
    let sak = Sak::take(&mut copy(key)).map_err(|_| fault)?;
    let mut wrapped = agreement.wrap_sak(&kek, &sak);
    let opened = agreement
        .unwrap_sak(&kek, &wrapped)
        .is_ok_and(|opened| opened.expose() == key);
    if !opened || wrapped.as_slice() != figures.wrapped {
        return Err(fault);
    }
    if let Some(last) = wrapped.last_mut() {
        *last ^= 1;
    }
    match agreement.unwrap_sak(&kek, &wrapped) {
        Ok(_) => Err(AgreementFault::TamperedAccepted),
        Err(_) => Ok(()),
    }
}

/// A copy that may be wiped: these keys are everybody's.
fn copy(key: &[u8]) -> Vec<u8> {
    key.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{
        AesKeyAgreement, CakKeys, KeyError, UnwrapError, WrappedSak, random::SystemRandom,
    };
    use crate::ieee::CipherSuite;

    /// Right but for one thing.
    #[derive(Debug)]
    struct Faulty(AgreementFault);

    impl KeyAgreement for Faulty {
        fn derive(&self, cak: &Cak, ckn: &Ckn) -> Result<CakKeys, KeyError> {
            let other = Ckn::new(b"another").unwrap();
            match self.0 {
                AgreementFault::Memory => Err(KeyError::Memory),
                AgreementFault::Derivation => right().derive(cak, &other),
                _ => right().derive(cak, ckn),
            }
        }

        fn icv(&self, ick: &Ick, parts: &[&[u8]]) -> [u8; 16] {
            match self.0 {
                AgreementFault::Icv => right().icv(ick, &parts[..1]),
                _ => right().icv(ick, parts),
            }
        }

        fn wrap_sak(&self, kek: &Kek, sak: &Sak) -> WrappedSak {
            match self.0 {
                AgreementFault::Wrap => sak.expose().iter().copied().collect(),
                _ => right().wrap_sak(kek, sak),
            }
        }

        fn unwrap_sak(&self, kek: &Kek, wrapped: &[u8]) -> Result<Sak, UnwrapError> {
            let opened = right().unwrap_sak(kek, wrapped);
            match self.0 {
                AgreementFault::TamperedAccepted => {
                    opened.or_else(|_| Ok(Sak::take(&mut [0; 16]).unwrap()))
                }
                _ => opened,
            }
        }

        fn generate_sak(&mut self, suite: CipherSuite) -> Result<Sak, KeyError> {
            right().generate_sak(suite)
        }

        fn random(&mut self, out: &mut [u8]) -> Result<(), KeyError> {
            right().random(out)
        }
    }

    fn right() -> AesKeyAgreement<SystemRandom> {
        AesKeyAgreement::new(SystemRandom)
    }

    #[test]
    fn key_agreement_of_this_build_passes() {
        assert_eq!(run_agreement(&right()), Ok(()));
    }

    #[test]
    fn every_kind_of_fault_is_found() {
        for fault in [
            AgreementFault::Memory,
            AgreementFault::Derivation,
            AgreementFault::Icv,
            AgreementFault::Wrap,
            AgreementFault::TamperedAccepted,
        ] {
            assert_eq!(run_agreement(&Faulty(fault)), Err(fault));
            assert!(fault.to_string().starts_with("self-test of key agreement"));
        }
    }
}
