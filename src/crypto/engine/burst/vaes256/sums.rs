//! Sums of products in GHASH's field, and what they are modulo its polynomial.

use core::arch::{
    asm,
    x86_64::{
        __m128i, __m256i, _mm_xor_si128, _mm256_castsi256_si128, _mm256_extracti128_si256,
        _mm256_setzero_si256, _mm256_xor_si256, _mm256_zextsi128_si256,
    },
};

use super::tables::{POWERS, Tables};

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

    /// Adds two mirrored blocks times powers `exponent` and `exponent - 1`.
    ///
    /// # Safety
    /// `exponent` is in `1..=POWERS`.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn add(&mut self, tables: &Tables, blocks: __m256i, exponent: usize) {
        let powers = tables.powers.as_ptr().wrapping_add(POWERS - exponent);
        // SAFETY: the code reads two entries from `powers` on, and the two of the middles that belong to
        // them: inside the tables, by the caller. It has no other effect than on the registers named.
        unsafe {
            asm!(
                "vpshufd {halves}, {blocks}, 0x4E",
                "vpclmulqdq {part}, {blocks}, [{powers}], 0x00",
                "vpxor {halves}, {halves}, {blocks}",
                "vpclmulqdq {blocks}, {blocks}, [{powers}], 0x11",
                "vpclmulqdq {halves}, {halves}, [{powers} + {middles}], 0x00",
                "vpxor {low}, {low}, {part}",
                "vpxor {high}, {high}, {blocks}",
                "vpxor {middle}, {middle}, {halves}",
                powers = in(reg) powers,
                middles = const Tables::MIDDLES,
                blocks = inout(ymm_reg) blocks => _,
                low = inout(ymm_reg) self.low,
                middle = inout(ymm_reg) self.middle,
                high = inout(ymm_reg) self.high,
                halves = out(ymm_reg) _,
                part = out(ymm_reg) _,
                options(readonly, nostack, preserves_flags),
            );
        }
    }

    /// Begins with two mirrored blocks, the lower times power 1 and the upper times power `exponent`.
    ///
    /// # Safety
    /// `exponent` is in `1..=POWERS`.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn begin(tables: &Tables, blocks: __m256i, exponent: usize) -> Self {
        let powers = tables.powers.as_ptr().wrapping_add(POWERS - exponent);
        let (low, middle, high);
        // SAFETY: the code reads power 1 and the entry at `powers`, and what belongs to them in the middles:
        // inside the tables, by the caller. It has no other effect than on the registers named.
        unsafe {
            asm!(
                "vmovdqa {high:x}, [{tables} + {first}]",
                "vinserti128 {high}, {high}, [{powers}], 1",
                "vmovdqa {part:x}, [{tables} + {first} + {middles}]",
                "vinserti128 {part}, {part}, [{powers} + {middles}], 1",
                "vpshufd {middle}, {blocks}, 0x4E",
                "vpxor {middle}, {middle}, {blocks}",
                "vpclmulqdq {low}, {blocks}, {high}, 0x00",
                "vpclmulqdq {high}, {blocks}, {high}, 0x11",
                "vpclmulqdq {middle}, {middle}, {part}, 0x00",
                tables = in(reg) tables,
                powers = in(reg) powers,
                first = const Tables::FIRST_POWER,
                middles = const Tables::MIDDLES,
                blocks = in(ymm_reg) blocks,
                low = out(ymm_reg) low,
                middle = out(ymm_reg) middle,
                high = out(ymm_reg) high,
                part = out(ymm_reg) _,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        Self { low, middle, high }
    }

    /// Adds other sums.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) fn join(&mut self, other: &Self) {
        self.low = _mm256_xor_si256(self.low, other.low);
        self.middle = _mm256_xor_si256(self.middle, other.middle);
        self.high = _mm256_xor_si256(self.high, other.high);
    }

    /// Adds what earlier blocks came to, as if XORed onto the block that has power `exponent`.
    ///
    /// # Safety
    /// `exponent` is in `1..=POWERS`.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn carry(&mut self, tables: &Tables, state: __m128i, exponent: usize) {
        // SAFETY: by the caller.
        unsafe { self.add(tables, _mm256_zextsi128_si256(state), exponent) };
    }

    /// The sum of everything, reduced: a mirrored block.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) fn reduce(self, tables: &Tables) -> __m128i {
        let each = self.reduce_each(tables);
        _mm_xor_si128(
            _mm256_castsi256_si128(each),
            _mm256_extracti128_si256::<1>(each),
        )
    }

    /// The sums of either half, reduced: two mirrored blocks.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    fn reduce_each(self, tables: &Tables) -> __m256i {
        let reduced: __m256i;
        // SAFETY: the code reads the polynomial in the tables. It has no other effect than on the registers
        // named.
        unsafe {
            asm!(
                "vpxor {middle}, {middle}, {low}",
                "vmovdqa {polynomial}, [{tables} + {at}]",
                "vpclmulqdq {part}, {low}, {polynomial}, 0x10",
                "vpshufd {low}, {low}, 0x4E",
                "vpxor {middle}, {middle}, {high}",
                "vpxor {middle}, {middle}, {low}",
                "vpxor {middle}, {middle}, {part}",
                "vpclmulqdq {part}, {middle}, {polynomial}, 0x10",
                "vpshufd {middle}, {middle}, 0x4E",
                "vpxor {high}, {high}, {middle}",
                "vpxor {high}, {high}, {part}",
                tables = in(reg) tables,
                at = const Tables::POLYNOMIAL,
                low = inout(ymm_reg) self.low => _,
                middle = inout(ymm_reg) self.middle => _,
                high = inout(ymm_reg) self.high => reduced,
                part = out(ymm_reg) _,
                polynomial = out(ymm_reg) _,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        reduced
    }
}

/// The same of two frames, one in each half.
pub(super) struct Both(Sums);

impl Both {
    /// Begins with two mirrored blocks, both times the power that is `AT` after `powers`.
    ///
    /// # Safety
    /// `powers` and what is `AT` after it are in the tables' powers.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn begin<const AT: usize>(powers: *const __m128i, blocks: __m256i) -> Self {
        let (low, middle, high);
        // SAFETY: the code reads a power and what belongs to it in the middles: inside the tables, by the
        // caller. It has no other effect than on the registers named.
        unsafe {
            asm!(
                "vbroadcasti128 {high}, [{powers} + 16*{at}]",
                "vpshufd {middle}, {blocks}, 0x4E",
                "vpclmulqdq {low}, {blocks}, {high}, 0x00",
                "vpxor {middle}, {middle}, {blocks}",
                "vpclmulqdq {high}, {blocks}, {high}, 0x11",
                "vbroadcasti128 {blocks}, [{powers} + 16*{at} + {middles}]",
                "vpclmulqdq {middle}, {middle}, {blocks}, 0x00",
                powers = in(reg) powers,
                at = const AT,
                middles = const Tables::MIDDLES,
                blocks = inout(ymm_reg) blocks => _,
                low = out(ymm_reg) low,
                middle = out(ymm_reg) middle,
                high = out(ymm_reg) high,
                options(readonly, nostack, preserves_flags),
            );
        }
        Self(Sums { low, middle, high })
    }

    /// Adds two more.
    ///
    /// # Safety
    /// As for [`Self::begin`].
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn add<const AT: usize>(&mut self, powers: *const __m128i, blocks: __m256i) {
        // SAFETY: as in `begin`.
        unsafe {
            asm!(
                "vbroadcasti128 {power}, [{powers} + 16*{at}]",
                "vpshufd {halves}, {blocks}, 0x4E",
                "vpclmulqdq {part}, {blocks}, {power}, 0x00",
                "vpxor {halves}, {halves}, {blocks}",
                "vpclmulqdq {blocks}, {blocks}, {power}, 0x11",
                "vbroadcasti128 {power}, [{powers} + 16*{at} + {middles}]",
                "vpxor {low}, {low}, {part}",
                "vpclmulqdq {halves}, {halves}, {power}, 0x00",
                "vpxor {high}, {high}, {blocks}",
                "vpxor {middle}, {middle}, {halves}",
                powers = in(reg) powers,
                at = const AT,
                middles = const Tables::MIDDLES,
                blocks = inout(ymm_reg) blocks => _,
                low = inout(ymm_reg) self.0.low,
                middle = inout(ymm_reg) self.0.middle,
                high = inout(ymm_reg) self.0.high,
                halves = out(ymm_reg) _,
                part = out(ymm_reg) _,
                power = out(ymm_reg) _,
                options(readonly, nostack, preserves_flags),
            );
        }
    }

    /// Both sums, reduced: mirrored blocks.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) fn reduce(self, tables: &Tables) -> __m256i {
        self.0.reduce_each(tables)
    }
}
