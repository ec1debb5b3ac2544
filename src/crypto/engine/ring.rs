//! The engine on `ring`: assembly for AES and GHASH, wide where the CPU has it.

use alloc::sync::Arc;

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::super::{
    AeadFrame, AeadKey, BURST_CAPACITY, KeyError, KeyFactory, Locked, Opened, SaKey, Sak,
};

/// Makes key objects that `ring` works with.
#[derive(Clone, Copy, Debug)]
pub struct RingEngine;

impl KeyFactory for RingEngine {
    fn name(&self) -> &'static str {
        "ring"
    }

    fn make_key(&self, sak: &Sak) -> Result<SaKey, KeyError> {
        let algorithm = match sak.expose_locked()?.len() {
            16 => &AES_128_GCM,
            32 => &AES_256_GCM,
            _ => return Err(KeyError::Refused),
        };
        let key = Locked::new(|| {
            let unbound =
                UnboundKey::new(algorithm, sak.expose()).map_err(|_| KeyError::Refused)?;
            Ok(LessSafeKey::new(unbound))
        })?;
        Ok(Arc::new(RingKey(key)))
    }
}

/// Round keys and powers of the hash key lie in the `LessSafeKey` itself. The type owns nothing
/// elsewhere, or it would need a drop: wiping its own octets wipes the key.
struct RingKey(Locked<LessSafeKey>);

const _: () = assert!(!core::mem::needs_drop::<LessSafeKey>());

impl AeadKey for RingKey {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        for frame in burst.iter_mut().take(BURST_CAPACITY) {
            let nonce = Nonce::assume_unique_for_key(frame.nonce);
            let Some((aad, text, tag)) = frame.parts() else {
                continue;
            };
            // The one error is a text of 64 GiB and more, which no frame has.
            if let Ok(sealed) = self
                .0
                .seal_in_place_separate_tag(nonce, Aad::from(aad), text)
            {
                tag.copy_from_slice(sealed.as_ref());
            }
        }
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        let mut opened = Opened::default();
        for (index, frame) in burst.iter_mut().take(BURST_CAPACITY).enumerate() {
            let nonce = Nonce::assume_unique_for_key(frame.nonce);
            let Some((aad, text, tag)) = frame.parts() else {
                continue;
            };
            let tag = (*tag).into();
            // `ring` decrypts while it authenticates, so what a failure leaves behind is clear text.
            match self
                .0
                .open_in_place_separate_tag(nonce, Aad::from(aad), tag, text, 0..)
            {
                Ok(_) => opened.set_ok(index),
                Err(_) => text.fill(0),
            }
        }
        opened
    }
}
