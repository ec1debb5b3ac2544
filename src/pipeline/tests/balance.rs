//! Whatever comes in whatever mode, every frame is accounted for and a closed lane is closed.

use proptest::prelude::*;

use super::{
    bench::{BYPASSED, Bench, MTU, Peer, SCI, an, key, ki, rx_sa, tx_sa},
    frames::{VecFrame, frame},
};
use crate::{
    bus::{Direction, LaneCommand, LaneMode},
    macsec::FrameBuf,
};

#[derive(Clone, Debug)]
enum Step {
    Mode(LaneMode),
    Install(u8),
    Use(u8),
    Retire(u8),
    Burst(Vec<Made>),
}

#[derive(Clone, Debug)]
enum Made {
    Typed(u16, usize),
    Tagged(u16, usize),
    Protected(usize),
    Broken(usize, usize),
    Chained(usize),
    Junk(Vec<u8>),
}

fn mode() -> impl Strategy<Value = LaneMode> {
    prop_oneof![
        Just(LaneMode::Closed),
        Just(LaneMode::Wire),
        Just(LaneMode::Clear),
        Just(LaneMode::SecuredAcceptClear),
        Just(LaneMode::Secured),
    ]
}

fn made() -> impl Strategy<Value = Made> {
    let ethertype = prop_oneof![
        Just(0x0800),
        Just(0x888e),
        Just(0x8808),
        Just(0x88e5),
        Just(BYPASSED),
        any::<u16>()
    ];
    let len = prop_oneof![0..100_usize, MTU..MTU + 60];
    prop_oneof![
        (ethertype.clone(), len.clone()).prop_map(|(of, len)| Made::Typed(of, len)),
        (ethertype, len).prop_map(|(of, len)| Made::Tagged(of, len)),
        (14..MTU).prop_map(Made::Protected),
        (14..200_usize, any::<usize>()).prop_map(|(len, bit)| Made::Broken(len, bit)),
        (14..200_usize).prop_map(Made::Chained),
        prop::collection::vec(any::<u8>(), 0..80).prop_map(Made::Junk),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let number = 1..4_u8;
    prop_oneof![
        3 => mode().prop_map(Step::Mode),
        1 => number.clone().prop_map(Step::Install),
        1 => number.clone().prop_map(Step::Use),
        1 => number.prop_map(Step::Retire),
        6 => prop::collection::vec(made(), 0..65).prop_map(Step::Burst),
    ]
}

fn build(made: &Made, peer: &mut Peer) -> VecFrame {
    let octets = match made {
        Made::Typed(ethertype, len) => frame(&[*ethertype], *len),
        Made::Tagged(ethertype, len) => frame(&[0x8100, *ethertype], *len),
        Made::Protected(len) => peer.protected(&frame(&[0x0800], *len)),
        Made::Broken(len, bit) => {
            let mut octets = peer.protected(&frame(&[0x0800], *len));
            let at = bit % (8 * octets.len());
            octets[at / 8] ^= 1 << (at % 8);
            octets
        }
        Made::Chained(len) => return VecFrame::chained(&frame(&[0x0800], *len)),
        Made::Junk(octets) => octets.clone(),
    };
    VecFrame::new(&octets)
}

fn command(direction: Direction, step: &Step) -> Option<LaneCommand> {
    Some(match (step, direction) {
        (Step::Mode(mode), _) => LaneCommand::Mode(*mode),
        (Step::Install(n), Direction::Protect) => LaneCommand::InstallTxSa(tx_sa(*n, key(*n), SCI)),
        (Step::Install(n), Direction::Validate) => {
            LaneCommand::InstallRxSa(SCI, rx_sa(*n, key(*n), SCI))
        }
        (Step::Use(n), Direction::Protect) => LaneCommand::EncodeWith(an(*n), ki(*n)),
        (Step::Retire(n), Direction::Protect) => LaneCommand::RetireTxSa(an(*n), ki(*n)),
        (Step::Retire(n), Direction::Validate) => LaneCommand::RetireRxSa(SCI, an(*n), ki(*n)),
        _ => return None,
    })
}

fn run(direction: Direction, steps: &[Step]) -> Result<(), TestCaseError> {
    let (mut bench, mut peer) = (Bench::bare(direction), Peer::new());
    let mut mode = LaneMode::Closed;
    for step in steps {
        if let Step::Mode(asked) = step {
            mode = *asked;
        }
        if let Some(command) = command(direction, step) {
            prop_assert!(bench.command(command).is_none());
        }
        let Step::Burst(made) = step else { continue };
        let mut frames: Vec<_> = made.iter().map(|made| build(made, &mut peer)).collect();
        // The bench balances the books of every burst.
        let onward = bench.burst(&mut frames);
        if mode == LaneMode::Closed {
            prop_assert!(onward.is_empty());
        }
        if direction == Direction::Protect && mode == LaneMode::Secured {
            for at in onward {
                let left = u16::from_be_bytes([frames[at].octets()[12], frames[at].octets()[13]]);
                prop_assert!([0x88e5, BYPASSED].contains(&left) || left == 0x9001);
            }
        }
        if bench.eapol.take().is_some() {
            while bench.eapol.take().is_some() {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_frame_into_a_protect_lane_is_accounted_for(steps in prop::collection::vec(step(), 1..16)) {
        run(Direction::Protect, &steps)?;
    }

    #[test]
    fn every_frame_into_a_validate_lane_is_accounted_for(steps in prop::collection::vec(step(), 1..16)) {
        run(Direction::Validate, &steps)?;
    }
}

#[test]
fn a_closed_lane_lets_nothing_through_whatever_it_was_before() {
    let kinds = || {
        let mut frames: Vec<_> = (0..=u8::MAX)
            .map(|high| frame(&[u16::from(high) << 8 | 0x8e], 80))
            .collect();
        frames.extend([0x0800, 0x888e, 0x88e5, BYPASSED, 0x8808].map(|of| frame(&[of], 80)));
        frames
    };
    for direction in Direction::BOTH {
        for before in [LaneMode::Wire, LaneMode::Clear, LaneMode::Secured] {
            let mut bench = Bench::keyed(direction, before);
            bench.command(LaneCommand::Mode(LaneMode::Closed));
            let mut peer = Peer::new();
            for octets in kinds() {
                assert!(bench.one(VecFrame::new(&octets)).is_none());
                let protected = peer.protected(&octets_or_data(&octets));
                assert!(bench.one(VecFrame::new(&protected)).is_none());
            }
        }
    }
}

/// A lane protects no pause frame.
fn octets_or_data(octets: &[u8]) -> Vec<u8> {
    if octets[12..14] == [0x88, 0x08] {
        frame(&[0x0800], 80)
    } else {
        octets.to_vec()
    }
}
