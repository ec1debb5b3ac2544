//! Validating a burst.

use core::{
    arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm_setzero_si128, _mm_storeu_si128, _mm_testz_si128,
        _mm_xor_si128, _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_inserti128_si256,
        _mm256_setzero_si256,
    },
    hint::black_box,
    mem::MaybeUninit,
};

use super::{
    abreast::{self, Between},
    aes::{self, STEP},
    front::{self, Front},
    ghash,
    hash::{self, CHUNK, Hash},
    kinds::{self, Kinds},
    place::{Kind, Place},
    queue::{Queue, Scratch, Waiting},
    tables::Tables,
};
use crate::crypto::{AeadFrame, Opened, engine::burst::Left};

/// Opens a burst; says which frames were authentic, and which it left.
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
pub(super) fn open<const ROUNDS: usize>(
    tables: &Tables,
    burst: &mut [AeadFrame<'_>],
) -> (Opened, Left) {
    if burst.len() < kinds::ROW {
        few::<ROUNDS>(tables, burst)
    } else {
        many::<ROUNDS>(tables, burst)
    }
}

#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn many<const ROUNDS: usize>(tables: &Tables, burst: &mut [AeadFrame<'_>]) -> (Opened, Left) {
    let mut memory = kinds::Memory::uninit();
    let mut kinds = Kinds::new(&mut memory, burst);
    let mut opened = Opened::default();
    let mut scratch = MaybeUninit::<Scratch>::uninit();
    let mut queue = Queue::new(&mut scratch);
    let mut between = MaybeUninit::<Between>::uninit();
    // So that the compiler keeps in it what is written there, and nowhere else.
    let between = black_box(between.as_mut_ptr());
    while let Some(key) = kinds.next() {
        // SAFETY: a text of so many blocks has so many units; `between` is there until this function returns.
        unsafe {
            match key {
                1..=3 => sets::<ROUNDS, 4, 2, 8>(tables, &mut kinds, between, &mut opened),
                4 | 5 => sets::<ROUNDS, 2, 3, 6>(tables, &mut kinds, between, &mut opened),
                6 | 7 => sets::<ROUNDS, 2, 4, 8>(tables, &mut kinds, between, &mut opened),
                _ => {}
            }
        }
        while let Some((index, frame)) = kinds.take_one() {
            // SAFETY: it has a place, since it was not left.
            unsafe { begin::<ROUNDS>(tables, frame, index, &mut queue) };
            // SAFETY: what is in the queue is of this burst.
            unsafe { work_off::<ROUNDS>(tables, &mut queue, &mut opened) };
        }
    }
    // SAFETY: as above.
    unsafe { work_off_rest::<ROUNDS>(tables, &mut queue, &mut opened) };
    // What was wiped stays wiped: the compiler may not take the stores for dead.
    black_box(&mut scratch);
    (opened, kinds.left())
}

/// Opens a burst of few frames.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn few<const ROUNDS: usize>(tables: &Tables, burst: &mut [AeadFrame<'_>]) -> (Opened, Left) {
    let mut opened = Opened::default();
    let mut left = Left::default();
    let mut scratch = MaybeUninit::<Scratch>::uninit();
    let mut queue = Queue::new(&mut scratch);
    for (index, frame) in burst.iter_mut().enumerate() {
        if Place::of(frame).is_none() {
            left.add(index);
            continue;
        }
        // SAFETY: it has a place.
        unsafe { begin::<ROUNDS>(tables, frame, index, &mut queue) };
        // SAFETY: what is in the queue is of this burst.
        unsafe { work_off::<ROUNDS>(tables, &mut queue, &mut opened) };
    }
    // SAFETY: as above.
    unsafe { work_off_rest::<ROUNDS>(tables, &mut queue, &mut opened) };
    // What was wiped stays wiped: the compiler may not take the stores for dead.
    black_box(&mut scratch);
    (opened, left)
}

/// Decrypts as many units as make whole steps, and finishes the frames that can be.
///
/// # Safety
/// The queue's frames and places are there.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn work_off<const ROUNDS: usize>(
    tables: &Tables,
    queue: &mut Queue<'_>,
    opened: &mut Opened,
) {
    while queue.is_full() {
        // SAFETY: a step's units wait; each is in a frame of this burst or in the scratch.
        unsafe { queue.step::<ROUNDS, STEP>(tables) };
    }
    while let Some(waiting) = queue.take(STEP) {
        // SAFETY: its units were decrypted.
        unsafe { finish(waiting, opened) };
    }
}

/// Decrypts and finishes all that is left.
///
/// # Safety
/// As for [`work_off`], which was called.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn work_off_rest<const ROUNDS: usize>(
    tables: &Tables,
    queue: &mut Queue<'_>,
    opened: &mut Opened,
) {
    // SAFETY: by the caller.
    unsafe { queue.rest::<ROUNDS>(tables) };
    while let Some(waiting) = queue.take(0) {
        // SAFETY: its units were decrypted.
        unsafe { finish(waiting, opened) };
    }
}

/// Opens frames that are alike, `F` at a time.
///
/// # Safety
/// The frames that `kinds` gives have `U` units; `between` may be written; `F` times `U` is `N`.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn sets<const ROUNDS: usize, const F: usize, const U: usize, const N: usize>(
    tables: &Tables,
    kinds: &mut Kinds<'_, '_>,
    between: *mut Between,
    opened: &mut Opened,
) {
    while let Some(set) = kinds.take::<F>() {
        // SAFETY: by the caller.
        let same = unsafe { abreast::open::<ROUNDS, F, U, N>(tables, &set, between) };
        for (n, frame) in set.into_iter().enumerate() {
            if same >> (2 * n) & 3 == 3 {
                opened.set_ok(kinds.index(frame));
            } else {
                // SAFETY: a frame that was taken has a place.
                unsafe { wipe(frame) };
            }
        }
    }
    // SAFETY: by the caller.
    unsafe { between.write(Between::zero()) };
    black_box(between);
}

/// Wipes a frame's text.
///
/// # Safety
/// The frame has a place.
#[cold]
#[inline(never)]
unsafe fn wipe(frame: *mut AeadFrame<'_>) {
    // SAFETY: by the caller; the text is its place's.
    unsafe {
        let place = Place::again(frame);
        place.text.write_bytes(0, place.text_len);
    }
}

/// Computes what the mask of a frame's tag should be, and puts the frame into the queue; one that has chunks
/// without them, which it decrypts.
///
/// As in `seal`, what a short frame is made of stays in registers.
///
/// # Safety
/// The frame is of the burst, and has a place.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn begin<const ROUNDS: usize>(
    tables: &Tables,
    frame: *mut AeadFrame<'_>,
    index: usize,
    queue: &mut Queue<'_>,
) {
    // SAFETY: by the caller.
    let place = unsafe { Place::again(frame) };
    if place.kind() != Kind::Short {
        // SAFETY: by the caller.
        unsafe { begin_long::<ROUNDS>(tables, frame, index, queue) };
        return;
    }
    // SAFETY: as above.
    let nonce = aes::nonce_blocks(unsafe { &(*frame).nonce });
    // SAFETY: a short frame; 16 octets may be read from the text's place on, and behind it.
    unsafe {
        let first = _mm_loadu_si128(place.text.cast());
        let front = Front {
            lengths: front::lengths(&place),
            aad: front::short_additional(&place),
            first,
        };
        let hash = front::short(tables, front, place.text, place.text_len);
        enter(place, first, hash, nonce, index, queue);
        queue.put_text(nonce, &place, 0);
    }
    queue.enter();
}

/// Puts in a frame's first unit, and notes what its tag needs.
///
/// # Safety
/// `place` is a frame's place, as it says.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn enter(
    place: Place,
    text: __m128i,
    hash: __m128i,
    nonce: __m256i,
    index: usize,
    queue: &mut Queue<'_>,
) {
    let slot = queue.slot();
    // SAFETY: 16 octets may be read behind the text; the slot is the scratch's, and ours until it is entered;
    // unit 0 is in the table.
    unsafe {
        let tag = _mm_loadu_si128(place.text.add(place.text_len).cast());
        (*slot).head = _mm256_inserti128_si256::<1>(_mm256_setzero_si256(), text);
        (*slot).tag = tag;
        (*slot).wanted = _mm_xor_si128(tag, ghash::mirrored_one(hash));
        (*slot).text = place.text;
        (*slot).text_len = place.text_len;
        (*slot).index = index;
        queue.put(aes::input(nonce, 0), (&raw mut (*slot).head).cast());
    }
}

/// Computes what the mask of a frame's tag should be, decrypts whole chunks, and puts the rest of it into the
/// queue.
///
/// # Safety
/// The frame is of the burst, and has a place; it is not short.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn begin_long<const ROUNDS: usize>(
    tables: &Tables,
    frame: *mut AeadFrame<'_>,
    index: usize,
    queue: &mut Queue<'_>,
) {
    // Again, because it would come through memory.
    // SAFETY: by the caller.
    let place = unsafe { Place::again(frame) };
    // SAFETY: as above.
    let nonce = aes::nonce_blocks(unsafe { &(*frame).nonce });
    // SAFETY: as `Place` says.
    unsafe {
        let text = _mm_loadu_si128(place.text.cast());
        let (body, len) = (place.body(), place.body_len());
        let chunks = len / CHUNK;
        let result = if place.kind() == Kind::Long {
            let front = Front {
                lengths: front::lengths(&place),
                aad: front::short_additional(&place),
                first: text,
            };
            hash::long::<ROUNDS>(tables, &nonce, front, body, len)
        } else {
            let aad = front::additional(tables, &place);
            let first = ghash::first_of_one(text, place.text_len.min(16));
            // In the slot, which is wiped.
            let hash = &raw mut (*queue.slot()).hash;
            *hash = Hash::begin(tables, &place, aad, first);
            (*hash).encrypt_and_add_chunks::<ROUNDS>(tables, &nonce, body, (0, chunks), 0);
            // What is not decrypted yet.
            let at = chunks * CHUNK;
            let result = (*hash).end(tables, body.add(at), len - at);
            hash.write_bytes(0, 1);
            result
        };
        enter(place, text, result, nonce, index, queue);
        queue.put_text(nonce, &place, chunks);
    }
    queue.enter();
}

/// Gives a frame's verdict, and wipes its slot; where it is not authentic, its text too.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn finish(waiting: *mut Waiting, opened: &mut Opened) {
    // SAFETY: a slot that was entered is written; nothing else refers to it.
    let (text, text_len, head) = unsafe { ((*waiting).text, (*waiting).text_len, (*waiting).head) };
    // SAFETY: as above.
    let (tag, wanted) = unsafe { ((*waiting).tag, (*waiting).wanted) };
    let difference = _mm_xor_si128(wanted, _mm256_castsi256_si128(head));
    // SAFETY: 16 octets may be written from the text's place on, and 32 behind the text.
    unsafe {
        _mm_storeu_si128(text.cast(), _mm256_extracti128_si256::<1>(head));
        let behind = text.add(text_len);
        _mm_storeu_si128(behind.cast(), tag);
        // Keystream that the last unit left behind the tag.
        _mm_storeu_si128(behind.add(16).cast(), _mm_setzero_si128());
    }
    if _mm_testz_si128(difference, difference) == 1 {
        // SAFETY: as above.
        opened.set_ok(unsafe { (*waiting).index });
    } else {
        // SAFETY: the text.
        unsafe { text.write_bytes(0, text_len) };
    }
    // SAFETY: the slot is ours.
    unsafe { Waiting::wipe(waiting) };
}
