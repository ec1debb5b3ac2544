//! A safe wrapper of the part of DPDK that `macsecgw` uses.
//!
//! Names are DPDK's own without the prefix. The rules that the types carry:
//!
//! * [`Eal`] is a token: one per process, made by the main thread, and everything else comes from it.
//! * A [`Mbuf`] has one owner and is not `Clone`. What a NIC took is forgotten exactly once; what it
//!   refused stays owned, in order, in its [`Burst`].
//! * A queue has one owner. A port is stopped only when the owners of its queues have quiesced them:
//!   [`PortControl::stop`] checks it and refuses otherwise.
//! * No panic unwinds into C: lcore functions and event callbacks run under `catch_unwind`.
//!
//! The frame path ([`RxQueue::rx_burst`], [`TxQueue::tx_burst`], [`Mbuf`]'s accessors) neither allocates
//! nor locks. Whether a burst makes a system call is the driver's affair.

mod burst;
mod cycles;
mod eal;
mod error;
pub mod hugepages;
mod lcore;
pub mod log;
mod mbuf;
mod mempool;
pub mod netdev;
mod packed;
pub mod pci;
mod pdump;
mod port;
pub mod vdev;

pub use burst::{Burst, Drain};
pub use cycles::{tsc, tsc_hz};
pub use eal::{Eal, ProcessType, max_ethports, version};
pub use error::Error;
pub use lcore::{LcoreId, LcoreState, Panicked};
pub use mbuf::Mbuf;
pub use mempool::{Mempool, SocketId, headroom};
pub use packed::{PackedBurst, PackedFrame};
pub use pdump::Pdump;
pub use port::{
    Configured, Link, Port, PortConfig, PortControl, PortFacts, PortInfo, PortStats, Probed,
    Queues, RxQueue, Setting, Started, TxQueue, Xstat,
};
