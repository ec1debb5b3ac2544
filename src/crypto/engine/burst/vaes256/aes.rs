//! AES in counter mode on several units of two blocks at once.

use core::arch::x86_64::{
    __m256i, _mm_set_epi64x, _mm256_aesenc_epi128, _mm256_aesenclast_epi128,
    _mm256_broadcastsi128_si256, _mm256_load_si256, _mm256_loadu_si256, _mm256_storeu_si256,
    _mm256_xor_si256,
};

use super::tables::{COUNTERS, Tables};
use crate::crypto::NONCE_LEN;

/// Units that are encrypted together: as many as hide the latency of an AES round where two start in each
/// cycle, and as 16 registers have room for.
pub(super) const STEP: usize = 8;

/// The input of unit `unit` of a frame whose nonce, with the first round key added, is `base`.
///
/// # Safety
/// `unit` is below the number of counters in the table.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn input(base: __m256i, unit: usize) -> __m256i {
    // SAFETY: by the caller, the entry is inside the table, whose entries are aligned to their length.
    let counters = unsafe { _mm256_load_si256(COUNTERS.0.as_ptr().add(unit).cast()) };
    _mm256_xor_si256(base, counters)
}

/// Runs `W` inputs through all rounds but the first key's.
#[inline]
#[target_feature(enable = "avx2,vaes")]
pub(super) fn keystream<const ROUNDS: usize, const W: usize>(
    tables: &Tables,
    mut states: [__m256i; W],
) -> [__m256i; W] {
    for key in &tables.round_keys[1..ROUNDS] {
        for state in &mut states {
            *state = _mm256_aesenc_epi128(*state, *key);
        }
    }
    for state in &mut states {
        *state = _mm256_aesenclast_epi128(*state, tables.round_keys[ROUNDS]);
    }
    states
}

/// XORs the keystream of `W` inputs onto what lies at `W` places.
///
/// # Safety
/// 32 octets may be read and written at each place; each is exclusive.
#[inline]
#[target_feature(enable = "avx2,vaes")]
pub(super) unsafe fn encrypt<const ROUNDS: usize, const W: usize>(
    tables: &Tables,
    inputs: [__m256i; W],
    places: [*mut u8; W],
) {
    for (key, place) in keystream::<ROUNDS, W>(tables, inputs).iter().zip(places) {
        // SAFETY: by the caller.
        let text = unsafe { _mm256_loadu_si256(place.cast()) };
        // SAFETY: by the caller.
        unsafe { _mm256_storeu_si256(place.cast(), _mm256_xor_si256(text, *key)) };
    }
}

/// Encrypts a chunk whose first unit is the frame's `unit`.
///
/// # Safety
/// A chunk may be read and written at `octets`; its units' counters are in the table.
#[inline]
#[target_feature(enable = "avx2,vaes")]
pub(super) unsafe fn encrypt_chunk<const ROUNDS: usize>(
    tables: &Tables,
    base: __m256i,
    unit: usize,
    octets: *mut u8,
) {
    let mut inputs = [base; STEP];
    let mut places = [octets; STEP];
    for (nth, (input, place)) in inputs.iter_mut().zip(&mut places).enumerate() {
        // SAFETY: by the caller.
        *input = unsafe { self::input(base, unit + nth) };
        *place = octets.wrapping_add(32 * nth);
    }
    // SAFETY: by the caller.
    unsafe { encrypt::<ROUNDS, STEP>(tables, inputs, places) };
}

/// A nonce with a counter of zero, for both blocks of a unit, with the first round key added.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn base(tables: &Tables, nonce: &[u8; NONCE_LEN]) -> __m256i {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *nonce;
    let low = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let high = i64::from(u32::from_le_bytes([i, j, k, l]));
    let block = _mm256_broadcastsi128_si256(_mm_set_epi64x(high, low));
    _mm256_xor_si256(block, tables.round_keys[0])
}
