//! Key wrap by RFC 3394's examples, ICVs in parts, and what the random source decides.

use alloc::{vec, vec::Vec};

use super::*;
use crate::{
    crypto::{ICV_LEN, seeded},
    ieee::decode_hex,
};

fn octets(digits: &str) -> Vec<u8> {
    let mut out = vec![0; digits.len() / 2];
    decode_hex(digits.as_bytes(), &mut out).unwrap();
    out
}

fn kek(digits: &str) -> Kek {
    Kek::take(&mut octets(digits)).unwrap()
}

fn sak(octets: &[u8]) -> Sak {
    Sak::take(&mut octets.to_vec()).unwrap()
}

const SHORT: &str = "000102030405060708090a0b0c0d0e0f";
const LONG: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// RFC 3394 4.1, 4.3 and 4.6: those with the lengths that MKA has. KEK, key, wrapped key.
const EXAMPLES: [(&str, &str, &str); 3] = [
    (
        SHORT,
        "00112233445566778899aabbccddeeff",
        "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
    ),
    (
        LONG,
        "00112233445566778899aabbccddeeff",
        "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7",
    ),
    (
        LONG,
        "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
        "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
    ),
];

#[test]
fn key_wrap_is_the_rfcs() {
    for (kek_digits, key, wrapped) in EXAMPLES {
        let agreement = seeded(1);
        let kek = kek(kek_digits);
        let made = agreement.wrap_sak(&kek, &sak(&octets(key)));
        assert_eq!(made.to_vec(), octets(wrapped));
        let opened = agreement.unwrap_sak(&kek, &made).unwrap();
        assert_eq!(opened.expose(), octets(key));
    }
}

#[test]
fn every_length_of_key_goes_under_every_length_of_kek() {
    let mut agreement = seeded(2);
    for kek_digits in [SHORT, LONG] {
        for suite in CipherSuite::ALL {
            let sak = agreement.generate_sak(suite).unwrap();
            let kek = kek(kek_digits);
            let wrapped = agreement.wrap_sak(&kek, &sak);
            assert_eq!(wrapped.len(), suite.sak_len() + 8);
            let opened = agreement.unwrap_sak(&kek, &wrapped).unwrap();
            assert_eq!(opened.expose(), sak.expose());
        }
    }
}

#[test]
fn a_wrapped_key_with_any_bit_changed_is_refused() {
    let mut agreement = seeded(3);
    for kek_digits in [SHORT, LONG] {
        for suite in [CipherSuite::GcmAes128, CipherSuite::GcmAes256] {
            let kek = kek(kek_digits);
            let sak = agreement.generate_sak(suite).unwrap();
            let wrapped = agreement.wrap_sak(&kek, &sak);
            for bit in 0..8 * wrapped.len() {
                let mut changed = wrapped.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let opened = agreement.unwrap_sak(&kek, &changed);
                assert_eq!(opened.err(), Some(UnwrapError::Check), "bit {bit}");
            }
        }
    }
}

#[test]
fn another_kek_and_another_length_are_refused() {
    let agreement = seeded(4);
    let wrapped = agreement.wrap_sak(&kek(SHORT), &sak(&[9; 32]));
    let opened = agreement.unwrap_sak(&kek(LONG), &wrapped);
    assert_eq!(opened.err(), Some(UnwrapError::Check));
    for len in (0..64).filter(|len| ![24, 40].contains(len)) {
        let opened = agreement.unwrap_sak(&kek(SHORT), &vec![0xA6; len]);
        assert_eq!(opened.err(), Some(UnwrapError::Length(len)));
    }
    let short = agreement.unwrap_sak(&kek(SHORT), &wrapped[..24]);
    assert_eq!(short.err(), Some(UnwrapError::Check));
}

#[test]
fn an_icv_is_the_same_however_the_frame_is_cut() {
    let agreement = seeded(5);
    let ick = Ick::take(&mut octets(LONG)).unwrap();
    let frame: Vec<u8> = (0..=u8::MAX).collect();
    let whole = agreement.icv(&ick, &[&frame]);
    assert_ne!(whole, [0; ICV_LEN]);
    for at in 0..=frame.len() {
        let (front, back) = frame.split_at(at);
        assert_eq!(agreement.icv(&ick, &[front, back]), whole, "cut at {at}");
        let parts = [front, &[], &back[..back.len() / 2], &back[back.len() / 2..]];
        assert_eq!(agreement.icv(&ick, &parts), whole, "cut at {at}");
    }
    let singly: Vec<_> = frame.chunks(1).collect();
    assert_eq!(agreement.icv(&ick, &singly), whole);
    assert_ne!(agreement.icv(&ick, &[&frame[1..]]), whole);
    let other = Ick::take(&mut octets(SHORT)).unwrap();
    assert_ne!(agreement.icv(&other, &[&frame]), whole);
}

/// Two CKNs that begin alike give the same keys, and one octet earlier gives others: only the first 16
/// octets are the KDF's context (802.1X-2020 9.3.3).
#[test]
fn ick_and_kek_are_two_keys_of_the_cak_and_the_front_of_its_name() {
    let agreement = seeded(6);
    for len in [16, 32] {
        let cak = Cak::take(&mut vec![0x5A; len]).unwrap();
        let of = |ckn: &[u8]| {
            let keys = agreement.derive(&cak, &Ckn::new(ckn).unwrap()).unwrap();
            (keys.ick.expose().to_vec(), keys.kek.expose().to_vec())
        };
        let (ick, kek) = of(&[1; 16]);
        assert_eq!((ick.len(), kek.len()), (len, len));
        assert_ne!(ick, kek);
        assert_eq!(of(&[1; 17]), (ick.clone(), kek));
        assert_ne!(of(&[1; 15]).0, ick);
        assert_eq!(of(&[1]), of(&[1, 0]), "a short name is padded with zeros");
    }
}

#[test]
fn a_seed_gives_the_same_keys_again_and_another_one_others() {
    let keys = |seed| {
        let mut agreement = seeded(seed);
        let mut mi = [0; 12];
        agreement.random(&mut mi).unwrap();
        let suite = CipherSuite::GcmAes256;
        let (one, other) = (
            agreement.generate_sak(suite).unwrap(),
            agreement.generate_sak(suite).unwrap(),
        );
        assert_ne!(one.expose(), other.expose());
        (mi, one.expose().to_vec())
    };
    assert_eq!(keys(7), keys(7));
    assert_ne!(keys(7), keys(8));
}

#[test]
fn without_randomness_there_is_no_key() {
    #[derive(Debug)]
    struct Dry;
    impl RandomSource for Dry {
        fn fill(&mut self, _out: &mut [u8]) -> Result<(), KeyError> {
            Err(KeyError::Randomness)
        }
    }
    let mut agreement = AesKeyAgreement::new(Dry);
    let sak = agreement.generate_sak(CipherSuite::GcmAes128);
    assert_eq!(sak.err(), Some(KeyError::Randomness));
    assert_eq!(agreement.random(&mut [0; 12]), Err(KeyError::Randomness));
}
