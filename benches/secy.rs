//! Protect and validate through a SecY: each engine, suite and frame size, in bursts of 32.
//!
//! What `benches/compare.sh engines` leaves out is in here: SecTAG, nonces, packet numbers, replay, counters
//! and verdicts. A frame size is that on the plain side without FCS. And what a key object costs that is made
//! anew. `cargo bench --bench secy` runs all of it; `cargo bench --bench secy -- protect/ring/gcm-aes-xpn-256`
//! or `-- key_setup` some.
#![expect(clippy::unwrap_used, reason = "a benchmark ends where it can't go on")]

#[path = "secy/frame.rs"]
mod frame;
#[path = "secy/key_setup.rs"]
mod key_setup;

use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use macsec_gateway::crypto::{KeyFactory, SaKey, Sak, engine};
use macsec_gateway::ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Pn, Salt, Sci, Ssci};
use macsec_gateway::macsec::{
    Confidentiality, FrameSet, Replay, RxParams, RxSa, RxSaParams, RxSaShared, RxSecy, SectagSci,
    TxParams, TxSa, TxSaParams, TxSaShared, TxSecy, ValidateFrames, Verdicts, XpnParams,
};

use frame::VecFrame;

const SIZES: [usize; 7] = [64, 128, 256, 512, 1024, 1518, 9000];
const BURST: usize = 32;
const MTU: usize = 9000;
const AN: An = An::ALL[0];
const KI: KeyIdentifier = KeyIdentifier([0x11; 16]);
const SCI: Sci = Sci::new(MacAddr([2, 0, 0, 0, 0, 1]), 1);
const DUPLICATE_DEPTH: usize = 4096;

fn make_key(factory: &dyn KeyFactory, suite: CipherSuite) -> SaKey {
    let sak = Sak::take(&mut vec![7; suite.sak_len()]).unwrap();
    factory.make_key(&sak).unwrap()
}

fn xpn(suite: CipherSuite) -> Option<XpnParams> {
    suite.is_xpn().then_some(XpnParams {
        ssci: Ssci(1),
        salt: Salt([0xE0; 12]),
    })
}

fn tx_secy(key: SaKey, suite: CipherSuite) -> TxSecy {
    let mut secy = TxSecy::new(TxParams {
        sci: SCI,
        sectag_sci: SectagSci::Explicit,
        clear_vlan_tags: 0,
        mtu: MTU,
    });
    let sa = TxSa::new(TxSaParams {
        an: AN,
        ki: KI,
        suite,
        key,
        sci: SCI,
        xpn: xpn(suite),
        confidentiality: Confidentiality::Offset0,
        next_pn: Pn(1),
        shared: TxSaShared::new(Pn(u64::MAX)),
    });
    assert!(secy.install_sa(Box::new(sa.unwrap())).is_none());
    assert!(secy.encode_with(AN, KI));
    secy
}

fn rx_secy(key: SaKey, suite: CipherSuite) -> RxSecy {
    let mut secy = RxSecy::new(RxParams {
        validate: ValidateFrames::Strict,
        replay: Replay::Window(64),
        duplicate_depth: DUPLICATE_DEPTH,
        clear_vlan_tags: 0,
        mtu: MTU,
    });
    let _ = secy.add_sc(SCI);
    let sa = RxSa::new(RxSaParams {
        an: AN,
        ki: KI,
        suite,
        key,
        sci: SCI,
        xpn: xpn(suite),
        confidentiality: Confidentiality::Offset0,
        lowest_pn: Pn(1),
        duplicate_depth: DUPLICATE_DEPTH,
        shared: RxSaShared::new(),
    });
    let replaced = secy.install_sa(SCI, Box::new(sa.unwrap()));
    assert!(replaced.is_ok_and(|old| old.is_none()));
    secy
}

/// Every engine of this machine with every suite.
fn each(criterion: &mut Criterion, run: impl Fn(&mut Criterion, &str, SaKey, CipherSuite)) {
    for candidate in engine::candidates() {
        for suite in CipherSuite::ALL {
            let name = format!("{}/{suite}", candidate.factory.name());
            run(
                criterion,
                &name,
                make_key(&*candidate.factory, suite),
                suite,
            );
        }
    }
}

fn protect(criterion: &mut Criterion) {
    each(criterion, |criterion, name, key, suite| {
        let mut group = criterion.benchmark_group(format!("protect/{name}"));
        let mut secy = tx_secy(key, suite);
        for size in SIZES {
            let mut burst = vec![VecFrame::new(size); BURST];
            let mut verdicts = Verdicts::new();
            group.throughput(throughput(size));
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                bencher.iter(|| {
                    burst.iter_mut().for_each(|frame| frame.refill(size));
                    secy.protect_burst(&mut burst, FrameSet::first(BURST), &mut verdicts);
                    assert_eq!(verdicts.passed(), FrameSet::first(BURST));
                });
            });
        }
        group.finish();
    });
}

fn validate(criterion: &mut Criterion) {
    each(criterion, |criterion, name, key, suite| {
        let mut group = criterion.benchmark_group(format!("validate/{name}"));
        let mut peer = tx_secy(key.clone(), suite);
        let mut secy = rx_secy(key, suite);
        for size in SIZES {
            let mut verdicts = Verdicts::new();
            let plain = vec![VecFrame::new(size); BURST];
            group.throughput(throughput(size));
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                // The peer's work isn't timed. One burst at a time, so that frames are as warm in the
                // cache as those that a NIC has just written.
                bencher.iter_batched_ref(
                    || {
                        let mut burst = plain.clone();
                        let mut verdicts = Verdicts::new();
                        peer.protect_burst(&mut burst, FrameSet::first(BURST), &mut verdicts);
                        burst
                    },
                    |burst| {
                        secy.validate_burst(burst, FrameSet::first(BURST), &mut verdicts);
                        assert_eq!(verdicts.passed(), FrameSet::first(BURST));
                    },
                    BatchSize::PerIteration,
                );
            });
        }
        group.finish();
    });
}

fn throughput(size: usize) -> Throughput {
    Throughput::ElementsAndBytes {
        elements: BURST as u64,
        bytes: (BURST * size) as u64,
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(20);
    targets = protect, validate, key_setup::key_setup
}
criterion_main!(benches);
