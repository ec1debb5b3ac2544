//! What a lane answers to which command, and that no key ever ends in a lane.

use alloc::sync::Arc;

use super::{
    bench::{Bench, OTHER_SCI, Peer, SCI, an, filter, key, ki, rx_sa, tx_sa},
    frames::{VecFrame, frame},
};
use crate::{
    bus::{
        Bypass, BypassEntry, Direction, DropReason, LaneCommand, LaneMode, LaneReport, PortSide,
    },
    ieee::{An, EtherType, MacAddr, Pn, Sci},
    macsec::{MAX_RX_SCS, Reject, Replay, ValidateFrames},
};

/// The reports in words, so that lists of them can be compared.
fn words(said: &[LaneReport]) -> Vec<String> {
    said.iter()
        .map(|report| match report {
            LaneReport::Mode(mode) => format!("mode {}", mode.name()),
            LaneReport::TxSaInstalled(an, ki) => format!("tx {an} {} installed", ki.0[0]),
            LaneReport::Encoding(an, ki) => format!("encoding {an} {}", ki.0[0]),
            LaneReport::NoSuchTxSa(an, ki) => format!("no tx {an} {}", ki.0[0]),
            LaneReport::TxSaRetired(sa) => format!("tx {} {} home", sa.an(), sa.ki().0[0]),
            LaneReport::RxScAdded(sci) => format!("sc {} added", sci.port()),
            LaneReport::RxScRefused(sci, _) => format!("sc {} refused", sci.port()),
            LaneReport::RxScRemoved(sc) => {
                let sas = An::ALL.iter().filter(|an| sc.sa(**an).is_some()).count();
                format!("sc {} home with {sas}", sc.sci().port())
            }
            LaneReport::NoSuchRxSc(sci) => format!("no sc {}", sci.port()),
            LaneReport::LowestPnRaised(_, an, ki) => format!("rx {an} {} raised", ki.0[0]),
            LaneReport::EapolFilterReplaced(old) => {
                let ckns = old.as_ref().map(|old| old.ckns.len());
                format!("filter of {ckns:?} home")
            }
            LaneReport::RxSaInstalled(_, an, ki) => format!("rx {an} {} installed", ki.0[0]),
            LaneReport::NoSuchSc(_, sa) => format!("no sc for rx {}", sa.an()),
            LaneReport::NoSuchRxSa(_, an, ki) => format!("no rx {an} {}", ki.0[0]),
            LaneReport::RxSaRetired(_, sa) => format!("rx {} {} home", sa.an(), sa.ki().0[0]),
            LaneReport::BypassReplaced(old) => format!("bypass of {} home", old.0.len()),
            LaneReport::UsesPort(side, in_use) => format!("uses {side} {in_use}"),
            LaneReport::TooLong(octets) => format!("too long {octets}"),
            LaneReport::LateKey(_) => String::from("late key"),
            LaneReport::PeerProtects => String::from("peer protects"),
        })
        .collect()
}

/// Gives commands to a fresh lane; each is the lane's own and has exactly these answers.
fn dialogue(direction: Direction, steps: Vec<(LaneCommand, &[&str])>) {
    let mut bench = Bench::bare(direction);
    for (command, answers) in steps {
        let name = format!("{command:?}");
        assert!(bench.command(command).is_none(), "{name} came back");
        assert_eq!(words(&bench.said), answers, "{name}");
        bench.said.clear();
    }
}

#[test]
fn a_protect_lane_answers_every_command_of_its_own() {
    dialogue(
        Direction::Protect,
        vec![
            (LaneCommand::Mode(LaneMode::Wire), &["mode wire"]),
            (LaneCommand::EncodeWith(an(1), ki(1)), &["no tx 1 1"]),
            (
                LaneCommand::InstallTxSa(tx_sa(1, key(1), SCI)),
                &["tx 1 1 installed"],
            ),
            (LaneCommand::EncodeWith(an(1), ki(2)), &["no tx 1 2"]),
            (LaneCommand::EncodeWith(an(1), ki(1)), &["encoding 1 1"]),
            (
                LaneCommand::InstallTxSa(tx_sa(2, key(2), SCI)),
                &["tx 2 2 installed"],
            ),
            (LaneCommand::RetireTxSa(an(1), ki(2)), &["no tx 1 2"]),
            (LaneCommand::RetireTxSa(an(1), ki(1)), &["tx 1 1 home"]),
            (LaneCommand::RetireTxSa(an(1), ki(1)), &["no tx 1 1"]),
            (
                LaneCommand::InstallTxSa(tx_sa(2, key(3), SCI)),
                &["tx 2 2 home", "tx 2 2 installed"],
            ),
            (LaneCommand::Bypass(Box::default()), &["bypass of 2 home"]),
            (LaneCommand::KayEtherType(EtherType(0x876f)), &[]),
        ],
    );
}

#[test]
fn a_validate_lane_answers_every_command_of_its_own() {
    dialogue(
        Direction::Validate,
        vec![
            (LaneCommand::Mode(LaneMode::Secured), &["mode secured"]),
            (
                LaneCommand::InstallRxSa(SCI, rx_sa(1, key(1), SCI)),
                &["rx 1 1 installed"],
            ),
            (
                LaneCommand::InstallRxSa(OTHER_SCI, rx_sa(1, key(1), OTHER_SCI)),
                &["no sc for rx 1"],
            ),
            (
                LaneCommand::InstallRxSa(SCI, rx_sa(1, key(2), SCI)),
                &["rx 1 1 home", "rx 1 1 installed"],
            ),
            (LaneCommand::RetireRxSa(SCI, an(1), ki(9)), &["no rx 1 9"]),
            (
                LaneCommand::RetireRxSa(OTHER_SCI, an(1), ki(1)),
                &["no rx 1 1"],
            ),
            (LaneCommand::RetireRxSa(SCI, an(1), ki(1)), &["rx 1 1 home"]),
            (
                LaneCommand::InstallRxSa(SCI, rx_sa(1, key(1), SCI)),
                &["rx 1 1 installed"],
            ),
            (
                LaneCommand::RaiseLowestPn(SCI, an(1), ki(1), Pn(9)),
                &["rx 1 1 raised"],
            ),
            (
                LaneCommand::RaiseLowestPn(SCI, an(1), ki(2), Pn(9)),
                &["no rx 1 2"],
            ),
            (
                LaneCommand::RaiseLowestPn(OTHER_SCI, an(1), ki(1), Pn(9)),
                &["no rx 1 1"],
            ),
            (LaneCommand::RemoveRxSc(OTHER_SCI), &["no sc 9"]),
            (
                LaneCommand::AddRxSc(OTHER_SCI, Arc::default()),
                &["sc 9 added"],
            ),
            (
                LaneCommand::AddRxSc(OTHER_SCI, Arc::default()),
                &["sc 9 refused"],
            ),
            (
                LaneCommand::InstallRxSa(OTHER_SCI, rx_sa(1, key(3), OTHER_SCI)),
                &["rx 1 1 installed"],
            ),
            (
                LaneCommand::InstallRxSa(OTHER_SCI, rx_sa(2, key(4), OTHER_SCI)),
                &["rx 2 2 installed"],
            ),
            (LaneCommand::RemoveRxSc(OTHER_SCI), &["sc 9 home with 2"]),
            (LaneCommand::RemoveRxSc(OTHER_SCI), &["no sc 9"]),
            (
                LaneCommand::EapolFilter(Some(filter(&[b"a", b"b"]))),
                &["filter of None home"],
            ),
            (LaneCommand::EapolFilter(None), &["filter of Some(2) home"]),
            (LaneCommand::Replay(Replay::Off), &[]),
            (LaneCommand::Validate(ValidateFrames::Check), &[]),
            (LaneCommand::Bypass(Box::default()), &["bypass of 2 home"]),
        ],
    );
}

#[test]
fn an_sa_of_another_channel_comes_home_and_is_not_called_installed() {
    let mut bench = Bench::bare(Direction::Protect);
    bench.command(LaneCommand::InstallTxSa(tx_sa(1, key(1), OTHER_SCI)));
    assert_eq!(words(&bench.said), ["tx 1 1 home"]);
    // Nor does it take the place of the one that stands there.
    let mut bench = Bench::keyed(Direction::Protect, LaneMode::Secured);
    bench.command(LaneCommand::InstallTxSa(tx_sa(1, key(1), OTHER_SCI)));
    assert_eq!(words(&bench.said), ["tx 1 1 home"]);
    assert!(bench.one(VecFrame::new(&frame(&[0x0800], 60))).is_some());
}

#[test]
fn commands_of_the_other_lane_and_of_the_port_come_back_untouched() {
    let use_port = || LaneCommand::UsePort(PortSide::Plain, false);
    let of_validate = || {
        [
            LaneCommand::InstallRxSa(SCI, rx_sa(1, key(1), SCI)),
            LaneCommand::RetireRxSa(SCI, an(1), ki(1)),
            LaneCommand::AddRxSc(SCI, Arc::default()),
            LaneCommand::RemoveRxSc(SCI),
            LaneCommand::RaiseLowestPn(SCI, an(1), ki(1), Pn(1)),
            LaneCommand::EapolFilter(None),
            LaneCommand::Replay(Replay::Off),
            LaneCommand::Validate(ValidateFrames::Check),
            use_port(),
        ]
    };
    let of_protect = || {
        [
            LaneCommand::InstallTxSa(tx_sa(1, key(1), SCI)),
            LaneCommand::EncodeWith(an(1), ki(1)),
            LaneCommand::RetireTxSa(an(1), ki(1)),
            LaneCommand::KayEtherType(EtherType::EAPOL),
            use_port(),
        ]
    };
    let mut protect = Bench::keyed(Direction::Protect, LaneMode::Secured);
    for command in of_validate() {
        let name = format!("{command:?}");
        let back = protect.command(command);
        assert_eq!(back.map(|back| format!("{back:?}")), Some(name));
    }
    let mut validate = Bench::keyed(Direction::Validate, LaneMode::Secured);
    for command in of_protect() {
        let name = format!("{command:?}");
        let back = validate.command(command);
        assert_eq!(back.map(|back| format!("{back:?}")), Some(name));
    }
    assert!(protect.said.is_empty() && validate.said.is_empty());
}

#[test]
fn no_key_ends_in_a_lane() {
    let (keys, mut bench) = ([key(1), key(2), key(3)], Bench::bare(Direction::Protect));
    let [first, second, third] = &keys;
    for command in [
        LaneCommand::InstallTxSa(tx_sa(1, Arc::clone(first), SCI)),
        LaneCommand::EncodeWith(an(1), ki(1)),
        LaneCommand::InstallTxSa(tx_sa(1, Arc::clone(second), SCI)),
        LaneCommand::InstallTxSa(tx_sa(2, Arc::clone(third), OTHER_SCI)),
        LaneCommand::RetireTxSa(an(1), ki(1)),
    ] {
        assert!(bench.command(command).is_none());
        bench.burst(&mut [VecFrame::new(&frame(&[0x0800], 60))]);
    }
    // All three are in what the lane said, and nowhere else.
    assert!(keys.iter().all(|key| Arc::strong_count(key) == 2));
    let home = words(&bench.said);
    assert_eq!(home.iter().filter(|word| word.ends_with("home")).count(), 3);
    bench.said.clear();
    assert!(keys.iter().all(|key| Arc::strong_count(key) == 1));

    let mut bench = Bench::bare(Direction::Validate);
    for command in [
        LaneCommand::InstallRxSa(SCI, rx_sa(1, Arc::clone(first), SCI)),
        LaneCommand::InstallRxSa(SCI, rx_sa(1, Arc::clone(second), SCI)),
        LaneCommand::InstallRxSa(OTHER_SCI, rx_sa(2, Arc::clone(third), OTHER_SCI)),
        LaneCommand::RemoveRxSc(SCI),
        LaneCommand::RemoveRxSc(OTHER_SCI),
    ] {
        assert!(bench.command(command).is_none());
    }
    assert!(keys.iter().all(|key| Arc::strong_count(key) == 2));
    bench.said.clear();
    assert!(keys.iter().all(|key| Arc::strong_count(key) == 1));
}

#[test]
fn no_more_channels_than_there_is_room_for_and_their_counters_come_home() {
    let mut bench = Bench::bare(Direction::Validate);
    let counters = Arc::default();
    let port = |number: usize| Sci::new(MacAddr([2; 6]), u16::try_from(number).unwrap());
    // One is there from the start.
    for number in 1..=MAX_RX_SCS {
        bench.command(LaneCommand::AddRxSc(port(number), Arc::clone(&counters)));
    }
    let said = words(&bench.said);
    let refused = said.iter().filter(|word| word.ends_with("refused"));
    assert_eq!(
        refused.collect::<Vec<_>>(),
        [&format!("sc {MAX_RX_SCS} refused")]
    );
    assert_eq!(Arc::strong_count(&counters), MAX_RX_SCS + 1);
    bench.said.clear();
    bench.command(LaneCommand::RemoveRxSc(port(1)));
    bench.command(LaneCommand::AddRxSc(
        port(MAX_RX_SCS),
        Arc::clone(&counters),
    ));
    let added = format!("sc {MAX_RX_SCS} added");
    assert_eq!(words(&bench.said), ["sc 1 home with 0", &added]);
}

#[test]
fn a_channel_that_comes_back_counts_on() {
    let mut bench = Bench::bare(Direction::Validate);
    let counters = Arc::default();
    let mut peer = Peer::new();
    bench.command(LaneCommand::Mode(LaneMode::Secured));
    for _ in 0..3 {
        bench.command(LaneCommand::RemoveRxSc(SCI));
        bench.command(LaneCommand::AddRxSc(SCI, Arc::clone(&counters)));
        bench.command(LaneCommand::InstallRxSa(SCI, rx_sa(1, key(1), SCI)));
        let frame = peer.protected(&frame(&[0x0800], 60));
        assert!(bench.one(VecFrame::new(&frame)).is_some());
    }
    assert_eq!(counters.in_pkts_ok.value(), 3);
}

#[test]
fn what_is_below_a_raised_lowest_number_is_late() {
    let mut bench = Bench::keyed(Direction::Validate, LaneMode::Secured);
    bench.command(LaneCommand::Replay(Replay::Window(1000)));
    let mut peer = Peer::new();
    let frames: Vec<_> = (0..4)
        .map(|_| VecFrame::new(&peer.protected(&frame(&[0x0800], 60))))
        .collect();
    bench.command(LaneCommand::RaiseLowestPn(SCI, an(1), ki(1), Pn(3)));
    // A lower one changes nothing.
    bench.command(LaneCommand::RaiseLowestPn(SCI, an(1), ki(1), Pn(1)));
    let passed: Vec<_> = frames
        .iter()
        .map(|frame| bench.one(frame.clone()).is_some())
        .collect();
    assert_eq!(passed, [false, false, true, true]);
    let late = DropReason::Macsec(Reject::Late);
    assert_eq!(bench.counters().dropped(late).value(), 2);
}

#[test]
fn settings_hold_from_the_next_burst_on() {
    let mut bench = Bench::keyed(Direction::Validate, LaneMode::Secured);
    let clear = || VecFrame::new(&frame(&[0x0800], 60));
    assert!(bench.one(clear()).is_none());
    bench.command(LaneCommand::Validate(ValidateFrames::Check));
    assert!(bench.one(clear()).is_some());
    bench.command(LaneCommand::Validate(ValidateFrames::Strict));
    assert!(bench.one(clear()).is_none());

    let mut peer = Peer::new();
    let frames: Vec<_> = (0..4)
        .map(|_| VecFrame::new(&peer.protected(&frame(&[0x0800], 60))))
        .collect();
    let arrive = |bench: &mut Bench, nth: usize| bench.one(frames[nth].clone()).is_some();
    bench.command(LaneCommand::Replay(Replay::Window(8)));
    assert!(arrive(&mut bench, 1));
    assert!(arrive(&mut bench, 0), "within the window");
    bench.command(LaneCommand::Replay(Replay::Strict));
    assert!(arrive(&mut bench, 3));
    assert!(!arrive(&mut bench, 2), "late in strict order");

    let mut bench = Bench::keyed(Direction::Protect, LaneMode::Secured);
    let entry = BypassEntry {
        ethertype: EtherType(0x9abc),
        direction: None,
    };
    bench.command(LaneCommand::Bypass(Box::new(Bypass(vec![entry]))));
    let listed = frame(&[0x9abc], 60);
    assert_eq!(bench.one(VecFrame::new(&listed)), Some(listed));
}
