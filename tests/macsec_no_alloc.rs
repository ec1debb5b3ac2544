//! Nothing on a burst allocates or frees, and neither do the commands that a worker carries out:
//! install, choose and retire. A counting allocator stands in for the system's.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test may end it, as its own body may"
)]

#[path = "macsec_secy/bed.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of both halves, which use more of it"
)]
mod bed;
#[path = "macsec_secy/frame.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of both halves, which use more of it"
)]
mod frame;
#[path = "macsec_secy/ledger.rs"]
mod ledger;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use macsec_gateway::ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Pn, Sci};
use macsec_gateway::macsec::{
    FrameSet, Replay, RxSa, RxSc, RxScCounters, RxSecy, TxSa, TxSecy, ValidateFrames, Verdicts,
};

use bed::{AN, Channel, KI, counting, key};
use frame::VecFrame;

/// The system's allocator, and how often this thread asked it for anything.
struct Counting;

thread_local! {
    static CALLS: AtomicU64 = const { AtomicU64::new(0) };
}

fn note() {
    // A thread that is ending has no counter any more, and is none of ours.
    let _ended = CALLS.try_with(|calls| calls.fetch_add(1, Ordering::Relaxed));
}

// SAFETY: every call is handed on to `System` unchanged, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promises are the ones that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note();
        // SAFETY: as above; `block` came from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn calls() -> u64 {
    CALLS.with(|calls| calls.load(Ordering::Relaxed))
}

#[test]
fn the_counting_allocator_counts() {
    let before = calls();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert_eq!(calls() - before, 2);
}

#[test]
fn bursts_and_commands_allocate_and_free_nothing() {
    for suite in CipherSuite::ALL {
        let channel = Channel {
            suite,
            clear_vlan_tags: 2,
            replay: Replay::Window(1000),
            ..Channel::default()
        };
        let next = KeyIdentifier([2; 16]);
        let next_an = AN.next();
        let tx_sa = |an, ki, nth| {
            let params = channel.tx_sa_params(an, ki, key(suite, nth));
            Box::new(TxSa::new(params).unwrap())
        };
        let rx_sa = |an, ki, nth| {
            let params = channel.rx_sa_params(an, ki, key(suite, nth));
            Box::new(RxSa::new(params).unwrap())
        };
        let mut tx = TxSecy::new(channel.tx_params());
        let mut rx = RxSecy::new(channel.rx_params());
        let sas = (tx_sa(AN, KI, 0), tx_sa(next_an, next, 1));
        let rx_sas = (rx_sa(AN, KI, 0), rx_sa(next_an, next, 1));
        let other = Sci::new(MacAddr([2, 7, 7, 7, 7, 7]), 1);
        let counters = [(); 2].map(|()| Arc::<RxScCounters>::default());
        let kept = counters.clone();
        let mut verdicts = Verdicts::new();
        let mut frames: Vec<_> = (0..64)
            .map(|i| VecFrame::new(&counting(14 + i * 20, i % 4)))
            .collect();
        let todo = FrameSet(u64::MAX);

        let before = calls();
        let [a, b] = counters;
        assert!(rx.add_sc_with(channel.sci(), a).is_ok());
        assert!(rx.add_sc_with(other, b).is_ok());
        assert!(rx.install_sa(channel.sci(), rx_sas.0).is_ok());
        assert!(rx.install_sa(channel.sci(), rx_sas.1).is_ok());
        assert!(tx.install_sa(sas.0).is_none() && tx.install_sa(sas.1).is_none());
        for (an, ki) in [(AN, KI), (next_an, next)] {
            assert!(tx.encode_with(an, ki));
            tx.protect_burst(&mut frames, todo, &mut verdicts);
            assert_eq!(verdicts.passed(), todo);
            rx.validate_burst(&mut frames, todo, &mut verdicts);
            assert_eq!(verdicts.passed(), todo);
        }
        // The frames are plain now: without SecTAG, and refused.
        rx.validate_burst(&mut frames, todo, &mut verdicts);
        assert_eq!(verdicts.rejected(), todo);
        rx.set_replay(Replay::Off);
        rx.set_validate(ValidateFrames::Check);
        assert!(rx.raise_lowest_pn(channel.sci(), next_an, next, Pn(1_000_000)));
        let retired = (
            tx.retire_sa(AN, KI),
            rx.retire_sa(channel.sci(), AN, KI),
            rx.take_sc(channel.sci()).map(RxSc::into_sas),
            rx.take_sc(other).map(RxSc::into_sas),
        );
        assert_eq!(calls() - before, 0, "{suite}");

        assert!(retired.0.is_some() && retired.1.is_some());
        let (sas, none) = (retired.2.unwrap(), retired.3.unwrap());
        assert_eq!(sas.iter().flatten().count(), 1);
        assert_eq!(sas[next_an.index()].as_ref().map(|sa| sa.ki()), Some(next));
        assert!(none.iter().all(Option::is_none));
        assert_eq!(kept[0].in_pkts_ok.value(), 128);
        assert!(
            An::ALL
                .iter()
                .all(|an| tx.sa(*an).is_none_or(|sa| sa.an() == *an))
        );
    }
}
