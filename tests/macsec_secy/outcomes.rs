//! What becomes of a frame, by event and `validateFrames`, and where it is counted.

use macsec_gateway::ieee::{An, CipherSuite, MacAddr, Pn, Sci};
use macsec_gateway::macsec::{
    Confidentiality, Reject, Replay, RxSa, RxScCounters, RxSecyCounters, SectagSci, ValidateFrames,
};

use crate::bed::{AN, Channel, KI, Rx, SOURCE, counting, key};

use Confidentiality::{IntegrityOnly, Offset0};
use ValidateFrames::{Check, Disabled, Strict};

#[derive(Clone, Copy, Debug)]
enum Event {
    NoSectag,
    UnknownSci,
    UnusedSa,
    WrongIcv,
    Good,
}

fn channel(validate: ValidateFrames, confidentiality: Confidentiality) -> Channel {
    Channel {
        validate,
        confidentiality,
        ..Channel::default()
    }
}

/// The frame of an event, and a receiver for it.
fn stage(event: Event, channel: Channel) -> (Vec<u8>, Vec<u8>, Rx) {
    let given = counting(80, 0);
    let mut secured = channel.tx().protect(&given);
    let mut rx = channel.rx();
    match event {
        Event::NoSectag => secured.clone_from(&given),
        Event::UnknownSci => {
            rx.secy.remove_sc(channel.sci());
        }
        Event::UnusedSa => {
            rx.secy.retire_sa(channel.sci(), AN, KI).unwrap();
        }
        Event::WrongIcv => *secured.last_mut().unwrap() ^= 1,
        Event::Good => {}
    }
    (given, secured, rx)
}

type Secy = fn(&RxSecyCounters) -> u64;
type Sc = fn(&RxScCounters) -> u64;

enum Counted {
    Secy(Secy),
    Sc(Sc),
}

const UNTAGGED: Counted = Counted::Secy(|c| c.in_pkts_untagged.value());
const NO_TAG: Counted = Counted::Secy(|c| c.in_pkts_no_tag.value());
const UNKNOWN_SCI: Counted = Counted::Secy(|c| c.in_pkts_unknown_sci.value());
const NO_SCI: Counted = Counted::Secy(|c| c.in_pkts_no_sci.value());
const UNUSED_SA: Counted = Counted::Sc(|c| c.in_pkts_unused_sa.value());
const NOT_USING_SA: Counted = Counted::Sc(|c| c.in_pkts_not_using_sa.value());
const NOT_VALID: Counted = Counted::Sc(|c| c.in_pkts_not_valid.value());
const INVALID: Counted = Counted::Sc(|c| c.in_pkts_invalid.value());
const UNCHECKED: Counted = Counted::Sc(|c| c.in_pkts_unchecked.value());
const OK: Counted = Counted::Sc(|c| c.in_pkts_ok.value());

#[test]
fn the_table() {
    use Event::{Good, NoSectag, UnknownSci, UnusedSa, WrongIcv};
    let table = [
        (NoSectag, IntegrityOnly, Disabled, None, UNTAGGED),
        (NoSectag, IntegrityOnly, Check, None, UNTAGGED),
        (NoSectag, IntegrityOnly, Strict, Some(Reject::NoTag), NO_TAG),
        (UnknownSci, IntegrityOnly, Disabled, None, UNKNOWN_SCI),
        (UnknownSci, IntegrityOnly, Check, None, UNKNOWN_SCI),
        (
            UnknownSci,
            IntegrityOnly,
            Strict,
            Some(Reject::NoSci),
            NO_SCI,
        ),
        (UnknownSci, Offset0, Disabled, Some(Reject::NoSci), NO_SCI),
        (UnknownSci, Offset0, Check, Some(Reject::NoSci), NO_SCI),
        (UnknownSci, Offset0, Strict, Some(Reject::NoSci), NO_SCI),
        (UnusedSa, IntegrityOnly, Disabled, None, UNUSED_SA),
        (UnusedSa, IntegrityOnly, Check, None, UNUSED_SA),
        (
            UnusedSa,
            IntegrityOnly,
            Strict,
            Some(Reject::NotUsingSa),
            NOT_USING_SA,
        ),
        (
            UnusedSa,
            Offset0,
            Disabled,
            Some(Reject::NotUsingSa),
            NOT_USING_SA,
        ),
        (
            UnusedSa,
            Offset0,
            Check,
            Some(Reject::NotUsingSa),
            NOT_USING_SA,
        ),
        (
            UnusedSa,
            Offset0,
            Strict,
            Some(Reject::NotUsingSa),
            NOT_USING_SA,
        ),
        (WrongIcv, IntegrityOnly, Disabled, None, UNCHECKED),
        (WrongIcv, IntegrityOnly, Check, None, INVALID),
        (
            WrongIcv,
            IntegrityOnly,
            Strict,
            Some(Reject::NotValid),
            NOT_VALID,
        ),
        (
            WrongIcv,
            Offset0,
            Disabled,
            Some(Reject::NotValid),
            NOT_VALID,
        ),
        (WrongIcv, Offset0, Check, Some(Reject::NotValid), NOT_VALID),
        (WrongIcv, Offset0, Strict, Some(Reject::NotValid), NOT_VALID),
        (Good, IntegrityOnly, Disabled, None, UNCHECKED),
        (Good, IntegrityOnly, Check, None, OK),
        (Good, IntegrityOnly, Strict, None, OK),
        (Good, Offset0, Disabled, None, OK),
        (Good, Offset0, Check, None, OK),
        (Good, Offset0, Strict, None, OK),
    ];
    for (event, confidentiality, validate, wanted, counted) in table {
        let (given, secured, mut rx) = stage(event, channel(validate, confidentiality));
        let found = rx.validate(&secured);
        let case = format!("{event:?} {confidentiality:?} {validate:?}");
        match wanted {
            None => assert_eq!(found, Ok(given), "{case}"),
            Some(why) => assert_eq!(found, Err(why), "{case}"),
        }
        let count = match counted {
            Counted::Secy(read) => read(&rx.secy.counters()),
            Counted::Sc(read) => read(&rx.scs[0]),
        };
        assert_eq!(count, 1, "{case}");
    }
}

#[test]
fn late_frames_are_dropped_or_delayed() {
    let given = counting(80, 0);
    for (replay, wanted) in [
        (Replay::Strict, Err(Reject::Late)),
        (Replay::Window(1), Err(Reject::Late)),
        (Replay::Window(2), Ok(given.clone())),
        (Replay::Off, Ok(given.clone())),
    ] {
        let channel = Channel {
            replay,
            ..Channel::default()
        };
        let (mut tx, mut rx) = (channel.tx(), channel.rx());
        let first = tx.protect(&given);
        let second = tx.protect(&given);
        assert!(rx.validate(&second).is_ok());
        assert_eq!(rx.validate(&first), wanted, "{replay:?}");
        let again = rx.validate(&first);
        let sc = &rx.scs[0];
        match replay {
            Replay::Off => {
                assert_eq!(again, Ok(given.clone()), "the standard's rule alone");
                assert_eq!(sc.in_pkts_delayed.value(), 2);
            }
            Replay::Window(2) => assert_eq!(again, Err(Reject::Duplicate)),
            _ => assert_eq!(sc.in_pkts_late.value(), 2),
        }
    }
}

/// The second look: neither copy of a number was recorded when the first look was taken.
#[test]
fn a_duplicate_within_one_burst_is_found() {
    use crate::frame::VecFrame;

    for replay in [Replay::Window(100), Replay::Strict] {
        let channel = Channel {
            replay,
            ..Channel::default()
        };
        let given = counting(80, 0);
        let mut tx = channel.tx();
        let (a, b) = (tx.protect(&given), tx.protect(&given));
        let mut rx = channel.rx();
        let order: [&[u8]; 5] = [&a, &b, &a, &b, &a];
        let mut frames = order.map(VecFrame::new);
        let verdicts = rx.burst(&mut frames);
        let why = if replay == Replay::Strict {
            Reject::Late
        } else {
            Reject::Duplicate
        };
        let found: Vec<_> = (0..5).map(|i| verdicts.reject_of(i)).collect();
        assert_eq!(found, [None, None, Some(why), Some(why), Some(why)]);
    }
}

#[test]
fn the_kays_frames_are_never_delivered() {
    for validate in [Disabled, Check, Strict] {
        let channel = channel(validate, Offset0);
        let mut secured = channel.tx().protect(&counting(80, 0));
        secured[14] &= !0x04;
        assert_eq!(channel.rx().validate(&secured), Err(Reject::KayOnly));
    }
}

#[test]
fn changed_and_not_encrypted_is_never_valid() {
    for validate in [Disabled, Check, Strict] {
        let channel = channel(validate, IntegrityOnly);
        let mut secured = channel.tx().protect(&counting(80, 0));
        secured[14] |= 0x04;
        let mut rx = channel.rx();
        assert_eq!(rx.validate(&secured), Err(Reject::NotValid));
        assert_eq!(rx.scs[0].sas[AN.index()].in_pkts_not_valid.value(), 1);
    }
}

#[test]
fn the_channel_of_a_frame_without_sci() {
    let other = Sci::new(MacAddr([2, 9, 9, 9, 9, 9]), 1);
    for (sectag_sci, with_two) in [
        (SectagSci::EndStation, None),
        (SectagSci::SingleCopyBroadcast, None),
        (SectagSci::None, Some(Reject::NoSci)),
    ] {
        let channel = Channel {
            sectag_sci,
            ..Channel::default()
        };
        let given = counting(80, 0);
        let mut tx = channel.tx();
        let mut rx = channel.rx();
        assert_eq!(rx.validate(&tx.protect(&given)), Ok(given.clone()));
        rx.add_sc(other);
        let found = rx.validate(&tx.protect(&given));
        assert_eq!(found.err(), with_two, "{sectag_sci:?} with two channels");
        assert_eq!(rx.secy.scs().len(), 2);
        rx.secy.remove_sc(other);
        assert_eq!(rx.validate(&tx.protect(&given)), Ok(given));
    }
}

#[test]
fn packet_number_zero_is_a_bad_tag_unless_the_upper_half_makes_up_for_it() {
    for suite in CipherSuite::ALL {
        let channel = Channel {
            suite,
            replay: Replay::Off,
            ..Channel::default()
        };
        let mut secured = channel.tx().protect(&counting(80, 0));
        secured[16..20].fill(0);
        assert_eq!(
            channel.rx().validate(&secured),
            Err(Reject::BadTag),
            "{suite}"
        );
    }
    let channel = Channel {
        suite: CipherSuite::GcmAesXpn256,
        first_pn: 1 << 32,
        ..Channel::default()
    };
    let given = counting(80, 0);
    let secured = channel.tx().protect(&given);
    assert_eq!(secured[16..20], [0; 4]);
    assert_eq!(channel.rx().validate(&secured), Ok(given));
}

/// A live change of the rules counts from the next burst on, for the SAs that there are.
#[test]
fn rules_change_live() {
    let channel = Channel::default();
    let given = counting(80, 0);
    let mut tx = channel.tx();
    let frames: Vec<_> = (0..5).map(|_| tx.protect(&given)).collect();
    let mut rx = channel.rx();
    assert!(rx.validate(&frames[2]).is_ok());
    assert_eq!(rx.validate(&frames[1]), Err(Reject::Late));
    rx.secy.set_replay(Replay::Off);
    assert!(rx.validate(&frames[1]).is_ok());
    rx.secy.set_replay(Replay::Window(10));
    assert!(rx.validate(&frames[4]).is_ok());
    assert!(rx.validate(&frames[3]).is_ok());
    assert_eq!(rx.validate(&frames[3]), Err(Reject::Duplicate));
    assert_eq!(rx.validate(&given), Err(Reject::NoTag));
    rx.secy.set_validate(Check);
    assert_eq!(rx.validate(&given), Ok(given.clone()));
}

/// MKA's delay protection raises the lowest number from outside.
#[test]
fn the_lowest_number_can_be_raised() {
    let channel = Channel {
        replay: Replay::Window(1000),
        ..Channel::default()
    };
    let given = counting(80, 0);
    let mut tx = channel.tx();
    let frames: Vec<_> = (0..5).map(|_| tx.protect(&given)).collect();
    let mut rx = channel.rx();
    let params = channel.rx_sa_params(An::ALL[3], KI, key(channel.suite, 0));
    let shared = std::sync::Arc::clone(&params.shared);
    rx.install(RxSa::new(params).unwrap());
    assert_eq!(shared.lowest_pn(), Pn(1));
    assert!(
        rx.secy
            .raise_lowest_pn(channel.sci(), An::ALL[3], KI, Pn(77))
    );
    assert_eq!((shared.lowest_pn(), shared.next_pn()), (Pn(77), Pn(77)));
    assert!(rx.secy.raise_lowest_pn(channel.sci(), AN, KI, Pn(3)));
    assert_eq!(rx.validate(&frames[1]), Err(Reject::Late));
    assert!(rx.validate(&frames[2]).is_ok());
    assert!(!rx.secy.raise_lowest_pn(Sci::new(SOURCE, 99), AN, KI, Pn(3)));
}
