//! What GHASH of a frame begins with: additional data, the text's first block, and the lengths.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_cvtepu32_epi64, _mm_cvtsi64_si128, _mm_setzero_si128,
    _mm256_inserti128_si256, _mm256_loadu_si256, _mm256_setzero_si256, _mm256_zextsi128_si256,
};

use super::{
    ghash,
    place::Place,
    sums::Sums,
    tables::{ORDERS, Tables},
};

/// A frame's blocks before the second one of its text.
#[derive(Clone, Copy)]
pub(super) struct Front {
    /// From [`lengths`].
    pub(super) lengths: __m128i,
    /// From [`short_additional`].
    pub(super) aad: __m256i,
    /// The text's first block, as it was sent.
    pub(super) first: __m128i,
}

impl Front {
    /// What comes of it before a text of so many blocks.
    ///
    /// # Safety
    /// At most [`ONE_SUM`].
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn sums(self, tables: &Tables, blocks: usize) -> Sums {
        let lengths = _mm256_zextsi128_si256(self.lengths);
        let unit = _mm256_inserti128_si256::<1>(lengths, ghash::mirrored_one(self.first));
        // SAFETY: the text's first block has power `blocks + 1`, additional data's `blocks + 3`: both are in
        // the tables.
        unsafe {
            let mut sums = Sums::begin(tables, unit, blocks + 1);
            sums.add(tables, self.aad, blocks + 3);
            sums
        }
    }
}

/// The additional data of a frame that has two blocks of it, mirrored.
///
/// # Safety
/// The frame has two blocks of additional data; see [`Place`].
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn short_additional(place: &Place) -> __m256i {
    // SAFETY: 32 octets may be read from the first of additional data on, and there are at most so many.
    unsafe {
        let unit = _mm256_loadu_si256(place.aad.cast());
        ghash::mirrored(ghash::first(unit, place.aad_len))
    }
}

/// How `vpshufb` makes the second block of additional data, mirrored, of their last 16 octets.
///
/// # Safety
/// There are 17 to 32 octets of them.
#[inline(always)]
pub(super) unsafe fn end_order(aad_len: usize) -> *const u8 {
    // SAFETY: by the caller, 16 octets from there are inside the table.
    unsafe { ORDERS.0.as_ptr().add(aad_len - 16) }
}

/// Additional data, as the frame's GHASH takes it up.
#[derive(Clone, Copy)]
pub(super) struct Additional {
    /// Two blocks, mirrored, zero where there are none or more.
    pub(super) blocks: __m256i,
    /// Where there are none or more: what they come to.
    pub(super) state: __m128i,
}

/// Reads the frame's additional data.
///
/// # Safety
/// As [`Place`] says.
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
pub(super) unsafe fn additional(tables: &Tables, place: &Place) -> Additional {
    if (17..=32).contains(&place.aad_len) {
        // SAFETY: 32 octets may be read from the first of additional data on.
        let unit = unsafe { _mm256_loadu_si256(place.aad.cast()) };
        // SAFETY: the length was looked at.
        let unit = unsafe { ghash::first(unit, place.aad_len) };
        return Additional {
            blocks: ghash::mirrored(unit),
            state: _mm_setzero_si128(),
        };
    }
    // SAFETY: 32 octets may be read from each of additional data.
    let state = unsafe { ghash::hash(tables, place.aad, place.aad_len) };
    Additional {
        blocks: _mm256_setzero_si256(),
        state,
    }
}

/// The block of lengths in bits, mirrored.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn lengths(place: &Place) -> __m128i {
    // Both are far below 2^29.
    let both = (place.aad_len as u64) << 32 | place.text_len as u64;
    _mm_cvtepu32_epi64(_mm_cvtsi64_si128((both << 3).cast_signed()))
}

/// GHASH of a short frame, mirrored.
///
/// # Safety
/// The frame is short, and its text is at `text`; see [`Place`].
#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
pub(super) unsafe fn short(
    tables: &Tables,
    front: Front,
    text: *const u8,
    text_len: usize,
) -> __m128i {
    let blocks = text_len.div_ceil(16);
    // SAFETY: a short frame's blocks all have powers, and its text may be read as its place says.
    unsafe {
        let mut sums = front.sums(tables, blocks);
        ghash::add_run(&mut sums, tables, text.add(16), text_len - 16, blocks);
        sums.reduce(tables)
    }
}
