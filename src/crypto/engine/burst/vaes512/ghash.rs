//! GHASH: products of blocks and powers of the hash key, summed before they are reduced.

use core::arch::{
    asm,
    x86_64::{
        __m512i, _mm_set_epi8, _mm512_broadcast_i32x4, _mm512_clmulepi64_epi128,
        _mm512_mask_set1_epi64, _mm512_maskz_mov_epi32, _mm512_set_epi64, _mm512_setzero_si512,
        _mm512_shuffle_epi8, _mm512_shuffle_epi32, _mm512_shuffle_i32x4, _mm512_srlv_epi64,
        _mm512_xor_si512,
    },
};

use super::{
    super::schedule::POLYNOMIAL,
    lanes::{UNIT, load},
};

/// Sums of unreduced products, one in each lane, in Karatsuba's three parts.
#[derive(Clone, Copy)]
pub(super) struct Sums {
    low: __m512i,
    middle: __m512i,
    high: __m512i,
}

impl Sums {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn zero() -> Self {
        let zero = _mm512_setzero_si512();
        Self {
            low: zero,
            middle: zero,
            high: zero,
        }
    }

    /// The products of mirrored `blocks` and `powers`, whose halves' sums are `middles`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn product(blocks: __m512i, powers: __m512i, middles: __m512i) -> Self {
        let sum = _mm512_xor_si512(blocks, _mm512_shuffle_epi32::<0x4E>(blocks));
        Self {
            low: _mm512_clmulepi64_epi128::<0x00>(blocks, powers),
            middle: _mm512_clmulepi64_epi128::<0x00>(sum, middles),
            high: _mm512_clmulepi64_epi128::<0x11>(blocks, powers),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            low: _mm512_xor_si512(self.low, other.low),
            middle: _mm512_xor_si512(self.middle, other.middle),
            high: _mm512_xor_si512(self.high, other.high),
        }
    }

    /// Adds the products of a unit of mirrored blocks and the powers that lie at `powers` and `middles`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn add(&mut self, blocks: __m512i, powers: &[u8; UNIT], middles: &[u8; UNIT]) {
        *self = self.plus(Self::product(blocks, load(powers), load(middles)));
    }

    /// As [`Self::add`], but made where this stands between the rounds of AES, which hide it.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn add_here(&mut self, blocks: __m512i, powers: &[u8; UNIT], middles: &[u8; UNIT]) {
        let (low, middle, high);
        // SAFETY: 64 octets are read of each of the two arrays, which is what they have; nothing is
        // written to memory and the stack is not used.
        unsafe {
            asm!(
                "vpclmulqdq {low}, {blocks}, zmmword ptr [{powers}], 0x00",
                "vpshufd {middle}, {blocks}, 0x4e",
                "vpxorq {middle}, {middle}, {blocks}",
                "vpclmulqdq {high}, {blocks}, zmmword ptr [{powers}], 0x11",
                "vpclmulqdq {middle}, {middle}, zmmword ptr [{middles}], 0x00",
                low = out(zmm_reg) low,
                middle = out(zmm_reg) middle,
                high = out(zmm_reg) high,
                blocks = in(zmm_reg) blocks,
                powers = in(reg) powers,
                middles = in(reg) middles,
                options(nostack, preserves_flags, readonly)
            );
        }
        *self = self.plus(Self { low, middle, high });
    }

    /// Adds the products of two units, of which `carried` goes into the first, and their powers: made where
    /// this stands between the rounds of AES, which hide it.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn add_two_here(
        &mut self,
        units: &[u8; 2 * UNIT],
        carried: __m512i,
        powers: &[u8; 2 * UNIT],
        middles: &[u8; 2 * UNIT],
    ) {
        let order = order();
        // Named, because what a register holds decides how it is called.
        let (_a, _b, _c, _d): (__m512i, __m512i, __m512i, __m512i);
        // SAFETY: 128 octets are read of each of the three arrays, which is what they have; nothing is
        // written to memory and the stack is not used.
        unsafe {
            asm!(
                "vmovdqu64 {a}, zmmword ptr [{units}]",
                "vmovdqu64 {b}, zmmword ptr [{units} + 64]",
                "vpshufb {a}, {a}, {order}",
                "vpshufb {b}, {b}, {order}",
                "vpxorq {a}, {a}, {carried}",
                "vpclmulqdq {c}, {a}, zmmword ptr [{powers}], 0x00",
                "vpclmulqdq {d}, {b}, zmmword ptr [{powers} + 64], 0x00",
                "vpternlogq {low}, {c}, {d}, 0x96",
                "vpclmulqdq {c}, {a}, zmmword ptr [{powers}], 0x11",
                "vpclmulqdq {d}, {b}, zmmword ptr [{powers} + 64], 0x11",
                "vpternlogq {high}, {c}, {d}, 0x96",
                "vpshufd {c}, {a}, 0x4e",
                "vpshufd {d}, {b}, 0x4e",
                "vpxorq {a}, {a}, {c}",
                "vpxorq {b}, {b}, {d}",
                "vpclmulqdq {a}, {a}, zmmword ptr [{middles}], 0x00",
                "vpclmulqdq {b}, {b}, zmmword ptr [{middles} + 64], 0x00",
                "vpternlogq {middle}, {a}, {b}, 0x96",
                low = inout(zmm_reg) self.low,
                middle = inout(zmm_reg) self.middle,
                high = inout(zmm_reg) self.high,
                order = in(zmm_reg) order,
                carried = in(zmm_reg) carried,
                units = in(reg) units,
                powers = in(reg) powers,
                middles = in(reg) middles,
                a = out(zmm_reg) _a,
                b = out(zmm_reg) _b,
                c = out(zmm_reg) _c,
                d = out(zmm_reg) _d,
                options(nostack, preserves_flags, readonly)
            );
        }
    }

    /// The sums of the four lanes of each of `four`, in one lane for each. `pairs` are added: the first
    /// has two lanes that belong to the first of `four` and two that belong to the second.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn of_four(four: [Self; 4], pairs: [Self; 2]) -> Self {
        Self {
            low: lane_sums(four.map(|sums| sums.low), pairs.map(|sums| sums.low)),
            middle: lane_sums(four.map(|sums| sums.middle), pairs.map(|sums| sums.middle)),
            high: lane_sums(four.map(|sums| sums.high), pairs.map(|sums| sums.high)),
        }
    }

    /// The sum of all lanes, reduced, in the first lane; zeros in the others.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn carried(self) -> __m512i {
        let zero = Self::zero();
        let sums = Self::of_four([self, zero, zero, zero], [zero; 2]);
        _mm512_maskz_mov_epi32(0xF, sums.reduced())
    }

    /// Each lane's sum, reduced: a mirrored block.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn reduced(self) -> __m512i {
        let middle = xor3(self.middle, self.low, self.high);
        let middle = _mm512_xor_si512(middle, fold(self.low));
        _mm512_xor_si512(self.high, fold(middle))
    }
}

/// The low half of each lane, taken modulo the field's polynomial into the next 64 bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn fold(part: __m512i) -> __m512i {
    const P: i64 = POLYNOMIAL;
    let polynomial = _mm512_set_epi64(P, 1, P, 1, P, 1, P, 1);
    let product = _mm512_clmulepi64_epi128::<0x10>(part, polynomial);
    _mm512_xor_si512(product, _mm512_shuffle_epi32::<0x4E>(part))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_xor_si512(_mm512_xor_si512(a, b), c)
}

/// Lane `i` of the result is the sum of the lanes of `four[i]`, and of those of `pairs` that are its own.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn lane_sums([a, b, c, d]: [__m512i; 4], [ab, cd]: [__m512i; 2]) -> __m512i {
    let halves = |a, b, ab| {
        let lower = _mm512_shuffle_i32x4::<0b01_00_01_00>(a, b);
        let upper = _mm512_shuffle_i32x4::<0b11_10_11_10>(a, b);
        xor3(lower, upper, ab)
    };
    let (ab, cd) = (halves(a, b, ab), halves(c, d, cd));
    let even = _mm512_shuffle_i32x4::<0b10_00_10_00>(ab, cd);
    let odd = _mm512_shuffle_i32x4::<0b11_01_11_01>(ab, cd);
    _mm512_xor_si512(even, odd)
}

/// The octets of each block from last to first.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn mirrored(blocks: __m512i) -> __m512i {
    _mm512_shuffle_epi8(blocks, order())
}

/// From the last octet of each lane to the first.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn order() -> __m512i {
    _mm512_broadcast_i32x4(_mm_set_epi8(
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ))
}

/// The blocks of lengths of four frames: what GHASH takes last.
#[derive(Clone, Copy)]
pub(super) struct Lengths(__m512i);

impl Lengths {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn none() -> Self {
        Self(_mm512_setzero_si512())
    }

    /// Sets the octets of additional data and of text of the frame in `lane`: 0 to 3.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn set(&mut self, lane: usize, aad: usize, text: usize) {
        // Both are below 2^29 (`Parts::of`), so that their bits have a half of the word each.
        let bits = (aad as u64) << 35 | (text as u64) << 3;
        self.0 = _mm512_mask_set1_epi64(self.0, 3 << (2 * lane), bits.cast_signed());
    }

    /// Their products with the hash key and its middle factor, as they are in the frame's lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn product(self, (powers, middles): (__m512i, __m512i)) -> Sums {
        // A lane has the word twice. Mirrored, the text's bits are the lower half of the block and those
        // of additional data the upper one.
        let shifted = _mm512_srlv_epi64(self.0, _mm512_set_epi64(32, 0, 32, 0, 32, 0, 32, 0));
        let blocks = _mm512_maskz_mov_epi32(0x5555, shifted);
        Sums::product(blocks, powers, middles)
    }
}
