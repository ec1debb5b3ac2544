//! EAPOL while a KaY runs: what ends in the lane and why, whose slots are whose, and that key agreement
//! leaves by no other way.

use proptest::prelude::*;

use super::{
    bench::{AnyLane, BYPASSED, Bench, OWN, Peer, filter},
    frames::{SOURCE, VecFrame, frame},
};
use crate::{
    bus::{Direction, DropReason, EAPOL_SLOT_LEN, EapolFilter, LaneCommand, LaneMode},
    ieee::{EtherType, MacAddr},
    macsec::FrameSet,
};

use DropReason as D;

const KNOWN: &[u8] = b"known";
const STRANGER: [u8; 6] = [2, 9, 9, 9, 9, 9];
/// Copies of one burst for live peers, and for others.
const LIVE_COPIES: usize = 64;
const OTHER_COPIES: usize = 4;

/// An MKPDU of nothing but the basic parameter set, with an ICV that nobody checks here.
fn mkpdu(source: [u8; 6], ckn: &[u8]) -> Vec<u8> {
    let padded = ckn.len().next_multiple_of(4);
    let body = u16::try_from(4 + 28 + padded + 16).unwrap();
    let set = u16::try_from(28 + ckn.len()).unwrap();
    let mut octets = vec![0x01, 0x80, 0xc2, 0, 0, 3];
    octets.extend(source);
    octets.extend([0x88, 0x8e, 3, 5]);
    octets.extend(body.to_be_bytes());
    // The flags share two octets with the length.
    octets.extend([3, 16]);
    octets.extend((0xe000 | set).to_be_bytes());
    octets.extend([0xab; 28]);
    octets.extend(ckn);
    octets.resize(18 + usize::from(body), 0);
    octets
}

fn with(mut octets: Vec<u8>, at: usize, new: &[u8]) -> Vec<u8> {
    octets[at..at + new.len()].copy_from_slice(new);
    octets
}

/// A validate lane that hears MKPDUs of two CKNs, and of one live peer.
fn listening(mode: LaneMode) -> Bench {
    let mut bench = Bench::keyed(Direction::Validate, mode);
    bench.command(LaneCommand::EapolFilter(Some(filter(&[b"other", KNOWN]))));
    bench.said.clear();
    bench
}

fn burst(bench: &mut Bench, octets: &[Vec<u8>]) {
    let mut frames: Vec<_> = octets.iter().map(|octets| VecFrame::new(octets)).collect();
    assert!(bench.burst(&mut frames).is_empty());
}

fn dropped(bench: &Bench, why: DropReason) -> u64 {
    bench.counters().dropped(why).value()
}

#[test]
fn what_the_kay_can_not_use_ends_in_the_lane_under_its_own_reason() {
    let right = || mkpdu(SOURCE, KNOWN);
    let len = u16::try_from(right().len() - 18).unwrap();
    let claims = |len: u16| with(right(), 16, &len.to_be_bytes());
    let ckn_of = |len: u16| with(right(), 20, &len.to_be_bytes());
    let cases = [
        ("eapol start", with(right(), 15, &[1]), D::EapolNotMka),
        ("no body", right()[..18].to_vec(), D::EapolLength),
        ("no eapol header", right()[..15].to_vec(), D::EapolLength),
        ("half a length", right()[..17].to_vec(), D::EapolLength),
        ("a body that is too short", claims(28), D::EapolLength),
        ("a body beyond the frame", claims(len + 4), D::EapolLength),
        ("a body of odd length", claims(len - 2), D::EapolLength),
        ("the longest body", claims(u16::MAX - 3), D::EapolLength),
        ("no CKN", ckn_of(28), D::EapolLength),
        ("a set without room for a CKN", ckn_of(5), D::EapolLength),
        ("a CKN beyond the body", ckn_of(28 + 32), D::EapolLength),
        (
            "a CKN of 33 octets",
            mkpdu(SOURCE, &[7; 33]),
            D::EapolLength,
        ),
        ("unknown CKN", mkpdu(SOURCE, b"knowm"), D::EapolUnknownCkn),
        (
            "a longer CKN",
            mkpdu(SOURCE, b"known\0"),
            D::EapolUnknownCkn,
        ),
        ("a shorter CKN", mkpdu(SOURCE, b"know"), D::EapolUnknownCkn),
        ("our own frame", mkpdu(OWN.0, KNOWN), D::EapolReflected),
        (
            "longer than a slot",
            {
                let mut long = right();
                long.resize(EAPOL_SLOT_LEN + 1, 0);
                long
            },
            D::EapolOverrun,
        ),
    ];
    for mode in [
        LaneMode::Closed,
        LaneMode::Clear,
        LaneMode::SecuredAcceptClear,
        LaneMode::Secured,
    ] {
        for (name, octets, why) in &cases {
            let mut bench = listening(mode);
            burst(&mut bench, std::slice::from_ref(octets));
            assert_eq!(dropped(&bench, *why), 1, "{name} in {mode:?}");
            assert!(bench.eapol.take().is_none(), "{name}");
        }
        let mut bench = listening(mode);
        let mut padded = right();
        padded.resize(200, 0);
        burst(&mut bench, &[right(), padded.clone()]);
        for wanted in [right(), padded] {
            assert_eq!(bench.eapol.take().unwrap().octets(), wanted);
        }
        assert_eq!(bench.counters().dropped_total(), 0);
    }
}

#[test]
fn any_destination_is_heard() {
    for destination in [[0xff; 6], [1, 0x80, 0xc2, 0, 0, 0], [2, 0, 0, 0, 0, 0xee]] {
        let mut bench = listening(LaneMode::Secured);
        burst(&mut bench, &[with(mkpdu(SOURCE, KNOWN), 0, &destination)]);
        assert_eq!(bench.counters().to_control.value(), 1);
    }
}

#[test]
fn strangers_leave_a_live_peer_its_slots() {
    let mut bench = listening(LaneMode::Secured);
    let flood: Vec<_> = (0..64).map(|_| mkpdu(STRANGER, KNOWN)).collect();
    for _ in 0..1000 {
        burst(&mut bench, &flood);
    }
    let strangers = bench.counters().to_control.value();
    assert!(strangers < 100, "{strangers}");
    assert_eq!(
        dropped(&bench, D::EapolOverrun),
        64_000 - strangers,
        "the rest is counted"
    );
    burst(&mut bench, &[mkpdu(SOURCE, KNOWN)]);
    assert_eq!(bench.counters().to_control.value(), strangers + 1);
    // And it comes first.
    let first = bench.eapol.take().unwrap();
    assert_eq!(first.octets()[6..12], SOURCE);
    assert_eq!(bench.eapol.take().unwrap().octets()[6..12], STRANGER);
}

#[test]
fn a_burst_costs_a_bounded_number_of_copies() {
    for (source, copies) in [(SOURCE, LIVE_COPIES), (STRANGER, OTHER_COPIES)] {
        let mut bench = listening(LaneMode::Secured);
        burst(&mut bench, &vec![mkpdu(source, KNOWN); 64]);
        assert_eq!(bench.counters().to_control.value(), copies as u64);
        assert_eq!(dropped(&bench, D::EapolOverrun), 64 - copies as u64);
        // The next burst has its own.
        burst(&mut bench, &[mkpdu(source, KNOWN)]);
        assert_eq!(bench.counters().to_control.value(), copies as u64 + 1);
    }
}

/// A flood of 100,000 a second for as long as control needs for one turn.
#[test]
fn a_flood_with_a_live_peers_address_leaves_room_between_two_looks_of_control() {
    let mut bench = listening(LaneMode::Secured);
    for _ in 0..1000 {
        burst(&mut bench, &[mkpdu(SOURCE, KNOWN)]);
    }
    assert_eq!(dropped(&bench, D::EapolOverrun), 0);
    let mut taken = 0;
    while bench.eapol.take().is_some() {
        taken += 1;
    }
    assert_eq!(taken, 1000);
}

#[test]
fn the_other_ethertype_is_key_agreements_where_the_filter_says_so() {
    const OTHER: EtherType = EtherType(0x876f);
    let other = with(mkpdu(SOURCE, KNOWN), 12, &[0x87, 0x6f]);
    // Without: data like any other.
    let mut bench = listening(LaneMode::Clear);
    assert!(bench.one(VecFrame::new(&other)).is_some());
    for mode in [LaneMode::Closed, LaneMode::Clear, LaneMode::Secured] {
        let mut bench = listening(mode);
        let wanted = EapolFilter {
            ethertype: OTHER,
            ..*filter(&[KNOWN])
        };
        bench.command(LaneCommand::EapolFilter(Some(Box::new(wanted))));
        burst(&mut bench, &[other.clone(), mkpdu(SOURCE, KNOWN)]);
        assert_eq!(bench.counters().to_control.value(), 1);
        assert_eq!(bench.eapol.take().unwrap().octets(), other);
        // EAPOL's own type still reaches nobody else.
        assert_eq!(dropped(&bench, D::EapolNotMka), 1);
    }

    // From the plain side it does not leave in clear, even where it is on the list.
    let mut bench = Bench::keyed(Direction::Protect, LaneMode::Clear);
    assert!(bench.one(VecFrame::new(&other)).is_some());
    for ethertype in [OTHER, EtherType(BYPASSED)] {
        bench.command(LaneCommand::KayEtherType(ethertype));
        let from_plain = frame(&[ethertype.0], 100);
        bench.command(LaneCommand::Mode(LaneMode::Clear));
        assert!(bench.one(VecFrame::new(&from_plain)).is_none());
        assert!(bench.one(VecFrame::new(&frame(&[0x888e], 100))).is_none());
        bench.command(LaneCommand::Mode(LaneMode::Secured));
        let left = bench.one(VecFrame::new(&from_plain)).unwrap();
        assert_eq!(left[12..14], [0x88, 0xe5], "protected, it is data");
    }
    assert_eq!(dropped(&bench, D::EapolFromPlain), 4);
}

#[test]
fn eapol_out_of_a_protected_frame_is_data_and_no_kays() {
    let mut bench = listening(LaneMode::Secured);
    let mut peer = Peer::new();
    for source in [SOURCE, OWN.0] {
        let inner = mkpdu(source, KNOWN);
        let outer = peer.protected(&inner);
        assert_eq!(bench.one(VecFrame::new(&outer)), Some(inner));
    }
    assert!(bench.eapol.take().is_none());
    assert_eq!(bench.counters().to_control.value(), 0);
}

#[test]
fn a_wire_carries_eapol_whatever_the_filter_says() {
    let mut bench = listening(LaneMode::Wire);
    for octets in [mkpdu(OWN.0, KNOWN), mkpdu(SOURCE, b"?")] {
        assert_eq!(bench.one(VecFrame::new(&octets)), Some(octets));
    }
}

#[test]
fn a_new_filter_holds_from_the_next_burst_on() {
    let mut bench = listening(LaneMode::Secured);
    let unknown = mkpdu(SOURCE, b"new");
    burst(&mut bench, std::slice::from_ref(&unknown));
    assert_eq!(dropped(&bench, D::EapolUnknownCkn), 1);
    let wanted = EapolFilter {
        live: vec![MacAddr(STRANGER)],
        ..*filter(&[b"new"])
    };
    bench.command(LaneCommand::EapolFilter(Some(Box::new(wanted))));
    burst(&mut bench, &[unknown, mkpdu(STRANGER, b"new")]);
    assert_eq!(bench.counters().to_control.value(), 2);
    assert_eq!(bench.eapol.take().unwrap().octets()[6..12], STRANGER);
}

#[test]
fn eapol_does_not_wait_with_the_data_around_it() {
    let junk = || VecFrame::new(&frame(&[0x0800], 60));
    let frames = [
        junk(),
        VecFrame::new(&mkpdu(SOURCE, KNOWN)),
        VecFrame::chained(&mkpdu(SOURCE, KNOWN)),
        VecFrame::new(&mkpdu(SOURCE, b"unknown")),
        VecFrame::new(&[0; 9]),
        junk(),
    ];
    for (mode, stay, taken) in [
        (LaneMode::Secured, 0b11_0101, [1, 1]),
        (LaneMode::Closed, 0b11_0101, [1, 1]),
        (LaneMode::Wire, 0b11_1111, [0, 0]),
    ] {
        let mut bench = listening(mode);
        let AnyLane::Validate(lane) = &mut bench.lane else {
            panic!("another lane");
        };
        assert_eq!(lane.look_ahead(&frames), FrameSet(stay), "{mode:?}");
        // What stays is counted when its turn comes.
        let [heard, unknown] = taken;
        assert_eq!(bench.counters().frames_in.value(), heard + unknown);
        assert_eq!(bench.counters().to_control.value(), heard);
        assert_eq!(dropped(&bench, D::EapolUnknownCkn), unknown);
        assert_eq!(bench.eapol.take().is_some(), heard == 1);
    }
}

#[test]
fn what_can_not_wait_is_counted_once() {
    let bench = listening(LaneMode::Secured);
    let AnyLane::Validate(lane) = &bench.lane else {
        panic!("another lane");
    };
    lane.overload(&[VecFrame::new(&[0; 60]), VecFrame::new(&[0; 70])]);
    lane.overload::<VecFrame>(&[]);
    let counters = bench.counters();
    assert_eq!(
        (counters.frames_in.value(), counters.octets_in.value()),
        (2, 130)
    );
    assert_eq!(
        (dropped(&bench, D::Overload), counters.dropped_total()),
        (2, 2)
    );
}

/// What arrives in one place of a burst.
#[derive(Clone, Copy, Debug)]
enum Arrives {
    Right,
    OfStranger,
    OfUnknownCkn,
    Reflected,
    Broken,
    Data,
}

fn arrives() -> impl Strategy<Value = Arrives> {
    prop_oneof![
        Just(Arrives::Right),
        Just(Arrives::OfStranger),
        Just(Arrives::OfUnknownCkn),
        Just(Arrives::Reflected),
        Just(Arrives::Broken),
        Just(Arrives::Data),
    ]
}

fn arriving(what: Arrives, number: u32, peer: &mut Peer) -> Vec<u8> {
    let octets = match what {
        Arrives::Right => mkpdu(SOURCE, KNOWN),
        Arrives::OfStranger => mkpdu(STRANGER, KNOWN),
        Arrives::OfUnknownCkn => mkpdu(SOURCE, b"unknown"),
        Arrives::Reflected => mkpdu(OWN.0, KNOWN),
        Arrives::Broken => with(mkpdu(SOURCE, KNOWN), 16, &[0, 33]),
        Arrives::Data => return peer.protected(&frame(&[0x0800], 100)),
    };
    // Where the message number is.
    with(octets, 42, &number.to_be_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever else comes, and while control looks as rarely as it may: every right MKPDU of a live peer
    /// gets to control, in order.
    #[test]
    fn a_live_peers_mkpdus_all_arrive_while_there_is_room(
        bursts in prop::collection::vec(prop::collection::vec(arrives(), 0..65), 1..30),
        looks_every in 1..20_usize,
    ) {
        let (mut bench, mut peer) = (listening(LaneMode::Secured), Peer::new());
        let (mut number, mut wanted, mut found) = (0, Vec::new(), Vec::new());
        for (turn, burst) in (1..).zip(&bursts) {
            let mut room = LIVE_COPIES;
            let mut frames: Vec<_> = burst.iter().map(|&what| {
                number += 1;
                // More than a burst may copy would be a flood of the peer's own.
                let what = match what {
                    Arrives::Right if room == 0 => Arrives::Data,
                    what => what,
                };
                if matches!(what, Arrives::Right) {
                    wanted.push(number);
                    room -= 1;
                }
                VecFrame::new(&arriving(what, number, &mut peer))
            }).collect();
            bench.burst(&mut frames);
            if turn % looks_every == 0 || turn == bursts.len() {
                while let Some(kept) = bench.eapol.take() {
                    if kept.octets()[6..12] == SOURCE {
                        found.push(u32::from_be_bytes(*kept.octets()[42..].first_chunk().unwrap()));
                    }
                }
            }
        }
        prop_assert_eq!(found, wanted);
    }
}
