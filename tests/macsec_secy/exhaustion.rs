//! The end of a packet number space, the end of a reservation, and edges of the wire's 32 bits.

use std::sync::Arc;

use macsec_gateway::ieee::{CipherSuite, Pn};
use macsec_gateway::macsec::{FrameBuf, FrameSet, Reject, Replay, TxSa, TxSaShared, TxSecy};
use proptest::prelude::*;

use crate::bed::{AN, Channel, KI, Tx, counting, key, watched};
use crate::frame::VecFrame;

#[test]
fn at_the_end_of_the_space_an_sa_stops_for_good() {
    for suite in CipherSuite::ALL {
        let last = suite.pn_space().last().0;
        let channel = Channel {
            suite,
            first_pn: last - 2,
            ..Channel::default()
        };
        let given = counting(80, 0);
        let (mut tx, mut rx) = (channel.tx(), channel.rx());
        let mut frames = vec![VecFrame::new(&given); 5];
        let verdicts = tx.burst(&mut frames).clone();
        assert_eq!(verdicts.passed(), FrameSet::first(3), "{suite}");
        for i in 3..5 {
            assert_eq!(verdicts.reject_of(i), Some(Reject::PnExhausted));
        }
        assert_eq!(tx.next_pn(), last + 1);
        assert_eq!(tx.refuse(VecFrame::new(&given)), Reject::PnExhausted);
        // Short frames and long ones are still refused for what they are.
        assert_eq!(tx.refuse(VecFrame::new(&given[..9])), Reject::Runt);
        frames.truncate(3);
        assert_eq!(rx.burst(&mut frames).passed(), FrameSet::first(3));
        assert!(frames.iter().all(|frame| frame.octets() == given));
        let sa = rx.secy.sc(channel.sci()).unwrap().sa(AN).unwrap();
        assert_eq!(sa.replay_window().next_pn(), Pn(last + 1));
    }
}

#[test]
fn at_the_end_of_the_reservation_an_sa_waits() {
    let channel = Channel::default();
    let given = counting(80, 0);
    let mut params = channel.tx_sa_params(AN, KI, watched(key(channel.suite, 0)));
    let shared = TxSaShared::new(Pn(4));
    params.shared = Arc::clone(&shared);
    let mut secy = TxSecy::new(channel.tx_params());
    secy.install_sa(Box::new(TxSa::new(params).unwrap()));
    secy.encode_with(AN, KI);
    let mut tx = Tx::new(secy);
    let mut burst = |shared_until: Option<u64>| {
        if let Some(pn) = shared_until {
            shared.reserve_until(Pn(pn));
        }
        let mut frames = vec![VecFrame::new(&given); 4];
        let verdicts = tx.burst(&mut frames);
        let why = verdicts
            .rejected()
            .iter()
            .map(|i| verdicts.reject_of(i).unwrap());
        assert!(why.into_iter().all(|why| why == Reject::ReservationEnded));
        (verdicts.passed().len(), shared.next_pn().0)
    };
    assert_eq!(burst(None), (3, 4));
    assert_eq!(burst(None), (0, 4));
    assert_eq!(burst(Some(2)), (0, 4), "a lower one is ignored");
    assert_eq!(shared.reserved_until(), Pn(4));
    assert_eq!(burst(Some(6)), (2, 6));
    assert_eq!(burst(Some(100)), (4, 10));
}

/// An agreed key has all of its space and no more, so that its end is told as such.
#[test]
fn the_whole_of_a_space_ends_with_the_space() {
    for suite in CipherSuite::ALL {
        let channel = Channel {
            suite,
            ..Channel::default()
        };
        let last = suite.pn_space().last().0;
        let mut params = channel.tx_sa_params(AN, KI, watched(key(suite, 0)));
        params.next_pn = Pn(last);
        params.shared = TxSaShared::whole(suite.pn_space());
        let shared = Arc::clone(&params.shared);
        let mut secy = TxSecy::new(channel.tx_params());
        secy.install_sa(Box::new(TxSa::new(params).unwrap()));
        secy.encode_with(AN, KI);
        let mut tx = Tx::new(secy);
        tx.protect(&counting(80, 0));
        assert_eq!(shared.next_pn(), Pn(last + 1));
        let refused = tx.refuse(VecFrame::new(&counting(80, 0)));
        assert_eq!(refused, Reject::PnExhausted);
    }
}

/// A reservation past the end of the space does not move the end.
#[test]
fn a_reservation_lends_no_numbers() {
    let channel = Channel {
        first_pn: 0xffff_ffff,
        ..Channel::default()
    };
    let mut tx = channel.tx();
    let secured = tx.protect(&counting(80, 0));
    assert_eq!(secured[16..20], [0xff; 4]);
    let frame = VecFrame::new(&counting(80, 0));
    assert_eq!(tx.refuse(frame), Reject::PnExhausted);
}

#[test]
fn the_wires_half_wraps_and_the_number_does_not() {
    for edge in [1u64 << 32, 7 << 32, 1 << 63] {
        for replay in [Replay::Strict, Replay::Window(10), Replay::Off] {
            let channel = Channel {
                suite: CipherSuite::GcmAesXpn128,
                first_pn: edge - 4,
                replay,
                ..Channel::default()
            };
            let given = counting(80, 0);
            let (mut tx, mut rx) = (channel.tx(), channel.rx());
            for _ in 0..8 {
                assert_eq!(rx.validate(&tx.protect(&given)), Ok(given.clone()));
            }
            let sa = rx.secy.sc(channel.sci()).unwrap().sa(AN).unwrap();
            assert_eq!(sa.replay_window().next_pn(), Pn(edge + 4));
        }
    }
}

/// With a window the lowest number stays behind an edge for a while, and late frames from before
/// the edge are still told from frames that are ahead.
#[test]
fn late_frames_across_an_edge() {
    let channel = Channel {
        suite: CipherSuite::GcmAesXpn256,
        first_pn: (1 << 32) - 8,
        replay: Replay::Window(100),
        ..Channel::default()
    };
    let given = counting(80, 0);
    let mut tx = channel.tx();
    let frames: Vec<_> = (0..16).map(|_| tx.protect(&given)).collect();
    let mut rx = channel.rx();
    for frame in frames.iter().rev() {
        assert_eq!(rx.validate(frame), Ok(given.clone()));
    }
    for frame in &frames {
        assert_eq!(rx.validate(frame), Err(Reject::Duplicate));
    }
}

proptest! {
    #![proptest_config(crate::bed::cases(200))]

    /// Any forward jump of fewer than 2^31 numbers is recovered; the nonce proves it.
    #[test]
    fn jumps_are_recovered(
        first in prop_oneof![1..u64::from(u32::MAX), (1u64 << 31)..(1 << 34), any::<u64>().prop_map(|pn| pn.clamp(1, u64::MAX - (1 << 33)))],
        jump in prop_oneof![0..100u64, ((1u64 << 31) - 50)..(1 << 31), 0..(1u64 << 31)],
    ) {
        let given = counting(80, 0);
        let at = |first_pn| Channel {
            suite: CipherSuite::GcmAesXpn128,
            first_pn,
            ..Channel::default()
        };
        let secured = at(first + jump).tx().protect(&given);
        prop_assert_eq!(at(first).rx().validate(&secured), Ok(given));
    }

    /// Whatever control and the frames do, no number is used twice: the keys of the bed see to it.
    #[test]
    fn no_number_is_used_twice(
        xpn in any::<bool>(),
        from_end in 0..400u64,
        steps in prop::collection::vec((0..20usize, 0..4u8, 0..60u64), 1..60),
    ) {
        let suite = if xpn { CipherSuite::GcmAesXpn128 } else { CipherSuite::GcmAes128 };
        let last = suite.pn_space().last().0;
        let channel = Channel { suite, first_pn: last - from_end, ..Channel::default() };
        let mut secy = TxSecy::new(channel.tx_params());
        let mut shared = Vec::new();
        for (i, an) in macsec_gateway::ieee::An::ALL.into_iter().enumerate().take(2) {
            let mut params = channel.tx_sa_params(an, KI, watched(key(suite, u8::try_from(i).unwrap())));
            params.shared = TxSaShared::new(params.next_pn);
            shared.push(Arc::clone(&params.shared));
            secy.install_sa(Box::new(TxSa::new(params).unwrap()));
        }
        let mut tx = Tx::new(secy);
        for (frames, what, number) in steps {
            let an = usize::from(what & 1);
            match what {
                0 | 1 => { tx.secy.encode_with(macsec_gateway::ieee::An::ALL[an], KI); }
                _ => shared[an].reserve_until(shared[an].next_pn().saturating_add(number)),
            }
            let mut burst: Vec<_> = (0..frames).map(|i| {
                let len = if i % 5 == 3 { 10 } else { 64 };
                let head = if i % 7 == 2 { 3 } else { 64 };
                VecFrame::with_room(&counting(len, 0), head, 64)
            }).collect();
            tx.burst(&mut burst);
            for shared in &shared {
                prop_assert!(shared.next_pn().0 <= last + 1);
                prop_assert!(shared.next_pn() <= shared.reserved_until().max(Pn(last - from_end)));
            }
        }
    }
}
