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
        Ok(Arc::new(RingKey(Locked::new(|| key(sak))?)))
    }
}

/// `ring`'s key, which holds round keys and powers of the hash key itself. The type owns nothing
/// elsewhere, or it would need a drop: wiping its own octets wipes the key.
pub(super) fn key(sak: &Sak) -> Result<LessSafeKey, KeyError> {
    let algorithm = match sak.expose_locked()?.len() {
        16 => &AES_128_GCM,
        32 => &AES_256_GCM,
        _ => return Err(KeyError::Refused),
    };
    let unbound = UnboundKey::new(algorithm, sak.expose()).map_err(|_| KeyError::Refused)?;
    Ok(LessSafeKey::new(unbound))
}

const _: () = assert!(!core::mem::needs_drop::<LessSafeKey>());

/// Seals one frame. One that can't hold its parts is left alone.
pub(super) fn seal(key: &LessSafeKey, frame: &mut AeadFrame<'_>) {
    let nonce = Nonce::assume_unique_for_key(frame.nonce);
    let Some((aad, text, tag)) = frame.parts() else {
        return;
    };
    // The one error is a text of 64 GiB and more, which no frame has.
    if let Ok(sealed) = key.seal_in_place_separate_tag(nonce, Aad::from(aad), text) {
        tag.copy_from_slice(sealed.as_ref());
    }
}

/// Opens one frame and says whether it was authentic; if not, its text is wiped.
pub(super) fn open(key: &LessSafeKey, frame: &mut AeadFrame<'_>) -> bool {
    let nonce = Nonce::assume_unique_for_key(frame.nonce);
    let Some((aad, text, tag)) = frame.parts() else {
        return false;
    };
    let tag = (*tag).into();
    let authentic = key
        .open_in_place_separate_tag(nonce, Aad::from(aad), tag, text, 0..)
        .is_ok();
    if !authentic {
        // `ring` decrypts while it authenticates, so what a failure leaves behind is clear text.
        text.fill(0);
    }
    authentic
}

struct RingKey(Locked<LessSafeKey>);

impl AeadKey for RingKey {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        for frame in burst.iter_mut().take(BURST_CAPACITY) {
            seal(&self.0, frame);
        }
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        let mut opened = Opened::default();
        for (index, frame) in burst.iter_mut().take(BURST_CAPACITY).enumerate() {
            if open(&self.0, frame) {
                opened.set_ok(index);
            }
        }
        opened
    }
}
