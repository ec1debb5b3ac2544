//! The keys of the frames that are worked on together: one for all of them, or to each its own.
//!
//! A register of a frame's blocks needs its frame's key alone. Only what has a frame in each lane, the blocks
//! that mask the tags and the blocks of lengths, needs the keys of four, each in its lane.

use core::arch::x86_64::{
    __m512i, _mm512_aesenclast_epi128, _mm512_mask_blend_epi32, _mm512_shuffle_epi32,
    _mm512_xor_si512,
};

use super::{
    aes::{encrypt, round, round_key},
    lanes::broadcast_here,
    parts::Parts,
    quad::QUAD,
    tables::Tables,
};

/// Writes a statement once for each of four lanes. A loop would not do: where the compiler leaves it a
/// loop, what the lanes have is on the stack.
macro_rules! each_lane {
    (|$lane:ident| $body:block) => {
        $crate::crypto::engine::burst::vaes512::keys::each_lane!(@ $lane $body 0 1 2 3)
    };
    (@ $lane:ident $body:block $($number:literal)*) => {
        $({
            const $lane: usize = $number;
            $body
        })*
    };
}
pub(super) use each_lane;

/// The tables of a quad's frames, by lane. Where not `EACH` frame has a key of its own, the first is meant.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a, const EACH: bool>([&'a Tables; QUAD]);

impl<'a, const EACH: bool> Keys<'a, EACH> {
    /// Those of up to four frames; where there are fewer, the first stands in. `None`: there is no frame.
    #[inline]
    pub(super) fn of(quad: &[Parts<'a>]) -> Option<Self> {
        let first = quad.first()?.tables;
        Some(Self(core::array::from_fn(|lane| {
            if EACH {
                quad.get(lane).map_or(first, |parts| parts.tables)
            } else {
                first
            }
        })))
    }

    /// The tables of the frame in `lane`: 0 to 3.
    #[inline]
    pub(super) fn of_lane(&self, lane: usize) -> &'a Tables {
        self.0[if EACH { lane % QUAD } else { 0 }]
    }

    /// Round key `number` of each frame, in its lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn round_key<const NUMBER: usize>(&self) -> __m512i {
        if EACH {
            in_lanes(self.0.map(|tables| round_key::<NUMBER>(tables)))
        } else {
            round_key::<NUMBER>(self.of_lane(0))
        }
    }

    /// The hash key of each frame in its lane, and its middle factor.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn first_power(&self) -> (__m512i, __m512i) {
        if EACH {
            let powers = in_lanes(self.0.map(|tables| broadcast_here(tables.first_power().0)));
            let swapped = _mm512_shuffle_epi32::<0x4E>(powers);
            (powers, _mm512_xor_si512(powers, swapped))
        } else {
            let (power, middle) = self.of_lane(0).first_power();
            (broadcast_here(power), broadcast_here(middle))
        }
    }

    /// AES over a block of each frame in its lane, the first round key added.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn encrypt_lanes<const ROUNDS: usize>(&self, mut lanes: __m512i) -> __m512i {
        if !EACH {
            let [lanes] = encrypt::<ROUNDS, 1>(self.of_lane(0), [lanes], |_| {});
            return lanes;
        }
        macro_rules! rounds {
            ($($number:literal)*) => {$(
                if $number < ROUNDS {
                    lanes = round(lanes, self.round_key::<$number>());
                }
            )*};
        }
        rounds!(1 2 3 4 5 6 7 8 9 10 11 12 13);
        _mm512_aesenclast_epi128(lanes, self.last_round_key::<ROUNDS>())
    }

    /// AES over the units of as many frames as there are units for, from that in lane `first` on, `UNITS` of
    /// each, the first round keys added.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn encrypt_units<const ROUNDS: usize, const UNITS: usize, const STATES: usize>(
        &self,
        first: usize,
        mut states: [__m512i; STATES],
    ) -> [__m512i; STATES] {
        macro_rules! rounds {
            ($($number:literal)*) => {$(
                if $number < ROUNDS {
                    each_lane!(|FRAME| {
                        if FRAME < STATES / UNITS {
                            let key = round_key::<$number>(self.of_lane(first + FRAME));
                            for unit in 0..UNITS {
                                let state = &mut states[UNITS * FRAME + unit];
                                *state = round(*state, key);
                            }
                        }
                    });
                }
            )*};
        }
        rounds!(1 2 3 4 5 6 7 8 9 10 11 12 13);
        each_lane!(|FRAME| {
            if FRAME < STATES / UNITS {
                let key = last_round_key::<ROUNDS>(self.of_lane(first + FRAME));
                for unit in 0..UNITS {
                    let state = &mut states[UNITS * FRAME + unit];
                    *state = _mm512_aesenclast_epi128(*state, key);
                }
            }
        });
        states
    }

    /// [`Self::encrypt_units`] of all four frames, which there must be states for, and [`Self::encrypt_lanes`] in one go: each key is loaded once.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    pub(super) fn encrypt_both<const ROUNDS: usize, const UNITS: usize, const STATES: usize>(
        &self,
        mut states: [__m512i; STATES],
        mut lanes: __m512i,
    ) -> ([__m512i; STATES], __m512i) {
        macro_rules! rounds {
            ($($number:literal)*) => {$(
                if $number < ROUNDS {
                    let keys = self.0.map(|tables| round_key::<$number>(tables));
                    each_lane!(|FRAME| {
                        if FRAME < STATES / UNITS {
                            for unit in 0..UNITS {
                                let state = &mut states[UNITS * FRAME + unit];
                                *state = round(*state, keys[FRAME]);
                            }
                        }
                    });
                    lanes = round(lanes, in_lanes(keys));
                }
            )*};
        }
        rounds!(1 2 3 4 5 6 7 8 9 10 11 12 13);
        let keys = self.0.map(|tables| last_round_key::<ROUNDS>(tables));
        each_lane!(|FRAME| {
            if FRAME < STATES / UNITS {
                for unit in 0..UNITS {
                    let state = &mut states[UNITS * FRAME + unit];
                    *state = _mm512_aesenclast_epi128(*state, keys[FRAME]);
                }
            }
        });
        (states, _mm512_aesenclast_epi128(lanes, in_lanes(keys)))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn last_round_key<const ROUNDS: usize>(&self) -> __m512i {
        in_lanes(self.0.map(|tables| last_round_key::<ROUNDS>(tables)))
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn last_round_key<const ROUNDS: usize>(tables: &Tables) -> __m512i {
    if ROUNDS == 10 {
        round_key::<10>(tables)
    } else {
        round_key::<14>(tables)
    }
}

/// Of four registers with one block in all lanes, each one's block in the lane of its place.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn in_lanes([a, b, c, d]: [__m512i; QUAD]) -> __m512i {
    let lower = _mm512_mask_blend_epi32(0x00F0, a, b);
    let upper = _mm512_mask_blend_epi32(0xF000, c, d);
    _mm512_mask_blend_epi32(0xFF00, lower, upper)
}
