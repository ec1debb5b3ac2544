//! Protecting a burst.

use core::{
    arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm_setzero_si128, _mm_storeu_si128, _mm_xor_si128,
        _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_inserti128_si256,
        _mm256_setzero_si256, _mm256_xor_si256,
    },
    hint::black_box,
    mem::MaybeUninit,
};

use super::{
    aes::{self, STEP},
    ghash,
    hash::{self, CHUNK, Hash},
    place::Place,
    queue::{Queue, Scratch, Waiting},
    tables::Tables,
};
use crate::crypto::{AeadFrame, BURST_CAPACITY, engine::burst::Left};

/// Seals a burst; says which frames it left.
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
pub(super) fn seal<const ROUNDS: usize>(tables: &Tables, burst: &mut [AeadFrame<'_>]) -> Left {
    let mut left = Left::default();
    let mut scratch = MaybeUninit::<Scratch>::uninit();
    let mut queue = Queue::new(&mut scratch);
    for (index, frame) in burst.iter_mut().take(BURST_CAPACITY).enumerate() {
        let Some(place) = Place::of(frame) else {
            left.add(index);
            continue;
        };
        begin::<ROUNDS>(tables, place, &mut queue);
        while queue.is_full() {
            // SAFETY: a step's units wait; each is in a frame of this burst or in the scratch.
            unsafe { queue.step::<ROUNDS, STEP>(tables) };
        }
        while let Some(waiting) = queue.take(STEP) {
            // SAFETY: its units were encrypted.
            unsafe { finish(tables, waiting) };
        }
    }
    // SAFETY: as above.
    unsafe { queue.rest::<ROUNDS>(tables) };
    while let Some(waiting) = queue.take(0) {
        // SAFETY: its units were encrypted.
        unsafe { finish(tables, waiting) };
    }
    // What was wiped stays wiped: the compiler may not take the stores for dead.
    black_box(&mut scratch);
    left
}

/// Encrypts a frame's whole chunks, and puts the rest of it into the queue.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn begin<const ROUNDS: usize>(tables: &Tables, place: Place, queue: &mut Queue<'_>) {
    let slot = queue.slot();
    let base = aes::base(tables, &place.nonce);
    // SAFETY: as `Place` says.
    let aad = unsafe { hash::additional(tables, &place) };
    // SAFETY: 16 octets may be read from the text's place on, text or tag.
    let text = unsafe { _mm_loadu_si128(place.text.cast()) };
    let head = _mm256_inserti128_si256::<1>(_mm256_setzero_si256(), text);
    // SAFETY: unit 0 is in the table.
    let input = unsafe { aes::input(base, 0) };
    let body = place.body_len();
    let chunks = body / CHUNK;
    if chunks == 0 {
        // SAFETY: the slot is the scratch's, and ours until it is entered.
        unsafe {
            (*slot).head = head;
            (*slot).aad = aad;
            queue.put(input, (&raw mut (*slot).head).cast());
        }
    } else {
        let [key] = aes::keystream::<ROUNDS, 1>(tables, [input]);
        let head = _mm256_xor_si256(head, key);
        let first = _mm256_extracti128_si256::<1>(head);
        // SAFETY: the text is longer than a block.
        unsafe { _mm_storeu_si128(place.text.cast(), first) };
        let hash = Hash::begin(tables, &place, aad, first);
        // SAFETY: the body has so many chunks.
        let (hash, hashed) = unsafe { seal_chunks::<ROUNDS>(tables, &place, base, hash, chunks) };
        // SAFETY: the slot is the scratch's, and ours until it is entered.
        unsafe {
            (*slot).head = head;
            (*slot).hash = hash;
            (*slot).hashed = hashed;
        }
    }
    // SAFETY: the slot is the scratch's, and ours until it is entered.
    unsafe { (*slot).place = place };
    let mut at = chunks * CHUNK;
    let mut unit = 1 + chunks * STEP;
    while at < body {
        // SAFETY: a text of at most `TEXT_MAX` has no more units than the table; the place is in the text.
        unsafe { queue.put(aes::input(base, unit), place.body().add(at)) };
        at += 32;
        unit += 1;
    }
    if chunks > 0 && at == chunks * CHUNK {
        // SAFETY: the slot is written, and all of the frame encrypted.
        unsafe { finish(tables, slot) };
    } else {
        queue.enter();
    }
}

/// Encrypts all whole chunks, and adds all to the hash but for the last; returns how many octets it has.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn seal_chunks<const ROUNDS: usize>(
    tables: &Tables,
    place: &Place,
    base: __m256i,
    mut hash: Hash,
    chunks: usize,
) -> (Hash, usize) {
    let body = place.body();
    for chunk in 0..chunks {
        // SAFETY: the chunk is inside the text.
        let octets = unsafe { body.add(chunk * CHUNK) };
        // SAFETY: the chunk's units are inside the text, and their counters in the table.
        unsafe { aes::encrypt_chunk::<ROUNDS>(tables, base, 1 + chunk * STEP, octets) };
        if chunk > 0 {
            // SAFETY: the chunk before this one is inside the text, and the next to be hashed.
            unsafe { hash.add_chunk(tables, octets.sub(CHUNK)) };
        }
    }
    let mut hashed = (chunks - 1) * CHUNK;
    if !hash.is_last() {
        // SAFETY: the last chunk.
        unsafe { hash.add_chunk(tables, body.add(hashed)) };
        hashed += CHUNK;
    }
    (hash, hashed)
}

/// Writes a frame's tag, and wipes its slot.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn finish(tables: &Tables, waiting: *mut Waiting) {
    // SAFETY: a slot that is finished is written; nothing else refers to it.
    let (place, head) = unsafe { (&(*waiting).place, (*waiting).head) };
    let mask = _mm256_castsi256_si128(head);
    let hashed;
    let hash = if place.body_len() < CHUNK {
        hashed = 0;
        let first = _mm256_extracti128_si256::<1>(head);
        // SAFETY: 16 octets may be written from the text's place on; the tag comes after.
        unsafe { _mm_storeu_si128(place.text.cast(), first) };
        // SAFETY: at most 16.
        let first = unsafe { ghash::first_of_one(first, place.text_len.min(16)) };
        // SAFETY: written where there are no chunks.
        Hash::begin(tables, place, unsafe { (*waiting).aad }, first)
    } else {
        // SAFETY: written where there are chunks.
        unsafe {
            hashed = (*waiting).hashed;
            (*waiting).hash
        }
    };
    let left = place.body_len() - hashed;
    // SAFETY: the rest of the text, of which all is encrypted.
    let hash = unsafe { hash.end(tables, place.body().add(hashed), left) };
    let tag = _mm_xor_si128(ghash::mirrored_one(hash), mask);
    // SAFETY: the tag and `ROOM` octets are behind the text.
    unsafe {
        let behind = place.text.add(place.text_len);
        _mm_storeu_si128(behind.cast(), tag);
        // Keystream that the last unit left behind the tag.
        _mm_storeu_si128(behind.add(16).cast(), _mm_setzero_si128());
    }
    // SAFETY: the slot is ours.
    unsafe { Waiting::wipe(waiting) };
}
