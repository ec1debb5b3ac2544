//! Mempools, mbufs and bursts: ownership and bounds, against DPDK's own accounting.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

mod support;

use dpdk::{Burst, Mbuf, Mempool, PackedBurst};
use support::{alone, assert_full, eal, pool};

fn fill(pool: &Mempool, count: usize) -> Burst {
    let mut burst = Burst::new();
    for n in 0..count {
        let mut mbuf = pool.alloc().unwrap();
        mbuf.append(60 + n).unwrap().fill(u8::try_from(n).unwrap());
        burst.push(mbuf).unwrap();
    }
    burst
}

fn marks(burst: &Burst) -> Vec<u8> {
    burst.iter().map(|mbuf| mbuf.data()[0]).collect()
}

#[test]
fn a_pool_counts_what_is_out() {
    alone("a_pool_counts_what_is_out", || {
        let eal = eal(&[]);
        let pool = pool(&eal);
        assert_eq!((pool.avail(), pool.in_use()), (1023, 0));
        let held: Vec<Mbuf> = std::iter::from_fn(|| pool.alloc()).collect();
        assert_eq!(held.len(), 1023);
        assert_eq!((pool.avail(), pool.in_use()), (0, 1023));
        assert!(pool.alloc().is_none());
        drop(held);
        assert_full(&pool);
    });
}

#[test]
fn prepend_append_adj_trim_keep_their_bounds() {
    alone("prepend_append_adj_trim_keep_their_bounds", || {
        let eal = eal(&[]);
        let pool = pool(&eal);
        let mut mbuf = pool.alloc().unwrap();
        let (head, tail) = (mbuf.headroom(), mbuf.tailroom());
        assert_eq!((head, tail), (usize::from(dpdk::headroom()), 2048));
        assert!(mbuf.is_empty() && mbuf.is_contiguous() && mbuf.data().is_empty());

        assert!(mbuf.append(tail + 1).is_none());
        assert!(mbuf.append(usize::from(u16::MAX) + 1).is_none());
        assert!(mbuf.append(usize::MAX).is_none());
        mbuf.append(tail).unwrap().fill(7);
        assert_eq!((mbuf.len(), mbuf.tailroom()), (2048, 0));
        assert!(mbuf.append(1).is_none());

        assert!(mbuf.prepend(head + 1).is_none());
        assert!(mbuf.prepend(usize::MAX).is_none());
        mbuf.prepend(head).unwrap().fill(9);
        assert_eq!((mbuf.headroom(), mbuf.len()), (0, 2048 + head));
        assert!(mbuf.data()[..head].iter().all(|octet| *octet == 9));
        assert!(mbuf.data()[head..].iter().all(|octet| *octet == 7));

        let all = mbuf.len();
        assert!(!mbuf.adj(all + 1) && !mbuf.trim(all + 1) && !mbuf.adj(usize::MAX));
        assert_eq!(mbuf.len(), all);
        assert!(mbuf.adj(head));
        assert_eq!(mbuf.data(), [7; 2048]);
        assert!(mbuf.trim(2047));
        assert_eq!((mbuf.len(), mbuf.data()), (1, [7].as_slice()));
        assert!(mbuf.adj(1) && mbuf.is_empty());
        assert_eq!(mbuf.prepend(0).unwrap().len(), 0);
        drop(mbuf);
        assert_full(&pool);
    });
}

#[test]
fn a_chained_mbuf_is_recognised() {
    alone("a_chained_mbuf_is_recognised", || {
        let eal = eal(&[]);
        let pool = pool(&eal);
        let mut head = pool.alloc().unwrap();
        head.append(100).unwrap().fill(1);
        let mut tail = pool.alloc().unwrap();
        tail.append(50).unwrap().fill(2);
        head.chain(tail).unwrap();
        assert!(!head.is_contiguous());
        assert_eq!(
            (head.segments(), head.len(), head.data().len()),
            (2, 150, 100)
        );
        // What would need the last segment is refused, not done to the first.
        assert!(head.append(1).is_none() && !head.trim(1));
        assert_eq!(head.len(), 150);
        head.prepend(8).unwrap();
        assert!(head.adj(8));
        assert!(!head.adj(101));
        assert_eq!(head.len(), 150);
        drop(head);
        assert_full(&pool);
    });
}

#[test]
fn a_burst_keeps_order_and_frees_what_is_left() {
    alone("a_burst_keeps_order_and_frees_what_is_left", || {
        let eal = eal(&[]);
        let pool = pool(&eal);
        let mut burst = fill(&pool, Burst::CAPACITY);
        assert_eq!((burst.len(), burst.room()), (64, 0));
        let refused = burst.push(pool.alloc().unwrap()).unwrap_err();
        assert_eq!(pool.in_use(), 65);
        drop(refused);
        assert_eq!(pool.in_use(), 64);
        assert_eq!(burst.pop().unwrap().data()[0], 63);
        assert_eq!(pool.in_use(), 63);
        assert_eq!(marks(&burst), (0..63).collect::<Vec<u8>>());
        burst.as_mut_slice().swap(0, 62);
        assert_eq!(burst.iter_mut().next().unwrap().data_mut()[0], 62);
        drop(burst);
        assert_full(&pool);
    });
}

#[test]
fn a_drain_frees_what_it_did_not_give() {
    alone("a_drain_frees_what_it_did_not_give", || {
        let eal = eal(&[]);
        let pool = pool(&eal);
        let mut burst = fill(&pool, 10);
        let mut drain = burst.drain();
        assert_eq!(drain.len(), 10);
        let first: Vec<u8> = drain.by_ref().take(3).map(|mbuf| mbuf.data()[0]).collect();
        assert_eq!(first, [0, 1, 2]);
        assert_eq!(pool.in_use(), 7);
        drop(drain);
        assert!(burst.is_empty());
        assert_full(&pool);
        let mut burst = fill(&pool, 4);
        // A leaked iterator leaks its mbufs and frees none of them twice.
        std::mem::forget(burst.drain());
        drop(burst);
        assert_eq!(pool.in_use(), 4);
    });
}

#[test]
fn an_mbuf_is_freed_by_whichever_thread_has_it() {
    alone("an_mbuf_is_freed_by_whichever_thread_has_it", || {
        let eal = eal(&[]);
        let pool = pool(&eal);
        let burst = fill(&pool, 20);
        let thread = std::thread::Builder::new()
            .spawn(move || drop(burst))
            .unwrap();
        thread.join().unwrap();
        assert_full(&pool);
    });
}

#[test]
fn an_mbuf_that_outlives_pool_and_eal_stays_readable() {
    alone("an_mbuf_that_outlives_pool_and_eal_stays_readable", || {
        let eal = eal(&[]);
        let pool = pool(&eal);
        let mut mbuf = pool.alloc().unwrap();
        mbuf.append(60).unwrap().fill(0xA5);
        drop(pool);
        drop(eal);
        assert_eq!(mbuf.data(), [0xA5; 60]);
        drop(mbuf);
    });
}

#[test]
fn a_packed_burst_gives_each_frame_s_octets_until_it_is_unpacked() {
    let name = "a_packed_burst_gives_each_frame_s_octets_until_it_is_unpacked";
    alone(name, || {
        let eal = eal(&[]);
        let pool = pool(&eal);
        let mut packed = PackedBurst::new();
        packed.pack();
        assert!(!packed.is_packed());
        *packed.unpacked() = fill(&pool, 64);
        assert_eq!(packed.frames().count(), 0, "not packed yet");
        packed.pack();
        assert!(packed.is_packed());
        // It goes to another thread, as it is.
        let look = move || {
            let mut frames: Vec<_> = packed.frames().collect();
            assert_eq!(frames.len(), 64);
            for (n, frame) in frames.iter_mut().enumerate() {
                assert_eq!(frame.data(), vec![u8::try_from(n).unwrap(); 60 + n]);
                frame.data_mut()[0] ^= 0x80;
                assert_eq!(frame.data_and_tailroom_mut().len(), 2048);
                frame.data_and_tailroom_mut()[2047] = 1;
            }
            packed
        };
        let there = std::thread::Builder::new().spawn(look).unwrap();
        let mut packed = there.join().unwrap();
        assert_eq!(packed.frames().count(), 64, "as often as one likes");
        let changed: Vec<u8> = (0..64).map(|n| n ^ 0x80).collect();
        assert_eq!(marks(packed.unpacked()), changed);
        assert!(!packed.is_packed());
        assert_eq!(packed.frames().count(), 0);
        packed.unpacked().truncate(5);
        packed.pack();
        assert_eq!(packed.frames().count(), 5);
        assert_eq!(pool.in_use(), 5);
        drop(packed);
        assert_full(&pool);
    });
}
