//! What the gateway has to know about a vdev's driver before it starts it.
//!
//! The facts are those of DPDK 22.11, read in its drivers; `docs/drivers.md` says which of them
//! were also seen in a test.

use core::fmt;

/// A poll-mode driver of a virtual device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Driver {
    /// `net_af_packet`: a `PACKET_MMAP` socket on a kernel interface.
    AfPacket,
    /// `net_af_xdp`: an XDP socket on a kernel interface.
    AfXdp,
    /// `net_tap`: a TAP interface that the driver makes; the kernel is the other end of the wire.
    Tap,
    /// `net_pcap`: capture files, or a kernel interface through libpcap.
    Pcap,
    /// `net_memif`: memory shared with another process.
    Memif,
    /// `net_ring`: rings within the process.
    Ring,
    /// `net_null`: makes frames of nothing and swallows what it gets.
    Null,
    /// `net_vhost`: the host end of a virtio device.
    Vhost,
    /// Any other driver: taken as it is, nothing known about it.
    Other,
}

/// What a burst of the driver may do besides moving frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BurstCost {
    /// It stays in user space.
    UserSpace,
    /// It makes system calls that return at once.
    SystemCalls,
    /// It makes system calls that can wait for the kernel.
    MayBlock,
    /// Nobody looked.
    Unknown,
}

/// How the far end of the port's wire can be made to see it go down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkDown {
    /// `rte_eth_dev_set_link_down` does it.
    SetLinkDown,
    /// Quiesce the queues and stop the port.
    StopPort,
    /// Clear `IFF_UP` of the kernel interface behind it ([`crate::netdev::set_down`]).
    InterfaceFlags,
    /// No way is known: the far end keeps its link.
    None,
}

/// Which side of the device the operator's own kernel is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backing {
    /// The kernel owns the interface and keeps using it beside the gateway: whatever it sends
    /// there by itself (addresses, neighbour discovery, a bridge) leaves in clear.
    Shared,
    /// The kernel is the peer at the far end of the wire (a TAP).
    Peer,
}

/// What is known about a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What a burst may do besides moving frames.
    pub burst: BurstCost,
    /// How its link is taken down.
    pub link_down: LinkDown,
    /// Its receive mempool must be one contiguous piece of memory.
    pub contiguous_pool: bool,
    /// The longest frame it carries at all, in octets without FCS; `None` if the MTU alone decides.
    pub frame_limit: Option<u16>,
}

/// Ethernet with one VLAN tag and FCS is all that `net_tap` advertises; at ethdev's default MTU of
/// 1500 it transmits up to this many octets.
pub(super) const TAP_FRAME_LIMIT: u16 = 1522;

/// What is left of a 4,096-octet XDP chunk after what lies ahead of the frame in it, see
/// [`super::af_xdp`].
pub(super) const XDP_FRAME_LIMIT: u16 = 3456;

/// The driver's snapshot length: libpcap cuts what is longer.
const PCAP_FRAME_LIMIT: u16 = 0x3f00;

const NAMES: [(&str, Driver); 16] = [
    ("net_af_packet", Driver::AfPacket),
    ("eth_af_packet", Driver::AfPacket),
    ("net_af_xdp", Driver::AfXdp),
    ("eth_af_xdp", Driver::AfXdp),
    ("net_tap", Driver::Tap),
    ("eth_tap", Driver::Tap),
    ("net_pcap", Driver::Pcap),
    ("eth_pcap", Driver::Pcap),
    ("net_memif", Driver::Memif),
    ("eth_memif", Driver::Memif),
    ("net_ring", Driver::Ring),
    ("eth_ring", Driver::Ring),
    ("net_null", Driver::Null),
    ("eth_null", Driver::Null),
    ("net_vhost", Driver::Vhost),
    ("eth_vhost", Driver::Vhost),
];

impl Driver {
    /// The driver that DPDK's vdev bus picks for a device name: the one whose name it begins with.
    #[must_use]
    pub fn of(device: &str) -> Self {
        let found = NAMES.iter().find(|(prefix, _)| device.starts_with(prefix));
        found.map_or(Self::Other, |(_, driver)| *driver)
    }

    /// The driver's own name; `vdev` for one that is not known here.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AfPacket => "net_af_packet",
            Self::AfXdp => "net_af_xdp",
            Self::Tap => "net_tap",
            Self::Pcap => "net_pcap",
            Self::Memif => "net_memif",
            Self::Ring => "net_ring",
            Self::Null => "net_null",
            Self::Vhost => "net_vhost",
            Self::Other => "vdev",
        }
    }

    /// What is known about the driver.
    #[must_use]
    pub const fn facts(self) -> Facts {
        use BurstCost::{MayBlock, SystemCalls, Unknown, UserSpace};
        match self {
            // Transmit waits in poll() without a bound when its ring is full.
            Self::AfPacket => plain_facts(MayBlock, LinkDown::InterfaceFlags),
            // An empty receive waits up to 1 s in poll() when busy polling is off and the kernel
            // asks to be woken.
            Self::AfXdp => Facts {
                contiguous_pool: true,
                frame_limit: Some(XDP_FRAME_LIMIT),
                ..plain_facts(MayBlock, LinkDown::InterfaceFlags)
            },
            Self::Tap => Facts {
                frame_limit: Some(TAP_FRAME_LIMIT),
                ..plain_facts(SystemCalls, LinkDown::SetLinkDown)
            },
            // It sends on a blocking socket.
            Self::Pcap => Facts {
                frame_limit: Some(PCAP_FRAME_LIMIT),
                ..plain_facts(MayBlock, LinkDown::InterfaceFlags)
            },
            // Stopping disconnects from the peer.
            Self::Memif => plain_facts(SystemCalls, LinkDown::StopPort),
            // The ring's set_link_down only writes the port's own state.
            Self::Ring | Self::Null => plain_facts(UserSpace, LinkDown::None),
            Self::Vhost => plain_facts(SystemCalls, LinkDown::None),
            Self::Other => plain_facts(Unknown, LinkDown::None),
        }
    }
}

const fn plain_facts(burst: BurstCost, link_down: LinkDown) -> Facts {
    Facts {
        burst,
        link_down,
        contiguous_pool: false,
        frame_limit: None,
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
