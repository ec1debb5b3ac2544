//! What becomes of every kind of frame, in every mode, in both lanes.

use super::{
    bench::{BYPASSED, BYPASSED_OUT, Bench, MTU, Peer},
    frames::{VecFrame, frame},
};
use crate::{
    bus::{Direction, DropReason, EAPOL_SLOT_LEN, LaneMode, LaneReport},
    macsec::{FrameBuf, FrameSet, Reject},
};

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Goes on as it came, counted as nothing special.
    Wire,
    /// Goes on as it came, counted as clear.
    Clear,
    /// Goes on as it came, counted as let through by the list.
    Bypass,
    /// Goes on with a SecTAG.
    Protected,
    /// Goes on without its SecTAG.
    Delivered,
    /// Copied for control.
    Control,
    Dropped(DropReason),
}

use DropReason as D;
use Fate::{Bypass, Clear, Control, Delivered, Dropped, Protected, Wire};

const MODES: [LaneMode; 5] = [
    LaneMode::Closed,
    LaneMode::Wire,
    LaneMode::Clear,
    LaneMode::SecuredAcceptClear,
    LaneMode::Secured,
];

const CLOSED: Fate = Dropped(D::Closed);
const PAUSE: Fate = Dropped(D::MacControl);
const RUNT: Fate = Dropped(D::Runt);
const CHAINED: Fate = Dropped(D::Chained);
const LONG: Fate = Dropped(D::TooLong);
const FROM_PLAIN: Fate = Dropped(D::EapolFromPlain);
const OVERRUN: Fate = Dropped(D::EapolOverrun);

const fn refused(why: Reject) -> Fate {
    Dropped(D::Macsec(why))
}

/// A kind of frame, and its fates in the order of [`MODES`].
type Row = (&'static str, VecFrame, [Fate; 5]);

fn row(name: &'static str, octets: &[u8], fates: [Fate; 5]) -> Row {
    (name, VecFrame::new(octets), fates)
}

fn protect_table() -> Vec<Row> {
    let carried = [CLOSED, Wire, Clear, Protected, Protected];
    let too_long = [
        CLOSED,
        LONG,
        LONG,
        refused(Reject::TooLong),
        refused(Reject::TooLong),
    ];
    vec![
        row("data", &frame(&[0x0800], 100), carried),
        row("shortest data", &frame(&[0x0800], 14), carried),
        row("arp", &frame(&[0x0806], 60), carried),
        row("lldp", &frame(&[0x88cc], 60), carried),
        row("lacp", &frame(&[0x8809], 124), carried),
        row("length field", &frame(&[0x0026], 60), carried),
        row("largest data", &frame(&[0x0800], MTU + 14), carried),
        row(
            "largest with a tag",
            &frame(&[0x8100, 0x0800], MTU + 18),
            carried,
        ),
        row(
            "largest with two tags",
            &frame(&[0x88a8, 0x8100, 0x0800], MTU + 22),
            carried,
        ),
        row("too long by one", &frame(&[0x0800], MTU + 15), too_long),
        row(
            "too long by one with a tag",
            &frame(&[0x8100, 0x0800], MTU + 19),
            too_long,
        ),
        row(
            "too long with two tags",
            &frame(&[0x88a8, 0x8100, 0x0800], MTU + 23),
            too_long,
        ),
        row(
            "eapol",
            &frame(&[0x888e], 60),
            [CLOSED, Wire, FROM_PLAIN, Protected, Protected],
        ),
        row("eapol behind a tag", &frame(&[0x8100, 0x888e], 64), carried),
        row("macsec of someone else", &frame(&[0x88e5], 90), carried),
        row("pause", &frame(&[0x8808], 60), [PAUSE; 5]),
        row("runt", &frame(&[], 13), [RUNT; 5]),
        row("nothing", &[], [RUNT; 5]),
        (
            "chained",
            VecFrame::chained(&frame(&[0x0800], 100)),
            [CHAINED; 5],
        ),
        row(
            "on the list",
            &frame(&[BYPASSED], 60),
            [CLOSED, Wire, Clear, Bypass, Bypass],
        ),
        row(
            "on the list for this way",
            &frame(&[BYPASSED_OUT], 60),
            [CLOSED, Wire, Clear, Bypass, Bypass],
        ),
        row(
            "on the list and too long",
            &frame(&[BYPASSED], MTU + 15),
            [CLOSED, LONG, LONG, LONG, LONG],
        ),
    ]
}

fn validate_table() -> Vec<Row> {
    let mut peer = Peer::new();
    let untagged = [CLOSED, Wire, Clear, Clear, refused(Reject::NoTag)];
    let valid = [CLOSED, Wire, Delivered, Delivered, Delivered];
    let ends = |why| [CLOSED, Wire, refused(why), refused(why), refused(why)];
    let mut forged = peer.protected(&frame(&[0x0800], 100));
    *forged.last_mut().unwrap() ^= 1;
    let mut unknown = peer.protected(&frame(&[0x0800], 100));
    unknown[26] ^= 1;
    let mut unused = peer.protected(&frame(&[0x0800], 100));
    unused[14] ^= 2;
    let mut reserved = peer.protected(&frame(&[0x0800], 100));
    reserved[14] = reserved[14] & !0b1100 | 0b1000;
    let longest = peer.protected(&frame(&[0x88a8, 0x8100, 0x0800], MTU + 22));
    vec![
        row("data", &frame(&[0x0800], 100), untagged),
        row("lldp", &frame(&[0x88cc], 60), untagged),
        row("largest data", &frame(&[0x0800], MTU + 14), untagged),
        row(
            "too long",
            &frame(&[0x0800], MTU + 15),
            [CLOSED, LONG, LONG, LONG, refused(Reject::NoTag)],
        ),
        row("protected", &peer.protected(&frame(&[0x0800], 100)), valid),
        row(
            "protected, short",
            &peer.protected(&frame(&[0x0800], 14)),
            valid,
        ),
        row(
            "protected eapol",
            &peer.protected(&frame(&[0x888e], 60)),
            valid,
        ),
        row(
            "protected, the longest",
            &longest,
            [CLOSED, LONG, Delivered, Delivered, Delivered],
        ),
        row(
            "protected pause",
            &Peer::pause(),
            [CLOSED, Wire, PAUSE, PAUSE, PAUSE],
        ),
        row("forged", &forged, ends(Reject::NotValid)),
        row("unknown channel", &unknown, ends(Reject::NoSci)),
        row("AN without SA", &unused, ends(Reject::NotUsingSa)),
        row("E without C", &reserved, ends(Reject::KayOnly)),
        row(
            "no whole SecTAG",
            &frame(&[0x88e5], 18),
            ends(Reject::BadTag),
        ),
        row(
            "eapol",
            &frame(&[0x888e], 60),
            [Control, Wire, Control, Control, Control],
        ),
        row(
            "eapol longer than a slot",
            &frame(&[0x888e], EAPOL_SLOT_LEN + 1),
            [OVERRUN, LONG, OVERRUN, OVERRUN, OVERRUN],
        ),
        row("pause", &frame(&[0x8808], 60), [PAUSE; 5]),
        row("runt", &frame(&[], 13), [RUNT; 5]),
        row("nothing", &[], [RUNT; 5]),
        (
            "chained",
            VecFrame::chained(&frame(&[0x0800], 100)),
            [CHAINED; 5],
        ),
        row(
            "on the list",
            &frame(&[BYPASSED], 60),
            [CLOSED, Wire, Clear, Clear, Bypass],
        ),
        row(
            "on the list for the other way",
            &frame(&[BYPASSED_OUT], 60),
            untagged,
        ),
        row(
            "on the list and too long",
            &frame(&[BYPASSED], MTU + 15),
            [CLOSED, LONG, LONG, LONG, LONG],
        ),
    ]
}

/// The fate of one frame in a fresh lane, read from the frame and the counters together.
fn fate_of(bench: &mut Bench, given: &VecFrame) -> Fate {
    let came = given.octets().to_vec();
    let left = bench.one(given.clone());
    let counters = bench.counters();
    let drops: Vec<_> = D::all()
        .filter(|reason| counters.dropped(*reason).value() == 1)
        .collect();
    let [clear, bypassed, control] =
        [&counters.clear, &counters.bypassed, &counters.to_control].map(|counter| counter.value());
    match (left, drops.as_slice(), [clear, bypassed, control]) {
        (None, [reason], [0, 0, 0]) => Dropped(*reason),
        (None, [], [0, 0, 1]) => Control,
        (Some(octets), [], [1, 0, 0]) if octets == came => Clear,
        (Some(octets), [], [0, 1, 0]) if octets == came => Bypass,
        (Some(octets), [], [0, 0, 0]) if octets == came => Wire,
        (Some(octets), [], [0, 0, 0]) if octets.len() > came.len() => {
            assert_eq!(octets[12..14], [0x88, 0xe5]);
            assert_eq!(octets[..12], came[..12]);
            Protected
        }
        (Some(octets), [], [0, 0, 0]) => {
            assert!(octets.len() >= 60 && octets.len() + 24 <= came.len() + 24);
            Delivered
        }
        other => panic!("neither one thing nor the other: {other:?}"),
    }
}

#[test]
fn every_frame_has_its_fate_in_every_mode() {
    let mut wrong = Vec::new();
    let tables = [
        (Direction::Protect, protect_table()),
        (Direction::Validate, validate_table()),
    ];
    for (direction, table) in tables {
        for (name, given, fates) in table {
            for (mode, wanted) in MODES.into_iter().zip(fates) {
                let mut bench = Bench::keyed(direction, mode);
                let found = fate_of(&mut bench, &given);
                if found != wanted {
                    wrong.push(format!(
                        "{direction} {mode:?} {name}: {found:?}, not {wanted:?}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_an_sa_nothing_leaves_a_secured_lane_but_the_list() {
    for mode in [LaneMode::Secured, LaneMode::SecuredAcceptClear] {
        for (name, given, _) in protect_table() {
            let mut bench = Bench::bare(Direction::Protect);
            bench.command(crate::bus::LaneCommand::Mode(mode));
            let left = bench.one(given);
            assert_eq!(
                left.is_some(),
                matches!(name, "on the list" | "on the list for this way"),
                "{name}"
            );
        }
    }
}

#[test]
fn the_first_valid_frame_ends_the_time_of_accepted_clear() {
    let mut bench = Bench::keyed(Direction::Validate, LaneMode::SecuredAcceptClear);
    let mut peer = Peer::new();
    let clear = || VecFrame::new(&frame(&[0x0800], 100));
    let mut forged = peer.protected(&frame(&[0x0800], 100));
    *forged.last_mut().unwrap() ^= 1;

    assert!(bench.one(clear()).is_some());
    assert!(bench.one(VecFrame::new(&forged)).is_none());
    assert!(bench.said.is_empty(), "{:?}", bench.said);
    assert!(bench.one(clear()).is_some());

    // One burst: the mode holds to its end, and then no longer.
    let valid = VecFrame::new(&peer.protected(&frame(&[0x0800], 100)));
    let onward = bench.burst(&mut [clear(), valid, clear()]);
    assert_eq!(onward.len(), 3);
    assert!(matches!(bench.said[..], [LaneReport::PeerProtects]));
    assert!(bench.one(clear()).is_none());
    let no_tag = D::Macsec(Reject::NoTag);
    assert_eq!(bench.counters().dropped(no_tag).value(), 1);

    // Said once.
    assert!(
        bench
            .one(VecFrame::new(&peer.protected(&frame(&[0x0800], 100))))
            .is_some()
    );
    assert_eq!(bench.said.len(), 1);
}

#[test]
fn a_frame_that_is_too_long_is_named_once() {
    let mut bench = Bench::keyed(Direction::Protect, LaneMode::Secured);
    for octets in [MTU + 40, MTU + 90] {
        let long = VecFrame::new(&frame(&[0x0800], octets));
        let fits = VecFrame::new(&frame(&[0x0800], MTU + 14));
        assert_eq!(
            bench.burst(&mut [fits.clone(), long, fits]),
            FrameSet(0b101)
        );
    }
    let [LaneReport::TooLong(octets)] = bench.said[..] else {
        panic!("{:?}", bench.said);
    };
    assert_eq!(octets, MTU + 40);
    assert_eq!(bench.tx_counters.out_pkts_too_long.value(), 2);
}

#[test]
fn eapol_that_finds_no_free_slot_is_counted() {
    let mut bench = Bench::bare(Direction::Validate);
    let mut control = 0;
    while bench.counters().dropped(D::EapolOverrun).value() == 0 {
        bench.burst(&mut [VecFrame::new(&frame(&[0x888e], 60))]);
        control += 1;
        assert!(control < 10_000);
    }
    assert_eq!(bench.counters().to_control.value(), control - 1);
    let kept = bench.eapol.take().unwrap();
    assert_eq!(kept.octets(), frame(&[0x888e], 60));
    bench.burst(&mut [VecFrame::new(&frame(&[0x888e], 60))]);
    assert_eq!(bench.counters().to_control.value(), control);
}

#[test]
fn what_a_protect_lane_sends_a_validate_lane_delivers_in_order() {
    let mut tx = Bench::keyed(Direction::Protect, LaneMode::Secured);
    let mut rx = Bench::keyed(Direction::Validate, LaneMode::Secured);
    for count in [1, 2, 31, 63, 64] {
        let plain: Vec<_> = (0..count).map(|n| frame(&[0x0800], 60 + 7 * n)).collect();
        let mut frames: Vec<_> = plain.iter().map(|octets| VecFrame::new(octets)).collect();
        assert_eq!(tx.burst(&mut frames).len() as usize, count);
        assert_eq!(rx.burst(&mut frames).len() as usize, count);
        for (plain, frame) in plain.iter().zip(&frames) {
            assert_eq!(plain, frame.octets());
        }
    }
}
