//! A key object made anew: what a rekey costs the thread that makes it, which is never a frame path's.

use criterion::{BenchmarkId, Criterion};
use macsec_gateway::{crypto::engine, ieee::CipherSuite};

/// Key objects that exist meanwhile: one SA, and a link with as many as its channels allow.
const HELD: [usize; 2] = [1, 1000];

/// Makes the keys of all SAs anew, one after the other, and drops the one that each replaces.
pub(super) fn key_setup(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key_setup");
    for candidate in engine::candidates() {
        let make = || super::make_key(&*candidate.factory, CipherSuite::GcmAesXpn256);
        for held in HELD {
            let mut keys: Vec<_> = (0..held).map(|_| make()).collect();
            let id = BenchmarkId::new(candidate.factory.name(), held);
            group.bench_function(id, |bencher| {
                let mut oldest = 0;
                bencher.iter(|| {
                    keys[oldest] = make();
                    oldest = (oldest + 1) % held;
                });
            });
        }
    }
    group.finish();
}
