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
    hash::{self, CHUNK, Front, Hash},
    place::{Kind, Place},
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
        if !begin::<ROUNDS>(tables, frame, &mut queue) {
            left.add(index);
            continue;
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

/// Puts a frame into the queue; one that has chunks without them, which it encrypts. Says whether it took the
/// frame.
///
/// What a frame is made of stays in registers on the way of short ones: a vector that is loaded from where two
/// numbers were stored waits for both.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn begin<const ROUNDS: usize>(
    tables: &Tables,
    frame: &mut AeadFrame<'_>,
    queue: &mut Queue<'_>,
) -> bool {
    let Some(place) = Place::of(frame) else {
        return false;
    };
    match place.kind() {
        Kind::Short => {
            let nonce = aes::nonce_blocks(&frame.nonce);
            // SAFETY: the frame is short.
            unsafe {
                put_first(place, nonce, queue);
                queue.put_text(nonce, &place, 0);
            }
            queue.enter();
        }
        Kind::Long => begin_long::<ROUNDS>(tables, frame, queue),
        Kind::Other => begin_other::<ROUNDS>(tables, frame, queue),
    }
    true
}

/// Puts in the first unit of a frame that is short or long, and notes what its tag needs.
///
/// # Safety
/// `place` is such a frame's place, as it says.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn put_first(place: Place, nonce: __m256i, queue: &mut Queue<'_>) {
    let slot = queue.slot();
    // SAFETY: 16 octets may be read from the text's place on; the slot is the scratch's, and ours until it
    // is entered; unit 0 is in the table.
    unsafe {
        let text = _mm_loadu_si128(place.text.cast());
        (*slot).head = _mm256_inserti128_si256::<1>(_mm256_setzero_si256(), text);
        (*slot).aad = hash::short_additional(&place);
        (*slot).lengths = hash::lengths(&place);
        (*slot).text = place.text;
        (*slot).text_len = place.text_len;
        (*slot).kind = place.kind();
        queue.put(aes::input(nonce, 0), (&raw mut (*slot).head).cast());
    }
}

/// Encrypts the whole chunks of a long frame, and puts the rest of it into the queue.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn begin_long<const ROUNDS: usize>(
    tables: &Tables,
    frame: &mut AeadFrame<'_>,
    queue: &mut Queue<'_>,
) {
    // Again, because it would come through memory.
    let Some(place) = Place::of(frame) else {
        return;
    };
    let slot = queue.slot();
    let nonce = aes::nonce_blocks(&frame.nonce);
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
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn begin_other<const ROUNDS: usize>(
    tables: &Tables,
    frame: &mut AeadFrame<'_>,
    queue: &mut Queue<'_>,
) {
    // Again, because it would come through memory.
    let Some(place) = Place::of(frame) else {
        return;
    };
    let slot = queue.slot();
    let nonce = aes::nonce_blocks(&frame.nonce);
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

/// Writes a frame's tag, and wipes its slot.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn finish(tables: &Tables, waiting: *mut Waiting) {
    // SAFETY: a slot that is finished is written; nothing else refers to it. The frame is encrypted; 16 octets
    // may be written from the text's place on, and 32 behind it.
    unsafe {
        let (text, text_len) = ((*waiting).text, (*waiting).text_len);
        let head = (*waiting).head;
        let hash = if (*waiting).kind == Kind::Short {
            let first = _mm256_extracti128_si256::<1>(head);
            _mm_storeu_si128(text.cast(), first);
            hash::short(tables, front(waiting, first), text, text_len)
        } else {
            finish_hash(tables, waiting)
        };
        let tag = _mm_xor_si128(ghash::mirrored_one(hash), _mm256_castsi256_si128(head));
        let behind = text.add(text_len);
        _mm_storeu_si128(behind.cast(), tag);
        // Keystream that the last unit left behind the tag.
        _mm_storeu_si128(behind.add(16).cast(), _mm_setzero_si128());
        Waiting::wipe(waiting);
    }
}

/// What [`put_first`] noted, with the text's first block.
///
/// # Safety
/// It was for this slot.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn front(waiting: *const Waiting, first: __m128i) -> Front {
    // SAFETY: by the caller.
    unsafe {
        Front {
            lengths: (*waiting).lengths,
            aad: (*waiting).aad,
            first,
        }
    }
}

/// The rest of GHASH of a frame that is not short.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn finish_hash(tables: &Tables, waiting: *mut Waiting) -> __m128i {
    // SAFETY: a slot that is finished is written; the rest of the text is encrypted.
    unsafe {
        let (text, text_len, hashed) = ((*waiting).text, (*waiting).text_len, (*waiting).hashed);
        let hash = &(*waiting).hash;
        let left = text_len.saturating_sub(16) - hashed;
        let octets = text.wrapping_add(16 + hashed);
        let result = if (*waiting).kind == Kind::Long {
            let first = _mm256_extracti128_si256::<1>((*waiting).head);
            _mm_storeu_si128(text.cast(), first);
            hash.end_with(tables, front(waiting, first), text_len, octets, left)
        } else {
            hash.end(tables, octets, left)
        };
        (&raw mut (*waiting).hash).write_bytes(0, 1);
        result
    }
}
