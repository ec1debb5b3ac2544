//! AES in counter mode on several units of two blocks at once, and GHASH beside it.
//!
//! These are the loops that a frame's time goes into, written out as instructions: the compiler does not
//! keep eight states, a key and three sums in sixteen registers, and what it would spill is made of the key.
//! Round keys and powers are operands in the key's locked memory and nowhere else.

use core::arch::{
    asm,
    x86_64::{__m256i, _mm256_load_si256, _mm256_xor_si256},
};

use super::tables::{COUNTERS, Tables};
use crate::crypto::NONCE_LEN;

/// Units that are encrypted together: as many as hide the latency of an AES round where two start in each
/// cycle, and as 16 registers have room for.
pub(super) const STEP: usize = 8;

/// A nonce with a counter of zero, for both blocks of a unit. Nothing secret.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn nonce_blocks(nonce: &[u8; NONCE_LEN]) -> __m256i {
    let blocks: __m256i;
    // SAFETY: the code reads the nonce's 12 octets, in the two parts in which they are likely to have been
    // written: one load of what two stores left would wait for both. It changes the registers named.
    unsafe {
        asm!(
            "vmovq {blocks:x}, qword ptr [{nonce}]",
            "vpinsrd {blocks:x}, {blocks:x}, dword ptr [{nonce} + 8], 2",
            "vinserti128 {blocks}, {blocks}, {blocks:x}, 1",
            nonce = in(reg) nonce,
            blocks = out(ymm_reg) blocks,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    blocks
}

/// The same XORed with the first round key: [`input`] then begins AES.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn nonce_begun(tables: &Tables, nonce: &[u8; NONCE_LEN]) -> __m256i {
    let blocks: __m256i;
    // SAFETY: as in `nonce_blocks`, and the code reads the first round key, at the front of the tables.
    unsafe {
        asm!(
            "vmovq {blocks:x}, qword ptr [{nonce}]",
            "vpinsrd {blocks:x}, {blocks:x}, dword ptr [{nonce} + 8], 2",
            "vinserti128 {blocks}, {blocks}, {blocks:x}, 1",
            "vpxor {blocks}, {blocks}, [{tables}]",
            nonce = in(reg) nonce,
            tables = in(reg) tables,
            blocks = out(ymm_reg) blocks,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    blocks
}

/// The input of unit `unit` of a frame. Nothing secret.
///
/// # Safety
/// `unit` is below the number of counters in the table.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn input(nonce: __m256i, unit: usize) -> __m256i {
    // SAFETY: by the caller, the entry is inside the table, whose entries are aligned to their length.
    let counters = unsafe { _mm256_load_si256(COUNTERS.0.as_ptr().add(unit).cast()) };
    _mm256_xor_si256(nonce, counters)
}

/// One round of AES on the states that are listed, and other work between them.
macro_rules! round {
    ([$($state:literal)*], $key:literal, $instruction:literal) => {
        concat!(
            "vmovdqa ymm8, [{tables} + 32*", $key, "]\n",
            $($instruction, " ymm", $state, ", ymm", $state, ", ymm8\n",)*
        )
    };
    ($key:literal, $a:expr, $b:expr, $c:expr) => {
        concat!(
            "vmovdqa ymm8, [{tables} + 32*", $key, "]\n",
            "vaesenc ymm0, ymm0, ymm8\n vaesenc ymm1, ymm1, ymm8\n",
            $a,
            "vaesenc ymm2, ymm2, ymm8\n vaesenc ymm3, ymm3, ymm8\n",
            $b,
            "vaesenc ymm4, ymm4, ymm8\n vaesenc ymm5, ymm5, ymm8\n",
            $c,
            "vaesenc ymm6, ymm6, ymm8\n vaesenc ymm7, ymm7, ymm8\n",
        )
    };
}

/// Rounds 1 to 8, which both lengths of key have.
macro_rules! rounds_1_to_8 {
    ($states:tt) => {
        concat!(
            round!($states, 1, "vaesenc"),
            round!($states, 2, "vaesenc"),
            round!($states, 3, "vaesenc"),
            round!($states, 4, "vaesenc"),
            round!($states, 5, "vaesenc"),
            round!($states, 6, "vaesenc"),
            round!($states, 7, "vaesenc"),
            round!($states, 8, "vaesenc"),
        )
    };
}

/// All rounds but the addition of the first key.
macro_rules! rounds {
    (10, $states:tt) => {
        concat!(
            rounds_1_to_8!($states),
            round!($states, 9, "vaesenc"),
            round!($states, 10, "vaesenclast"),
        )
    };
    (14, $states:tt) => {
        concat!(
            rounds_1_to_8!($states),
            round!($states, 9, "vaesenc"),
            round!($states, 10, "vaesenc"),
            round!($states, 11, "vaesenc"),
            round!($states, 12, "vaesenc"),
            round!($states, 13, "vaesenc"),
            round!($states, 14, "vaesenclast"),
        )
    };
}

/// Units wherever they are: `inputs` has the input of each, `places` where its text is.
macro_rules! step {
    ($rounds:tt, [$($state:literal)*], $tables:expr, $inputs:expr, $places:expr) => {
        asm!(
            concat!(
                "vmovdqa ymm8, [{tables}]\n",
                $("vpxor ymm", $state, ", ymm8, [{inputs} + 32*", $state, "]\n",)*
                rounds!($rounds, [$($state)*]),
                $(
                    "mov {place}, [{places} + 8*", $state, "]\n",
                    "vpxor ymm", $state, ", ymm", $state, ", [{place}]\n",
                    "vmovdqu [{place}], ymm", $state, "\n",
                )*
            ),
            tables = in(reg) $tables,
            inputs = in(reg) $inputs,
            places = in(reg) $places,
            place = out(reg) _,
            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _,
            out("ymm5") _, out("ymm6") _, out("ymm7") _, out("ymm8") _,
            options(nostack, preserves_flags),
        )
    };
}

/// XORs the keystream of `W` inputs onto what lies at `W` places; `W` is 1, 2, 4 or [`STEP`].
///
/// # Safety
/// `W` inputs and places may be read; 32 octets may be read and written at each place.
#[inline]
#[target_feature(enable = "avx2,vaes")]
pub(super) unsafe fn encrypt<const ROUNDS: usize, const W: usize>(
    tables: &Tables,
    inputs: *const __m256i,
    places: *const *mut u8,
) {
    const { assert!(matches!((ROUNDS, W), (10 | 14, 1 | 2 | 4 | STEP))) };
    // SAFETY: the code reads the round keys, which are at the front of the tables, `W` inputs and places,
    // and reads and writes 32 octets at each place, by the caller.
    unsafe {
        match (ROUNDS, W) {
            (10, 1) => step!(10, [0], tables, inputs, places),
            (10, 2) => step!(10, [0 1], tables, inputs, places),
            (10, 4) => step!(10, [0 1 2 3], tables, inputs, places),
            (10, _) => step!(10, [0 1 2 3 4 5 6 7], tables, inputs, places),
            (_, 1) => step!(14, [0], tables, inputs, places),
            (_, 2) => step!(14, [0 1], tables, inputs, places),
            (_, 4) => step!(14, [0 1 2 3], tables, inputs, places),
            (_, _) => step!(14, [0 1 2 3 4 5 6 7], tables, inputs, places),
        }
    }
}

// Behind the macros, which it uses.
mod chunk;

pub(super) use chunk::{encrypt_and_hash_chunk, encrypt_chunk};
