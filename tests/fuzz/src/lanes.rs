//! What both lanes of a link make of arbitrary frames in every mode.

use std::sync::Arc;

use macsec_gateway::bus::{
    Bypass, BypassEntry, Direction, EapolFilter, EapolSlots, LaneCommand, LaneCounters, LaneMode,
};
use macsec_gateway::ieee::{An, Ckn, EtherType, MacAddr};
use macsec_gateway::macsec::{FrameBuf, FrameSet, RxSecy, TxSecy, ValidateFrames, longest_frame};
use macsec_gateway::pipeline::{ProtectLane, ProtectSetup, ValidateLane, ValidateSetup};

use crate::channel::{Channel, KI, MTU};
use crate::frame::VecFrame;
use crate::input::{BURSTS, Input};

const MODES: [LaneMode; 5] = [
    LaneMode::Secured,
    LaneMode::Closed,
    LaneMode::Wire,
    LaneMode::Clear,
    LaneMode::SecuredAcceptClear,
];
const BYPASSED: EtherType = EtherType(0x88cc);
/// Key agreement's besides EAPOL's own.
const MKA: EtherType = EtherType(0x876f);

/// One input: the channel, then for each burst a mode and frames, which both lanes get.
pub fn run(octets: &[u8]) {
    let mut input = Input::new(octets);
    let channel = Channel {
        validate: ValidateFrames::Strict,
        ..Channel::read(&mut input)
    };
    let choice = input.octet();
    let bypass = match choice % 3 {
        0 => Bypass::default(),
        1 => bypass(None),
        _ => bypass(Some(Direction::Validate)),
    };
    // Whether a KaY runs, and whether frames wait for their turn.
    let (kay, waits) = (choice / 3 % 2 == 1, choice / 6 % 2 == 1);
    let (mut protect, mut validate) = lanes(&channel, &bypass);
    if kay {
        listen(&mut protect, &mut validate);
    }
    let (mut sent, mut delivered) = (0, 0);
    for _ in 0..BURSTS {
        if input.is_empty() {
            break;
        }
        let mode = input.choose(&MODES);
        let octets = input.burst();
        assert!(
            protect
                .command(LaneCommand::Mode(mode), &mut |_| {})
                .is_none()
        );
        assert!(
            validate
                .command(LaneCommand::Mode(mode), &mut |_| {})
                .is_none()
        );
        let mut frames: Vec<_> = octets.iter().map(|frame| VecFrame::new(frame)).collect();
        let onward = protect.process(&mut frames, &mut |_| {});
        sent += u64::from(onward.len());
        balances(protect.counters(), sent);
        for at in onward {
            check_sent(mode, &bypass, octets[at], frames[at].octets());
            check_key_agreement(mode, kay, frames[at].octets());
        }
        let mut frames: Vec<_> = octets.iter().map(|frame| VecFrame::new(frame)).collect();
        if waits {
            let stay = validate.look_ahead(&frames);
            let mut at = 0..;
            frames.retain(|_| at.next().is_some_and(|at| stay.contains(at)));
        }
        let onward: FrameSet = validate.process(&mut frames, &mut |_| {});
        delivered += u64::from(onward.len());
        balances(validate.counters(), delivered);
        for at in onward {
            let frame = frames[at].octets();
            assert_ne!(mode, LaneMode::Closed);
            assert!(frame.len() <= longest_frame(frame, MTU));
        }
    }
}

/// Names that inputs can spell, and addresses that they have.
fn listen(protect: &mut ProtectLane, validate: &mut ValidateLane) {
    let filter = EapolFilter {
        ethertype: MKA,
        own: MacAddr([2; 6]),
        ckns: vec![Ckn::new(b"k").unwrap(), Ckn::new(&[0; 32]).unwrap()],
        live: vec![MacAddr([0; 6])],
    };
    let command = LaneCommand::EapolFilter(Some(Box::new(filter)));
    assert!(validate.command(command, &mut |_| {}).is_none());
    let command = LaneCommand::KayEtherType(MKA);
    assert!(protect.command(command, &mut |_| {}).is_none());
}

fn bypass(direction: Option<Direction>) -> Bypass {
    Bypass(vec![BypassEntry {
        ethertype: BYPASSED,
        direction,
    }])
}

fn lanes(channel: &Channel, bypass: &Bypass) -> (ProtectLane, ValidateLane) {
    let mut tx = TxSecy::new(channel.tx_params());
    assert!(tx.install_sa(channel.tx_sa(An::ALL[0])).is_none());
    assert!(tx.encode_with(An::ALL[0], KI));
    let mut rx = RxSecy::new(channel.rx_params());
    rx.add_sc(channel.sci());
    let sa = channel.rx_sa(An::ALL[0]);
    assert!(rx.install_sa(channel.sci(), sa).unwrap().is_none());
    let protect = ProtectLane::new(ProtectSetup {
        secy: tx,
        bypass: Box::new(bypass.clone()),
        counters: Arc::default(),
    });
    let validate = ValidateLane::new(ValidateSetup {
        secy: rx,
        clear_vlan_tags: channel.clear_vlan_tags,
        bypass: Box::new(bypass.clone()),
        eapol: Arc::<EapolSlots>::default(),
        counters: Arc::default(),
    });
    (protect, validate)
}

/// Frames in = frames out + to control + every reason.
fn balances(counters: &LaneCounters, onward: u64) {
    assert_eq!(
        counters.frames_in.value(),
        onward + counters.to_control.value() + counters.dropped_total()
    );
}

/// Nothing clear leaves by the secure port but what the mode and the bypass list name.
fn check_sent(mode: LaneMode, bypass: &Bypass, plain: &[u8], sent: &[u8]) {
    let ethertype = EtherType(u16::from_be_bytes([plain[12], plain[13]]));
    assert_ne!(ethertype, EtherType::MAC_CONTROL);
    match mode {
        LaneMode::Closed => panic!("a closed lane sent a frame"),
        LaneMode::Wire | LaneMode::Clear => assert_eq!(plain, sent),
        LaneMode::Secured | LaneMode::SecuredAcceptClear => {
            let bypassed = bypass.covers(ethertype, Direction::Protect);
            assert_eq!(plain == sent, bypassed);
            assert!(bypassed || is_protected(sent));
        }
    }
}

/// Nor key agreement that came from the plain side.
fn check_key_agreement(mode: LaneMode, kay: bool, sent: &[u8]) {
    let ethertype = EtherType(u16::from_be_bytes([sent[12], sent[13]]));
    let is_ours = ethertype == EtherType::EAPOL || (kay && ethertype == MKA);
    assert!(mode == LaneMode::Wire || !is_ours);
}

fn is_protected(sent: &[u8]) -> bool {
    [12, 16, 20]
        .iter()
        .any(|at| sent.get(*at..at + 2) == Some(&[0x88, 0xe5]))
}
