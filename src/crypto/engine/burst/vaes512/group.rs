//! Short frames: four at once, whose texts have the same number of units, 1 to 4.

use core::arch::x86_64::{
    __m256i, __m512i, _mm512_castsi256_si512, _mm512_inserti64x4, _mm512_setzero_si512,
    _mm512_xor_si512,
};

use super::{
    aes::{counters_from, encrypt, nonces, round_key},
    ghash::{Sums, mirrored},
    keys::{Keys, each_lane},
    lanes::{UNIT, load, load_pair, load_pair_of_some, load_some, only, store, store_some},
    parts::Parts,
    quad::{QUAD, Quad},
    tables::unit_of,
};

/// The additional data of two frames, and the powers that they meet.
#[derive(Clone, Copy)]
struct Pair {
    blocks: __m512i,
    powers: __m512i,
    middles: __m512i,
}

impl Pair {
    /// Sets what is the first frame's, or the second's.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn set(&mut self, second: bool, blocks: __m256i, powers: __m256i, middles: __m256i) {
        if second {
            self.blocks = _mm512_inserti64x4::<1>(self.blocks, blocks);
            self.powers = _mm512_inserti64x4::<1>(self.powers, powers);
            self.middles = _mm512_inserti64x4::<1>(self.middles, middles);
        } else {
            self.blocks = _mm512_castsi256_si512(blocks);
            self.powers = _mm512_castsi256_si512(powers);
            self.middles = _mm512_castsi256_si512(middles);
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn product(self) -> Sums {
        Sums::product(mirrored(self.blocks), self.powers, self.middles)
    }
}

/// Works on up to four frames, and returns their tags as they ought to be. `UNITS` is the number of units
/// of each text, and `OCTETS` theirs; `STATES` of them go through AES together: those of all four frames or
/// of two, as the registers allow.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn crypt<
    const OPEN: bool,
    const ROUNDS: usize,
    const EACH: bool,
    const UNITS: usize,
    const OCTETS: usize,
    const STATES: usize,
>(
    keys: &Keys<'_, EACH>,
    frames: &mut [Parts<'_>],
) -> __m512i {
    const { assert!(OCTETS == UNIT * UNITS) };
    const { assert!(STATES == QUAD * UNITS || STATES == QUAD / 2 * UNITS) };
    let abreast = STATES / UNITS;
    let zero = _mm512_setzero_si512();
    // Where there are fewer than four frames the first stands in for those that are not there.
    let count = frames.len();
    let standing = |lane: usize| if lane < count { lane } else { 0 };
    let mut gathered = Quad::new();
    each_lane!(|LANE| {
        let Some(parts) = frames.get(standing(LANE)) else {
            return zero;
        };
        gathered.set(LANE, parts);
    });
    let mut masks = gathered.masks(keys);
    // Of frames with keys of their own, all four at once where they go together in any case.
    let both = EACH && abreast == QUAD;
    if !both {
        masks = keys.encrypt_lanes::<ROUNDS>(masks);
    }
    let mut counters = counters_from::<UNITS>(0);
    if !EACH {
        let first_key = round_key::<0>(keys.of_lane(0));
        counters = counters.map(|unit| _mm512_xor_si512(unit, first_key));
    }
    let mut states = [zero; STATES];
    let mut sums = [Sums::zero(); QUAD];
    let mut pairs = [Pair {
        blocks: zero,
        powers: zero,
        middles: zero,
    }; 2];
    each_lane!(|LANE| {
        if LANE.is_multiple_of(abreast) {
            each_lane!(|BEHIND| {
                if BEHIND < abreast {
                    let Some(parts) = frames.get(standing(LANE + BEHIND)) else {
                        return zero;
                    };
                    let mut start = nonces(parts.nonce);
                    if EACH {
                        let first_key = round_key::<0>(keys.of_lane(LANE + BEHIND));
                        start = _mm512_xor_si512(start, first_key);
                    }
                    for unit in 0..UNITS {
                        states[UNITS * BEHIND + unit] = _mm512_xor_si512(start, counters[unit]);
                    }
                }
            });
            if both {
                (states, masks) = keys.encrypt_both::<ROUNDS, UNITS, STATES>(states, masks);
            } else if EACH {
                states = keys.encrypt_units::<ROUNDS, UNITS, STATES>(LANE, states);
            } else {
                states = encrypt::<ROUNDS, STATES>(keys.of_lane(0), states, |_| {});
            }
        }
        let keystream = &states[LANE % abreast * UNITS..][..UNITS];
        let Some(parts) = frames.get_mut(standing(LANE)) else {
            return zero;
        };
        let there = LANE < count;
        let blocks = parts.text.len().div_ceil(16);
        let tables = keys.of_lane(LANE);
        let (powers, middles) = tables.falling_from(blocks + 3);
        pairs[LANE / 2].set(
            LANE % 2 == 1,
            load_pair_of_some(parts.aad),
            load_pair(powers),
            load_pair(middles),
        );
        let (powers, middles) = tables.falling_from::<OCTETS>(blocks + 1);
        let Some((whole, end)) = parts.text.split_at_mut_checked(UNIT * (UNITS - 1)) else {
            return zero;
        };
        let (whole, _) = whole.as_chunks_mut::<UNIT>();
        for unit in 0..UNITS - 1 {
            let Some(place) = whole.get_mut(unit) else {
                return zero;
            };
            let old = load(place);
            let new = _mm512_xor_si512(old, keystream[unit]);
            if there {
                store(place, new);
            }
            let cipher = mirrored(if OPEN { old } else { new });
            sums[LANE].add(cipher, unit_of(powers, unit), unit_of(middles, unit));
        }
        let old = load_some(end);
        let new = _mm512_xor_si512(old, keystream[UNITS - 1]);
        if there {
            store_some(end, new);
        }
        let cipher = mirrored(if OPEN { old } else { only(end.len(), new) });
        sums[LANE].add(
            cipher,
            unit_of(powers, UNITS - 1),
            unit_of(middles, UNITS - 1),
        );
    });
    let [first, second] = pairs;
    gathered.tags(keys, sums, [first.product(), second.product()], masks)
}
