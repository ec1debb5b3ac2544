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

mod long;

use super::{
    abreast::{self, Between},
    aes::{self, STEP},
    front::{self, Front},
    ghash,
    kinds::{self, Kinds},
    place::{Kind, Place},
    queue::{Queue, Scratch, Waiting},
    tables::Tables,
};
use crate::crypto::{AeadFrame, engine::burst::Left};

/// Seals a burst; says which frames it left.
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
pub(super) fn seal<const ROUNDS: usize>(tables: &Tables, burst: &mut [AeadFrame<'_>]) -> Left {
    if burst.len() < kinds::ROW {
        few::<ROUNDS>(tables, burst)
    } else {
        many::<ROUNDS>(tables, burst)
    }
}

#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn many<const ROUNDS: usize>(tables: &Tables, burst: &mut [AeadFrame<'_>]) -> Left {
    let mut memory = kinds::Memory::uninit();
    let mut kinds = Kinds::new(&mut memory, burst);
    let mut scratch = MaybeUninit::<Scratch>::uninit();
    let mut queue = Queue::new(&mut scratch);
    let mut between = MaybeUninit::<Between>::uninit();
    // So that the compiler keeps in it what is written there, and nowhere else.
    let between = black_box(between.as_mut_ptr());
    while let Some(key) = kinds.next() {
        // SAFETY: a text of so many blocks has so many units; `between` is there until this function returns.
        unsafe {
            match key {
                1..=3 => sets::<ROUNDS, 4, 2, 8>(tables, &mut kinds, between),
                4 | 5 => sets::<ROUNDS, 2, 3, 6>(tables, &mut kinds, between),
                6 | 7 => sets::<ROUNDS, 2, 4, 8>(tables, &mut kinds, between),
                _ => {}
            }
        }
        while let Some((_, frame)) = kinds.take_one() {
            // SAFETY: it has a place, since it was not left.
            unsafe { begin::<ROUNDS>(tables, frame, &mut queue) };
            // SAFETY: what is in the queue is of this burst.
            unsafe { work_off::<ROUNDS>(tables, &mut queue) };
        }
    }
    // SAFETY: as above.
    unsafe { work_off_rest::<ROUNDS>(tables, &mut queue) };
    // What was wiped stays wiped: the compiler may not take the stores for dead.
    black_box(&mut scratch);
    kinds.left()
}

/// Seals a burst of few frames.
#[inline(never)]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
fn few<const ROUNDS: usize>(tables: &Tables, burst: &mut [AeadFrame<'_>]) -> Left {
    let mut left = Left::default();
    let mut scratch = MaybeUninit::<Scratch>::uninit();
    let mut queue = Queue::new(&mut scratch);
    for (index, frame) in burst.iter_mut().enumerate() {
        if Place::of(frame).is_none() {
            left.add(index);
            continue;
        }
        // SAFETY: it has a place.
        unsafe { begin::<ROUNDS>(tables, frame, &mut queue) };
        // SAFETY: what is in the queue is of this burst.
        unsafe { work_off::<ROUNDS>(tables, &mut queue) };
    }
    // SAFETY: as above.
    unsafe { work_off_rest::<ROUNDS>(tables, &mut queue) };
    // What was wiped stays wiped: the compiler may not take the stores for dead.
    black_box(&mut scratch);
    left
}

/// Encrypts as many units as make whole steps, and finishes the frames that can be.
///
/// # Safety
/// The queue's frames and places are there.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn work_off<const ROUNDS: usize>(tables: &Tables, queue: &mut Queue<'_>) {
    while queue.is_full() {
        // SAFETY: a step's units wait; each is in a frame of this burst or in the scratch.
        unsafe { queue.step::<ROUNDS, STEP>(tables) };
    }
    while let Some(waiting) = queue.take(STEP) {
        // SAFETY: its units were encrypted.
        unsafe { finish(tables, waiting) };
    }
}

/// Encrypts and finishes all that is left.
///
/// # Safety
/// As for [`work_off`], which was called.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn work_off_rest<const ROUNDS: usize>(tables: &Tables, queue: &mut Queue<'_>) {
    // SAFETY: by the caller.
    unsafe { queue.rest::<ROUNDS>(tables) };
    while let Some(waiting) = queue.take(0) {
        // SAFETY: its units were encrypted.
        unsafe { finish(tables, waiting) };
    }
}

/// Seals frames that are alike, `F` at a time.
///
/// # Safety
/// The frames that `kinds` gives have `U` units; `between` may be written; `F` times `U` is `N`.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn sets<const ROUNDS: usize, const F: usize, const U: usize, const N: usize>(
    tables: &Tables,
    kinds: &mut Kinds<'_, '_>,
    between: *mut Between,
) {
    let mut before = None;
    while let Some(set) = kinds.take::<F>() {
        // SAFETY: by the caller; those before were sealed last.
        unsafe { abreast::seal::<ROUNDS, F, U, N>(tables, &set, before.as_ref(), between) };
        before = Some(set);
    }
    if let Some(before) = before {
        // SAFETY: as above.
        unsafe { abreast::last_tags::<F, U>(tables, &before, between) };
        // SAFETY: by the caller.
        unsafe { between.write(Between::zero()) };
        black_box(between);
    }
}

/// Puts a frame into the queue; one that has chunks without them, which it encrypts.
///
/// What a frame is made of stays in registers on the way of short ones: a vector that is loaded from where two
/// numbers were stored waits for both.
///
/// # Safety
/// The frame is of the burst, and has a place.
#[inline]
#[target_feature(enable = "avx2,aes,vaes,pclmulqdq,vpclmulqdq")]
unsafe fn begin<const ROUNDS: usize>(
    tables: &Tables,
    frame: *mut AeadFrame<'_>,
    queue: &mut Queue<'_>,
) {
    // SAFETY: by the caller.
    let place = unsafe { Place::again(frame) };
    match place.kind() {
        Kind::Short => {
            // SAFETY: as above.
            let nonce = aes::nonce_blocks(unsafe { &(*frame).nonce });
            // SAFETY: the frame is short.
            unsafe {
                put_first(place, nonce, queue);
                queue.put_text(nonce, &place, 0);
            }
            queue.enter();
        }
        // SAFETY: by the caller.
        Kind::Long => unsafe { long::begin_long::<ROUNDS>(tables, frame, queue) },
        // SAFETY: by the caller.
        Kind::Other => unsafe { long::begin_other::<ROUNDS>(tables, frame, queue) },
    }
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
        (*slot).aad = front::short_additional(&place);
        (*slot).lengths = front::lengths(&place);
        (*slot).text = place.text;
        (*slot).text_len = place.text_len;
        (*slot).kind = place.kind();
        queue.put(aes::input(nonce, 0), (&raw mut (*slot).head).cast());
    }
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
            front::short(tables, front_of(waiting, first), text, text_len)
        } else {
            long::finish_hash(tables, waiting)
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
unsafe fn front_of(waiting: *const Waiting, first: __m128i) -> Front {
    // SAFETY: by the caller.
    unsafe {
        Front {
            lengths: (*waiting).lengths,
            aad: (*waiting).aad,
            first,
        }
    }
}
