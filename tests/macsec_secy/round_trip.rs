//! validate(protect(x)) = x, and the shape of what lies between.

use macsec_gateway::ieee::CipherSuite;
use macsec_gateway::macsec::{
    Confidentiality, FrameBuf, Reject, SecTag, SectagSci, Tci, ValidateFrames,
};
use proptest::prelude::*;

use crate::bed::{AN, Channel, MTU, SOURCE, counting, longest, padded, plain};
use crate::frame::VecFrame;

/// Every channel there can be, strict as a rule.
pub(crate) fn channels() -> impl Strategy<Value = Channel> {
    use Confidentiality::{IntegrityOnly, Offset0, Offset30, Offset50};
    let confidentiality = prop::sample::select(vec![IntegrityOnly, Offset0, Offset30, Offset50]);
    let sectag_sci = prop::sample::select(vec![
        SectagSci::Explicit,
        SectagSci::EndStation,
        SectagSci::SingleCopyBroadcast,
        SectagSci::None,
    ]);
    (
        prop::sample::select(CipherSuite::ALL.to_vec()),
        confidentiality,
        sectag_sci,
        0..=2u8,
    )
        .prop_map(
            |(suite, confidentiality, sectag_sci, clear_vlan_tags)| Channel {
                suite,
                confidentiality: if suite.is_xpn() && confidentiality.encrypts() {
                    Offset0
                } else {
                    confidentiality
                },
                sectag_sci,
                clear_vlan_tags,
                ..Channel::default()
            },
        )
}

/// Frames, and how many VLAN tags they have.
fn frames() -> impl Strategy<Value = (Vec<u8>, usize)> {
    let len = prop_oneof![
        4 => 14..120usize,
        2 => 120..1600usize,
        1 => 1600..=9100usize,
        2 => prop::sample::select(vec![14, 59, 60, 61, 1514, 1515, 1522]),
        2 => MTU + 13..=MTU + 24,
    ];
    (len, 0..=3usize, any::<u64>()).prop_map(|(len, tags, mut seed)| {
        let frame = plain(len, tags, || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed.to_be_bytes()[0]
        });
        (frame, tags)
    })
}

proptest! {
    #![proptest_config(crate::bed::cases(600))]

    #[test]
    fn what_was_protected_is_delivered(
        channel in channels(),
        bursts in prop::collection::vec(prop::collection::vec(frames(), 1..8), 1..4),
    ) {
        let (mut tx, mut rx) = (channel.tx(), channel.rx());
        for burst in bursts {
            let mut frames: Vec<_> = burst.iter().map(|(plain, _)| VecFrame::new(plain)).collect();
            let sent = tx.burst(&mut frames).clone();
            let mut arriving = Vec::new();
            let mut wanted = Vec::new();
            for (i, (given, tags)) in burst.into_iter().enumerate() {
                if given.len() > longest(tags) {
                    prop_assert_eq!(sent.reject_of(i), Some(Reject::TooLong));
                } else {
                    prop_assert_eq!(sent.reject_of(i), None);
                    arriving.push(frames[i].clone());
                    wanted.push(padded(given));
                }
            }
            let verdicts = rx.burst(&mut arriving).clone();
            for (i, (frame, wanted)) in arriving.iter().zip(&wanted).enumerate() {
                prop_assert_eq!(verdicts.reject_of(i), None);
                prop_assert_eq!(frame.octets(), &wanted[..]);
            }
        }
    }
}

#[test]
fn every_length_of_interest_with_every_number_of_tags() {
    for suite in CipherSuite::ALL {
        for clear_vlan_tags in 0..=2 {
            let channel = Channel {
                suite,
                clear_vlan_tags,
                ..Channel::default()
            };
            let (mut tx, mut rx) = (channel.tx(), channel.rx());
            for tags in 0..=3 {
                for len in [14, 18, 22, 59, 60, 61, 1500, longest(tags)] {
                    let given = counting(len, tags);
                    let secured = tx.protect(&given);
                    assert_eq!(
                        rx.validate(&secured),
                        Ok(padded(given)),
                        "{len}, {tags} tags"
                    );
                }
                let too_long = VecFrame::new(&counting(longest(tags) + 1, tags));
                assert_eq!(tx.refuse(too_long), Reject::TooLong);
            }
            assert_eq!(tx.secy.counters().out_pkts_too_long.value(), 4);
        }
    }
}

/// What stands where in a protected frame.
#[test]
fn the_wire_image() {
    for (sectag_sci, bits, sectag_len) in [
        (SectagSci::Explicit, Tci::SC, 16),
        (SectagSci::EndStation, Tci::ES, 8),
        (SectagSci::SingleCopyBroadcast, Tci::SCB, 8),
        (SectagSci::None, 0, 8),
    ] {
        for (confidentiality, cipher_bits, in_clear) in [
            (Confidentiality::IntegrityOnly, 0, usize::MAX),
            (Confidentiality::Offset0, Tci::E | Tci::C, 0),
            (Confidentiality::Offset30, Tci::E | Tci::C, 30),
            (Confidentiality::Offset50, Tci::E | Tci::C, 50),
        ] {
            for (clear_vlan_tags, tags, clear) in [
                (0, 2, 0),
                (1, 2, 4),
                (2, 2, 8),
                (2, 1, 4),
                (2, 0, 0),
                (1, 3, 4),
            ] {
                for len in [14, 60, 100] {
                    let channel = Channel {
                        confidentiality,
                        sectag_sci,
                        clear_vlan_tags,
                        ..Channel::default()
                    };
                    let given = padded(counting(len, tags));
                    // A frame of 14 octets is too short to carry tags; its pad is no tag.
                    let clear = if len == 14 && tags > 1 {
                        clear.min(4)
                    } else {
                        clear
                    };
                    let secured = channel.tx().protect(&counting(len, tags));
                    let data = &given[12 + clear..];
                    assert_eq!(secured[..12 + clear], given[..12 + clear]);
                    let tag = SecTag::parse(&secured[12 + clear..]).unwrap();
                    assert_eq!(tag.len(), sectag_len);
                    assert_eq!(tag.tci, Tci(bits | cipher_bits | AN.value()));
                    assert_eq!(tag.pn, 1);
                    assert_eq!(
                        usize::from(tag.short_length),
                        if data.len() < 48 { data.len() } else { 0 }
                    );
                    assert_eq!(tag.sci, (bits == Tci::SC).then(|| channel.sci()));
                    let told = tag.channel(SOURCE);
                    assert_eq!(told, (sectag_sci != SectagSci::None).then(|| channel.sci()));
                    let text = &secured[12 + clear + sectag_len..secured.len() - 16];
                    let same = data.len().min(in_clear);
                    assert_eq!(text.len(), data.len());
                    assert_eq!(text[..same], data[..same]);
                    assert!(same == data.len() || text[same..] != data[same..]);
                }
            }
        }
    }
}

/// A carrier's Ethernet may pad a short protected frame: the short length says what to trim.
#[test]
fn pad_behind_the_icv_is_trimmed() {
    for suite in CipherSuite::ALL {
        let channel = Channel {
            suite,
            clear_vlan_tags: 2,
            ..Channel::default()
        };
        let (mut tx, mut rx) = (channel.tx(), channel.rx());
        for pad in [0, 1, 16, 40] {
            let given = counting(60, 2);
            let mut secured = tx.protect(&given);
            secured.extend(vec![0xee; pad]);
            assert_eq!(rx.validate(&secured), Ok(given));
        }
    }
}

/// A peer that does not pad before protecting sends less than Ethernet's minimum: it gets there padded.
#[test]
fn a_short_frame_of_a_peer_is_padded_when_delivered() {
    use macsec_gateway::macsec::{TxSa, TxSecy};

    let channel = Channel::default();
    let mut rx = channel.rx();
    let mut secy = TxSecy::new(channel.tx_params()).with_min_plain_frame(0);
    let key = crate::bed::key(channel.suite, 0);
    let sa = TxSa::new(channel.tx_sa_params(AN, crate::bed::KI, key)).unwrap();
    secy.install_sa(Box::new(sa));
    secy.encode_with(AN, crate::bed::KI);
    let mut tx = crate::bed::Tx::new(secy);
    for len in 14..64 {
        let given = counting(len, 0);
        let secured = tx.protect(&given);
        assert_eq!(secured.len(), len + 32);
        assert_eq!(rx.validate(&secured), Ok(padded(given)), "{len}");
    }
}

/// Frames that are not named are not touched, and keep what was said of them.
#[test]
fn only_what_is_to_do_is_done() {
    use macsec_gateway::macsec::{FrameSet, Verdicts};

    let channel = Channel::default();
    let (mut tx, mut rx) = (channel.tx(), channel.rx());
    let given = counting(80, 0);
    let mut frames = vec![VecFrame::new(&given); 70];
    let mut verdicts = Verdicts::new();
    verdicts.reject(1, Reject::Chained);
    verdicts.pass(2);
    let todo = FrameSet(1 | 1 << 5 | 1 << 63);
    tx.secy.protect_burst(&mut frames, todo, &mut verdicts);
    assert_eq!(verdicts.passed(), FrameSet(todo.0 | 1 << 2));
    assert_eq!(verdicts.reject_of(1), Some(Reject::Chained));
    for (i, frame) in frames.iter().enumerate() {
        assert_eq!(frame.octets() == given, !todo.contains(i), "{i}");
    }
    assert_eq!(tx.next_pn(), 4);
    rx.secy.validate_burst(&mut frames, todo, &mut verdicts);
    assert_eq!(verdicts.passed(), FrameSet(todo.0 | 1 << 2));
    assert!(frames.iter().all(|frame| frame.octets() == given));

    // Bits past the last frame name nothing.
    let mut one = [VecFrame::new(&given)];
    verdicts.clear();
    tx.secy
        .protect_burst(&mut one, FrameSet(u64::MAX), &mut verdicts);
    assert_eq!(verdicts.passed(), FrameSet(1));
    assert!(verdicts.rejected().is_empty());
}

#[test]
fn validation_that_is_off_or_lenient_delivers_valid_frames_too() {
    for validate in [ValidateFrames::Disabled, ValidateFrames::Check] {
        for confidentiality in [Confidentiality::IntegrityOnly, Confidentiality::Offset0] {
            let channel = Channel {
                validate,
                confidentiality,
                clear_vlan_tags: 1,
                ..Channel::default()
            };
            let given = counting(60, 1);
            let secured = channel.tx().protect(&given);
            assert_eq!(channel.rx().validate(&secured), Ok(given));
        }
    }
}
