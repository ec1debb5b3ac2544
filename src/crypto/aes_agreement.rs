//! [`KeyAgreement`] on RustCrypto's AES: the product's, and every test's.

use core::fmt;

use aes::cipher::{
    BlockCipherEncrypt,
    typenum::{U16, U32},
};
use aes_kw::{AesKw, KeyInit, KwAes128, KwAes256};

use super::{
    Cak, CakKeys, Ick, Kek, KeyAgreement, KeyError, Sak, Secret, UnwrapError, WrappedSak,
    kdf::{CIPHER_DEPTH, cmac, derive},
    kind::Kind,
    scrub::with_clean_stack_to,
    secret::{KeyLen, KeyOctets},
};
use crate::ieee::{CipherSuite, Ckn};

/// Octets of the KDF's context for ICK and KEK: the front of the CKN (802.1X-2020 9.3.3).
const CONTEXT_LEN: usize = 16;

/// Where random octets come from: the operating system in the product, a seed in tests.
pub trait RandomSource: fmt::Debug + Send {
    /// Fills `out`.
    ///
    /// # Errors
    /// [`KeyError::Randomness`] where there is none; `out` is then no key.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), KeyError>;
}

/// MKA's cryptography with the randomness of `R`.
///
/// Keys are derived, unwrapped and generated in the locked place where they stay; round keys stand on
/// the stack for one call each, and what it used of the stack is overwritten.
#[derive(Debug, Default)]
pub struct AesKeyAgreement<R> {
    random: R,
}

impl<R: RandomSource> AesKeyAgreement<R> {
    /// With this source of random octets.
    pub const fn new(random: R) -> Self {
        Self { random }
    }
}

impl<R: RandomSource> KeyAgreement for AesKeyAgreement<R> {
    fn derive(&self, cak: &Cak, ckn: &Ckn) -> Result<CakKeys, KeyError> {
        Ok(CakKeys {
            ick: key_of(cak, b"IEEE8021 ICK", ckn)?,
            kek: key_of(cak, b"IEEE8021 KEK", ckn)?,
        })
    }

    fn icv(&self, ick: &Ick, parts: &[&[u8]]) -> [u8; super::ICV_LEN] {
        let mut icv = [0; super::ICV_LEN];
        cmac(ick.sized(), parts, &mut icv);
        icv
    }

    fn wrap_sak(&self, kek: &Kek, sak: &Sak) -> WrappedSak {
        let mut wrapped = WrappedSak::new();
        with_clean_stack_to::<CIPHER_DEPTH, _>(|| match kek.sized() {
            KeyOctets::Short(kek) => wrap(&KwAes128::new(kek.into()), sak, &mut wrapped),
            KeyOctets::Long(kek) => wrap(&KwAes256::new(kek.into()), sak, &mut wrapped),
        });
        wrapped
    }

    fn unwrap_sak(&self, kek: &Kek, wrapped: &[u8]) -> Result<Sak, UnwrapError> {
        let len = wrapped
            .len()
            .checked_sub(aes_kw::IV_LEN)
            .and_then(KeyLen::of)
            .ok_or(UnwrapError::Length(wrapped.len()))?;
        let mut sak = Sak::blank(len).map_err(|_| UnwrapError::Memory)?;
        let place = sak.octets_mut();
        with_clean_stack_to::<CIPHER_DEPTH, _>(|| match kek.sized() {
            KeyOctets::Short(kek) => KwAes128::new(kek.into()).unwrap_key(wrapped, place).is_ok(),
            KeyOctets::Long(kek) => KwAes256::new(kek.into()).unwrap_key(wrapped, place).is_ok(),
        })
        .then_some(sak)
        .ok_or(UnwrapError::Check)
    }

    fn generate_sak(&mut self, suite: CipherSuite) -> Result<Sak, KeyError> {
        let len = KeyLen::of(suite.sak_len()).ok_or(KeyError::Refused)?;
        let mut sak = Sak::blank(len)?;
        self.random.fill(sak.octets_mut())?;
        Ok(sak)
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), KeyError> {
        self.random.fill(out)
    }
}

/// The key of `cak` for `label`, as long as the CAK itself.
fn key_of<K: Kind>(cak: &Cak, label: &[u8], ckn: &Ckn) -> Result<Secret<K>, KeyError> {
    let mut context = [0; CONTEXT_LEN];
    for (to, from) in context.iter_mut().zip(ckn.octets()) {
        *to = *from;
    }
    let mut key = Secret::blank(cak.len())?;
    derive(cak.sized(), label, &context, key.octets_mut());
    Ok(key)
}

/// Puts the wrapped `sak` into `wrapped`, which is empty.
fn wrap<C>(kek: &AesKw<C>, sak: &Sak, wrapped: &mut WrappedSak)
where
    C: BlockCipherEncrypt<BlockSize = U16>,
{
    match sak.sized() {
        KeyOctets::Short(sak) => wrapped.extend(kek.wrap_fixed_key::<U16>(sak.into())),
        KeyOctets::Long(sak) => wrapped.extend(kek.wrap_fixed_key::<U32>(sak.into())),
    }
}

#[cfg(test)]
mod tests;
