//! Facts of a port and of its link.

use std::ffi::{CStr, c_char};

use crate::error::{Error, check};

/// What the driver says about a port, as of its probing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortInfo {
    /// The port's name.
    pub name: String,
    /// DPDK's port number.
    pub id: u16,
    /// The driver, for example `net_ring` or `net_ixgbe`.
    pub driver: String,
    /// The device behind the port, where the driver names it.
    pub device: Option<String>,
    /// The device's bus, for example `pci` or `vdev`.
    pub bus: Option<String>,
    /// The NUMA node, if known.
    pub socket: Option<u16>,
    /// The smallest receive buffer, octets.
    pub min_rx_bufsize: u32,
    /// The longest frame that can be received, octets; huge or 0 where the driver knows none.
    pub max_rx_pktlen: u32,
    /// The smallest MTU.
    pub min_mtu: u16,
    /// The largest MTU.
    pub max_mtu: u16,
    /// The most receive queues.
    pub max_rx_queues: u16,
    /// The most transmit queues.
    pub max_tx_queues: u16,
    /// Whether link changes can call back.
    pub lsc_interrupt: bool,
    /// Whether the removal of the device can call back.
    pub removal_interrupt: bool,
    /// Whether long frames can be received in several mbufs.
    pub rx_scatter: bool,
    /// Whether frames in several mbufs can be sent.
    pub tx_multi_segs: bool,
}

impl PortInfo {
    pub(crate) fn read(id: u16, name: String) -> Result<Self, Error> {
        let mut raw = std::mem::MaybeUninit::<dpdk_sys::dpdk_shim_port_info>::zeroed();
        // SAFETY: DPDK checks the port number; the struct is writable.
        let returned = unsafe { dpdk_sys::dpdk_shim_port_info(id, raw.as_mut_ptr()) };
        check("rte_eth_dev_info_get", returned)?;
        // SAFETY: zeroed is valid for this struct of numbers and pointers, and the shim has filled it.
        let raw = unsafe { raw.assume_init() };
        Ok(Self {
            name,
            id,
            driver: text(raw.driver_name).unwrap_or_default(),
            device: text(raw.device_name),
            bus: text(raw.bus_name),
            socket: u16::try_from(raw.socket_id).ok(),
            min_rx_bufsize: raw.min_rx_bufsize,
            max_rx_pktlen: raw.max_rx_pktlen,
            min_mtu: raw.min_mtu,
            max_mtu: raw.max_mtu,
            max_rx_queues: raw.max_rx_queues,
            max_tx_queues: raw.max_tx_queues,
            lsc_interrupt: raw.lsc_interrupt != 0,
            removal_interrupt: raw.removal_interrupt != 0,
            rx_scatter: raw.rx_scatter != 0,
            tx_multi_segs: raw.tx_multi_segs != 0,
        })
    }
}

/// A copy of one of DPDK's strings.
fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: not null; driver, device and bus names are NUL-terminated and live as long as the device, which
    // the caller owns.
    let text = unsafe { CStr::from_ptr(pointer) };
    Some(text.to_string_lossy().into_owned())
}

/// A port's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whether frames can pass, as the driver sees it. Some always say yes (`net_af_packet` in 22.11).
    pub up: bool,
    /// Megabits per second, if known. Virtual devices name a fixed number.
    pub speed_mbps: Option<u32>,
    /// Full duplex.
    pub full_duplex: bool,
    /// Negotiated with the peer, and not fixed.
    pub autoneg: bool,
}

impl Link {
    pub(crate) fn read(id: u16) -> Result<Self, Error> {
        let mut raw = dpdk_sys::dpdk_shim_link {
            speed_mbps: 0,
            up: 0,
            full_duplex: 0,
            autoneg: 0,
        };
        // SAFETY: DPDK checks the port number; the struct is writable.
        let returned = unsafe { dpdk_sys::dpdk_shim_port_link(id, &raw mut raw) };
        check("rte_eth_link_get_nowait", returned)?;
        Ok(Self {
            up: raw.up != 0,
            speed_mbps: (raw.speed_mbps != 0 && raw.speed_mbps != u32::MAX)
                .then_some(raw.speed_mbps),
            full_duplex: raw.full_duplex != 0,
            autoneg: raw.autoneg != 0,
        })
    }
}
