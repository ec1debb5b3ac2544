//! What does not depend on a frame: a key's tables, and constants.

use core::{
    arch::x86_64::{
        __m128i, __m256i, _mm_set_epi8, _mm_set_epi64x, _mm_setzero_si128, _mm_shuffle_epi32,
        _mm_xor_si128, _mm256_broadcastsi128_si256, _mm256_setzero_si256,
    },
    mem::offset_of,
};

use super::super::schedule::{POLYNOMIAL, ROUND_KEYS_MAX, Schedule, multiply};
use crate::crypto::{KeyError, Sak};

/// The highest power of the hash key in the tables. A frame of 2,000 octets needs no reduction but its
/// last; longer ones take one for each [`SEGMENT`] blocks.
pub(super) const POWERS: usize = 135;

/// Blocks that are multiplied before a reduction, where a text or additional data has more than the
/// tables have powers for.
pub(super) const SEGMENT: usize = 128;

/// What the kernel keeps of a key.
#[repr(C, align(64))]
pub(super) struct Tables {
    /// Each round key twice.
    pub(super) round_keys: [__m256i; ROUND_KEYS_MAX],
    /// Power `e` of the hash key at `POWERS - e`, so that two that follow each other are an operand for two
    /// blocks that do; zero at the end.
    pub(super) powers: [__m128i; POWERS + 1],
    /// The sum of a power's two halves, for Karatsuba's middle product; in the same places.
    pub(super) middles: [__m128i; POWERS + 1],
    /// Octets of each block from last to first, for `vpshufb`.
    pub(super) order: __m256i,
    /// The field's polynomial, for both blocks of a unit.
    pub(super) polynomial: __m256i,
    pub(super) rounds: usize,
}

impl Tables {
    /// Where `order` is in the tables, in octets.
    pub(super) const ORDER: usize = offset_of!(Self, order);

    /// How far a power's middle is from the power, in octets.
    pub(super) const MIDDLES: usize = offset_of!(Self, middles) - offset_of!(Self, powers);

    /// How far the polynomial is from the tables' begin.
    pub(super) const POLYNOMIAL: usize = offset_of!(Self, polynomial);

    /// Where the first power is in the tables.
    pub(super) const FIRST_POWER: usize = offset_of!(Self, powers) + 16 * (POWERS - 1);

    /// Where power `exponent` is; the next lower one follows it.
    #[inline(always)]
    pub(super) const fn power(&self, exponent: usize) -> *const __m128i {
        self.powers.as_ptr().wrapping_add(POWERS - exponent)
    }

    #[target_feature(enable = "avx2,aes,pclmulqdq")]
    pub(super) fn of(sak: &Sak) -> Result<Self, KeyError> {
        let schedule = Schedule::of(sak)?;
        let mut tables = Self {
            round_keys: [_mm256_setzero_si256(); ROUND_KEYS_MAX],
            powers: [_mm_setzero_si128(); POWERS + 1],
            middles: [_mm_setzero_si128(); POWERS + 1],
            order: _mm256_broadcastsi128_si256(_mm_set_epi8(
                0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
            )),
            polynomial: _mm256_broadcastsi128_si256(_mm_set_epi64x(POLYNOMIAL, 1)),
            rounds: schedule.rounds,
        };
        for (twice, key) in tables.round_keys.iter_mut().zip(&schedule.round_keys) {
            *twice = _mm256_broadcastsi128_si256(*key);
        }
        let hash_key = schedule.hash_key();
        let mut power = hash_key;
        let entries = tables.powers.iter_mut().zip(&mut tables.middles);
        for (entry, middle) in entries.rev().skip(1) {
            *entry = power;
            *middle = _mm_xor_si128(power, _mm_shuffle_epi32::<0x4E>(power));
            power = multiply(power, hash_key);
        }
        Ok(tables)
    }
}

/// Units of 32 octets that a frame may have: 16 KiB.
const UNITS_MAX: usize = 512;

/// Octets of the longest text that the kernel takes. Its first unit holds one block of text.
pub(super) const TEXT_MAX: usize = 32 * UNITS_MAX - 16;

/// The counters of two blocks that follow each other, where AES-GCM has them in a block: XORed onto the
/// nonce they give a unit's input. The first unit's are 1, whose output masks the tag, and 2.
#[repr(C, align(64))]
pub(super) struct Counters(pub(super) [[u32; 8]; UNITS_MAX]);

pub(super) static COUNTERS: Counters = Counters(counters());

const fn counters() -> [[u32; 8]; UNITS_MAX] {
    let mut units = [[0; 8]; UNITS_MAX];
    let mut counter = 1u32;
    let mut unit = 0;
    while unit < UNITS_MAX {
        units[unit][3] = counter.to_be();
        units[unit][7] = (counter + 1).to_be();
        counter += 2;
        unit += 1;
    }
    units
}

/// 32 octets from `32 - n` on are a mask for the first `n` octets of a unit.
#[repr(C, align(64))]
pub(super) struct Masks(pub(super) [u8; 64]);

pub(super) static MASKS: Masks = Masks(masks());

const fn masks() -> [u8; 64] {
    let mut octets = [0; 64];
    let mut index = 0;
    while index < 32 {
        octets[index] = 0xFF;
        index += 1;
    }
    octets
}

/// For `vpshufb`: 16 octets from `n` on order a block whose last `n` octets are asked for from last to first, with
/// zeros before them.
#[repr(C, align(64))]
pub(super) struct Orders(pub(super) [u8; 32]);

pub(super) static ORDERS: Orders = Orders(orders());

const fn orders() -> [u8; 32] {
    let mut octets = [0x80; 32];
    let (mut index, mut from) = (16, 16);
    while index < 32 {
        from -= 1;
        octets[index] = from;
        index += 1;
    }
    octets
}
