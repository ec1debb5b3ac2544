//! The loops that are written as instructions, beside the same in the compiler's intrinsics.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_xor_si128, _mm256_aesenc_epi128, _mm256_aesenclast_epi128,
    _mm256_castsi256_si128, _mm256_clmulepi64_epi128, _mm256_extracti128_si256,
    _mm256_inserti128_si256, _mm256_loadu_si256, _mm256_shuffle_epi8, _mm256_shuffle_epi32,
    _mm256_storeu_si256, _mm256_xor_si256, _mm256_zextsi128_si256,
};

use super::{
    Kernel256,
    aes::{self, STEP},
    hash::CHUNK,
    sums::{self, Sums},
    tables::{POWERS, Tables},
};
use crate::crypto::{Sak, engine::burst::Kernel};

/// A unit's keystream.
#[target_feature(enable = "avx2,vaes")]
fn keystream(tables: &Tables, input: __m256i) -> __m256i {
    let keys = &tables.round_keys;
    let state = keys[1..tables.rounds]
        .iter()
        .fold(_mm256_xor_si256(input, keys[0]), |state, key| {
            _mm256_aesenc_epi128(state, *key)
        });
    _mm256_aesenclast_epi128(state, keys[tables.rounds])
}

#[target_feature(enable = "avx2,vpclmulqdq")]
fn add(sums: &mut Sums, unit: __m256i, whole: __m256i, middle: __m256i) {
    let low = _mm256_clmulepi64_epi128::<0x00>(unit, whole);
    let high = _mm256_clmulepi64_epi128::<0x11>(unit, whole);
    let halves = _mm256_xor_si256(unit, _mm256_shuffle_epi32::<0x4E>(unit));
    let middle = _mm256_clmulepi64_epi128::<0x00>(halves, middle);
    sums.low = _mm256_xor_si256(sums.low, low);
    sums.middle = _mm256_xor_si256(sums.middle, middle);
    sums.high = _mm256_xor_si256(sums.high, high);
}

/// Powers `exponent` and `exponent - 1` in `table`.
#[target_feature(enable = "avx2")]
fn two(table: &[__m128i; POWERS + 1], exponent: usize) -> __m256i {
    let at = POWERS - exponent;
    _mm256_inserti128_si256::<1>(_mm256_zextsi128_si256(table[at]), table[at + 1])
}

#[target_feature(enable = "avx2,vpclmulqdq")]
fn reduce(tables: &Tables, sums: Sums) -> __m128i {
    let fold = |part| {
        let product = _mm256_clmulepi64_epi128::<0x10>(part, tables.polynomial);
        _mm256_xor_si256(product, _mm256_shuffle_epi32::<0x4E>(part))
    };
    let middle = _mm256_xor_si256(sums.middle, _mm256_xor_si256(sums.low, sums.high));
    let middle = _mm256_xor_si256(middle, fold(sums.low));
    let sum = _mm256_xor_si256(sums.high, fold(middle));
    let upper = _mm256_extracti128_si256::<1>(sum);
    _mm_xor_si128(_mm256_castsi256_si128(sum), upper)
}

/// A text of eight units and more at any offset, and what the two ways make of it.
struct Both {
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

impl Both {
    fn new() -> Self {
        let octets: Vec<u8> = (0..1024u32)
            .map(|n| ((n * n) >> 3).to_le_bytes()[0])
            .collect();
        Self {
            ours: octets.clone(),
            theirs: octets,
        }
    }
}

/// A unit of `octets`.
#[target_feature(enable = "avx2")]
fn load(octets: &[u8], at: usize) -> __m256i {
    // SAFETY: the slice's 32 octets.
    unsafe { _mm256_loadu_si256(octets[at..at + 32].as_ptr().cast()) }
}

#[target_feature(enable = "avx2,vaes")]
fn xor_keystream(tables: &Tables, octets: &mut [u8], at: usize, input: __m256i) {
    let text = _mm256_xor_si256(load(octets, at), keystream(tables, input));
    // SAFETY: the slice's 32 octets.
    unsafe { _mm256_storeu_si256(octets[at..at + 32].as_mut_ptr().cast(), text) };
}

fn same(a: __m256i, b: __m256i) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

#[target_feature(enable = "avx2,vaes")]
fn check_steps<const ROUNDS: usize, const W: usize>(tables: &Tables) {
    let mut both = Both::new();
    let nonce = aes::nonce_blocks(&[0xA7; 12]);
    let inputs: [__m256i; W] = core::array::from_fn(|unit| {
        // SAFETY: far below the table's end.
        unsafe { aes::input(nonce, 3 * unit + 5) }
    });
    let at = |unit: usize| 37 * unit + 3;
    let places: [*mut u8; W] =
        core::array::from_fn(|unit| both.ours.as_mut_ptr().wrapping_add(at(unit)));
    // SAFETY: the places are inside the text, and apart.
    unsafe { aes::encrypt::<ROUNDS, W>(tables, inputs.as_ptr(), places.as_ptr()) };
    for (unit, input) in inputs.iter().enumerate() {
        xor_keystream(tables, &mut both.theirs, at(unit), *input);
    }
    assert!(both.ours == both.theirs, "{ROUNDS} rounds, {W} units");
}

#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
fn check_chunks<const ROUNDS: usize>(tables: &Tables) {
    let nonce = aes::nonce_blocks(&[0x31; 12]);
    for (exponent, hashed) in [(POWERS, 300), (16, 9), (77, 11)] {
        let mut both = Both::new();
        let (mut ours, mut theirs) = (Sums::zero(), Sums::zero());
        for unit in 0..STEP {
            let blocks = load(&both.theirs, hashed + 32 * unit);
            let mirrored = _mm256_shuffle_epi8(blocks, tables.order);
            let exponent = exponent - 2 * unit;
            let powers = (
                two(&tables.powers, exponent),
                two(&tables.middles, exponent),
            );
            add(&mut theirs, mirrored, powers.0, powers.1);
        }
        for unit in 0..STEP {
            // SAFETY: far below the table's end.
            let input = unsafe { aes::input(nonce, 130 + unit) };
            xor_keystream(tables, &mut both.theirs, 9 + 32 * unit, input);
        }
        let octets = both.ours.as_mut_ptr();
        // SAFETY: both chunks are inside the text; the powers are in the table.
        unsafe {
            let (chunk, hashed) = (octets.add(9), octets.add(hashed));
            aes::encrypt_and_hash_chunk::<ROUNDS>(
                tables, &nonce, 130, chunk, hashed, exponent, &mut ours,
            );
        }
        assert!(both.ours == both.theirs, "{ROUNDS} rounds");
        assert!(same(ours.low, theirs.low) && same(ours.high, theirs.high));
        assert!(same(ours.middle, theirs.middle));
        let reduced = ours.reduce(tables);
        assert_eq!(
            format!("{reduced:?}"),
            format!("{:?}", reduce(tables, theirs))
        );

        // Back, with the chunk alone.
        // SAFETY: the chunk is inside the text.
        unsafe { aes::encrypt_chunk::<ROUNDS>(tables, &nonce, 130, octets.add(9)) };
        assert!(both.ours[..9 + CHUNK] == Both::new().ours[..9 + CHUNK]);
    }
}

#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
fn check_products(tables: &Tables) {
    let octets = Both::new().ours;
    for exponent in [1, 2, 3, 64, POWERS] {
        let unit = load(&octets, exponent);
        let (mut ours, mut theirs) = (Sums::zero(), Sums::zero());
        // SAFETY: the powers are in the table.
        unsafe { ours.add(tables, unit, exponent) };
        let powers = (
            two(&tables.powers, exponent),
            two(&tables.middles, exponent),
        );
        add(&mut theirs, unit, powers.0, powers.1);
        assert!(same(ours.low, theirs.low) && same(ours.middle, theirs.middle));
        assert!(same(ours.high, theirs.high));

        // SAFETY: as above.
        let ours = unsafe { Sums::begin(tables, unit, exponent) };
        let pair = |table: &[__m128i; POWERS + 1]| {
            let one = _mm256_zextsi128_si256(table[POWERS - 1]);
            _mm256_inserti128_si256::<1>(one, table[POWERS - exponent])
        };
        let mut theirs = Sums::zero();
        add(
            &mut theirs,
            unit,
            pair(&tables.powers),
            pair(&tables.middles),
        );
        assert!(same(ours.low, theirs.low) && same(ours.middle, theirs.middle));
        assert!(same(ours.high, theirs.high));
    }
}

/// Two frames' products, one in each half, against those of each frame alone.
#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
fn check_two_frames(tables: &Tables) {
    let octets = Both::new().ours;
    let units = [load(&octets, 5), load(&octets, 70), load(&octets, 200)];
    for exponent in [2, 9, POWERS] {
        let power = tables.power(exponent);
        // SAFETY: the powers are in the table.
        let ours = unsafe {
            let mut sums = sums::Both::begin::<0>(power, units[0]);
            sums.add::<1>(power, units[1]);
            sums.add::<0>(tables.power(1), units[2]);
            sums.reduce(tables)
        };
        let mut halves = [Sums::zero(), Sums::zero()];
        for (unit, exponent) in units.into_iter().zip([exponent, exponent - 1, 1]) {
            let block = [
                _mm256_castsi256_si128(unit),
                _mm256_extracti128_si256::<1>(unit),
            ];
            for (sums, block) in halves.iter_mut().zip(block) {
                let at = POWERS - exponent;
                let one = |table: &[__m128i; POWERS + 1]| _mm256_zextsi128_si256(table[at]);
                let block = _mm256_zextsi128_si256(block);
                add(sums, block, one(&tables.powers), one(&tables.middles));
            }
        }
        let [a, b] = halves.map(|sums| reduce(tables, sums));
        let theirs = _mm256_inserti128_si256::<1>(_mm256_zextsi128_si256(a), b);
        assert!(same(ours, theirs), "power {exponent}");
    }
}

#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
fn check<const ROUNDS: usize>(tables: &Tables) {
    check_two_frames(tables);
    check_steps::<ROUNDS, 1>(tables);
    check_steps::<ROUNDS, 2>(tables);
    check_steps::<ROUNDS, 4>(tables);
    check_steps::<ROUNDS, STEP>(tables);
    check_chunks::<ROUNDS>(tables);
    check_products(tables);
}

#[test]
fn instructions_do_as_intrinsics_do() {
    if !Kernel256::runs_here() {
        return;
    }
    let tables = |len| {
        let mut octets: Vec<u8> = (1..).take(len).collect();
        Kernel256::new(&Sak::take(&mut octets).unwrap()).unwrap().0
    };
    // SAFETY: the CPU has what it takes.
    unsafe {
        check::<10>(&tables(16));
        check::<14>(&tables(32));
    }
}
