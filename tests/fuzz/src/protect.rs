//! `TxSecy::protect_burst` on arbitrary plain frames: what it protects, the other end takes.

use macsec_gateway::ieee::An;
use macsec_gateway::macsec::{
    FrameBuf, FrameSet, MIN_PLAIN_FRAME, Replay, RxSecy, TxSecy, Verdicts,
};

use crate::channel::{Channel, KI};
use crate::frame::VecFrame;
use crate::input::{BURSTS, Input};
use crate::ledger::Ledger;

/// One input: the channel, then bursts of frames.
pub fn run(octets: &[u8]) {
    let mut input = Input::new(octets);
    let channel = Channel::read(&mut input);
    let an = input.choose(&An::ALL);
    let mut tx = TxSecy::new(channel.tx_params());
    assert!(tx.install_sa(channel.tx_sa(an)).is_none());
    assert!(tx.encode_with(an, KI));
    let mut rx = RxSecy::new(channel.rx_params());
    rx.set_replay(Replay::Strict);
    let scs = [rx.add_sc(channel.sci())];
    rx.install_sa(channel.sci(), channel.rx_sa(an)).unwrap();
    let (mut tx_ledger, mut rx_ledger) = (Ledger::default(), Ledger::default());
    let mut verdicts = Verdicts::new();
    for _ in 0..BURSTS {
        if input.is_empty() {
            break;
        }
        let octets = input.burst();
        let mut frames: Vec<_> = octets.iter().map(|frame| VecFrame::new(frame)).collect();
        let todo = FrameSet::first(frames.len());
        verdicts.clear();
        tx.protect_burst(&mut frames, todo, &mut verdicts);
        tx_ledger.balance_tx(&tx.counters(), todo, &verdicts);
        let protected = verdicts.passed();
        rx.validate_burst(&mut frames, protected, &mut verdicts);
        rx_ledger.balance_rx(&rx.counters(), &scs, protected, &{
            let mut of_these = verdicts.clone();
            of_these.forget(todo.minus(protected));
            of_these
        });
        for at in protected {
            assert_eq!(verdicts.reject_of(at), None, "{channel:?}");
            let mut wanted = octets[at].to_vec();
            wanted.resize(wanted.len().max(MIN_PLAIN_FRAME), 0);
            assert_eq!(frames[at].octets(), wanted, "{channel:?}");
        }
    }
}
