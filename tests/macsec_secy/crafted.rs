//! Frames that a peer with the right key could seal and that no transmitter may send.

use std::sync::Arc;

use macsec_gateway::crypto::AeadFrame;
use macsec_gateway::ieee::{CipherSuite, Pn};
use macsec_gateway::macsec::{
    Confidentiality, Reject, Replay, RxSa, RxSecy, SecTag, Tci, ValidateFrames,
};

use crate::bed::{AN, Channel, KI, Rx, counting, key};

/// A frame of 80 octets under `tci`, all its data encrypted and its ICV right.
fn sealed(channel: &Channel, tci: u8, pn: u64) -> Vec<u8> {
    let plain = counting(80, 0);
    let mut frame = plain[..12].to_vec();
    let tag = SecTag {
        tci: Tci(tci | Tci::SC | AN.value()),
        short_length: 0,
        pn: Pn(pn).wire(),
        sci: Some(channel.sci()),
    };
    let mut octets = [0; 16];
    tag.emit(&mut octets).unwrap();
    frame.extend(octets);
    frame.extend(&plain[12..]);
    frame.extend([0; 16]);
    let mut nonce = [0; 12];
    match channel.xpn() {
        None => {
            nonce[..8].copy_from_slice(&channel.sci().octets());
            nonce[8..].copy_from_slice(&Pn(pn).wire().to_be_bytes());
        }
        Some(xpn) => {
            nonce[..4].copy_from_slice(&xpn.ssci.0.to_be_bytes());
            nonce[4..].copy_from_slice(&pn.to_be_bytes());
            nonce.iter_mut().zip(xpn.salt.0).for_each(|(n, s)| *n ^= s);
        }
    }
    key(channel.suite, 0).seal(&mut [AeadFrame::exact(nonce, 28, &mut frame)]);
    frame
}

#[test]
fn the_craft_is_right() {
    for suite in CipherSuite::ALL {
        let channel = Channel {
            suite,
            ..Channel::default()
        };
        let frame = sealed(&channel, Tci::E | Tci::C, 5);
        assert_eq!(channel.rx().validate(&frame), Ok(counting(80, 0)));
    }
}

/// No GCM suite changes user data without encrypting it, so nothing says how such a frame would be
/// read: it is not valid, whatever its ICV.
#[test]
fn changed_without_encrypted_is_not_valid_even_with_the_key() {
    for validate in [
        ValidateFrames::Disabled,
        ValidateFrames::Check,
        ValidateFrames::Strict,
    ] {
        let channel = Channel {
            validate,
            ..Channel::default()
        };
        let frame = sealed(&channel, Tci::C, 5);
        assert_eq!(channel.rx().validate(&frame), Err(Reject::NotValid));
    }
}

/// The last number of the extended space is left unused, so that "next" always fits.
#[test]
fn the_last_extended_number_is_never_valid() {
    let channel = Channel {
        suite: CipherSuite::GcmAesXpn128,
        first_pn: u64::MAX - 1,
        replay: Replay::Window(10),
        ..Channel::default()
    };
    let mut rx = channel.rx();
    let last = sealed(&channel, Tci::E | Tci::C, u64::MAX);
    assert_eq!(rx.validate(&last), Err(Reject::NotValid));
    let last_but_one = sealed(&channel, Tci::E | Tci::C, u64::MAX - 1);
    assert!(rx.validate(&last_but_one).is_ok());
    assert_eq!(rx.validate(&last_but_one), Err(Reject::Duplicate));
    assert_eq!(rx.validate(&last), Err(Reject::NotValid));
}

/// A transmitter that starts at 0 with XPN is off the standard: its first frame is refused even
/// where late frames are delivered.
#[test]
fn extended_number_zero_is_a_bad_tag() {
    let channel = Channel {
        suite: CipherSuite::GcmAesXpn256,
        replay: Replay::Off,
        ..Channel::default()
    };
    let frame = sealed(&channel, Tci::E | Tci::C, 0);
    assert_eq!(channel.rx().validate(&frame), Err(Reject::BadTag));
}

/// With XPN no window is wider than the standard allows, whatever the SecY was told.
#[test]
fn a_window_counts_as_its_suite_allows() {
    for (suite, lowest) in [
        (
            CipherSuite::GcmAesXpn128,
            (1 << 31) + 1 - ((1u64 << 30) - 1),
        ),
        (CipherSuite::GcmAes128, 1),
    ] {
        let channel = Channel {
            suite,
            replay: Replay::Window(u32::MAX),
            ..Channel::default()
        };
        let mut rx = Rx::new(RxSecy::new(channel.rx_params()));
        rx.add_sc(channel.sci());
        let params = channel.rx_sa_params(AN, KI, key(suite, 0));
        let shared = Arc::clone(&params.shared);
        rx.install(RxSa::new(params).unwrap());
        let frame = sealed(&channel, Tci::E | Tci::C, 1 << 31);
        assert!(rx.validate(&frame).is_ok(), "{suite}");
        // Control learns of it with the burst.
        assert_eq!(shared.next_pn(), Pn((1 << 31) + 1), "{suite}");
        assert_eq!(shared.lowest_pn(), Pn(lowest), "{suite}");
    }
}

/// Integrity-only frames under an SA that encrypts are valid: E and C are the frame's own.
#[test]
fn both_kinds_of_protection_under_one_key() {
    let channel = Channel::default();
    let mut rx = channel.rx();
    let open = Channel {
        confidentiality: Confidentiality::IntegrityOnly,
        ..channel
    };
    let given = counting(80, 0);
    assert_eq!(rx.validate(&open.tx().protect(&given)), Ok(given.clone()));
    let frame = sealed(&channel, Tci::E | Tci::C, 2);
    assert_eq!(rx.validate(&frame), Ok(given));
    let sc = &rx.scs[0];
    assert_eq!(sc.in_octets_validated.value(), 68);
    assert_eq!(sc.in_octets_decrypted.value(), 68);
}
