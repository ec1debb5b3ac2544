//! Ports: bring-up, queues, what the driver refuses, start and stop under a quiesced queue.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

mod support;

use dpdk::{Burst, Eal, Mempool, PortConfig, PortControl, RxQueue, TxQueue};
use support::{alone, assert_full, eal, pool};

/// A started port with one queue each way.
struct Running {
    control: PortControl,
    rx: RxQueue,
    tx: TxQueue,
}

fn start(eal: &Eal, name: &str, pool: &Mempool) -> Running {
    let port = eal.port_by_name(name).unwrap();
    let mut port = port.configure(PortConfig::wire(pool)).unwrap();
    let mut queues = port.take_queues().unwrap();
    assert!(port.take_queues().is_none(), "queues have one owner");
    let port = port.start().unwrap();
    Running {
        control: port.control(),
        rx: queues.rx.remove(0),
        tx: queues.tx.remove(0),
    }
}

fn fill(pool: &Mempool, count: u8) -> Burst {
    let mut burst = Burst::new();
    for n in 0..count {
        let mut mbuf = pool.alloc().unwrap();
        mbuf.append(60).unwrap().fill(n);
        burst.push(mbuf).unwrap();
    }
    burst
}

fn marks(burst: &Burst) -> Vec<u8> {
    burst.iter().map(|mbuf| mbuf.data()[0]).collect()
}

#[test]
fn frames_cross_a_ring_in_order() {
    alone("frames_cross_a_ring_in_order", || {
        let eal = eal(&["--vdev=net_ring0"]);
        let pool = pool(&eal);
        let Running {
            control,
            mut rx,
            mut tx,
        } = start(&eal, "net_ring0", &pool);
        let mut out = fill(&pool, 40);
        assert_eq!(tx.tx_burst(&mut out), 40);
        assert!(out.is_empty());
        assert_eq!(pool.in_use(), 40);
        let mut came = Burst::new();
        assert_eq!(rx.rx_burst(&mut came), 40);
        assert_eq!(marks(&came), (0..40).collect::<Vec<u8>>());
        assert_eq!(rx.rx_burst(&mut came), 0);
        let stats = control.stats().unwrap();
        assert_eq!((stats.ipackets, stats.opackets), (40, 40));
        drop(came);
        assert_full(&pool);
    });
}
