//! Short frames side by side.
//!
//! `F` frames of `U` units each, `N` in all, go through AES together: nothing is noted of them in a list, no
//! branch asks for a length. GHASH has two frames of equally many blocks in a register, one in either half, so
//! that they share products and a reduction; it stands between AES's rounds. What would be a function of
//! its own is a macro here: states that pass through memory are what must not be.

use core::arch::{
    asm,
    x86_64::{
        __m256i, _mm_loadu_si128, _mm_storeu_si128, _mm_xor_si128, _mm256_castsi256_pd,
        _mm256_castsi256_si128, _mm256_cmpeq_epi64, _mm256_extracti128_si256,
        _mm256_inserti128_si256, _mm256_loadu_si256, _mm256_movemask_pd, _mm256_permute2x128_si256,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_storeu_si256, _mm256_xor_si256,
        _mm256_zextsi128_si256,
    },
};

use super::{aes, front, ghash, place::Place, sums::Both, tables::Tables};
use crate::crypto::AeadFrame;

/// What is kept of a set of frames between AES and GHASH. Where it is, whoever calls wipes it.
#[repr(C)]
pub(super) struct Between {
    /// The tags' masks, of two frames each; for `open`, what they should be.
    masks: [__m256i; 2],
    /// For `open`: the texts' last units, zeros behind them.
    lasts: [__m256i; 4],
}

impl Between {
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn zero() -> Self {
        Self {
            masks: [_mm256_setzero_si256(); 2],
            lasts: [_mm256_setzero_si256(); 4],
        }
    }
}

/// One round on all states, and a step to the next round's key. The code reads a round key, which is in the
/// tables, and changes the states and the registers named.
macro_rules! round {
    ($instruction:literal, $keys:ident, [$($state:ident)*]) => {
        asm!(
            concat!(
                "vmovdqa {key}, [{keys}]\n add {keys}, 32\n",
                $($instruction, " {", stringify!($state), "}, {", stringify!($state), "}, {key}\n",)*
            ),
            keys = inout(reg) $keys,
            key = out(ymm_reg) _,
            $($state = inout(ymm_reg) *$state,)*
            options(nostack),
        )
    };
    ($instruction:literal, $keys:ident, $states:ident) => {
        match &mut $states[..] {
            [a, b, c, d, e, f] => round!($instruction, $keys, [a b c d e f]),
            [a, b, c, d, e, f, g, h] => round!($instruction, $keys, [a b c d e f g h]),
            _ => (),
        }
    };
}

/// AES of frames, as far as it has come: where the next round's key is, which round it is, and the states.
macro_rules! next_round {
    ($rounds:expr, $aes:ident) => {
        if $aes.1 < $rounds {
            let (mut keys, states) = ($aes.0, &mut $aes.2);
            round!("vaesenc", keys, states);
            $aes.0 = keys;
            $aes.1 += 1;
        }
    };
}

/// Begins AES of frames.
macro_rules! begin {
    ($tables:ident, $frames:ident, $u:ident, $n:ident) => {{
        let mut states = [_mm256_setzero_si256(); $n];
        for (states, frame) in states.as_chunks_mut::<$u>().0.iter_mut().zip($frames) {
            // SAFETY: the frames are the burst's.
            let nonce = aes::nonce_begun($tables, unsafe { &(**frame).nonce });
            for (unit, state) in states.iter_mut().enumerate() {
                // SAFETY: a short frame's units have counters.
                *state = unsafe { aes::input(nonce, unit) };
            }
        }
        ($tables.round_keys.as_ptr().wrapping_add(1), 1, states)
    }};
}

/// Ends it: gives the keystream.
macro_rules! finish {
    ($rounds:expr, $aes:ident) => {{
        while $aes.1 < $rounds {
            next_round!($rounds, $aes);
        }
        let (mut keys, states) = ($aes.0, &mut $aes.2);
        round!("vaesenclast", keys, states);
        let _ = keys;
        $aes.2
    }};
}

/// GHASH of two frames, mirrored back: `lasts` is where their last units are, with zeros behind the texts. The
/// rounds of AES that `aes` has over stand between its products.
macro_rules! hash_two {
    ($rounds:expr, $u:ident, $tables:ident, $a:ident, $b:ident, $lasts:expr, $aes:ident) => {{
        let lasts: [*const u8; 2] = $lasts;
        let powers = $tables.power($a.text_len.div_ceil(16) + 3);
        let unit = ghash::mirrored(two($a.aad, $b.aad));
        let mut sums = Both::begin::<0>(powers, unit);
        next_round!($rounds, $aes);
        let ends = two($a.text.sub(16), $b.text.sub(16));
        let orders = two(front::end_order($a.aad_len), front::end_order($b.aad_len));
        sums.add::<1>(powers, _mm256_shuffle_epi8(ends, orders));
        next_round!($rounds, $aes);
        hash_two!(block, $rounds, $u, $a, $b, lasts, powers, sums, $aes, [0 1 2 3 4 5 6]);
        let lengths = _mm256_zextsi128_si256(front::lengths(&$a));
        let lengths = _mm256_inserti128_si256::<1>(lengths, front::lengths(&$b));
        sums.add::<0>($tables.power(1), lengths);
        next_round!($rounds, $aes);
        ghash::mirrored(sums.reduce($tables))
    }};
    (block, $rounds:expr, $u:ident, $a:ident, $b:ident, $lasts:ident, $powers:ident, $sums:ident,
     $aes:ident, [$($block:literal)*]) => {
        $(
            if $block < 2 * $u - 1 {
                let unit = if $block < 2 * $u - 3 {
                    two($a.text.add(16 * $block), $b.text.add(16 * $block))
                } else {
                    let at = 16 * ($block + 3 - 2 * $u);
                    two($lasts[0].add(at), $lasts[1].add(at))
                };
                $sums.add::<{ 2 + $block }>($powers, ghash::mirrored(unit));
                next_round!($rounds, $aes);
            }
        )*
    };
}

/// 16 octets each of two places.
///
/// # Safety
/// They may be read.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn two(a: *const u8, b: *const u8) -> __m256i {
    // SAFETY: by the caller.
    unsafe {
        let a = _mm256_zextsi128_si256(_mm_loadu_si128(a.cast()));
        _mm256_inserti128_si256::<1>(a, _mm_loadu_si128(b.cast()))
    }
}

/// Writes the tags of two frames whose masks are entry `$at`.
macro_rules! tags_of_two {
    ($rounds:expr, $u:ident, $tables:ident, $pair:expr, $between:ident, $at:literal, $aes:ident) => {{
        let [a, b] = [Place::again($pair[0]), Place::again($pair[1])];
        let last = 32 * ($u - 2);
        let lasts = [
            a.body().add(last).cast_const(),
            b.body().add(last).cast_const(),
        ];
        let hashes = hash_two!($rounds, $u, $tables, a, b, lasts, $aes);
        let tags = _mm256_xor_si256(hashes, (*$between).masks[$at]);
        _mm_storeu_si128(a.text.add(a.text_len).cast(), _mm256_castsi256_si128(tags));
        _mm_storeu_si128(
            b.text.add(b.text_len).cast(),
            _mm256_extracti128_si256::<1>(tags),
        );
        next_round!($rounds, $aes);
    }};
}

/// Encrypts a set of frames, and writes the tags of the one before it, which has as many units.
///
/// # Safety
/// The frames are of a burst, and [`Place::key`] is one for `U` units, the same for all of them; so are those
/// `before`, which were given to this function last, with the same `between`. `F` times `U` is `N`.
#[inline]
#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
pub(super) unsafe fn seal<const ROUNDS: usize, const F: usize, const U: usize, const N: usize>(
    tables: &Tables,
    frames: &[*mut AeadFrame<'_>; F],
    before: Option<&[*mut AeadFrame<'_>; F]>,
    between: *mut Between,
) {
    let mut aes = begin!(tables, frames, U, N);
    if let Some(before) = before {
        // SAFETY: the frames are encrypted, with zeros behind their texts in the last units.
        unsafe {
            tags_of_two!(ROUNDS, U, tables, before, between, 0, aes);
            if F == 4 {
                tags_of_two!(ROUNDS, U, tables, before[2..], between, 1, aes);
            }
        }
    }
    // SAFETY: each round's key is in the tables.
    let states = unsafe { finish!(ROUNDS, aes) };
    let (states, _) = states.as_chunks::<U>();
    for (states, frame) in states.iter().zip(frames) {
        // SAFETY: the frame has a place, and the bound is there: 32 octets may be read and written from any
        // octet of the text, and 32 behind it; the last unit has at least 1 of the text or is the second one.
        unsafe {
            let place = Place::again(*frame);
            let first = _mm_loadu_si128(place.text.cast());
            let first = _mm_xor_si128(first, _mm256_extracti128_si256::<1>(states[0]));
            _mm_storeu_si128(place.text.cast(), first);
            for (unit, state) in states.iter().skip(1).enumerate() {
                let at = place.body().wrapping_add(32 * unit);
                let mut text = _mm256_xor_si256(_mm256_loadu_si256(at.cast()), *state);
                if unit == U - 2 {
                    text = ghash::first(text, place.text_len - 16 - 32 * unit);
                }
                _mm256_storeu_si256(at.cast(), text);
            }
        }
    }
    for (pair, at) in states.as_chunks::<2>().0.iter().zip(0..2) {
        let masks = _mm256_permute2x128_si256::<0x20>(pair[0][0], pair[1][0]);
        // SAFETY: by the caller, it may be written.
        unsafe { (*between).masks[at] = masks };
    }
}

/// Writes the tags of the last set.
///
/// # Safety
/// As for those `before` in [`seal`].
#[inline]
#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
pub(super) unsafe fn last_tags<const F: usize, const U: usize>(
    tables: &Tables,
    frames: &[*mut AeadFrame<'_>; F],
    between: *mut Between,
) {
    let no_states: [__m256i; 0] = [];
    let mut aes = (tables.round_keys.as_ptr(), 0, no_states);
    // SAFETY: the frames are encrypted, with zeros behind their texts in the last units.
    unsafe {
        tags_of_two!(0, U, tables, frames, between, 0, aes);
        if F == 4 {
            tags_of_two!(0, U, tables, frames[2..], between, 1, aes);
        }
    }
    let _ = &mut aes;
}

/// Notes what the masks of two frames' tags should be.
macro_rules! wanted_of_two {
    ($rounds:expr, $u:ident, $tables:ident, $pair:expr, $between:ident, $at:literal, $aes:ident) => {{
        let [a, b] = [Place::again($pair[0]), Place::again($pair[1])];
        let lasts = (&raw mut (*$between).lasts).cast::<__m256i>().add(2 * $at);
        for (n, place) in [&a, &b].into_iter().enumerate() {
            let last = _mm256_loadu_si256(place.body().add(32 * ($u - 2)).cast());
            let last = ghash::first(last, place.text_len - 16 - 32 * ($u - 2));
            lasts.add(n).write(last);
        }
        let lasts = [
            lasts.cast::<u8>().cast_const(),
            lasts.add(1).cast::<u8>().cast_const(),
        ];
        let hashes = hash_two!($rounds, $u, $tables, a, b, lasts, $aes);
        let tags = two(a.text.add(a.text_len), b.text.add(b.text_len));
        (*$between).masks[$at] = _mm256_xor_si256(hashes, tags);
        next_round!($rounds, $aes);
    }};
}

/// Decrypts a set of frames; for frame `i`, bits `2 * i` and the next one are set where its tag is right.
///
/// # Safety
/// As for `frames` in [`seal`].
#[inline]
#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
pub(super) unsafe fn open<const ROUNDS: usize, const F: usize, const U: usize, const N: usize>(
    tables: &Tables,
    frames: &[*mut AeadFrame<'_>; F],
    between: *mut Between,
) -> u32 {
    let mut aes = begin!(tables, frames, U, N);
    // SAFETY: the frames have places.
    unsafe {
        wanted_of_two!(ROUNDS, U, tables, frames, between, 0, aes);
        if F == 4 {
            wanted_of_two!(ROUNDS, U, tables, frames[2..], between, 1, aes);
        }
    }
    // SAFETY: each round's key is in the tables.
    let states = unsafe { finish!(ROUNDS, aes) };
    let (states, _) = states.as_chunks::<U>();
    for (states, frame) in states.iter().zip(frames) {
        // SAFETY: as in `seal`.
        unsafe {
            let place = Place::again(*frame);
            let first = _mm_loadu_si128(place.text.cast());
            let first = _mm_xor_si128(first, _mm256_extracti128_si256::<1>(states[0]));
            _mm_storeu_si128(place.text.cast(), first);
            for (unit, state) in states.iter().skip(1).enumerate() {
                let at = place.body().wrapping_add(32 * unit);
                let mut state = *state;
                if unit == U - 2 {
                    // What is behind stays as it is.
                    state = ghash::first(state, place.text_len - 16 - 32 * unit);
                }
                let text = _mm256_xor_si256(_mm256_loadu_si256(at.cast()), state);
                _mm256_storeu_si256(at.cast(), text);
            }
        }
    }
    let mut same = 0;
    for (pair, at) in states.as_chunks::<2>().0.iter().zip(0..2) {
        let masks = _mm256_permute2x128_si256::<0x20>(pair[0][0], pair[1][0]);
        // SAFETY: by the caller, it may be read.
        let equal = _mm256_cmpeq_epi64(masks, unsafe { (*between).masks[at] });
        same |= _mm256_movemask_pd(_mm256_castsi256_pd(equal)).cast_unsigned() << (4 * at);
    }
    same
}
