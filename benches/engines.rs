//! Seal and open by each engine: key size, frame size, and bursts of 32, in octets and in frames.
//!
//! A frame size is that on the plain side without FCS; its text is what follows the addresses, its
//! additional data addresses and SecTAG with SCI. `cargo bench --bench engines` runs all of it;
//! `cargo bench --bench engines -- 1518` one size.
#![expect(clippy::unwrap_used, reason = "a benchmark ends where it can't go on")]

use std::{array, time::Duration};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use macsec_gateway::crypto::{AeadFrame, NONCE_LEN, SaKey, Sak, TAG_LEN, engine};

const SIZES: [usize; 7] = [64, 128, 256, 512, 1024, 1518, 9000];
const BURST: usize = 32;

/// Destination, source, and a SecTAG with SCI.
const AAD_LEN: usize = 28;
const ADDRESSES_LEN: usize = 12;

/// Octets behind each tag, as an mbuf has them.
const ROOM: usize = 64;

fn buffers(frame_len: usize) -> Vec<Vec<u8>> {
    vec![vec![0x5A; AAD_LEN + frame_len - ADDRESSES_LEN + TAG_LEN + ROOM]; BURST]
}

/// Calls `work` with the burst that `buffers` hold. Like a lane, it makes the burst's description anew.
fn with_burst<R>(buffers: &mut [Vec<u8>], work: impl FnOnce(&mut [AeadFrame<'_>]) -> R) -> R {
    let mut pn = 0u32;
    let mut buffers = buffers.iter_mut();
    let mut burst: [AeadFrame<'_>; BURST] = array::from_fn(|_| {
        let mut nonce = [0x12; NONCE_LEN];
        nonce[8..].copy_from_slice(&pn.to_be_bytes());
        pn += 1;
        let buffer = buffers.next().unwrap();
        AeadFrame {
            nonce,
            aad_len: AAD_LEN,
            len: buffer.len() - ROOM,
            buffer,
        }
    });
    work(&mut burst)
}

fn engines(criterion: &mut Criterion) {
    for candidate in engine::candidates() {
        for sak_len in [16, 32] {
            let sak = Sak::take(&mut vec![7; sak_len]).unwrap();
            let key = candidate.factory.make_key(&sak).unwrap();
            let name = format!("{}/aes-{}", candidate.factory.name(), sak_len * 8);
            seal(criterion, &name, &key);
            open(criterion, &name, &key);
        }
    }
}

fn seal(criterion: &mut Criterion, name: &str, key: &SaKey) {
    let mut group = criterion.benchmark_group(format!("seal/{name}"));
    for size in SIZES {
        group.throughput(throughput(size));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            let mut buffers = buffers(size);
            bencher.iter(|| with_burst(&mut buffers, |burst| key.seal(burst)));
        });
    }
    group.finish();
}

fn open(criterion: &mut Criterion, name: &str, key: &SaKey) {
    let mut group = criterion.benchmark_group(format!("open/{name}"));
    for size in SIZES {
        let mut sealed = buffers(size);
        with_burst(&mut sealed, |burst| key.seal(burst));
        group.throughput(throughput(size));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            // Opening changes the text, so each run gets its own copy, which isn't timed.
            bencher.iter_batched_ref(
                || sealed.clone(),
                |buffers| {
                    let opened = with_burst(buffers, |burst| key.open(burst));
                    assert_eq!(opened.0, (1 << BURST) - 1);
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
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
    targets = engines
}
criterion_main!(benches);
