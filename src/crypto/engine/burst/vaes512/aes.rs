//! Keystream: counter blocks through AES, four to a register, and as many registers at once as the caller
//! has units, so that one's latency hides behind the others.

use core::{
    arch::{
        asm,
        x86_64::{
            __m512i, _mm512_add_epi32, _mm512_aesenclast_epi128, _mm512_broadcast_i32x4,
            _mm512_maskz_set1_epi32,
        },
    },
    mem::offset_of,
};

use super::{
    super::schedule::ROUND_KEYS_MAX,
    lanes::{UNIT, load, load_nonce},
    tables::Tables,
};
use crate::crypto::NONCE_LEN;

/// Units of a long text that go through AES together. AES has a latency of four cycles and takes two units a
/// cycle, so that eight could do; what else wants the same ports takes from them, hence half as many more.
pub(super) const ABREAST: usize = 12;

/// Units whose counters are alike but for the last octet and its carry: 256 blocks.
const PERIOD: usize = 64;

/// Octets of counters: those of a period, and of as many units as may begin in it.
const COUNTERS_LEN: usize = UNIT * (PERIOD + ABREAST);

/// Counters of the first blocks of a text as they stand in a counter block: 2 for the first.
static COUNTERS: [u8; COUNTERS_LEN] = counters();

const fn counters() -> [u8; COUNTERS_LEN] {
    let mut table = [0; COUNTERS_LEN];
    let mut counter: u16 = 2;
    let mut at = 14;
    while at < COUNTERS_LEN {
        [table[at], table[at + 1]] = counter.to_be_bytes();
        counter += 1;
        at += 16;
    }
    table
}

/// The longest text that the counters here reach: half of what two octets count to.
pub(super) const LONGEST_TEXT: usize = UNIT * PERIOD * 128;

/// A nonce in each lane, with zeros where the counter goes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn nonces(nonce: &[u8; NONCE_LEN]) -> __m512i {
    _mm512_broadcast_i32x4(load_nonce(nonce))
}

/// The counters of the units from number `first` of a text.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn counters_from<const N: usize>(first: usize) -> [__m512i; N] {
    const { assert!(N <= ABREAST) };
    let carried = i32::try_from(first / PERIOD).unwrap_or(0) << 16;
    // Each lane's last word of four is the counter.
    let carried = _mm512_maskz_set1_epi32(0x8888, carried);
    let (units, _) = COUNTERS.as_chunks::<UNIT>();
    let first = first % PERIOD;
    // There are `PERIOD + ABREAST` units, so no index is out of bounds, which the compiler sees too.
    core::array::from_fn(|unit| _mm512_add_epi32(load(&units[first + unit]), carried))
}

/// The first counter in each lane, which masks the tag.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn first_counters() -> __m512i {
    _mm512_maskz_set1_epi32(0x8888, 1 << 24)
}

/// Round key `number` in each lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn round_key<const NUMBER: usize>(tables: &Tables) -> __m512i {
    const { assert!(NUMBER < ROUND_KEYS_MAX) };
    let key;
    // SAFETY: 16 octets are read, round key `NUMBER` of the tables, which have so many; nothing is written to
    // memory and the stack is not used. Loaded where this stands, as by `broadcast_here`; an operand for the
    // key itself would cost an instruction that makes its address.
    unsafe {
        asm!(
            "vbroadcasti32x4 {}, xmmword ptr [{} + {}]",
            out(zmm_reg) key,
            in(reg) tables,
            const offset_of!(Tables, round_keys) + 16 * NUMBER,
            options(nostack, preserves_flags, readonly)
        );
    }
    key
}

/// A round of AES.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn round(mut unit: __m512i, key: __m512i) -> __m512i {
    // SAFETY: the instruction touches these two registers alone.
    unsafe {
        asm!(
            "vaesenc {0}, {0}, {1}",
            inout(zmm_reg) unit,
            in(zmm_reg) key,
            options(nomem, nostack, preserves_flags)
        );
    }
    unit
}

/// AES over `N` units of counter blocks that the first round key is already added to. After each round
/// but the last, `between` is called with its number from 1: what it does fills the gaps.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn encrypt<const ROUNDS: usize, const N: usize>(
    tables: &Tables,
    mut units: [__m512i; N],
    mut between: impl FnMut(usize),
) -> [__m512i; N] {
    const { assert!(ROUNDS == 10 || ROUNDS == 14) };
    macro_rules! rounds {
        ($($number:literal)*) => {$(
            if $number < ROUNDS {
                let key = round_key::<$number>(tables);
                for unit in &mut units {
                    *unit = round(*unit, key);
                }
                between($number);
            }
        )*};
    }
    rounds!(1 2 3 4 5 6 7 8 9 10 11 12 13);
    let key = if ROUNDS == 10 {
        round_key::<10>(tables)
    } else {
        round_key::<14>(tables)
    };
    units.map(|unit| _mm512_aesenclast_epi128(unit, key))
}
