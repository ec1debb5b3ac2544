//! What every kernel needs of a key: AES's round keys, and powers of the hash key.
//!
//! Made with the CPU's own instructions in vector registers: no table, no branch and no index depends on
//! the key, and nothing of it passes through a general-purpose register. What is made here lies on the
//! stack that [`Locked::new`](crate::crypto::Locked::new) overwrites.
#![expect(
    unsafe_code,
    reason = "a CPU kernel; docs/adr/0012-a-burst-engine-of-our-own.md"
)]

use core::arch::x86_64::{
    __m128i, _mm_add_epi64, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_aeskeygenassist_si128,
    _mm_and_si128, _mm_clmulepi64_si128, _mm_set_epi8, _mm_set_epi64x, _mm_setzero_si128,
    _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_slli_si128, _mm_srai_epi32, _mm_xor_si128,
};

use crate::crypto::{KeyError, Sak};

/// Round keys of the longer key, which has the more.
pub(super) const ROUND_KEYS_MAX: usize = 15;

/// An expanded key.
pub(super) struct Schedule {
    /// 10 for AES-128, 14 for AES-256.
    pub(super) rounds: usize,
    /// `rounds + 1` of them; zero behind.
    pub(super) round_keys: [__m128i; ROUND_KEYS_MAX],
    /// See [`Schedule::power`].
    hash_key: __m128i,
}

impl Schedule {
    /// Expands `sak`.
    ///
    /// # Errors
    /// [`KeyError`] where the key has no locked memory, or a length that AES-GCM here doesn't have.
    #[target_feature(enable = "aes,pclmulqdq,ssse3")]
    pub(super) fn of(sak: &Sak) -> Result<Self, KeyError> {
        let (rounds, round_keys) = match *sak.expose_locked()?.as_chunks::<16>().0 {
            [ref key] => (10, expand_128(block(key))),
            [ref low, ref high] => (14, expand_256(block(low), block(high))),
            _ => return Err(KeyError::Refused),
        };
        let mut schedule = Self {
            rounds,
            round_keys,
            hash_key: _mm_setzero_si128(),
        };
        schedule.hash_key = times_x(mirrored(schedule.encrypt(_mm_setzero_si128())));
        Ok(schedule)
    }

    /// The hash key as [`multiply`] wants it: mirrored, and times x.
    #[target_feature(enable = "sse2")]
    pub(super) fn hash_key(&self) -> __m128i {
        self.hash_key
    }

    #[target_feature(enable = "aes")]
    fn encrypt(&self, block: __m128i) -> __m128i {
        let [first, rest @ ..] = &self.round_keys;
        let (middle, last) = rest.split_at(self.rounds - 1);
        let state = middle
            .iter()
            .fold(_mm_xor_si128(block, *first), |state, key| {
                _mm_aesenc_si128(state, *key)
            });
        last.first()
            .map_or(state, |last| _mm_aesenclast_si128(state, *last))
    }
}

/// A product in GHASH's field. `hash_key` and the result are mirrored and times x, as every power that a
/// kernel keeps; a block of data, which is only mirrored, times such a power is mirrored alone.
#[target_feature(enable = "pclmulqdq")]
pub(super) fn multiply(block: __m128i, hash_key: __m128i) -> __m128i {
    let low = _mm_clmulepi64_si128::<0x00>(block, hash_key);
    let middle = _mm_xor_si128(
        _mm_clmulepi64_si128::<0x01>(block, hash_key),
        _mm_clmulepi64_si128::<0x10>(block, hash_key),
    );
    let high = _mm_clmulepi64_si128::<0x11>(block, hash_key);
    let middle = _mm_xor_si128(middle, fold(low));
    _mm_xor_si128(high, fold(middle))
}

/// The low half of `part` taken modulo the field's polynomial, into the next 64 bits.
#[target_feature(enable = "pclmulqdq")]
fn fold(part: __m128i) -> __m128i {
    let polynomial = _mm_set_epi64x(POLYNOMIAL, 1);
    let product = _mm_clmulepi64_si128::<0x10>(part, polynomial);
    _mm_xor_si128(product, _mm_shuffle_epi32::<0x4E>(part))
}

/// The polynomial's upper half, mirrored: x^63 + x^62 + x^57.
pub(super) const POLYNOMIAL: i64 = 0xC200_0000_0000_0000_u64.cast_signed();

#[target_feature(enable = "sse2")]
fn times_x(block: __m128i) -> __m128i {
    // The bits that a shift to the left would lose: that of the lower half moves to the upper one, that
    // of the upper half comes back as the polynomial.
    let carries = _mm_srai_epi32::<31>(_mm_shuffle_epi32::<0xD3>(block));
    let carries = _mm_and_si128(carries, _mm_set_epi64x(POLYNOMIAL | 1, 1));
    _mm_xor_si128(_mm_add_epi64(block, block), carries)
}

/// The block's octets from last to first.
#[target_feature(enable = "ssse3")]
fn mirrored(block: __m128i) -> __m128i {
    let order = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    _mm_shuffle_epi8(block, order)
}

#[target_feature(enable = "sse2")]
fn block(octets: &[u8; 16]) -> __m128i {
    // SAFETY: the reference is good for reading 16 octets, and the load asks for no alignment.
    unsafe { core::arch::x86_64::_mm_loadu_si128(octets.as_ptr().cast()) }
}

/// Each word of `key` XORed with all words before it (FIPS 197 5.2, four words at once).
#[target_feature(enable = "sse2")]
fn running(key: __m128i) -> __m128i {
    let key = _mm_xor_si128(key, _mm_slli_si128::<4>(key));
    _mm_xor_si128(key, _mm_slli_si128::<8>(key))
}

/// The next four words after `key`, with the word that goes through the S-box and is rotated.
#[target_feature(enable = "aes")]
fn rotated<const ROUND: i32>(key: __m128i, word: __m128i) -> __m128i {
    let assist = _mm_shuffle_epi32::<0xFF>(_mm_aeskeygenassist_si128::<ROUND>(word));
    _mm_xor_si128(running(key), assist)
}

/// The same with the word that only goes through the S-box: every second time with the longer key.
#[target_feature(enable = "aes")]
fn substituted(key: __m128i, word: __m128i) -> __m128i {
    let assist = _mm_shuffle_epi32::<0xAA>(_mm_aeskeygenassist_si128::<0>(word));
    _mm_xor_si128(running(key), assist)
}

#[target_feature(enable = "aes")]
fn expand_128(k0: __m128i) -> [__m128i; ROUND_KEYS_MAX] {
    let k1 = rotated::<0x01>(k0, k0);
    let k2 = rotated::<0x02>(k1, k1);
    let k3 = rotated::<0x04>(k2, k2);
    let k4 = rotated::<0x08>(k3, k3);
    let k5 = rotated::<0x10>(k4, k4);
    let k6 = rotated::<0x20>(k5, k5);
    let k7 = rotated::<0x40>(k6, k6);
    let k8 = rotated::<0x80>(k7, k7);
    let k9 = rotated::<0x1B>(k8, k8);
    let k10 = rotated::<0x36>(k9, k9);
    let none = _mm_setzero_si128();
    [
        k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, none, none, none, none,
    ]
}

#[target_feature(enable = "aes")]
fn expand_256(k0: __m128i, k1: __m128i) -> [__m128i; ROUND_KEYS_MAX] {
    let k2 = rotated::<0x01>(k0, k1);
    let k3 = substituted(k1, k2);
    let k4 = rotated::<0x02>(k2, k3);
    let k5 = substituted(k3, k4);
    let k6 = rotated::<0x04>(k4, k5);
    let k7 = substituted(k5, k6);
    let k8 = rotated::<0x08>(k6, k7);
    let k9 = substituted(k7, k8);
    let k10 = rotated::<0x10>(k8, k9);
    let k11 = substituted(k9, k10);
    let k12 = rotated::<0x20>(k10, k11);
    let k13 = substituted(k11, k12);
    let k14 = rotated::<0x40>(k12, k13);
    [
        k0, k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12, k13, k14,
    ]
}
