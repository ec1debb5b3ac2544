//! The engine on RustCrypto's `aes-gcm`: portable, and the oracle that the others are compared with.

use alloc::sync::Arc;

use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit, Nonce, Tag, aead::AeadInOut};

use super::super::{
    AeadFrame, AeadKey, BURST_CAPACITY, KeyError, KeyFactory, Locked, Opened, SaKey, Sak,
    scrub::with_clean_stack_to,
};

/// Makes key objects that `aes-gcm` works with.
#[derive(Clone, Copy, Debug)]
pub struct AesGcmEngine;

impl KeyFactory for AesGcmEngine {
    fn name(&self) -> &'static str {
        "aes-gcm"
    }

    fn make_key(&self, sak: &Sak) -> Result<SaKey, KeyError> {
        match sak.expose_locked()?.len() {
            16 => make::<Aes128Gcm>(sak),
            32 => make::<Aes256Gcm>(sak),
            _ => Err(KeyError::Refused),
        }
    }
}

fn make<C: Gcm>(sak: &Sak) -> Result<SaKey, KeyError> {
    let cipher = Locked::new(|| C::new_from_slice(sak.expose()).map_err(|_| KeyError::Refused))?;
    Ok(Arc::new(AesGcmKey(cipher)))
}

/// Octets of stack that a burst may have used. The crate copies the hash key's powers, and with wide
/// AES instructions the round keys too, to the stack for each frame.
const BURST_DEPTH: usize = 8 * 1024;

/// AES-GCM with nonces and tags of the standard's length, for either key.
trait Gcm:
    KeyInit + AeadInOut<NonceSize = NonceSize, TagSize = TagSize> + Send + Sync + 'static
{
}

impl Gcm for Aes128Gcm {}
impl Gcm for Aes256Gcm {}

type NonceSize = <Aes256Gcm as aes_gcm::AeadCore>::NonceSize;
type TagSize = <Aes256Gcm as aes_gcm::AeadCore>::TagSize;

/// Round keys and powers of the hash key are arrays inside the cipher, nothing is on the heap: the
/// crate builds without `alloc`.
struct AesGcmKey<C>(Locked<C>);

impl<C: Gcm> AesGcmKey<C> {
    fn seal_frame(&self, frame: &mut AeadFrame<'_>) {
        let nonce = Nonce::<NonceSize>::from(frame.nonce);
        let Some((aad, text, tag)) = frame.parts() else {
            return;
        };
        // The one error is a text of 64 GiB and more, which no frame has.
        if let Ok(sealed) = self.0.encrypt_inout_detached(&nonce, aad, text.into()) {
            tag.copy_from_slice(&sealed);
        }
    }

    fn open_frame(&self, frame: &mut AeadFrame<'_>) -> bool {
        let nonce = Nonce::<NonceSize>::from(frame.nonce);
        let Some((aad, text, tag)) = frame.parts() else {
            return false;
        };
        let tag = Tag::<TagSize>::from(*tag);
        let authentic = self
            .0
            .decrypt_inout_detached(&nonce, aad, (&mut *text).into(), &tag)
            .is_ok();
        if !authentic {
            text.fill(0);
        }
        authentic
    }
}

impl<C: Gcm> AeadKey for AesGcmKey<C> {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        with_clean_stack_to::<BURST_DEPTH, _>(|| {
            for frame in burst.iter_mut().take(BURST_CAPACITY) {
                self.seal_frame(frame);
            }
        });
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        with_clean_stack_to::<BURST_DEPTH, _>(|| {
            let mut opened = Opened::default();
            for (index, frame) in burst.iter_mut().take(BURST_CAPACITY).enumerate() {
                if self.open_frame(frame) {
                    opened.set_ok(index);
                }
            }
            opened
        })
    }
}
