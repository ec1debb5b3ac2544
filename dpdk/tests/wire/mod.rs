//! Started ports as the ends of a wire, and frames to put on it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::thread;
use std::time::{Duration, Instant};

use dpdk::{
    Burst, Eal, Mempool, Port, PortConfig, PortControl, Probed, RxQueue, SocketId, TxQueue,
};

pub(crate) const ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

/// A frame that says nothing to the kernel.
pub(crate) fn frame(length: usize, mark: u8) -> Vec<u8> {
    let mut frame = vec![mark; length];
    frame[..12].copy_from_slice(&ADDRESSES);
    frame[12..14].copy_from_slice(&[0x12, 0x34]);
    frame
}

/// An end of the wire.
pub(crate) struct End {
    pub(crate) control: PortControl,
    pub(crate) rx: RxQueue,
    pub(crate) tx: TxQueue,
    pub(crate) pool: Mempool,
}

pub(crate) fn start(eal: &Eal, port: Port<Probed>, mbufs: u32, room: u16) -> End {
    let name = format!("pool-{}", port.info().id);
    let room = room + dpdk::headroom();
    let pool = Mempool::create(eal, &name, mbufs, 0, room, SocketId::Any).unwrap();
    let mut port = port.configure(PortConfig::wire(&pool)).unwrap();
    let mut queues = port.take_queues().unwrap();
    let control = port.start().unwrap().control();
    End {
        control,
        rx: queues.rx.remove(0),
        tx: queues.tx.remove(0),
        pool,
    }
}

impl End {
    pub(crate) fn send(&mut self, frame: &[u8]) {
        let mut mbuf = self.pool.alloc().unwrap();
        mbuf.append(frame.len()).unwrap().copy_from_slice(frame);
        let mut burst = Burst::new();
        burst.push(mbuf).unwrap();
        assert_eq!(self.tx.tx_burst(&mut burst), 1);
    }

    /// What comes within a time, until there are as many.
    pub(crate) fn receive(&mut self, many: usize) -> Vec<Vec<u8>> {
        let end = Instant::now() + Duration::from_millis(if many == 0 { 200 } else { 3000 });
        let mut frames = Vec::new();
        let mut burst = Burst::new();
        while Instant::now() < end && (frames.len() < many || many == 0) {
            self.rx.rx_burst(&mut burst);
            frames.extend(burst.drain().map(|mbuf| mbuf.data().to_vec()));
            thread::yield_now();
        }
        frames
    }
}
