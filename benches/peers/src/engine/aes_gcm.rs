//! RustCrypto's `aes-gcm`, called directly.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use macsec_gateway::crypto::AeadFrame;

use super::{Engine, Key};

type NonceSize = <Aes256Gcm as aes_gcm::AeadCore>::NonceSize;
type TagSize = <Aes256Gcm as aes_gcm::AeadCore>::TagSize;

/// AES-GCM with either key.
struct Cipher<C>(C);

impl<C: AeadInOut<NonceSize = NonceSize, TagSize = TagSize>> Key for Cipher<C> {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        for frame in burst {
            let nonce = frame.nonce.into();
            let (aad, text, tag) = frame.parts().expect("a frame with room for its parts");
            let sealed = self.0.encrypt_inout_detached(&nonce, aad, text.into());
            tag.copy_from_slice(&sealed.expect("a short text"));
        }
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> u64 {
        let mut opened = 0;
        for (index, frame) in burst.iter_mut().enumerate() {
            let nonce = frame.nonce.into();
            let (aad, text, tag) = frame.parts().expect("a frame with room for its parts");
            let tag = (*tag).into();
            let text_in = (&mut *text).into();
            match self.0.decrypt_inout_detached(&nonce, aad, text_in, &tag) {
                Ok(()) => opened |= 1 << index,
                Err(_) => text.fill(0),
            }
        }
        opened
    }
}

pub(super) fn engine() -> Engine {
    Engine::peer("aes-gcm", "", |key| {
        let bad = "a key of 16 or 32 octets";
        if key.len() == 32 {
            Box::new(Cipher(Aes256Gcm::new_from_slice(key).expect(bad)))
        } else {
            Box::new(Cipher(Aes128Gcm::new_from_slice(key).expect(bad)))
        }
    })
}
