//! `RxSecy::validate_burst` on arbitrary frames, in every suite and under every rule.

use macsec_gateway::ieee::{An, Sci};
use macsec_gateway::macsec::{FrameBuf, FrameSet, RxSecy, ValidateFrames, Verdicts};

use crate::channel::Channel;
use crate::frame::VecFrame;
use crate::input::{BURSTS, Input};
use crate::ledger::Ledger;

/// One input: the channel, then bursts of frames.
pub fn run(octets: &[u8]) {
    let mut input = Input::new(octets);
    let channel = Channel::read(&mut input);
    let ans = input.octet();
    let mut secy = RxSecy::new(channel.rx_params());
    let mut scs = vec![secy.add_sc(channel.sci())];
    if ans & 0x10 != 0 {
        // With a second channel a SecTAG that names none says nothing.
        scs.push(secy.add_sc(Sci(1)));
    }
    // The first is always there, the others as the input says.
    for an in An::ALL {
        if an.index() == 0 || ans >> an.index() & 1 == 1 {
            let replaced = secy.install_sa(channel.sci(), channel.rx_sa(an)).unwrap();
            assert!(replaced.is_none());
        }
    }
    let mut ledger = Ledger::default();
    let mut verdicts = Verdicts::new();
    for _ in 0..BURSTS {
        if input.is_empty() {
            break;
        }
        let octets = input.burst();
        let mut frames: Vec<_> = octets.iter().map(|frame| VecFrame::new(frame)).collect();
        let todo = FrameSet::first(frames.len());
        verdicts.clear();
        secy.validate_burst(&mut frames, todo, &mut verdicts);
        ledger.balance_rx(&secy.counters(), &scs, todo, &verdicts);
        for at in verdicts.passed() {
            let delivered = frames[at].octets();
            assert!(delivered.len() >= 12, "no addresses");
            // What MACsec does not know is delivered as it came, and only where that is allowed.
            let strict = channel.validate == ValidateFrames::Strict;
            assert!(!strict || delivered != octets[at], "an unprotected frame");
        }
    }
}
