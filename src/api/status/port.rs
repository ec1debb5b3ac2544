//! One port in `status`.

use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::bus::PortSnapshot;

/// One port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortStatus {
    /// As the configuration names it.
    pub device: String,
    /// The driver.
    pub driver: String,
    /// Its own address.
    pub mac: String,
    /// The largest payload that it takes.
    pub mtu: u16,
    /// Whether it is started.
    pub started: bool,
    /// Whether it has a link.
    pub link_up: bool,
    /// Mbit/s, 0 where the driver does not know.
    pub speed_mbps: u32,
    /// Whether both ways at once.
    pub full_duplex: bool,
    /// How its link can be taken down: `set_link_down`, `interface`, `stop` or `none`.
    pub link_down_way: String,
    /// Buffers of its pool.
    pub mbufs: u32,
    /// Those of them that are free.
    pub mbufs_free: u32,
    /// Frames received.
    pub rx_packets: u64,
    /// Octets received.
    pub rx_octets: u64,
    /// Frames that the NIC dropped because no descriptor was free.
    pub rx_missed: u64,
    /// Erroneous frames received.
    pub rx_errors: u64,
    /// Receive buffers that could not be had, and readings that found the pool used up.
    pub rx_no_mbuf: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// Octets sent.
    pub tx_octets: u64,
    /// Frames that could not be sent.
    pub tx_errors: u64,
}

impl PortStatus {
    pub(super) fn of(port: &PortSnapshot) -> Self {
        let stats = port.stats;
        let (mbufs_free, mbufs) = port.buffers;
        Self {
            device: port.device.clone(),
            driver: port.driver.clone(),
            mac: port.mac.to_string(),
            mtu: port.mtu,
            started: port.started,
            link_up: port.link.up,
            speed_mbps: port.link.speed_mbps,
            full_duplex: port.link.full_duplex,
            link_down_way: port.link_down_way.name().to_string(),
            mbufs,
            mbufs_free,
            rx_packets: stats.rx_packets,
            rx_octets: stats.rx_octets,
            rx_missed: stats.rx_missed,
            rx_errors: stats.rx_errors,
            rx_no_mbuf: stats.rx_no_mbuf,
            tx_packets: stats.tx_packets,
            tx_octets: stats.tx_octets,
            tx_errors: stats.tx_errors,
        }
    }
}
