//! Recorded exchanges between real MKA implementations: every frame decodes, its ICV is right, its SAKs
//! are the recorded ones, and what we would send in its place is the same octets.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test may end it, as its own body may"
)]

#[expect(dead_code, reason = "times and nodes are for who plays a recording")]
#[path = "golden/recording.rs"]
mod recording;

use std::collections::{BTreeMap, BTreeSet};

use macsec_gateway::{
    crypto::{AesKeyAgreement, CakKeys, KeyAgreement, Sak, random::SystemRandom},
    ieee::{CipherSuite, EtherType, KeyIdentifier, MacAddr},
    mka::{
        Discard, IcvHeader, Protection,
        pdu::{DistributedKey, DistributedSak, Envelope, Mkpdu, Received, SuiteField, encode},
    },
};
use recording::Recording;

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 0xff]);

fn crypto() -> AesKeyAgreement<SystemRandom> {
    AesKeyAgreement::new(SystemRandom)
}

fn keys(recording: &Recording) -> CakKeys {
    crypto().derive(&recording.cak(), &recording.ckn).unwrap()
}

fn heard(frame: &[u8], keys: &CakKeys) -> Result<Mkpdu, Discard> {
    Received::parse(frame, EtherType::EAPOL, OWN)?.verify(&crypto(), &keys.ick, IcvHeader::AsSent)
}

/// Every frame of every recording, taken apart.
fn every_frame(mut look: impl FnMut(&Recording, &CakKeys, &[u8], &Mkpdu)) {
    for recording in Recording::all() {
        let keys = keys(&recording);
        assert!(recording.frames.len() > 20, "{}", recording.name);
        for (number, (_, frame)) in recording.frames.iter().enumerate() {
            let pdu = heard(frame, &keys);
            assert!(pdu.is_ok(), "{} {number}: {pdu:?}", recording.name);
            look(&recording, &keys, frame, &pdu.unwrap());
        }
    }
}

fn distributed(pdu: &Mkpdu) -> Option<(KeyIdentifier, &DistributedKey)> {
    match &pdu.distributed_sak {
        Some(DistributedSak::Key(key)) => Some((pdu.basic.mi.key(key.kn), key)),
        _ => None,
    }
}

#[test]
fn every_frame_is_taken_and_belongs_to_its_exchange() {
    every_frame(|recording, _, frame, pdu| {
        let source: [u8; 6] = frame[6..12].try_into().unwrap();
        assert_eq!(pdu.basic.ckn, recording.ckn);
        assert_eq!(pdu.basic.sci.address(), MacAddr(source));
        assert_eq!(pdu.basic.version, 1);
        assert!(pdu.basic.macsec_desired);
        assert_eq!(pdu.icv_indicator, recording.name == "hhead_2peer_icvind");
        assert!(!pdu.distributed_cak);
    });
}

#[test]
fn every_wrapped_sak_unwraps_to_the_recorded_one_and_wraps_to_the_same_octets() {
    let mut suites = BTreeMap::new();
    let mut seen: BTreeSet<(&str, KeyIdentifier)> = BTreeSet::new();
    every_frame(|recording, keys, _, pdu| {
        let Some((ki, key)) = distributed(pdu) else {
            return;
        };
        let event = recording
            .sa_events
            .iter()
            .find(|event| event.ki == ki)
            .unwrap();
        let sak = crypto().unwrap_sak(&keys.kek, &key.wrapped).unwrap();
        assert_eq!(sak.expose(), event.sak, "{}", recording.name);
        assert_eq!(key.an, event.an);
        assert_eq!(key.protection, Protection::Offset0);
        let again = Sak::take(&mut event.sak.clone()).unwrap();
        assert_eq!(crypto().wrap_sak(&keys.kek, &again), key.wrapped);
        suites.insert(recording.name, key.suite);
        seen.insert((recording.name, ki));
    });
    // Nothing was installed that did not travel.
    for recording in Recording::all() {
        for event in &recording.sa_events {
            assert!(
                seen.contains(&(recording.name, event.ki)),
                "{}",
                recording.name
            );
        }
    }
    let known = SuiteField::Known;
    for name in recording::NAMES {
        let suite = match name {
            "h211_2peer_aes256" => CipherSuite::GcmAes256,
            "sonic_2peer_xpn256" => CipherSuite::GcmAesXpn256,
            _ => CipherSuite::GcmAes128,
        };
        assert_eq!(suites[name], known(suite), "{name}");
    }
    assert_eq!(seen.len(), 7, "one SAK each, and one rekey");
}

#[test]
fn what_we_send_in_its_place_is_the_same_octets() {
    every_frame(|recording, keys, frame, pdu| {
        let envelope = Envelope {
            destination: MacAddr(frame[..6].try_into().unwrap()),
            source: MacAddr(frame[6..12].try_into().unwrap()),
            ethertype: EtherType::EAPOL,
            icv_header: IcvHeader::AsSent,
        };
        let again = encode(pdu, &envelope, &crypto(), &keys.ick).unwrap();
        assert_eq!(again[..], frame[..], "{}", recording.name);
    });
}

#[test]
fn the_key_in_use_ends_in_the_old_slot() {
    for recording in Recording::all() {
        let keys = keys(&recording);
        let (_, frame) = recording.frames.last().unwrap();
        let set = heard(frame, &keys).unwrap().sak_use.unwrap();
        assert_eq!(set.latest, None, "{}", recording.name);
        let old = set.old.unwrap();
        assert!(old.tx && old.rx);
        let last = recording
            .sa_events
            .iter()
            .map(|event| event.ki)
            .max()
            .unwrap();
        assert_eq!(old.mi.key(old.kn), last);
    }
}

#[test]
fn cut_or_changed_anywhere_it_is_refused() {
    for recording in Recording::all() {
        let keys = keys(&recording);
        // The longest frame has the most to go wrong.
        let (_, frame) = recording
            .frames
            .iter()
            .max_by_key(|(_, frame)| frame.len())
            .unwrap();
        for len in 0..frame.len() {
            assert!(
                heard(&frame[..len], &keys).is_err(),
                "{} {len}",
                recording.name
            );
        }
        let mut frame = frame.clone();
        for bit in 0..frame.len() * 8 {
            frame[bit / 8] ^= 1 << (bit % 8);
            assert!(
                heard(&frame, &keys).is_err(),
                "{} bit {bit}",
                recording.name
            );
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        assert!(heard(&frame, &keys).is_ok());
    }
}

#[test]
fn the_key_of_another_exchange_opens_none() {
    let other = Recording::read("h210_2peer_cak256_ckn32");
    let keys = keys(&other);
    for recording in Recording::all().filter(|recording| recording.cak != other.cak) {
        for (_, frame) in &recording.frames {
            assert_eq!(heard(frame, &keys), Err(Discard::Icv));
        }
    }
}
