//! CMAC by NIST's examples, and the KDF by every figure of `tests/vectors/`.

use alloc::{vec, vec::Vec};

use serde_json::Value;

use super::*;
use crate::{
    crypto::{Cak, Kek, KeyAgreement, Sak, seeded},
    ieee::{Ckn, decode_hex},
};

const FIGURES: &str = include_str!("../../../tests/vectors/ieee-802.1x-key-derivation.json");

fn octets(digits: &str) -> Vec<u8> {
    let mut out = vec![0; digits.len() / 2];
    decode_hex(digits.as_bytes(), &mut out).unwrap();
    out
}

fn field(vector: &Value, name: &str) -> Vec<u8> {
    octets(vector[name].as_str().unwrap())
}

/// The KDF under a key of either length, `len` octets of it.
fn derived(key: &[u8], label: &[u8], context: &[u8], len: usize) -> Vec<u8> {
    let key = Sak::take(&mut key.to_vec()).unwrap();
    let mut out = vec![0; len];
    derive(key.sized(), label, context, &mut out);
    out
}

/// What the figure's own fields give by the rule for its type.
fn computed(vector: &Value, len: usize) -> Vec<u8> {
    let get = |name| field(vector, name);
    let agreed = || {
        let cak = Cak::take(&mut get("cak")).unwrap();
        let ckn = Ckn::new(&get("ckn")).unwrap();
        seeded(1).derive(&cak, &ckn).unwrap()
    };
    // Both in one order, whoever is which.
    let macs = || {
        let (one, other) = (get("mac1"), get("mac2"));
        [one.clone().min(other.clone()), one.max(other)].concat()
    };
    match vector["type"].as_str().unwrap() {
        "KDF" => derived(&get("key"), &get("label"), &get("context"), len),
        "ICK" => agreed().ick.expose().to_vec(),
        "KEK" => agreed().kek.expose().to_vec(),
        "SAK" if vector["context"].is_string() => {
            derived(&get("cak"), b"IEEE8021 SAK", &get("context"), len)
        }
        "SAK" => {
            let kn = u32::try_from(vector["kn"].as_u64().unwrap()).unwrap();
            let mut context = get("ks_nonce");
            for mi in vector["mi_list"].as_array().unwrap() {
                context.extend(octets(mi.as_str().unwrap()));
            }
            context.extend(kn.to_be_bytes());
            derived(&get("cak"), b"IEEE8021 SAK", &context, len)
        }
        "EAP-CAK" => derived(&get("msk"), b"IEEE8021 EAP CAK", &macs(), len),
        "EAP-CKN" => {
            let context = [get("session_id"), macs()].concat();
            derived(&get("msk"), b"IEEE8021 EAP CKN", &context, len)
        }
        "AES-KW" => {
            let mut kek = Kek::take(&mut get("kek")).unwrap();
            let sak = Sak::take(&mut get("key")).unwrap();
            let wrapped = seeded(1).wrap_sak(&kek, &sak);
            let back = seeded(1).unwrap_sak(&kek, &wrapped).unwrap();
            assert_eq!(back.expose(), sak.expose());
            kek.octets_mut()[0] ^= 1;
            assert!(seeded(1).unwrap_sak(&kek, &wrapped).is_err());
            wrapped.to_vec()
        }
        other => panic!("a figure of another kind: {other}"),
    }
}

/// 802.1X-2020 Annex G, and figures that two independent implementations agree on.
#[test]
fn every_figure_comes_out() {
    let file: Value = serde_json::from_str(FIGURES).unwrap();
    let annex = file["annex_g"].as_array().unwrap();
    let crossed = file["cross_checked"]["vectors"].as_array().unwrap();
    assert_eq!((annex.len(), crossed.len()), (8, 13));
    for vector in annex.iter().chain(crossed) {
        let wanted = vector.get("expected").unwrap_or_else(|| &vector["out"]);
        let wanted = octets(wanted.as_str().unwrap());
        assert_eq!(computed(vector, wanted.len()), wanted, "{vector}");
    }
}

/// The text of NIST SP 800-38B's examples, of which the first octets are taken.
const TEXT: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                    30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

/// NIST SP 800-38B D.1 (as RFC 4493 4) and D.3: key, octets of text, CMAC.
const EXAMPLES: [(&str, usize, &str); 8] = {
    const SHORT: &str = "2b7e151628aed2a6abf7158809cf4f3c";
    const LONG: &str = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
    [
        (SHORT, 0, "bb1d6929e95937287fa37d129b756746"),
        (SHORT, 16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (SHORT, 40, "dfa66747de9ae63030ca32611497c827"),
        (SHORT, 64, "51f0bebf7e3b9d92fc49741779363cfe"),
        (LONG, 0, "028962f61b7bf89efc6b551f4667d983"),
        (LONG, 16, "28a7023f452e8f82bd4bf28d8c37c35c"),
        (LONG, 40, "aaf3d8f1de5640c232f5b169b9c911e6"),
        (LONG, 64, "e1992190549f6ed5696a2c056c315410"),
    ]
};

#[test]
fn cmac_is_nists() {
    let text = octets(TEXT);
    for (key, len, wanted) in EXAMPLES {
        let key = Sak::take(&mut octets(key)).unwrap();
        let mut out = [0; 16];
        cmac(key.sized(), &[&text[..len]], &mut out);
        assert_eq!(out.to_vec(), octets(wanted), "{len} octets");
    }
}

#[test]
fn the_counter_and_the_length_are_part_of_what_is_derived() {
    let key = [7; 16];
    let (short, long) = (derived(&key, b"a", b"b", 16), derived(&key, b"a", b"b", 32));
    assert_ne!(short, long[..16], "the length goes in");
    assert_ne!(long[..16], long[16..], "the counter goes in");
    let moved = derived(&key, b"ab", b"", 16);
    assert_ne!(short, moved, "label and context are kept apart");
}
