//! `aws-lc-rs`, called directly.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use macsec_gateway::crypto::{AeadFrame, TAG_LEN};

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
            // Its call in place wants text and tag in one piece, which is how they lie.
            let (aad, sealed) = frame.buffer[..frame.len].split_at_mut(frame.aad_len);
            let text_len = sealed.len() - TAG_LEN;
            match self.open_in_place(nonce, Aad::from(&*aad), sealed) {
                Ok(_) => opened |= 1 << index,
                Err(_) => sealed[..text_len].fill(0),
            }
        }
        opened
    }
}

pub(super) fn engine() -> Engine {
    Engine::peer("aws-lc-rs", "", |key| {
        let algorithm = if key.len() == 32 {
            &AES_256_GCM
        } else {
            &AES_128_GCM
        };
        let key = UnboundKey::new(algorithm, key).expect("a key of 16 or 32 octets");
        Box::new(LessSafeKey::new(key))
    })
}
