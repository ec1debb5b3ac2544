//! What the kernel keeps of one key, and how it is laid out.

use core::arch::x86_64::{__m128i, _mm_unpackhi_epi64, _mm_unpacklo_epi64, _mm_xor_si128};

use super::{
    super::schedule::{ROUND_KEYS_MAX, Schedule, multiply},
    lanes::{UNIT, prefetch, store_block},
};

/// The highest power of the hash key that is kept, which bounds how many blocks are hashed between two
/// reductions: frames of up to 2,300 octets are reduced once.
pub(super) const POWERS: usize = 152;

/// Entries of a table: the powers from the highest down to the first, and zeros for the lanes of a last unit
/// that have no block.
const ENTRIES: usize = POWERS + 4;

/// Octets of a table of powers.
const TABLE: usize = 16 * ENTRIES;

/// Round keys and powers of the hash key.
#[repr(C, align(64))]
pub(super) struct Tables {
    /// Powers of H, each times x, highest first: so that blocks in the order of the text meet falling
    /// powers.
    powers: [u8; TABLE],
    /// For each power the sum of its halves, twice: Karatsuba's middle factor.
    middles: [u8; TABLE],
    /// The round keys: 11 or 15 of them.
    pub(super) round_keys: [[u8; 16]; ROUND_KEYS_MAX],
    /// Rounds: 10 or 14.
    pub(super) rounds: usize,
}

impl Tables {
    /// The tables of an expanded key.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn new(schedule: &Schedule) -> Self {
        let mut tables = Self {
            powers: [0; TABLE],
            middles: [0; TABLE],
            round_keys: [[0; 16]; ROUND_KEYS_MAX],
            rounds: schedule.rounds,
        };
        for (place, key) in tables.round_keys.iter_mut().zip(schedule.round_keys) {
            store_block(place, key);
        }
        let hash_key = schedule.hash_key();
        let mut power = hash_key;
        let (powers, _) = tables.powers.as_chunks_mut::<16>();
        let (middles, _) = tables.middles.as_chunks_mut::<16>();
        for (place, middle) in powers.iter_mut().zip(middles).rev().skip(4) {
            store_block(place, power);
            store_block(middle, sum_of_halves(power));
            power = multiply(power, hash_key);
        }
        tables
    }

    /// Powers and middle factors for units whose first block is to meet `power`, which falls by one for
    /// each block. All of `power` and `units` that occur are in the tables.
    #[inline]
    pub(super) fn falling_from<const OCTETS: usize>(
        &self,
        power: usize,
    ) -> (&[u8; OCTETS], &[u8; OCTETS]) {
        let at = 16 * POWERS.saturating_sub(power);
        (window_of(&self.powers, at), window_of(&self.middles, at))
    }

    /// Asks for what a short frame needs: the round keys, and the last powers and their middle factors.
    #[inline]
    pub(super) fn prefetch(&self) {
        let (powers, middles) = self.falling_from::<{ 2 * UNIT }>(8);
        let (round_keys, _) = self.round_keys.as_flattened().as_chunks::<UNIT>();
        prefetch(self.round_keys.last());
        round_keys.iter().for_each(|line| prefetch(Some(line)));
        for half in 0..2 {
            prefetch(powers.as_chunks::<UNIT>().0.get(half));
            prefetch(middles.as_chunks::<UNIT>().0.get(half));
        }
    }

    /// The hash key itself and its middle factor.
    #[inline]
    pub(super) fn first_power(&self) -> (&[u8; 16], &[u8; 16]) {
        let (power, middle) = self.falling_from(1);
        (power, middle)
    }
}

/// The octets of `table` from `at`, or its end where `at` is beyond the last window.
#[inline]
fn window_of<const OCTETS: usize>(table: &[u8; TABLE], at: usize) -> &[u8; OCTETS] {
    const { assert!(OCTETS <= TABLE) };
    // The zeros that the other arm gives would make a wrong tag and never a read out of bounds.
    match table.get(at..).and_then(|rest| rest.first_chunk()) {
        Some(window) => window,
        None => &[0; OCTETS],
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn sum_of_halves(power: __m128i) -> __m128i {
    _mm_xor_si128(
        _mm_unpacklo_epi64(power, power),
        _mm_unpackhi_epi64(power, power),
    )
}

/// Unit `number` of a window.
#[inline]
pub(super) fn unit_of<const OCTETS: usize>(window: &[u8; OCTETS], number: usize) -> &[u8; UNIT] {
    window
        .as_chunks::<UNIT>()
        .0
        .get(number)
        .unwrap_or(&[0; UNIT])
}
