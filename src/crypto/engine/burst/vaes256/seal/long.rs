//! Protecting frames that have chunks, or something that short ones have not.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_storeu_si128, _mm256_extracti128_si256,
    _mm256_inserti128_si256, _mm256_setzero_si256,
};

use super::{
    super::{
        aes, front, ghash,
        hash::{CHUNK, Hash},
        place::{Kind, Place},
        queue::{Queue, Waiting},
        tables::Tables,
    },
    finish, front_of, put_first,
};
use crate::crypto::AeadFrame;

/// Encrypts the whole chunks of a long frame, and puts the rest of it into the queue.
///
/// # Safety
/// The frame is of the burst, and has a place, of this kind.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
pub(super) unsafe fn begin_long<const ROUNDS: usize>(
    tables: &Tables,
    frame: *mut AeadFrame<'_>,
    queue: &mut Queue<'_>,
) {
    // Again, because it would come through memory.
    // SAFETY: by the caller.
    let place = unsafe { Place::again(frame) };
    let slot = queue.slot();
    // SAFETY: as above.
    let nonce = aes::nonce_blocks(unsafe { &(*frame).nonce });
    // SAFETY: the frame is long; the slot is the scratch's, and ours until it is entered.
    unsafe {
        put_first(place, nonce, queue);
        (*slot).hash = Hash::begin_behind(&place);
        (*slot).hashed = seal_chunks::<ROUNDS>(tables, &place, &nonce, &mut (*slot).hash, queue);
        queue.put_text(nonce, &place, place.body_len() / CHUNK);
    }
    queue.enter();
    queue.leave_unhashed();
}

/// Encrypts a frame's whole chunks, and puts the rest of it into the queue.
///
/// # Safety
/// The frame is of the burst, and has a place, of this kind.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
pub(super) unsafe fn begin_other<const ROUNDS: usize>(
    tables: &Tables,
    frame: *mut AeadFrame<'_>,
    queue: &mut Queue<'_>,
) {
    // Again, because it would come through memory.
    // SAFETY: by the caller.
    let place = unsafe { Place::again(frame) };
    let slot = queue.slot();
    // SAFETY: as above.
    let nonce = aes::nonce_blocks(unsafe { &(*frame).nonce });
    // SAFETY: as `Place` says.
    let aad = unsafe { front::additional(tables, &place) };
    // SAFETY: 16 octets may be read and written from the text's place on, text or tag; the slot is the
    // scratch's, and ours until it is entered; unit 0 is in the table.
    let first = unsafe {
        let text = _mm_loadu_si128(place.text.cast());
        (*slot).head = _mm256_inserti128_si256::<1>(_mm256_setzero_si256(), text);
        let input = aes::input(nonce, 0);
        let head = (&raw mut (*slot).head).cast::<u8>();
        aes::encrypt::<ROUNDS, 1>(tables, &raw const input, &raw const head);
        let first = _mm256_extracti128_si256::<1>((*slot).head);
        _mm_storeu_si128(place.text.cast(), first);
        ghash::first_of_one(first, place.text_len.min(16))
    };
    // SAFETY: as `Place` says; the slot is the scratch's, and ours until it is entered.
    let hashed = unsafe {
        (*slot).hash = Hash::begin(tables, &place, aad, first);
        seal_chunks::<ROUNDS>(tables, &place, &nonce, &mut (*slot).hash, queue)
    };
    // SAFETY: the slot is the scratch's, and ours until it is entered.
    unsafe {
        (*slot).hashed = hashed;
        (*slot).text = place.text;
        (*slot).text_len = place.text_len;
        (*slot).kind = Kind::Other;
    }
    // SAFETY: the text's place.
    if unsafe { queue.put_text(nonce, &place, place.body_len() / CHUNK) } {
        queue.enter();
        if hashed < place.body_len() / CHUNK * CHUNK {
            queue.leave_unhashed();
        }
    } else {
        // SAFETY: the slot is written, and all of the frame encrypted.
        unsafe { finish(tables, slot) };
    }
}

/// Encrypts all whole chunks, and adds all to the hash but for the last; returns how many octets it has.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn seal_chunks<const ROUNDS: usize>(
    tables: &Tables,
    place: &Place,
    nonce: &__m256i,
    hash: &mut Hash,
    queue: &mut Queue<'_>,
) -> usize {
    let body = place.body();
    let chunks = place.body_len() / CHUNK;
    if chunks == 0 {
        return 0;
    }
    // SAFETY: there is a chunk, which is inside the text, and its counters are in the table. The frame that
    // waits is entered, so its slot is written and nothing else refers to it; what is hashed is its next.
    unsafe {
        if let Some(waiting) = queue.take_unhashed() {
            let chunk = (*waiting).text.add(16 + (*waiting).hashed);
            let hash = &mut (*waiting).hash;
            hash.add_chunk_beside::<ROUNDS>(tables, nonce, body, chunk);
            (*waiting).hashed += CHUNK;
        } else {
            aes::encrypt_chunk::<ROUNDS>(tables, nonce, 1, body);
        }
    }
    // SAFETY: the chunks are inside the text; each one is added after it was encrypted.
    unsafe { hash.encrypt_and_add_chunks::<ROUNDS>(tables, nonce, body, (1, chunks), CHUNK) };
    let mut hashed = (chunks - 1) * CHUNK;
    if !hash.is_last() {
        // SAFETY: the last chunk.
        unsafe { hash.add_chunk(tables, body.add(hashed)) };
        hashed += CHUNK;
    }
    hashed
}

/// The rest of GHASH of a frame that is not short.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
pub(super) unsafe fn finish_hash(tables: &Tables, waiting: *mut Waiting) -> __m128i {
    // SAFETY: a slot that is finished is written; the rest of the text is encrypted.
    unsafe {
        let (text, text_len, hashed) = ((*waiting).text, (*waiting).text_len, (*waiting).hashed);
        let hash = &(*waiting).hash;
        let left = text_len.saturating_sub(16) - hashed;
        let octets = text.wrapping_add(16 + hashed);
        let result = if (*waiting).kind == Kind::Long {
            let first = _mm256_extracti128_si256::<1>((*waiting).head);
            _mm_storeu_si128(text.cast(), first);
            hash.end_with(tables, front_of(waiting, first), text_len, octets, left)
        } else {
            hash.end(tables, octets, left)
        };
        (&raw mut (*waiting).hash).write_bytes(0, 1);
        result
    }
}
