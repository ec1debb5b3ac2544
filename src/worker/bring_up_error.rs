//! Why a port did not come up: what is wrong, where, and what would be right.

use std::{error, fmt};

use dpdk::{netdev::Findings, pci::Binding, vdev::PciAddress};
use nix::libc;

use super::bring_up::PortPlan;
use crate::bus::PortSide;

/// A port that did not come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BringUpError {
    device: String,
    what: String,
    remedy: String,
}

impl fmt::Display for BringUpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port \"{}\": {}", self.device, self.what)?;
        if self.remedy.is_empty() {
            Ok(())
        } else {
            write!(f, "\n  help: {}", self.remedy)
        }
    }
}

impl error::Error for BringUpError {}

impl BringUpError {
    fn new(device: &str, what: impl fmt::Display, remedy: impl Into<String>) -> Self {
        Self {
            device: device.to_owned(),
            what: what.to_string(),
            remedy: remedy.into(),
        }
    }

    /// An error that says its own remedy.
    pub(super) fn device(device: &str, error: impl fmt::Display) -> Self {
        Self::new(device, error, "")
    }

    pub(super) fn port(plan: &PortPlan<'_>, error: impl fmt::Display) -> Self {
        Self::new(plan.device, error, "")
    }

    pub(super) fn no_queue(plan: &PortPlan<'_>) -> Self {
        Self::new(
            plan.device,
            "it has no receive and transmit queue to give",
            "each lane needs a queue of its own; use a port with one queue each way at least",
        )
    }

    /// More receive queues are wanted than the driver has.
    pub(super) fn queues(plan: &PortPlan<'_>, most: u16) -> Self {
        Self::new(
            plan.device,
            format_args!(
                "the link's plain_queues is {}, and the driver has {most} receive queues here",
                plan.queues
            ),
            format!(
                "set plain_queues = {most} or less, or have the device make more where its arguments can"
            ),
        )
    }

    /// A driver that can't spread flows as a wire wants it.
    pub(super) fn one_queue_driver(plan: &PortPlan<'_>, driver: &str) -> Self {
        Self::new(
            plan.device,
            format_args!(
                "the link's plain_queues is {}, and {driver} is used with one queue only: it has the kernel \
                 spread flows, which joins IP fragments or takes set-up of the interface that the gateway \
                 does not do",
                plan.queues
            ),
            "set plain_queues = 1",
        )
    }

    pub(super) fn memory(
        plan: &PortPlan<'_>,
        (buffers, room): (u32, u16),
        hugepages: bool,
        error: impl fmt::Display,
    ) -> Self {
        Self::new(
            plan.device,
            format_args!("no memory for {buffers} buffers of {room} octets: {error}"),
            if hugepages {
                "reserve more hugepages (echo 512 > \
                 /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages), or raise eal.memory_mib"
            } else {
                "raise eal.memory_mib, or leave it out: it is then derived from the ports"
            },
        )
    }

    /// The port's MTU can't carry the link's.
    pub(super) fn mtu(plan: &PortPlan<'_>, takes: u16) -> Self {
        let needed = plan.dpdk_side().interface_mtu(plan.mtu);
        let fits = u32::from(takes).saturating_sub(needed - u32::from(plan.mtu));
        let why = match plan.side {
            PortSide::Plain => "two VLAN tags",
            PortSide::Secure => "two VLAN tags and 32 octets of MACsec",
        };
        Self::new(
            plan.device,
            format_args!(
                "the link's mtu {} needs {needed} octets behind the Ethernet header here (with {why}), and the port takes {takes}",
                plan.mtu,
            ),
            format!("set mtu = {fits} or less in the link, or raise the port's MTU to {needed}"),
        )
    }

    /// What the kernel would do beside the gateway.
    pub(super) fn interface(plan: &PortPlan<'_>, found: &Findings) -> Self {
        use fmt::Write as _;
        let mut what =
            String::from("the kernel's interface behind it is not fit for must_encrypt:");
        for finding in &found.findings {
            // Writing to a String can't fail.
            let _ = write!(what, "\n    - {finding}");
        }
        Self::new(
            plan.device,
            what,
            "type the commands above, then start again",
        )
    }

    /// A PCI device that brought no port: the binding says why and what to type.
    pub(super) fn pci(plan: &PortPlan<'_>, address: PciAddress, error: impl fmt::Display) -> Self {
        let binding = Binding::of(address);
        if binding.is_usable() {
            Self::new(
                plan.device,
                format_args!("{binding}, but DPDK found no driver of its own for it: {error}"),
                "EAL's messages above say more; is the NIC's poll-mode driver installed, and the IOMMU on?",
            )
        } else {
            Self::new(plan.device, binding, "")
        }
    }

    /// A vdev that could not be plugged.
    pub(super) fn vdev(plan: &PortPlan<'_>, tried: &str, error: &dpdk::Error) -> Self {
        // What EAL says where no driver's name begins the device's.
        if error.code() == Some(libc::EFAULT) {
            return Self::new(
                plan.device,
                format_args!("no driver that is loaded answers to \"{tried}\""),
                "write a driver's name and a number, such as \"net_af_packet0,iface=eth1\"; a driver \
                 that is not linked in is loaded by eal.args = [\"-d\", \"librte_net_NAME.so\"]",
            );
        }
        Self::new(
            plan.device,
            format_args!("DPDK could not make it: {error} (tried \"{tried}\")"),
            "EAL's messages above say why; is the driver's name right and its plug-in installed?",
        )
    }
}
