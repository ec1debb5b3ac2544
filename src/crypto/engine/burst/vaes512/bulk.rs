//! Frames of any length, one after the other.

use core::arch::x86_64::{__m512i, _mm512_setzero_si512, _mm512_xor_si512};

use super::{
    aes::{ABREAST, counters_from, encrypt, nonces, round_key},
    ghash::{Sums, mirrored},
    lanes::{UNIT, load, load_some, only, store, store_some},
    parts::Parts,
    tables::{POWERS, Tables, unit_of},
};

/// Octets of the units that go through AES together.
const CHUNK: usize = UNIT * ABREAST;

/// Blocks that are hashed before a reduction where the powers don't reach to the frame's end.
const SEGMENT: usize = 144;

/// The power that the first of so many blocks of text meets.
#[inline]
fn first_power(blocks: usize) -> usize {
    // Blocks of additional data meet up to four powers above.
    if blocks + 1 + 4 <= POWERS {
        blocks + 1
    } else {
        SEGMENT
    }
}

/// What is under way of a frame.
struct Bulk<'a> {
    tables: &'a Tables,
    /// The nonce in each lane, the first round key added.
    start: __m512i,
    sums: Sums,
    /// What was reduced of the blocks before, to be added to the next one.
    carried: __m512i,
    /// The power that the next block to be hashed meets.
    power: usize,
    /// Blocks of text from that one on.
    blocks: usize,
}

impl<'a> Bulk<'a> {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn new(parts: &Parts<'a>) -> Self {
        let tables = parts.tables;
        let blocks = parts.text.len().div_ceil(16);
        let power = first_power(blocks);
        let (unit, aad_power) = if parts.aad.len() <= UNIT {
            let unit = mirrored(load_some(parts.aad));
            (unit, power + parts.aad.len().div_ceil(16))
        } else {
            (hash(tables, parts.aad), power)
        };
        let (powers, middles) = tables.falling_from(aad_power);
        let mut sums = Sums::zero();
        sums.add(unit, powers, middles);
        Self {
            tables,
            start: _mm512_xor_si512(nonces(parts.nonce), round_key::<0>(tables)),
            sums,
            carried: _mm512_setzero_si512(),
            power,
            blocks,
        }
    }

    /// Goes on by a chunk that was hashed: reduces where the powers end.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn advance(&mut self) {
        self.blocks = self.blocks.saturating_sub(4 * ABREAST);
        self.power = self.power.saturating_sub(4 * ABREAST);
        if self.power == 0 {
            self.power = first_power(self.blocks);
            self.carried = core::mem::replace(&mut self.sums, Sums::zero()).carried();
        }
    }

    /// The mirrored `blocks` of the next chunk, to be hashed: what was reduced goes into the first.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn carry_into<const N: usize>(&mut self, mut blocks: [__m512i; N]) -> [__m512i; N] {
        if let Some(first) = blocks.first_mut() {
            *first = _mm512_xor_si512(*first, self.carried);
        }
        self.carried = _mm512_setzero_si512();
        blocks
    }

    /// Hashes `N` units.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn hash<const N: usize, const OCTETS: usize>(&mut self, blocks: [__m512i; N]) {
        let blocks = self.carry_into(blocks);
        let (powers, middles) = self.tables.falling_from::<OCTETS>(self.power);
        for unit in 0..N {
            self.sums
                .add(blocks[unit], unit_of(powers, unit), unit_of(middles, unit));
        }
    }

    /// The keystream of the chunk from unit `first`, while another chunk is `hashed`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn keystream<const OPEN: bool, const ROUNDS: usize>(
        &mut self,
        first: usize,
        hashed: &[u8; CHUNK],
    ) -> [__m512i; ABREAST] {
        let (powers, middles) = self.tables.falling_from::<CHUNK>(self.power);
        let states = self.states(first);
        let (sums, carried) = (&mut self.sums, self.carried);
        let zero = _mm512_setzero_si512();
        let keystream = encrypt::<ROUNDS, ABREAST>(self.tables, states, |round| {
            if let Some(pair) = pair_after::<ROUNDS>(round) {
                let carried = if pair == 0 { carried } else { zero };
                sums.add_two_here(
                    pair_of(hashed, pair),
                    carried,
                    pair_of(powers, pair),
                    pair_of(middles, pair),
                );
            }
        });
        self.carried = zero;
        self.advance();
        keystream
    }

    /// Encrypts whole chunks, each hashed beside the next one's encryption. Returns what is still to be
    /// hashed: the last.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn seal<'c, const ROUNDS: usize>(
        &mut self,
        chunks: &'c mut [[u8; CHUNK]],
    ) -> Option<&'c [u8; CHUNK]> {
        let (mut before, rest) = chunks.split_first_mut()?;
        let states = self.states(0);
        add_to(
            before,
            encrypt::<ROUNDS, ABREAST>(self.tables, states, |_| {}),
        );
        for (number, chunk) in rest.iter_mut().enumerate() {
            let keystream = self.keystream::<false, ROUNDS>(ABREAST * (number + 1), before);
            add_to(chunk, keystream);
            before = chunk;
        }
        Some(before)
    }

    /// Decrypts whole chunks, each hashed meanwhile.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn open<const ROUNDS: usize>(&mut self, chunks: &mut [[u8; CHUNK]]) {
        for (number, chunk) in chunks.iter_mut().enumerate() {
            let keystream = self.keystream::<true, ROUNDS>(ABREAST * number, chunk);
            add_to(chunk, keystream);
        }
    }

    /// The end of a text that is being sealed: `N` units from number `first`, the last of which may be
    /// short. `before` is hashed meanwhile.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn seal_end<const ROUNDS: usize, const N: usize, const OCTETS: usize>(
        &mut self,
        first: usize,
        end: &mut [u8],
        before: Option<&[u8; CHUNK]>,
    ) {
        const { assert!(OCTETS == UNIT * N) };
        let zero = _mm512_setzero_si512();
        let states = self.states::<N>(first);
        let keystream = if let Some(before) = before {
            let (powers, middles) = self.tables.falling_from::<CHUNK>(self.power);
            let (sums, carried) = (&mut self.sums, self.carried);
            let keystream = encrypt::<ROUNDS, N>(self.tables, states, |round| {
                if let Some(pair) = pair_after::<ROUNDS>(round) {
                    let carried = if pair == 0 { carried } else { zero };
                    sums.add_two_here(
                        pair_of(before, pair),
                        carried,
                        pair_of(powers, pair),
                        pair_of(middles, pair),
                    );
                }
            });
            self.carried = zero;
            self.advance();
            keystream
        } else {
            encrypt::<ROUNDS, N>(self.tables, states, |_| {})
        };
        let mut blocks = [zero; N];
        let Some((whole, last)) = end.split_at_mut_checked(UNIT * (N - 1)) else {
            return;
        };
        let (whole, _) = whole.as_chunks_mut::<UNIT>();
        for unit in 0..N - 1 {
            let Some(place) = whole.get_mut(unit) else {
                return;
            };
            let new = _mm512_xor_si512(load(place), keystream[unit]);
            store(place, new);
            blocks[unit] = mirrored(new);
        }
        let new = _mm512_xor_si512(load_some(last), keystream[N - 1]);
        store_some(last, new);
        blocks[N - 1] = mirrored(only(last.len(), new));
        self.hash::<N, OCTETS>(blocks);
    }

    /// The end of a text that is being opened, as above.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn open_end<const ROUNDS: usize, const N: usize, const OCTETS: usize>(
        &mut self,
        first: usize,
        end: &mut [u8],
    ) {
        const { assert!(OCTETS == UNIT * N) };
        let Some((whole, last)) = end.split_at_mut_checked(UNIT * (N - 1)) else {
            return;
        };
        let (whole, _) = whole.as_chunks_mut::<UNIT>();
        let mut cipher = [_mm512_setzero_si512(); N];
        for unit in 0..N - 1 {
            let Some(place) = whole.get(unit) else {
                return;
            };
            cipher[unit] = load(place);
        }
        cipher[N - 1] = load_some(last);
        let mut carried = self.carried;
        let (powers, middles) = self.tables.falling_from::<OCTETS>(self.power);
        let states = self.states::<N>(first);
        let sums = &mut self.sums;
        let keystream = encrypt::<ROUNDS, N>(self.tables, states, |round| {
            let per_round = ABREAST.div_ceil(ROUNDS - 1);
            for unit in per_round * (round - 1)..per_round * round {
                if unit < N {
                    let blocks = _mm512_xor_si512(mirrored(cipher[unit]), carried);
                    carried = _mm512_setzero_si512();
                    sums.add_here(blocks, unit_of(powers, unit), unit_of(middles, unit));
                }
            }
        });
        for unit in 0..N - 1 {
            let Some(place) = whole.get_mut(unit) else {
                return;
            };
            store(place, _mm512_xor_si512(cipher[unit], keystream[unit]));
        }
        store_some(last, _mm512_xor_si512(cipher[N - 1], keystream[N - 1]));
    }

    /// Counter blocks of `N` units from number `first`, the first round key added.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
    fn states<const N: usize>(&self, first: usize) -> [__m512i; N] {
        let start = self.start;
        counters_from(first).map(|counters| _mm512_xor_si512(start, counters))
    }
}

/// Which pair of units is hashed after a round of AES: all of a chunk's in the first eleven or six.
#[inline]
const fn pair_after<const ROUNDS: usize>(round: usize) -> Option<usize> {
    let (pair, due) = if ROUNDS == 10 {
        (round - 1, true)
    } else {
        (round / 2, round % 2 == 1)
    };
    if due && pair < ABREAST / 2 {
        Some(pair)
    } else {
        None
    }
}

/// Two units of a chunk, or of its powers.
#[inline]
fn pair_of(chunk: &[u8; CHUNK], number: usize) -> &[u8; 2 * UNIT] {
    let (pairs, _) = chunk.as_chunks();
    pairs.get(number).unwrap_or(&[0; 2 * UNIT])
}

/// Adds keystream to a chunk.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn add_to(chunk: &mut [u8; CHUNK], keystream: [__m512i; ABREAST]) {
    let (units, _) = chunk.as_chunks_mut::<UNIT>();
    for (unit, keystream) in units.iter_mut().zip(keystream) {
        store(unit, _mm512_xor_si512(load(unit), keystream));
    }
}

/// Hashes additional data that is longer than a unit: the result is in the first lane, mirrored.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
fn hash(tables: &Tables, aad: &[u8]) -> __m512i {
    let mut carried = _mm512_setzero_si512();
    for segment in aad.chunks(16 * SEGMENT) {
        let mut sums = Sums::zero();
        let mut power = segment.len().div_ceil(16);
        let (whole, end) = segment.as_chunks::<UNIT>();
        for unit in whole {
            let (powers, middles) = tables.falling_from(power);
            let blocks = _mm512_xor_si512(mirrored(load(unit)), carried);
            carried = _mm512_setzero_si512();
            sums.add(blocks, powers, middles);
            power -= 4;
        }
        let (powers, middles) = tables.falling_from(power);
        let blocks = _mm512_xor_si512(mirrored(load_some(end)), carried);
        sums.add(blocks, powers, middles);
        carried = sums.carried();
    }
    carried
}

/// Works on one frame, and returns the products of its additional data and text.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,vaes,vpclmulqdq")]
pub(super) fn crypt<const OPEN: bool, const ROUNDS: usize>(parts: &mut Parts<'_>) -> Sums {
    let mut bulk = Bulk::new(parts);
    let units = parts.text.len().div_ceil(UNIT);
    let before = CHUNK * (units.saturating_sub(1) / ABREAST);
    let Some((chunks, end)) = parts.text.split_at_mut_checked(before) else {
        return bulk.sums;
    };
    let (chunks, _) = chunks.as_chunks_mut::<CHUNK>();
    let first = ABREAST * chunks.len();
    let left = if OPEN {
        bulk.open::<ROUNDS>(chunks);
        None
    } else {
        bulk.seal::<ROUNDS>(chunks)
    };
    macro_rules! end {
        ($($units:literal)*) => {
            match units - first {
                $($units if OPEN => bulk.open_end::<ROUNDS, $units, { UNIT * $units }>(first, end),
                $units => bulk.seal_end::<ROUNDS, $units, { UNIT * $units }>(first, end, left),)*
                _ => {}
            }
        };
    }
    end!(1 2 3 4 5 6 7 8 9 10 11 12);
    bulk.sums
}
