//! GHASH on two blocks at a time: sums of products, and one reduction at their end.

use core::arch::{
    asm,
    x86_64::{
        __m128i, __m256i, _mm_and_si128, _mm_loadu_si128, _mm_set_epi8, _mm_setzero_si128,
        _mm_shuffle_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_castsi256_si128,
        _mm256_loadu_si256, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_xor_si256,
        _mm256_zextsi128_si256,
    },
};

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
                options(pure, readonly, nostack, preserves_flags),
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

    /// The sum of everything, reduced: a mirrored block.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) fn reduce(self, tables: &Tables) -> __m128i {
        let wide: __m256i;
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
                "vextracti128 {part:x}, {high}, 1",
                "vpxor {part:x}, {part:x}, {high:x}",
                tables = in(reg) tables,
                at = const Tables::POLYNOMIAL,
                low = inout(ymm_reg) self.low => _,
                middle = inout(ymm_reg) self.middle => _,
                high = inout(ymm_reg) self.high => _,
                part = out(ymm_reg) wide,
                polynomial = out(ymm_reg) _,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        _mm256_castsi256_si128(wide)
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

impl Sums {
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
}
