//! What a lane answers to which command, and that no key ever ends in a lane.

use alloc::sync::Arc;

use super::{
    bench::{Bench, OTHER_SCI, SCI, an, key, ki, rx_sa, tx_sa},
    frames::{VecFrame, frame},
};
use crate::{
    bus::{Bypass, BypassEntry, Direction, LaneCommand, LaneMode, LaneReport, PortSide},
    ieee::EtherType,
    macsec::{Replay, ValidateFrames},
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
            LaneReport::RxSaInstalled(_, an, ki) => format!("rx {an} {} installed", ki.0[0]),
            LaneReport::NoSuchSc(_, sa) => format!("no sc for rx {}", sa.an()),
            LaneReport::NoSuchRxSa(_, an, ki) => format!("no rx {an} {}", ki.0[0]),
            LaneReport::RxSaRetired(_, sa) => format!("rx {} {} home", sa.an(), sa.ki().0[0]),
            LaneReport::BypassReplaced(old) => format!("bypass of {} home", old.0.len()),
            LaneReport::UsesPort(side, in_use) => format!("uses {side} {in_use}"),
            LaneReport::TooLong(octets) => format!("too long {octets}"),
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
        LaneCommand::RetireRxSa(SCI, an(1), ki(1)),
    ] {
        assert!(bench.command(command).is_none());
    }
    assert!(keys.iter().all(|key| Arc::strong_count(key) == 2));
    bench.said.clear();
    assert!(keys.iter().all(|key| Arc::strong_count(key) == 1));
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

    let mut peer = super::bench::Peer::new();
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
