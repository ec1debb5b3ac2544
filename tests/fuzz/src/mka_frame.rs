//! MKPDUs: a whole frame with its ICV, and the parameter sets with the ICV out of the way.

use std::cell::OnceCell;

use macsec_gateway::crypto::random::SystemRandom;
use macsec_gateway::crypto::{AesKeyAgreement, Cak, CakKeys, KeyAgreement};
use macsec_gateway::ieee::{EtherType, MacAddr};
use macsec_gateway::mka::pdu::{Envelope, Mkpdu, Received, SakUse, encode};
use macsec_gateway::mka::{Discard, IcvHeader};

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const CRYPTO: AesKeyAgreement<SystemRandom> = AesKeyAgreement::new(SystemRandom);

/// The CAK of most of the recordings in `tests/golden`, which are inputs.
const CAK: [u8; 16] = [
    0x01, 0x11, 0x21, 0x31, 0x41, 0x51, 0x61, 0x71, 0x81, 0x91, 0xa1, 0xb1, 0xc1, 0xd1, 0xe1, 0xf1,
];
const CKN: &str = "6162636465666768696a6b6c6d6e6f70";

thread_local! {
    static KEYS: OnceCell<CakKeys> = const { OnceCell::new() };
}

fn with_keys<T>(run: impl FnOnce(&CakKeys) -> T) -> T {
    KEYS.with(|keys| {
        run(keys.get_or_init(|| {
            let cak = Cak::take(&mut CAK.clone()).unwrap();
            CRYPTO.derive(&cak, &CKN.parse().unwrap()).unwrap()
        }))
    })
}

/// One input: a frame. What is heard is heard again from what we would send in its place, under either
/// ICV header; what is not has a reason that goes with how far it was read.
pub fn run(octets: &[u8]) {
    let received = match Received::parse(octets, EtherType::EAPOL, OWN) {
        Ok(received) => received,
        Err(reason) => {
            assert!(matches!(
                reason,
                Discard::NotMka | Discard::Length | Discard::Basic
            ));
            return;
        }
    };
    assert_eq!(&octets[6..12], received.source().0);
    assert!(octets.len() >= 14 + 4 + 52 && !received.ckn().octets().is_empty());
    with_keys(|keys| {
        for header in [IcvHeader::AsSent, IcvHeader::Standard] {
            match received.verify(&CRYPTO, &keys.ick, header) {
                Ok(pdu) => heard_again(&pdu, keys),
                Err(reason) => assert!(matches!(
                    reason,
                    Discard::Agility | Discard::Icv | Discard::Malformed
                )),
            }
        }
    });
}

/// One input: a MKPDU without its ICV, from the basic set on. The length is made right, as no fuzzer
/// cares for it.
pub fn parameter_sets(octets: &[u8]) {
    let octets = &octets[..octets.len() / 4 * 4];
    let mut frame = vec![1, 0x80, 0xc2, 0, 0, 3, 2, 0, 0, 0, 0, 2, 0x88, 0x8e, 3, 5];
    frame.extend(u16::try_from(octets.len() + 16).unwrap().to_be_bytes());
    frame.extend(octets);
    frame.extend([0; 16]);
    let Ok(received) = Received::parse(&frame, EtherType::EAPOL, OWN) else {
        return;
    };
    match received.unverified() {
        Ok(pdu) => with_keys(|keys| heard_again(&pdu, keys)),
        Err(reason) => assert_eq!(reason, Discard::Malformed),
    }
}

/// What was heard, sent by us, is heard as the same: but for what is never sent.
fn heard_again(pdu: &Mkpdu, keys: &CakKeys) {
    let pdu = Mkpdu {
        sak_use: pdu.sak_use.map(as_sent),
        distributed_cak: false,
        ..pdu.clone()
    };
    let envelope = Envelope {
        destination: MacAddr::PAE_GROUP,
        source: MacAddr([2, 0, 0, 0, 0, 2]),
        ethertype: EtherType::EAPOL,
        icv_header: IcvHeader::AsSent,
    };
    let frame = encode(&pdu, &envelope, &CRYPTO, &keys.ick).unwrap();
    let again = Received::parse(&frame, EtherType::EAPOL, OWN)
        .and_then(|received| received.verify(&CRYPTO, &keys.ick, IcvHeader::AsSent));
    assert_eq!(again, Ok(pdu));
}

/// No packet number is sent as 0.
fn as_sent(mut set: SakUse) -> SakUse {
    for key in [&mut set.latest, &mut set.old].into_iter().flatten() {
        key.lowest_pn = key.lowest_pn.max(1);
    }
    set
}
