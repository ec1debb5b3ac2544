//! Every single-bit flip of a protected frame is refused and counted, or changes octets that nobody
//! authenticates.
//!
//! There are two kinds of such octets. The priority, drop eligibility and VLAN identifier of a clear
//! VLAN tag: a carrier may rewrite them, so they are outside the AAD; what is delivered differs in
//! that tag and nowhere else. And the pad that a carrier's Ethernet adds behind the ICV of a frame
//! with a short length: it is trimmed, so what is delivered does not differ at all. A flip in a tag's
//! TPID is refused: the frame then has no SecTAG where one is looked for.

use macsec_gateway::ieee::CipherSuite;
use macsec_gateway::macsec::{Confidentiality, Reject, Replay, SectagSci, ValidateFrames};

use crate::bed::{Channel, counting};

/// The part of a protected frame that an octet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Addresses,
    Tpid,
    ClearTag,
    EtherType,
    Tci,
    ShortLength,
    Pn,
    Sci,
    DataOrIcv,
    Pad,
}

fn part_of(at: usize, clear_len: usize, sectag_len: usize, icv_end: usize) -> Part {
    let header_len = 12 + clear_len;
    match at {
        _ if at >= icv_end => Part::Pad,
        0..12 => Part::Addresses,
        _ if at < header_len && (at - 12) % 4 < 2 => Part::Tpid,
        _ if at < header_len => Part::ClearTag,
        _ => match at - header_len {
            0..2 => Part::EtherType,
            2 => Part::Tci,
            3 => Part::ShortLength,
            4..8 => Part::Pn,
            8.. if at < header_len + sectag_len => Part::Sci,
            _ => Part::DataOrIcv,
        },
    }
}

/// The reasons for which a flip in a part may be refused.
fn reasons(part: Part) -> &'static [Reject] {
    use Reject::{BadTag, KayOnly, Late, NoSci, NoTag, NotUsingSa, NotValid};
    match part {
        // The source address is the SCI where only ES or SCB is sent.
        Part::Addresses => &[NotValid, NoSci],
        Part::Tpid | Part::EtherType => &[NoTag],
        Part::Tci => &[BadTag, NoSci, NotUsingSa, KayOnly, NotValid],
        Part::ShortLength => &[BadTag, NotValid],
        Part::Pn => &[NotValid, Late],
        Part::Sci => &[NoSci],
        Part::DataOrIcv => &[NotValid],
        Part::ClearTag | Part::Pad => &[],
    }
}

struct Shape {
    channel: Channel,
    tags: usize,
    len: usize,
    pad: usize,
}

fn shapes() -> Vec<Shape> {
    let mut shapes = Vec::new();
    let mut add = |channel: Channel, tags: usize, len, pad| {
        shapes.push(Shape {
            channel: Channel {
                clear_vlan_tags: u8::try_from(tags).unwrap(),
                replay: Replay::Window(500),
                first_pn: 1000,
                ..channel
            },
            tags,
            len,
            pad,
        });
    };
    for suite in CipherSuite::ALL {
        for confidentiality in [Confidentiality::IntegrityOnly, Confidentiality::Offset0] {
            for sectag_sci in [
                SectagSci::Explicit,
                SectagSci::EndStation,
                SectagSci::SingleCopyBroadcast,
                SectagSci::None,
            ] {
                let channel = Channel {
                    suite,
                    confidentiality,
                    sectag_sci,
                    ..Channel::default()
                };
                add(channel, 0, 60, 0);
                add(channel, 1, 60, 8);
                add(channel, 2, 100, 0);
            }
        }
    }
    for confidentiality in [Confidentiality::Offset30, Confidentiality::Offset50] {
        let channel = Channel {
            confidentiality,
            ..Channel::default()
        };
        add(channel, 0, 90, 0);
        add(channel, 2, 60, 4);
    }
    shapes
}

#[test]
fn every_flip_is_refused_or_lands_in_octets_that_nobody_authenticates() {
    let mut passed = 0;
    let mut refused = 0;
    for Shape {
        channel,
        tags,
        len,
        pad,
    } in shapes()
    {
        let given = counting(len, tags);
        let mut secured = channel.tx().protect(&given);
        let icv_end = secured.len();
        secured.extend(vec![0; pad]);
        let sectag_len = if channel.sectag_sci == SectagSci::Explicit {
            16
        } else {
            8
        };
        assert_eq!(channel.rx().validate(&secured), Ok(given.clone()));
        for bit in 0..secured.len() * 8 {
            let (at, mask) = (bit / 8, 1 << (bit % 8));
            let mut flipped = secured.clone();
            flipped[at] ^= mask;
            let part = part_of(at, 4 * tags, sectag_len, icv_end);
            let mut rx = channel.rx();
            match rx.validate(&flipped) {
                Err(why) => {
                    assert!(reasons(part).contains(&why), "{part:?} bit {bit}: {why}");
                    let frames = &rx.secy.counters().frames;
                    assert_eq!(frames.rejected(why).value(), 1);
                    refused += 1;
                }
                Ok(delivered) => {
                    let mut wanted = given.clone();
                    match part {
                        Part::ClearTag => wanted[at] ^= mask,
                        Part::Pad => {}
                        _ => panic!("{channel:?}: bit {bit} of {part:?} went unnoticed"),
                    }
                    assert_eq!(delivered, wanted);
                    passed += 1;
                }
            }
            // What was refused moved nothing: the true frame is still taken. What passed bore the
            // true frame's number, which is then used up.
            let again = rx.validate(&secured);
            if part == Part::ClearTag || part == Part::Pad {
                assert_eq!(again, Err(Reject::Duplicate));
            } else {
                assert_eq!(again, Ok(given.clone()), "{part:?} bit {bit}");
            }
        }
    }
    // Exactly the octets named above: two of each clear tag, and all of the pad.
    let unauthenticated: usize = shapes().iter().map(|s| 8 * (2 * s.tags + s.pad)).sum();
    assert_eq!(passed, unauthenticated);
    assert!(refused > 50_000, "{refused}");
}

/// With validation `check` an integrity-only frame is delivered in spite of a wrong ICV, exactly as
/// it came: no engine wipes it, since it has no text.
#[test]
fn check_delivers_what_came() {
    for clear_vlan_tags in 0..=2 {
        let channel = Channel {
            confidentiality: Confidentiality::IntegrityOnly,
            validate: ValidateFrames::Check,
            clear_vlan_tags,
            ..Channel::default()
        };
        let tags = usize::from(clear_vlan_tags);
        let given = counting(100, tags);
        let secured = channel.tx().protect(&given);
        let mut rx = channel.rx();
        let header_len = 12 + 4 * tags;
        for bit in 0..(given.len() - header_len) * 8 {
            let (at, mask) = (header_len + bit / 8, 1 << (bit % 8));
            let mut flipped = secured.clone();
            flipped[at + 16] ^= mask;
            let mut wanted = given.clone();
            wanted[at] ^= mask;
            assert_eq!(rx.validate(&flipped), Ok(wanted));
        }
        assert_eq!(
            rx.scs[0].in_pkts_invalid.value(),
            (given.len() - header_len) as u64 * 8
        );
        assert_eq!(rx.scs[0].in_pkts_ok.value(), 0);
        assert_eq!(
            rx.validate(&secured),
            Ok(given),
            "none of them moved the window"
        );
    }
}
