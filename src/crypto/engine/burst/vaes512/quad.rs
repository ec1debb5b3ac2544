//! The end of four frames, which are reduced together: lengths, tags, verdicts.

use core::arch::x86_64::{
    __m512i, _mm512_extracti32x4_epi32, _mm512_inserti32x4, _mm512_mask_mov_epi32, _mm512_or_si512,
    _mm512_setzero_si512, _mm512_shuffle_epi32, _mm512_test_epi64_mask, _mm512_xor_si512,
};

use super::{
    aes::{first_counters, nonces},
    ghash::{Lengths, Sums, mirrored},
    keys::Keys,
    lanes::{load_block, store_block},
    parts::Parts,
};

/// Frames that are reduced together: as many as a register has lanes.
pub(super) const QUAD: usize = 4;

/// What is gathered of the frames of a quad, one to a lane.
#[derive(Clone, Copy)]
pub(super) struct Quad {
    /// Their nonces, for the block that masks the tag.
    nonces: __m512i,
    lengths: Lengths,
}

impl Quad {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn new() -> Self {
        Self {
            nonces: _mm512_setzero_si512(),
            lengths: Lengths::none(),
        }
    }

    /// Takes note of the frame in `lane`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn set(&mut self, lane: usize, parts: &Parts<'_>) {
        self.nonces = _mm512_mask_mov_epi32(self.nonces, 0xF << (4 * lane), nonces(parts.nonce));
        self.lengths.set(lane, parts.aad.len(), parts.text.len());
    }

    /// The counter blocks that mask the tags, with the first round key added.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn masks<const EACH: bool>(&self, keys: &Keys<'_, EACH>) -> __m512i {
        let counters = _mm512_xor_si512(self.nonces, first_counters());
        _mm512_xor_si512(counters, keys.round_key::<0>())
    }

    /// The four tags, of the products of additional data and text, and the encrypted counter blocks.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn tags<const EACH: bool>(
        &self,
        keys: &Keys<'_, EACH>,
        four: [Sums; QUAD],
        pairs: [Sums; 2],
        masks: __m512i,
    ) -> __m512i {
        let sums = Sums::of_four(four, pairs).plus(self.lengths.product(keys.first_power()));
        _mm512_xor_si512(mirrored(sums.reduced()), masks)
    }
}

/// Writes each tag to its frame.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn write_tags(tags: __m512i, quad: &mut [Parts<'_>]) {
    macro_rules! write_tag {
        ($($lane:literal)*) => {$(
            if let Some(parts) = quad.get_mut($lane) {
                store_block(parts.tag, _mm512_extracti32x4_epi32::<$lane>(tags));
            }
        )*};
    }
    write_tag!(0 1 2 3);
}

/// Whose tag is right: bit `i` for lane `i`. A lane without a frame has none.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn verdicts(tags: __m512i, quad: &[Parts<'_>]) -> u8 {
    let mut theirs = tags;
    macro_rules! insert {
        ($($lane:literal)*) => {$(
            if let Some(parts) = quad.get($lane) {
                theirs = _mm512_inserti32x4::<$lane>(theirs, load_block(parts.tag));
            }
        )*};
    }
    insert!(0 1 2 3);
    let differences = _mm512_xor_si512(tags, theirs);
    // Both halves of a lane tell the same, so that not even which half differs is seen.
    let differences = _mm512_or_si512(differences, _mm512_shuffle_epi32::<0x4E>(differences));
    let wrong = _mm512_test_epi64_mask(differences, differences);
    !(wrong & 1 | wrong >> 1 & 2 | wrong >> 2 & 4 | wrong >> 3 & 8)
}
