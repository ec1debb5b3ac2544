//! Ports, as `ethdev` and the drivers see them.

use alloc::{string::ToString, vec};

use super::{Family, Kind, Source, family::row, sample::flag};

const ETHDEV: &str = "`rte_eth_stats`, continued by control where a driver starts again from 0";

pub(super) const TABLE: &[Family] = &[
    row(
        "macsecgw_port_info",
        Kind::Gauge,
        "1",
        "Always 1; the labels name a port's device and driver, and how its link can be taken down.",
        "the configuration and `ethdev`; the way down was tried at start",
        Source::PortInfo(&["device", "driver", "link_down_way"], |port| {
            vec![
                port.device.clone(),
                port.driver.clone(),
                port.link_down_way.name().to_string(),
            ]
        }),
    ),
    row(
        "macsecgw_port_link_up",
        Kind::Gauge,
        "1 = yes",
        "Whether the port has a link.",
        "the driver",
        Source::Port(|port| flag(port.link.up)),
    ),
    row(
        "macsecgw_port_link_speed_bytes_per_second",
        Kind::Gauge,
        "bytes per second",
        "Speed of the link, 0 where the driver does not know it.",
        "the driver",
        Source::Port(|port| f64::from(port.link.speed_mbps) * 125_000.0),
    ),
    row(
        "macsecgw_port_started",
        Kind::Gauge,
        "1 = yes",
        "Whether the port is started.",
        "control",
        Source::Port(|port| flag(port.started)),
    ),
    row(
        "macsecgw_port_mtu_bytes",
        Kind::Gauge,
        "bytes",
        "Largest layer-3 payload that the port takes.",
        "`ethdev`",
        Source::Port(|port| f64::from(port.mtu)),
    ),
    row(
        "macsecgw_port_mbufs",
        Kind::Gauge,
        "buffers",
        "Buffers of the port's pool.",
        "the mempool",
        Source::Port(|port| f64::from(port.buffers.1)),
    ),
    row(
        "macsecgw_port_mbufs_free",
        Kind::Gauge,
        "buffers",
        "Buffers of the port's pool that are free.",
        "the mempool",
        Source::Port(|port| f64::from(port.buffers.0)),
    ),
    row(
        "macsecgw_port_rx_packets_total",
        Kind::Counter,
        "frames",
        "Frames that the port received.",
        ETHDEV,
        Source::PortStats(|stats| stats.rx_packets),
    ),
    row(
        "macsecgw_port_rx_bytes_total",
        Kind::Counter,
        "bytes",
        "Octets that the port received.",
        ETHDEV,
        Source::PortStats(|stats| stats.rx_octets),
    ),
    row(
        "macsecgw_port_rx_missed_total",
        Kind::Counter,
        "frames",
        "Frames that the NIC dropped because no descriptor was free.",
        ETHDEV,
        Source::PortStats(|stats| stats.rx_missed),
    ),
    row(
        "macsecgw_port_rx_errors_total",
        Kind::Counter,
        "frames",
        "Erroneous frames that the port received.",
        ETHDEV,
        Source::PortStats(|stats| stats.rx_errors),
    ),
    row(
        "macsecgw_port_rx_no_mbuf_total",
        Kind::Counter,
        "buffers",
        "Receive buffers that could not be had, and readings of the counters that found the pool used up.",
        ETHDEV,
        Source::PortStats(|stats| stats.rx_no_mbuf),
    ),
    row(
        "macsecgw_port_tx_packets_total",
        Kind::Counter,
        "frames",
        "Frames that the port sent.",
        ETHDEV,
        Source::PortStats(|stats| stats.tx_packets),
    ),
    row(
        "macsecgw_port_tx_bytes_total",
        Kind::Counter,
        "bytes",
        "Octets that the port sent.",
        ETHDEV,
        Source::PortStats(|stats| stats.tx_octets),
    ),
    row(
        "macsecgw_port_tx_errors_total",
        Kind::Counter,
        "frames",
        "Frames that the port could not send.",
        ETHDEV,
        Source::PortStats(|stats| stats.tx_errors),
    ),
];
