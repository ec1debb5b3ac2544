//! Octets to and from the 512-bit registers. Each is bounded by the slice or array that it is given, so
//! everything above is safe code.

use core::arch::{
    asm,
    x86_64::{
        __m128i, __m256i, __m512i, _MM_HINT_T0, _mm_loadu_si128, _mm_maskz_loadu_epi32,
        _mm_prefetch, _mm_storeu_si128, _mm256_loadu_si256, _mm256_maskz_loadu_epi8,
        _mm512_loadu_si512, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8,
        _mm512_maskz_mov_epi8, _mm512_storeu_si512,
    },
};

use crate::crypto::NONCE_LEN;

/// Octets of a register: a unit, which is four blocks.
pub(super) const UNIT: usize = 64;

/// A bit for each of the first `len` octets of a register, at most 64.
#[inline]
pub(super) fn octets(len: usize) -> u64 {
    u32::try_from(len)
        .ok()
        .and_then(|len| u64::MAX.checked_shl(len))
        .map_or(u64::MAX, |above| !above)
}

/// Loads a whole unit.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn load(unit: &[u8; UNIT]) -> __m512i {
    // SAFETY: 64 octets are read, which is what the array has; the load needs no alignment.
    unsafe { _mm512_loadu_si512(unit.as_ptr().cast()) }
}

/// Loads the octets that `mask` names of a unit of which `octets` are there, and zeros for the others.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn load_some(some: &[u8]) -> __m512i {
    // SAFETY: the mask has a bit for each of the first `some.len()` octets and no others, and a masked
    // load touches nothing but what its mask names.
    unsafe { _mm512_maskz_loadu_epi8(octets(some.len()), some.as_ptr().cast()) }
}

/// Stores a whole unit.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn store(unit: &mut [u8; UNIT], value: __m512i) {
    // SAFETY: 64 octets are written, which is what the exclusively borrowed array has.
    unsafe { _mm512_storeu_si512(unit.as_mut_ptr().cast(), value) }
}

/// Stores as many octets of `value` as `some` has.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn store_some(some: &mut [u8], value: __m512i) {
    // SAFETY: the mask has a bit for each of the first `some.len()` octets and no others, and a masked
    // store touches nothing but what its mask names; the slice is exclusively borrowed.
    unsafe { _mm512_mask_storeu_epi8(some.as_mut_ptr().cast(), octets(some.len()), value) }
}

/// Loads a block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn load_block(block: &[u8; 16]) -> __m128i {
    // SAFETY: 16 octets are read, which is what the array has; the load needs no alignment.
    unsafe { _mm_loadu_si128(block.as_ptr().cast()) }
}

/// A block of a key's tables in each lane, loaded where this stands: the compiler would rather load it before
/// a loop, and then keep it on the stack.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn broadcast_here(block: &[u8; 16]) -> __m512i {
    let lanes;
    // SAFETY: 16 octets are read, which is what the array has; nothing is written to memory and the stack is
    // not used.
    unsafe {
        asm!(
            "vbroadcasti32x4 {}, xmmword ptr [{}]",
            out(zmm_reg) lanes,
            in(reg) block,
            options(nostack, preserves_flags, readonly)
        );
    }
    lanes
}

/// Asks for the line of the cache in which `place` begins.
#[inline]
pub(super) fn prefetch<T>(place: Option<&T>) {
    if let Some(place) = place {
        // SAFETY: nothing is read, and the address is that of a reference.
        unsafe { _mm_prefetch::<_MM_HINT_T0>((&raw const *place).cast()) }
    }
}

/// Stores a block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn store_block(block: &mut [u8; 16], value: __m128i) {
    // SAFETY: 16 octets are written, which is what the exclusively borrowed array has.
    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), value) }
}

/// Loads two blocks.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn load_pair(pair: &[u8; 32]) -> __m256i {
    // SAFETY: 32 octets are read, which is what the array has; the load needs no alignment.
    unsafe { _mm256_loadu_si256(pair.as_ptr().cast()) }
}

/// Loads up to two blocks, and zeros for what is not there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn load_pair_of_some(some: &[u8]) -> __m256i {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the upper half of the mask is for octets that two blocks don't have"
    )]
    let mask = octets(some.len()) as u32;
    // SAFETY: the mask has no bit beyond the first `some.len()` octets, and a masked load touches
    // nothing but what its mask names.
    unsafe { _mm256_maskz_loadu_epi8(mask, some.as_ptr().cast()) }
}

/// Loads a nonce, and zeros where the counter goes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn load_nonce(nonce: &[u8; NONCE_LEN]) -> __m128i {
    // SAFETY: the mask names three words of four octets, which is what the array has.
    unsafe { _mm_maskz_loadu_epi32(0b0111, nonce.as_ptr().cast()) }
}

/// The first `len` octets of `value`, and zeros behind.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn only(len: usize, value: __m512i) -> __m512i {
    _mm512_maskz_mov_epi8(octets(len), value)
}
