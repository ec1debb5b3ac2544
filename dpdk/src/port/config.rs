//! How a port is to be set up, and what became of it.

use crate::error::Error;
use crate::mempool::Mempool;

/// What `Port::configure` sets. Whatever isn't named here is off: VLAN strip and filter, checksums, LRO,
/// TSO, RSS (but with several receive queues), time stamps.
#[derive(Clone, Debug)]
pub struct PortConfig {
    /// The pool of each receive queue, one queue per entry.
    pub rx_pools: Vec<Mempool>,
    /// How many transmit queues.
    pub tx_queues: u16,
    /// Receive descriptors per queue; moved to the nearest number that the driver takes.
    pub rx_descriptors: u16,
    /// Transmit descriptors per queue; moved likewise.
    pub tx_descriptors: u16,
    /// The MTU, in octets of payload behind one Ethernet header. `None` keeps the driver's.
    pub mtu: Option<u16>,
    /// Take frames for any address.
    pub promiscuous: bool,
    /// Take frames for any group address.
    pub all_multicast: bool,
    /// Switch pause frames off.
    pub flow_control_off: bool,
    /// Let the driver spread a long frame over several mbufs. Without it every frame is contiguous, on
    /// drivers that respect it, and `configure` demands room for the MTU in one mbuf.
    pub scatter: bool,
    /// Let frames of several segments be sent.
    pub multi_segs: bool,
    /// Ask for link interrupts where the driver has them.
    pub link_interrupt: bool,
}

impl PortConfig {
    /// One receive and one transmit queue with `pool`, as a wire wants them: promiscuous, all multicast, no
    /// flow control, nothing scattered.
    #[must_use]
    pub fn wire(pool: &Mempool) -> Self {
        Self {
            rx_pools: vec![pool.clone()],
            tx_queues: 1,
            rx_descriptors: 1024,
            tx_descriptors: 1024,
            mtu: None,
            promiscuous: true,
            all_multicast: true,
            flow_control_off: true,
            scatter: false,
            multi_segs: false,
            link_interrupt: true,
        }
    }
}

/// What became of one setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Setting {
    /// It was not asked for, or the port was not started yet.
    #[default]
    Untouched,
    /// The driver did it.
    Applied,
    /// The driver can't. Not an error: the operator is told.
    NotSupported,
    /// The driver tried and failed.
    Failed(Error),
}

impl Setting {
    pub(crate) fn of(outcome: Result<(), Error>) -> Self {
        match outcome {
            Ok(()) => Self::Applied,
            Err(error) if error.is_not_supported() => Self::NotSupported,
            Err(error) => Self::Failed(error),
        }
    }
}

/// What a configured port came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortFacts {
    /// Receive descriptors per queue, after the driver's limits.
    pub rx_descriptors: u16,
    /// Transmit descriptors per queue, after the driver's limits.
    pub tx_descriptors: u16,
    /// Whether the driver was told the MTU. `NotSupported` means that it has no notion of one.
    pub mtu: Setting,
    /// As of the last start.
    pub promiscuous: Setting,
    /// As of the last start.
    pub all_multicast: Setting,
    /// As of the last start.
    pub flow_control_off: Setting,
    /// Whether link changes call back, as the driver says. Otherwise the link has to be asked for; and now and
    /// then in any case, since `net_tap` of 22.11 says so and never does.
    pub link_interrupt: bool,
}
