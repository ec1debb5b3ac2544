//! `ring`, called directly.

use macsec_gateway::crypto::AeadFrame;
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::{Engine, Key};

impl Key for LessSafeKey {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        for frame in burst {
            let nonce = Nonce::assume_unique_for_key(frame.nonce);
            let (aad, text, tag) = frame.parts().expect("a frame with room for its parts");
            let sealed = self.seal_in_place_separate_tag(nonce, Aad::from(aad), text);
            tag.copy_from_slice(sealed.expect("a short text").as_ref());
        }
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> u64 {
        let mut opened = 0;
        for (index, frame) in burst.iter_mut().enumerate() {
            let nonce = Nonce::assume_unique_for_key(frame.nonce);
            let (aad, text, tag) = frame.parts().expect("a frame with room for its parts");
            let tag = (*tag).into();
            match self.open_in_place_separate_tag(nonce, Aad::from(aad), tag, text, 0..) {
                Ok(_) => opened |= 1 << index,
                Err(_) => text.fill(0),
            }
        }
        opened
    }
}

pub(super) fn engine() -> Engine {
    Engine::peer("ring", "", |key| {
        let algorithm = if key.len() == 32 {
            &AES_256_GCM
        } else {
            &AES_128_GCM
        };
        let key = UnboundKey::new(algorithm, key).expect("a key of 16 or 32 octets");
        Box::new(LessSafeKey::new(key))
    })
}
