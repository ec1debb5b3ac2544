//! GHASH of one frame: in what order, and by which powers.
//!
//! The blocks are those of additional data, those of the encrypted text, and the lengths' block, which has
//! power 1. A frame whose blocks all have a power in the tables is one sum. A longer one goes by segments:
//! what a segment comes to is carried into the next.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_setzero_si128, _mm_xor_si128, _mm256_inserti128_si256,
    _mm256_zextsi128_si256,
};

use super::{
    aes::{self, STEP},
    front::{Additional, Front, lengths},
    ghash,
    place::Place,
    sums::Sums,
    tables::{POWERS, SEGMENT, Tables},
};

/// Octets of a chunk: what one step encrypts of one frame.
pub(super) const CHUNK: usize = 256;

/// Blocks of a chunk.
const CHUNK_BLOCKS: usize = CHUNK / 16;

/// Blocks of text up to which a frame is one sum: two of additional data and the lengths come on top. A
/// text of more has a whole segment of chunks behind its first block.
pub(super) const ONE_SUM: usize = SEGMENT + 2;

const _: () = assert!(ONE_SUM + 3 <= POWERS);
const _: () = assert!(16 * (ONE_SUM + 1 - 2) + 1 > SEGMENT * 16);

/// How far GHASH of a frame has come.
#[derive(Clone, Copy)]
pub(super) struct Hash {
    pub(super) sums: Sums,
    /// The power of the text's next block.
    pub(super) exponent: usize,
    /// The same if there were powers enough: more than `exponent` while segments are to come.
    distance: usize,
    lengths: __m128i,
}

impl Hash {
    /// Begins with additional data and the text's first block, encrypted, as the lower octets of `first`;
    /// zeros behind a shorter text. `aad` is from [`additional`].
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) fn begin(tables: &Tables, place: &Place, aad: Additional, first: __m128i) -> Self {
        let blocks = place.text_len.div_ceil(16);
        let lengths = lengths(place);
        let first = _mm_xor_si128(ghash::mirrored_one(first), aad.state);
        let mut hash = Self {
            sums: Sums::zero(),
            exponent: blocks,
            distance: blocks,
            lengths,
        };
        if blocks <= ONE_SUM {
            let unit = _mm256_inserti128_si256::<1>(_mm256_zextsi128_si256(lengths), first);
            // SAFETY: the text's first block has power `blocks + 1`, which is in the tables.
            hash.sums = unsafe { Sums::begin(tables, unit, blocks + 1) };
            // SAFETY: additional data's first block has power `blocks + 3`, which is in the tables.
            unsafe { hash.sums.add(tables, aad.blocks, blocks + 3) };
        } else {
            // SAFETY: powers 3 and 2 are in the tables.
            unsafe { hash.sums.add(tables, aad.blocks, 3) };
            let unit = _mm256_zextsi128_si256(first);
            // SAFETY: power 1 is in the tables, and what follows it is zero.
            unsafe { hash.sums.add(tables, unit, 1) };
            hash.turn(tables);
        }
        hash
    }

    /// Begins with the text behind its first block, of a frame that is one sum: what is before it is added by
    /// [`Self::end_with`].
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) fn begin_behind(place: &Place) -> Self {
        let blocks = place.text_len.div_ceil(16);
        Self {
            sums: Sums::zero(),
            exponent: blocks,
            distance: blocks,
            lengths: _mm_setzero_si128(),
        }
    }

    /// Adds what is before, and `len` octets that are left of the text; gives the result, mirrored.
    ///
    /// # Safety
    /// The frame is one sum; 32 octets may be read from each of the `len`, which are the frame's last.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn end_with(
        &self,
        tables: &Tables,
        front: Front,
        text_len: usize,
        octets: *const u8,
        len: usize,
    ) -> __m128i {
        // SAFETY: by the caller, and each block has a power: the last one has 2.
        unsafe {
            let mut sums = front.sums(tables, text_len.div_ceil(16));
            sums.join(&self.sums);
            ghash::add_run(&mut sums, tables, octets, len, self.exponent);
            sums.reduce(tables)
        }
    }

    /// Ends a segment and begins the next one.
    #[inline(never)]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    fn turn(&mut self, tables: &Tables) {
        let state = self.sums.reduce(tables);
        self.sums = Sums::zero();
        self.exponent = if self.distance > ONE_SUM {
            SEGMENT
        } else {
            self.distance
        };
        // SAFETY: at most `ONE_SUM`, and more than 0: a segment ends only where more text follows.
        unsafe { self.sums.carry(tables, state, self.exponent) };
        if self.is_last() {
            // SAFETY: power 1 is in the tables.
            unsafe {
                let unit = _mm256_zextsi128_si256(self.lengths);
                self.sums.add(tables, unit, 1);
            }
        }
    }

    /// Whether the segment is the frame's last, so that all that is left has powers.
    #[inline(always)]
    pub(super) const fn is_last(&self) -> bool {
        self.exponent == self.distance
    }

    /// Notes that so many chunks were added to the sums.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    fn added(&mut self, tables: &Tables, chunks: usize) {
        self.exponent -= chunks * CHUNK_BLOCKS;
        self.distance -= chunks * CHUNK_BLOCKS;
        if self.exponent == 0 {
            self.turn(tables);
        }
    }

    /// Adds a chunk.
    ///
    /// # Safety
    /// [`CHUNK`] octets may be read at `octets`, and they are the frame's next.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn add_chunk(&mut self, tables: &Tables, octets: *const u8) {
        // SAFETY: by the caller; a segment is whole chunks, and the last one has a power for each block.
        unsafe { ghash::add_run(&mut self.sums, tables, octets, CHUNK, self.exponent) };
        self.added(tables, 1);
    }

    /// XORs the keystream onto the body's chunks `from..to`, and adds as many of them that begin `behind`
    /// octets before: the same ones, each before it is changed, or those that were done one earlier.
    ///
    /// # Safety
    /// The chunks are inside the frame's text at `body`; those that are added are the frame's next; `behind` is
    /// 0 or [`CHUNK`].
    #[inline]
    #[target_feature(enable = "avx2,vaes,vpclmulqdq")]
    pub(super) unsafe fn encrypt_and_add_chunks<const ROUNDS: usize>(
        &mut self,
        tables: &Tables,
        nonce: &__m256i,
        body: *mut u8,
        (mut from, to): (usize, usize),
        behind: usize,
    ) {
        while from < to {
            let whole = to - from;
            let whole = if self.is_last() {
                whole
            } else {
                whole.min(self.exponent / CHUNK_BLOCKS)
            };
            // In registers for as long as there is no reduction.
            let (mut sums, mut exponent) = (self.sums, self.exponent);
            for chunk in from..from + whole {
                // SAFETY: by the caller; a segment is whole chunks, and the last one has a power for each
                // block.
                unsafe {
                    let octets = body.add(chunk * CHUNK);
                    let unit = 1 + chunk * STEP;
                    aes::encrypt_and_hash_chunk::<ROUNDS>(
                        tables,
                        nonce,
                        unit,
                        octets,
                        octets.sub(behind),
                        exponent,
                        &mut sums,
                    );
                }
                exponent -= CHUNK_BLOCKS;
            }
            self.sums = sums;
            self.added(tables, whole);
            from += whole;
        }
    }

    /// XORs the keystream onto another frame's first chunk, at `octets`, and adds the chunk at `hashed`.
    ///
    /// # Safety
    /// As for [`aes::encrypt_and_hash_chunk`] and [`Self::add_chunk`].
    #[inline]
    #[target_feature(enable = "avx2,vaes,vpclmulqdq")]
    pub(super) unsafe fn add_chunk_beside<const ROUNDS: usize>(
        &mut self,
        tables: &Tables,
        nonce: &__m256i,
        octets: *mut u8,
        hashed: *const u8,
    ) {
        let (exponent, sums) = (self.exponent, &mut self.sums);
        // SAFETY: by the caller; a segment is whole chunks, and the last one has a power for each block.
        unsafe {
            aes::encrypt_and_hash_chunk::<ROUNDS>(tables, nonce, 1, octets, hashed, exponent, sums);
        }
        self.added(tables, 1);
    }

    /// Adds what is left of the text and gives the result, mirrored.
    ///
    /// # Safety
    /// The segment is the last; 32 octets may be read from each of the `len`, which are the frame's last.
    #[inline]
    #[target_feature(enable = "avx2,vpclmulqdq")]
    pub(super) unsafe fn end(&self, tables: &Tables, octets: *const u8, len: usize) -> __m128i {
        let mut sums = self.sums;
        // SAFETY: by the caller, and each block has a power: the last one has 2.
        unsafe { ghash::add_run(&mut sums, tables, octets, len, self.exponent) };
        sums.reduce(tables)
    }
}

/// GHASH of a long frame, mirrored, of which chunks are decrypted on the way: each after it was added.
///
/// # Safety
/// The frame is long, and `len` octets at `body` are its text behind the first block; see [`Place`].
#[inline]
#[target_feature(enable = "avx2,vaes,vpclmulqdq")]
pub(super) unsafe fn long<const ROUNDS: usize>(
    tables: &Tables,
    nonce: &__m256i,
    front: Front,
    body: *mut u8,
    len: usize,
) -> __m128i {
    let mut exponent = 1 + len.div_ceil(16);
    let chunks = len / CHUNK;
    // SAFETY: a long frame's blocks all have powers, its chunks have counters, and its text may be read and
    // written as its place says.
    unsafe {
        let mut sums = front.sums(tables, exponent);
        for chunk in 0..chunks {
            let octets = body.add(chunk * CHUNK);
            let unit = 1 + chunk * STEP;
            aes::encrypt_and_hash_chunk::<ROUNDS>(
                tables, nonce, unit, octets, octets, exponent, &mut sums,
            );
            exponent -= CHUNK_BLOCKS;
        }
        let at = chunks * CHUNK;
        ghash::add_run(&mut sums, tables, body.add(at), len - at, exponent);
        sums.reduce(tables)
    }
}
