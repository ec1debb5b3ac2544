//! The codec against its inverse, against the forms that peers send, and against damage. Recordings are
//! read in `tests/mka_golden.rs`.

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that reaches too far fails"
)]

mod announcements;
mod checks;
mod damage;
mod forms;
mod round_trip;
mod strategy;

use alloc::{format, vec, vec::Vec};

use super::*;
use crate::{
    crypto::{ICV_LEN, Ick, KeyAgreement, seeded},
    ieee::{CipherSuite, Ckn, EtherType, MacAddr, Sci},
    mka::{Discard, IcvHeader, Mi, Mn},
};

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const SOURCE: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

const ENVELOPE: Envelope = Envelope {
    destination: MacAddr::PAE_GROUP,
    source: SOURCE,
    ethertype: EtherType::EAPOL,
    icv_header: IcvHeader::AsSent,
};

/// Where the MKPDU begins in a frame.
const MKPDU: usize = 18;

fn ick() -> Ick {
    Ick::take(&mut [7; 16]).unwrap()
}

fn basic() -> Basic {
    Basic {
        version: 1,
        priority: 16,
        key_server: true,
        macsec_desired: true,
        capability: Capability::Offset0,
        sci: Sci::new(SOURCE, 1),
        mi: Mi([0xc1; 12]),
        mn: Mn(5),
        ckn: Ckn::new(b"abcd").unwrap(),
    }
}

fn sent(pdu: &Mkpdu) -> Frame {
    encode(pdu, &ENVELOPE, &seeded(1), &ick()).unwrap()
}

fn heard(frame: &[u8]) -> Result<Mkpdu, Discard> {
    Received::parse(frame, EtherType::EAPOL, OWN)?.verify(&seeded(1), &ick(), IcvHeader::AsSent)
}

/// A frame of the basic set above, then these octets, and a right ICV.
fn with_sets(sets: &[u8]) -> Vec<u8> {
    let mut frame = sent(&Mkpdu::new(basic())).to_vec();
    frame.truncate(frame.len() - ICV_LEN);
    frame.extend(sets);
    signed(frame)
}

/// The frame, whose ICV is still missing, with right lengths and ICV.
fn signed(mut frame: Vec<u8>) -> Vec<u8> {
    let len = u16::try_from(frame.len() - MKPDU + ICV_LEN).unwrap();
    frame[16..18].copy_from_slice(&len.to_be_bytes());
    let icv = seeded(1).icv(&ick(), &[&frame]);
    frame.extend(icv);
    frame
}
