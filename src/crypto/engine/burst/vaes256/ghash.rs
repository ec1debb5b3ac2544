//! GHASH on two blocks at a time: blocks in their order, one after the other.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_and_si128, _mm_loadu_si128, _mm_set_epi8, _mm_setzero_si128,
    _mm_shuffle_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_loadu_si256,
    _mm256_shuffle_epi8,
};

use super::{
    sums::Sums,
    tables::{MASKS, SEGMENT, Tables},
};

/// Octets of each block from last to first.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn mirrored(blocks: __m256i) -> __m256i {
    _mm256_shuffle_epi8(blocks, _mm256_broadcastsi128_si256(order()))
}

/// The same for one block.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn mirrored_one(block: __m128i) -> __m128i {
    _mm_shuffle_epi8(block, order())
}

#[inline]
#[target_feature(enable = "avx2")]
fn order() -> __m128i {
    _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
}

/// The first `len` octets of a unit, zeros behind them.
///
/// # Safety
/// `len` is at most 32.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn first(unit: __m256i, len: usize) -> __m256i {
    // SAFETY: by the caller, 32 octets from `32 - len` on are inside the 64 of the table.
    let mask = unsafe { _mm256_loadu_si256(MASKS.0.as_ptr().add(32 - len).cast()) };
    _mm256_and_si256(unit, mask)
}

/// The first `len` octets of a block, zeros behind them.
///
/// # Safety
/// `len` is at most 16.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn first_of_one(block: __m128i, len: usize) -> __m128i {
    // SAFETY: by the caller, 16 octets from `32 - len` on are inside the 64 of the table.
    let mask = unsafe { _mm_loadu_si128(MASKS.0.as_ptr().add(32 - len).cast()) };
    _mm_and_si128(block, mask)
}

/// Adds `len` octets from `octets` on, as blocks of which the first has power `exponent`; what the last one
/// lacks is zero.
///
/// # Safety
/// 32 octets may be read from each of the `len`; the last block's power is at least 1.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
pub(super) unsafe fn add_run(
    sums: &mut Sums,
    tables: &Tables,
    octets: *const u8,
    len: usize,
    mut exponent: usize,
) {
    let mut at = 0;
    while at + 32 <= len {
        // SAFETY: `at` is below `len`, from where 32 octets may be read.
        let unit = unsafe { _mm256_loadu_si256(octets.add(at).cast()) };
        // SAFETY: the powers fall by one for each block and stay at 1 or more, by the caller.
        unsafe { sums.add(tables, mirrored(unit), exponent) };
        exponent -= 2;
        at += 32;
    }
    if at < len {
        // SAFETY: as in the loop.
        let unit = unsafe { _mm256_loadu_si256(octets.add(at).cast()) };
        // SAFETY: less than 32 are left.
        let unit = unsafe { first(unit, len - at) };
        // SAFETY: as in the loop.
        unsafe { sums.add(tables, mirrored(unit), exponent) };
    }
}

/// GHASH of `len` octets: what the next block is XORed with.
///
/// # Safety
/// 32 octets may be read from each of the `len`.
#[target_feature(enable = "avx2,vpclmulqdq")]
pub(super) unsafe fn hash(tables: &Tables, octets: *const u8, len: usize) -> __m128i {
    let mut state = _mm_setzero_si128();
    let mut at = 0;
    while at < len {
        let part = (len - at).min(16 * SEGMENT);
        let blocks = part.div_ceil(16);
        let mut sums = Sums::zero();
        // SAFETY: `blocks` is in `1..=SEGMENT`, which is below `POWERS`.
        unsafe { sums.carry(tables, state, blocks) };
        // SAFETY: the part is inside the octets; its last block has power 1.
        unsafe { add_run(&mut sums, tables, octets.add(at), part, blocks) };
        state = sums.reduce(tables);
        at += part;
    }
    state
}
