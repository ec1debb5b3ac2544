//! The libraries in C, through the shims in `src/c/`: one call a frame, in place.

use std::ffi::c_int;
#[cfg(target_arch = "x86_64")]
use std::ffi::{CStr, c_char};
use std::ptr::NonNull;

use macsec_gateway::crypto::AeadFrame;

use super::{Engine, Key};
use crate::width::Width;

/// A key object of the library: only ever behind a pointer.
#[repr(C)]
struct Object {
    _opaque: [u8; 0],
}

/// `struct peer_frame` of `src/c/peer.h`.
#[repr(C)]
struct Parts {
    nonce: *const u8,
    aad: *const u8,
    aad_len: usize,
    text: *mut u8,
    text_len: usize,
    tag: *mut u8,
}

type New = unsafe extern "C" fn(*const u8, usize) -> *mut Object;
type Free = unsafe extern "C" fn(*mut Object);
type Work = unsafe extern "C" fn(*mut Object, *const Parts) -> c_int;

unsafe extern "C" {
    fn peer_openssl_new(key: *const u8, len: usize) -> *mut Object;
    fn peer_openssl_free(key: *mut Object);
    fn peer_openssl_seal(key: *mut Object, frame: *const Parts) -> c_int;
    fn peer_openssl_open(key: *mut Object, frame: *const Parts) -> c_int;
}

#[cfg(target_arch = "x86_64")]
unsafe extern "C" {
    fn peer_ipsec_mb_new(key: *const u8, len: usize) -> *mut Object;
    fn peer_ipsec_mb_new_avx2(key: *const u8, len: usize) -> *mut Object;
    fn peer_ipsec_mb_free(key: *mut Object);
    fn peer_ipsec_mb_seal(key: *mut Object, frame: *const Parts) -> c_int;
    fn peer_ipsec_mb_open(key: *mut Object, frame: *const Parts) -> c_int;
    fn peer_ipsec_mb_form(key: *mut Object) -> *const c_char;
}

/// The four calls of one library.
#[derive(Clone, Copy)]
struct Calls {
    new: New,
    free: Free,
    seal: Work,
    open: Work,
}

struct CKey {
    calls: Calls,
    object: NonNull<Object>,
}

impl CKey {
    fn new(calls: Calls, key: &[u8]) -> Self {
        assert!(matches!(key.len(), 16 | 32));
        // SAFETY: `new` reads `key.len()` octets, which the slice has, and keeps no pointer to them.
        let object = unsafe { (calls.new)(key.as_ptr(), key.len()) };
        let object = NonNull::new(object).expect("a key object of the library");
        Self { calls, object }
    }

    fn call(&self, work: Work, frame: &mut AeadFrame<'_>) -> bool {
        let nonce = frame.nonce;
        let (aad, text, tag) = frame.parts().expect("a frame with room for its parts");
        let parts = Parts {
            nonce: nonce.as_ptr(),
            aad: aad.as_ptr(),
            aad_len: aad.len(),
            text: text.as_mut_ptr(),
            text_len: text.len(),
            tag: tag.as_mut_ptr(),
        };
        // SAFETY: the object is alive until `drop`, and no other thread has it (it is not `Sync`). The
        // parts are slices that do not overlap and outlive the call, `nonce` has 12 octets and `tag`
        // 16; the library writes `text_len` octets of text and the tag, and keeps no pointer.
        unsafe { work(self.object.as_ptr(), &raw const parts) == 1 }
    }
}

impl Drop for CKey {
    fn drop(&mut self) {
        // SAFETY: the object came from this library's `new` and is not used after this.
        unsafe { (self.calls.free)(self.object.as_ptr()) };
    }
}

impl Key for CKey {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        for frame in burst {
            assert!(self.call(self.calls.seal, frame));
        }
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> u64 {
        let mut opened = 0;
        for (index, frame) in burst.iter_mut().enumerate() {
            opened |= u64::from(self.call(self.calls.open, frame)) << index;
        }
        opened
    }
}

pub(super) fn engines(width: Width) -> Vec<Engine> {
    let openssl = Calls {
        new: peer_openssl_new,
        free: peer_openssl_free,
        seal: peer_openssl_seal,
        open: peer_openssl_open,
    };
    let mut engines = vec![Engine::peer("openssl", "EVP", move |key| {
        Box::new(CKey::new(openssl, key))
    })];
    engines.extend(ipsec_mb(width));
    engines
}

#[cfg(target_arch = "x86_64")]
fn ipsec_mb(width: Width) -> Option<Engine> {
    let calls = Calls {
        new: if width.takes(512) {
            peer_ipsec_mb_new
        } else {
            peer_ipsec_mb_new_avx2
        },
        free: peer_ipsec_mb_free,
        seal: peer_ipsec_mb_seal,
        open: peer_ipsec_mb_open,
    };
    let key = CKey::new(calls, &[0; 32]);
    // SAFETY: the object is alive, and what is given is the name of a symbol, or a string constant.
    let name = unsafe { peer_ipsec_mb_form(key.object.as_ptr()) };
    // SAFETY: names of symbols and string constants end with a zero and live as long as the program.
    let name = unsafe { CStr::from_ptr(name) };
    let form = format!("direct call, {}", name.to_string_lossy());
    Some(Engine::peer("ipsec-mb", &form, move |key| {
        Box::new(CKey::new(calls, key))
    }))
}

#[cfg(not(target_arch = "x86_64"))]
fn ipsec_mb(_: Width) -> Option<Engine> {
    None
}
