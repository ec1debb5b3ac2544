//! Protecting a burst.

use core::{
    arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm_setzero_si128, _mm_storeu_si128, _mm_xor_si128,
        _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_inserti128_si256,
        _mm256_setzero_si256,
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
use crate::crypto::{AeadFrame, BURST_CAPACITY, NONCE_LEN, engine::burst::Left};

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
        if place.is_short() {
            begin_short(place, &frame.nonce, &mut queue);
        } else {
            begin::<ROUNDS>(tables, place, &frame.nonce, &mut queue);
        }
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

/// Puts all of a short frame into the queue.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn begin_short(place: Place, nonce: &[u8; NONCE_LEN], queue: &mut Queue<'_>) {
    let slot = queue.slot();
    let nonce = aes::nonce_blocks(nonce);
    // SAFETY: 16 octets may be read from the text's place on; the slot is the scratch's, and ours until it
    // is entered; unit 0 is in the table.
    unsafe {
        let text = _mm_loadu_si128(place.text.cast());
        (*slot).head = _mm256_inserti128_si256::<1>(_mm256_setzero_si256(), text);
        (*slot).aad = hash::short_additional(&place);
        (*slot).place = place;
        queue.put(aes::input(nonce, 0), (&raw mut (*slot).head).cast());
    }
    // SAFETY: the text's place.
    unsafe { queue.put_text(nonce, &place, 0) };
    queue.enter();
}

/// Encrypts a frame's whole chunks, and puts the rest of it into the queue.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn begin<const ROUNDS: usize>(
    tables: &Tables,
    place: Place,
    nonce: &[u8; NONCE_LEN],
    queue: &mut Queue<'_>,
) {
    let slot = queue.slot();
    let nonce = aes::nonce_blocks(nonce);
    // SAFETY: as `Place` says.
    let aad = unsafe { hash::additional(tables, &place) };
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
    let hash = Hash::begin(tables, &place, aad, first);
    // SAFETY: as `Place` says.
    let (hash, hashed) = unsafe { seal_chunks::<ROUNDS>(tables, &place, &nonce, hash) };
    // SAFETY: the slot is the scratch's, and ours until it is entered.
    unsafe {
        (*slot).hash = hash;
        (*slot).hashed = hashed;
        (*slot).place = place;
    }
    // SAFETY: the text's place.
    if unsafe { queue.put_text(nonce, &place, place.body_len() / CHUNK) } {
        queue.enter();
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
    mut hash: Hash,
) -> (Hash, usize) {
    let body = place.body();
    let chunks = place.body_len() / CHUNK;
    if chunks == 0 {
        return (hash, 0);
    }
    // SAFETY: there is a chunk, which is inside the text, and its counters are in the table.
    unsafe { aes::encrypt_chunk::<ROUNDS>(tables, nonce, 1, body) };
    for chunk in 1..chunks {
        // SAFETY: both chunks are inside the text; the one before this one is the next to be hashed.
        unsafe {
            let octets = body.add(chunk * CHUNK);
            let unit = 1 + chunk * STEP;
            hash.encrypt_and_add_chunk::<ROUNDS>(tables, nonce, unit, octets, octets.sub(CHUNK));
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
    let (place, head) = unsafe { ((*waiting).place, (*waiting).head) };
    let hash = if place.is_short() {
        let first = _mm256_extracti128_si256::<1>(head);
        // SAFETY: 16 octets may be written from the text's place on; the frame is short and encrypted.
        unsafe {
            _mm_storeu_si128(place.text.cast(), first);
            hash::short(tables, &place, (*waiting).aad, first)
        }
    } else {
        // SAFETY: as for the slot.
        unsafe { finish_hash(tables, waiting) }
    };
    let tag = _mm_xor_si128(ghash::mirrored_one(hash), _mm256_castsi256_si128(head));
    // SAFETY: the tag and `ROOM` octets are behind the text; the slot is ours.
    unsafe {
        let behind = place.text.add(place.text_len);
        _mm_storeu_si128(behind.cast(), tag);
        // Keystream that the last unit left behind the tag.
        _mm_storeu_si128(behind.add(16).cast(), _mm_setzero_si128());
        Waiting::wipe(waiting);
    }
}

/// The rest of GHASH of a frame that is not short.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn finish_hash(tables: &Tables, waiting: *mut Waiting) -> __m128i {
    // SAFETY: a slot that is finished is written; the rest of the text is encrypted.
    unsafe {
        let Waiting {
            place,
            hash,
            hashed,
            ..
        } = &*waiting;
        let left = place.body_len() - hashed;
        let result = hash.end(tables, place.body().add(*hashed), left);
        (&raw mut (*waiting).hash).write_bytes(0, 1);
        result
    }
}
