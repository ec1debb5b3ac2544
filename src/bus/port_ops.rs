//! What control may ask of a port: a trait, because only `worker` knows that DPDK exists.

use alloc::{string::String, vec::Vec};
use core::{error, fmt};

use crate::ieee::MacAddr;

/// The operations of one port. All are called on control's thread; some are system calls.
pub trait PortOps: Send + Sync + fmt::Debug {
    /// The device as the config names it.
    fn device(&self) -> &str;
    /// The driver's name.
    fn driver(&self) -> &str;
    /// The port's own address.
    fn mac(&self) -> MacAddr;
    /// The largest layer-3 payload that the port takes.
    fn mtu(&self) -> u16;
    /// Whether the link is up, and how fast.
    fn link(&self) -> LinkState;
    /// The basic counters.
    ///
    /// # Errors
    /// What the driver said.
    fn stats(&self) -> Result<PortStats, PortError>;
    /// The driver's own counters, by its own names.
    ///
    /// # Errors
    /// What the driver said.
    fn xstats(&self) -> Result<Vec<(String, u64)>, PortError>;
    /// How this port's neighbour can be shown a link that is down.
    fn link_down_way(&self) -> LinkDownWay;
    /// Shows the neighbour a link that is up (`true`) or down, by [`Self::link_down_way`], where
    /// that is not by stopping the port.
    ///
    /// # Errors
    /// What the driver or the kernel said.
    fn show_link(&self, up: bool) -> Result<(), PortError>;
    /// Starts the port. No queue may be in use before this returned.
    ///
    /// # Errors
    /// What the driver said.
    fn start(&self) -> Result<(), PortError>;
    /// Stops the port. The workers have confirmed that they leave its queues alone.
    ///
    /// # Errors
    /// What the driver said.
    fn stop(&self) -> Result<(), PortError>;
    /// Whether the port is started.
    fn is_started(&self) -> bool;
    /// Buffers of the port's pool that are free, and all of them.
    fn buffers(&self) -> (u32, u32);
}

/// How a port can take its link down, the first that works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkDownWay {
    /// The driver's own link-down.
    SetLink,
    /// The kernel interface's up flag.
    Interface,
    /// Stopping the port, after its queues are quiet.
    Stop,
    /// None: the neighbour sees a link that is up whatever happens.
    None,
}

impl LinkDownWay {
    /// The word in `status` and the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SetLink => "set_link_down",
            Self::Interface => "interface",
            Self::Stop => "stop",
            Self::None => "none",
        }
    }
}

/// A port's link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkState {
    /// Whether there is a link.
    pub up: bool,
    /// Mbit/s, 0 where the driver does not know.
    pub speed_mbps: u32,
    /// Whether both ways at once.
    pub full_duplex: bool,
}

/// `ethdev`'s basic counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStats {
    /// Frames received.
    pub rx_packets: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// Octets received.
    pub rx_octets: u64,
    /// Octets sent.
    pub tx_octets: u64,
    /// Frames that the NIC dropped because no descriptor was free.
    pub rx_missed: u64,
    /// Erroneous frames received.
    pub rx_errors: u64,
    /// Frames that could not be sent.
    pub tx_errors: u64,
    /// Receive buffers that could not be had, as far as the driver counts them, and readings of these
    /// counters that found the pool used up.
    pub rx_no_mbuf: u64,
}

/// A port's operation that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortError {
    /// The device.
    pub device: String,
    /// What was tried, and what the driver or the kernel said.
    pub what: String,
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}: {}", self.device, self.what)
    }
}

impl error::Error for PortError {}
