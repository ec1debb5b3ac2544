//! GHASH on two blocks at a time: sums of products, and one reduction at their end.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_and_si128, _mm_loadu_si128, _mm_set_epi8, _mm_setzero_si128,
    _mm_shuffle_epi8, _mm_xor_si128, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_castsi256_si128, _mm256_clmulepi64_epi128, _mm256_extracti128_si256, _mm256_loadu_si256,
    _mm256_set_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_shuffle_epi32,
    _mm256_xor_si256, _mm256_zextsi128_si256,
};

use super::super::schedule::POLYNOMIAL;
use super::tables::{MASKS, POWERS, SEGMENT, Tables};

/// Sums of products that are not reduced yet: Karatsuba's three, for each of two blocks.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    pub(super) low: __m256i,
    pub(super) middle: __m256i,
    pub(super) high: __m256i,
}

impl Sums {
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) fn zero() -> Self {
        Self {
            low: _mm256_setzero_si256(),
            middle: _mm256_setzero_si256(),
            high: _mm256_setzero_si256(),
        }
    }

    /// Adds two mirrored blocks times two powers.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) fn add(&mut self, blocks: __m256i, powers: Powers) {
        let low = _mm256_clmulepi64_epi128::<0x00>(blocks, powers.whole);
        let high = _mm256_clmulepi64_epi128::<0x11>(blocks, powers.whole);
        let halves = _mm256_xor_si256(blocks, _mm256_shuffle_epi32::<0x4E>(blocks));
        let middle = _mm256_clmulepi64_epi128::<0x00>(halves, powers.middle);
        self.low = _mm256_xor_si256(self.low, low);
        self.middle = _mm256_xor_si256(self.middle, middle);
        self.high = _mm256_xor_si256(self.high, high);
    }

    /// The sum of everything, reduced: a mirrored block.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) fn reduce(self) -> __m128i {
        let middle = _mm256_xor_si256(self.middle, _mm256_xor_si256(self.low, self.high));
        let middle = _mm256_xor_si256(middle, fold(self.low));
        let sum = _mm256_xor_si256(self.high, fold(middle));
        _mm_xor_si128(
            _mm256_castsi256_si128(sum),
            _mm256_extracti128_si256::<1>(sum),
        )
    }
}

#[inline]
#[target_feature(enable = "avx2,vpclmulqdq")]
fn fold(part: __m256i) -> __m256i {
    let polynomial = _mm256_set_epi64x(POLYNOMIAL, 1, POLYNOMIAL, 1);
    let product = _mm256_clmulepi64_epi128::<0x10>(part, polynomial);
    _mm256_xor_si256(product, _mm256_shuffle_epi32::<0x4E>(part))
}

/// Two powers of the hash key, and the sums of their halves.
#[derive(Clone, Copy)]
pub(super) struct Powers {
    whole: __m256i,
    middle: __m256i,
}

impl Powers {
    /// Powers `exponent` and `exponent - 1`, for two blocks that follow each other.
    ///
    /// # Safety
    /// `exponent` is in `1..=POWERS`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn two(tables: &Tables, exponent: usize) -> Self {
        let at = POWERS - exponent;
        // SAFETY: `at` is at most `POWERS - 1`, so both entries are inside the table of `POWERS + 1`.
        let whole = unsafe { _mm256_loadu_si256(tables.powers.as_ptr().add(at).cast()) };
        // SAFETY: as above; the tables are alike.
        let middle = unsafe { _mm256_loadu_si256(tables.middles.as_ptr().add(at).cast()) };
        Self { whole, middle }
    }

    /// Power 1 for the lower block and `exponent` for the upper one.
    ///
    /// # Safety
    /// `exponent` is in `1..=POWERS`.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn one_and(tables: &Tables, exponent: usize) -> Self {
        let pair = |table: &[__m128i; POWERS + 1]| {
            let one = _mm256_zextsi128_si256(table[POWERS - 1]);
            // SAFETY: by the caller, the entry is inside the table.
            let other = unsafe { *table.get_unchecked(POWERS - exponent) };
            core::arch::x86_64::_mm256_inserti128_si256::<1>(one, other)
        };
        Self {
            whole: pair(&tables.powers),
            middle: pair(&tables.middles),
        }
    }
}

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
        let powers = unsafe { Powers::two(tables, exponent) };
        sums.add(mirrored(unit), powers);
        exponent -= 2;
        at += 32;
    }
    if at < len {
        // SAFETY: as in the loop.
        let unit = unsafe { _mm256_loadu_si256(octets.add(at).cast()) };
        // SAFETY: less than 32 are left.
        let unit = unsafe { first(unit, len - at) };
        // SAFETY: as in the loop.
        let powers = unsafe { Powers::two(tables, exponent) };
        sums.add(mirrored(unit), powers);
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
        state = sums.reduce();
        at += part;
    }
    state
}

impl Sums {
    /// Adds what earlier blocks came to, as if XORed onto the block that has power `exponent`.
    ///
    /// # Safety
    /// `exponent` is in `1..=POWERS`.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn carry(&mut self, tables: &Tables, state: __m128i, exponent: usize) {
        // SAFETY: by the caller.
        let powers = unsafe { Powers::two(tables, exponent) };
        self.add(_mm256_zextsi128_si256(state), powers);
    }
}
