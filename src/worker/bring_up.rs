//! From a device's name to a configured, stopped port with one queue each way.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64},
};

use dpdk::{
    Eal, Mempool, Port, PortConfig, Probed, RxQueue, SocketId, TxQueue, headroom, netdev,
    vdev::{Backing, DeviceSpec, Driver, LinkDown, Plan, Side, Vdev},
};

use super::{bring_up_error::BringUpError, port_ops::DpdkPort};
use crate::{
    bus::{EAPOL_SLOT_LEN, LinkDownWay, PortSide},
    ieee::MacAddr,
};

/// Descriptors of a queue, each way.
const DESCRIPTORS: u16 = 1024;

/// Buffers of a port's pool: the receive ring's, the other port's transmit ring that they wait in, as many
/// that wait for a lane, the cores' caches and the bursts under way.
const BUFFERS: u32 = 4 * DESCRIPTORS as u32;

/// Buffers that a core keeps at hand.
const CACHE: u32 = 256;

/// Buffers that are set aside for EAPOL of our own: as many as the transmit ring can keep, since a driver
/// may give a buffer back only when its place in the ring is used again, and those under way.
const EAPOL_BUFFERS: u32 = DESCRIPTORS as u32 + 127;

/// Octets that a pool takes besides its buffers: DPDK's caches for every lcore that there could be, 12 KiB
/// each, and the ring of free buffers.
const POOL_ITSELF: u64 = 2 << 20;

/// What a port is to be.
#[derive(Clone, Copy, Debug)]
pub struct PortPlan<'a> {
    /// As the config names it.
    pub device: &'a str,
    /// Which side of its link.
    pub side: PortSide,
    /// The link's plain MTU.
    pub mtu: u16,
    /// Whether a clear frame by the kernel's own doing would be one too many.
    pub must_encrypt: bool,
    /// Receive queues, over which the driver spreads flows.
    pub queues: u16,
    /// Frames of this port that may be with crypto helpers at a time.
    pub held: u32,
}

/// A port that came up: control's handle, and the queues for their owners.
#[derive(Debug)]
pub struct Brought {
    /// For control.
    pub ops: Arc<DpdkPort>,
    /// For the lane that receives here: as many as were asked for.
    pub rx: Vec<RxQueue>,
    /// For the lane that transmits here.
    pub tx: TxQueue,
    /// Buffers for EAPOL of our own; on the secure side.
    pub eapol_buffers: Option<Mempool>,
    /// What the operator should know, one sentence each.
    pub warnings: Vec<String>,
}

impl PortPlan<'_> {
    /// The device, read.
    ///
    /// # Errors
    /// [`BringUpError`] says what would be right.
    pub fn spec(&self) -> Result<DeviceSpec, BringUpError> {
        self.device
            .parse()
            .map_err(|error| BringUpError::device(self.device, error))
    }

    /// Octets of packet memory that the port's pools take, in pages of `page` octets.
    ///
    /// # Errors
    /// As [`Self::spec`]; and where the MTU does not fit the driver.
    pub fn memory(&self, page: u64) -> Result<u64, BringUpError> {
        let (_, room, _) = self.device_plan(&self.spec()?)?;
        let eapol = match self.side {
            PortSide::Plain => 0,
            PortSide::Secure => buffers_memory(EAPOL_BUFFERS, EAPOL_SLOT_LEN as u64, page),
        };
        Ok(POOL_ITSELF + buffers_memory(self.buffers(), u64::from(room), page) + eapol)
    }

    /// Buffers of the port's pool.
    fn buffers(&self) -> u32 {
        let more_queues = u32::from(self.queues.saturating_sub(1)) * u32::from(DESCRIPTORS);
        BUFFERS + more_queues + self.held
    }

    pub(super) const fn dpdk_side(&self) -> Side {
        match self.side {
            PortSide::Plain => Side::Plain,
            PortSide::Secure => Side::Secure,
        }
    }

    /// The driver's plan for a vdev, the room of a buffer without headroom, and one piece or not.
    fn device_plan(&self, spec: &DeviceSpec) -> Result<(Option<Plan>, u16, bool), BringUpError> {
        match spec {
            DeviceSpec::Vdev(vdev) => {
                let plan = vdev
                    .plan(self.dpdk_side(), self.mtu)
                    .map_err(|error| BringUpError::device(self.device, error))?;
                let (room, one_piece) = (plan.mbuf_room, plan.contiguous_pool);
                Ok((Some(plan), room, one_piece))
            }
            DeviceSpec::Pci(_) => {
                let frame = Side::Secure.largest_frame(self.mtu);
                // NICs fill buffers in steps of 1 KiB.
                let room = u16::try_from(frame.next_multiple_of(1024).max(2048))
                    .map_err(|_| BringUpError::mtu(self, u16::MAX))?;
                Ok((None, room, false))
            }
        }
    }
}

/// Octets that so many buffers take, each with `room` for a frame. A buffer that fits into a page does not cross
/// its end, so that of ordinary pages much is left over.
fn buffers_memory(count: u32, room: u64, page: u64) -> u64 {
    // The headroom, the buffer's header and the mempool's own, each on cache lines.
    let object = room + 512;
    match page / object {
        0 => u64::from(count) * object,
        in_page => u64::from(count).div_ceil(in_page) * page,
    }
}

/// Brings a port up to the point where [`DpdkPort`] can start it.
///
/// # Errors
/// [`BringUpError`] says what is wrong and what to do; nothing is left behind then.
pub fn bring_up(eal: &Eal, plan: &PortPlan<'_>) -> Result<Brought, BringUpError> {
    let spec = plan.spec()?;
    let (vdev_plan, room, _) = plan.device_plan(&spec)?;
    let mut warnings = Vec::new();
    check_interface(
        plan,
        &spec,
        vdev_plan.as_ref(),
        Backing::Shared,
        &mut warnings,
    )?;
    let port = find(eal, plan, &spec, vdev_plan.as_ref())?;
    // A TAP's interface is there only now.
    check_interface(
        plan,
        &spec,
        vdev_plan.as_ref(),
        Backing::Peer,
        &mut warnings,
    )?;
    if let DeviceSpec::Vdev(vdev) = &spec {
        leave_fanout(plan, &port, vdev, vdev_plan.as_ref())?;
    }
    let name = format!(
        "{}{}",
        if plan.side == PortSide::Plain {
            "p"
        } else {
            "s"
        },
        port.info().id
    );
    let socket = port.info().socket.map_or(SocketId::Any, SocketId::Node);
    let room = room.saturating_add(headroom());
    let buffers = plan.buffers();
    let pool = Mempool::create(eal, &name, buffers, CACHE, room, socket)
        .map_err(|error| BringUpError::memory(plan, (buffers, room), eal.has_hugepages(), error))?;
    let eapol_buffers = eapol_buffers(eal, plan, port.info().id, socket)?;
    let (control, rx, tx, mtu) = configure(plan, port, &pool, &spec)?;
    let mac = control
        .mac()
        .map_err(|error| BringUpError::port(plan, error))?;
    let interface = match &spec {
        DeviceSpec::Vdev(vdev) => vdev.interface().map(str::to_owned),
        DeviceSpec::Pci(_) => None,
    };
    let mtu = mtu_of(shared_interface(&spec), mtu, vdev_plan.as_ref());
    require_mtu(plan, mtu)?;
    let (set_link, other_way) = link_down_way(&spec);
    if (set_link, other_way) == (false, LinkDownWay::None) {
        warnings.push(format!(
            "the driver of {} has no way to take its link down: its neighbour sees a link that is up \
             whatever happens",
            plan.device
        ));
    }
    let ops = Arc::new(DpdkPort {
        device: plan.device.to_owned(),
        set_link: AtomicBool::new(set_link),
        other_way,
        control,
        pool,
        mac: MacAddr(mac),
        mtu,
        interface,
        ran: AtomicBool::new(false),
        starved: AtomicU64::new(0),
    });
    Ok(Brought {
        ops,
        rx,
        tx,
        eapol_buffers,
        warnings,
    })
}

/// The pool of the buffers that are set aside, without a cache: none may linger with another lcore.
fn eapol_buffers(
    eal: &Eal,
    plan: &PortPlan<'_>,
    port: u16,
    socket: SocketId,
) -> Result<Option<Mempool>, BringUpError> {
    if plan.side == PortSide::Plain {
        return Ok(None);
    }
    let room = u16::try_from(EAPOL_SLOT_LEN)
        .unwrap_or(u16::MAX)
        .saturating_add(headroom());
    let pool = Mempool::create(eal, &format!("e{port}"), EAPOL_BUFFERS, 0, room, socket);
    pool.map(Some).map_err(|error| {
        BringUpError::memory(plan, (EAPOL_BUFFERS, room), eal.has_hugepages(), error)
    })
}

/// Sets queues, MTU and everything that a wire wants.
fn configure(
    plan: &PortPlan<'_>,
    port: Port<Probed>,
    pool: &Mempool,
    spec: &DeviceSpec,
) -> Result<(dpdk::PortControl, Vec<RxQueue>, TxQueue, u16), BringUpError> {
    let set_mtu = matches!(spec, DeviceSpec::Pci(_));
    let tx_queues = tx_queues(plan, spec, &port)?;
    let needed = needed_mtu(plan);
    let largest = port.info().max_mtu;
    if set_mtu && largest < needed {
        return Err(BringUpError::mtu(plan, largest));
    }
    let config = PortConfig {
        rx_descriptors: DESCRIPTORS,
        tx_descriptors: DESCRIPTORS,
        mtu: set_mtu.then_some(needed),
        rx_pools: vec![pool.clone(); usize::from(plan.queues)],
        tx_queues,
        ..PortConfig::wire(pool)
    };
    let mut port = port
        .configure(config)
        .map_err(|error| BringUpError::port(plan, error))?;
    let control = port.control();
    let queues = port
        .take_queues()
        .and_then(|queues| Some((queues.rx, queues.tx.into_iter().next()?)));
    let (rx, tx) = queues.ok_or_else(|| BringUpError::no_queue(plan))?;
    Ok((control, rx, tx, largest))
}

/// Transmit queues that the driver wants beside so many receive queues; one is used.
fn tx_queues(
    plan: &PortPlan<'_>,
    spec: &DeviceSpec,
    port: &Port<Probed>,
) -> Result<u16, BringUpError> {
    let driver = match spec {
        DeviceSpec::Vdev(vdev) => Some(vdev.driver()),
        DeviceSpec::Pci(_) => None,
    };
    if plan.queues > 1
        && let Some(driver @ (Driver::AfPacket | Driver::AfXdp | Driver::Pcap)) = driver
    {
        return Err(BringUpError::one_queue_driver(plan, driver.name()));
    }
    let most = port.info().max_rx_queues;
    if plan.queues > most {
        return Err(BringUpError::queues(plan, most));
    }
    Ok(match driver {
        Some(Driver::Tap) => plan.queues,
        _ => 1,
    })
}

/// The MTU that a port on this side needs: VLAN tags on top, and MACsec on the secure one.
fn needed_mtu(plan: &PortPlan<'_>) -> u16 {
    u16::try_from(plan.dpdk_side().interface_mtu(plan.mtu)).unwrap_or(u16::MAX)
}

/// The kernel interface that binds this port to its MTU. That of a TAP is the far end's: it says how
/// long the kernel's own frames are, and takes any from us.
fn shared_interface(spec: &DeviceSpec) -> Option<&str> {
    match spec {
        DeviceSpec::Vdev(vdev) if vdev.backing() == Some(Backing::Shared) => vdev.interface(),
        DeviceSpec::Vdev(_) | DeviceSpec::Pci(_) => None,
    }
}

/// What the port takes: the kernel interface's MTU where there is one, else the driver's limit.
fn mtu_of(interface: Option<&str>, driver: u16, vdev: Option<&Plan>) -> u16 {
    match (interface.and_then(|name| netdev::mtu(name).ok()), vdev) {
        (Some(mtu), _) => u16::try_from(mtu).unwrap_or(u16::MAX),
        // A vdev's driver names a number that binds nobody; its plan has checked the frame.
        (None, Some(_)) => u16::MAX,
        (None, None) => driver,
    }
}

fn require_mtu(plan: &PortPlan<'_>, mtu: u16) -> Result<(), BringUpError> {
    if mtu < needed_mtu(plan) {
        Err(BringUpError::mtu(plan, mtu))
    } else {
        Ok(())
    }
}

/// Finds the port: a PCI device was probed at EAL's start, a vdev is plugged now.
fn find(
    eal: &Eal,
    plan: &PortPlan<'_>,
    spec: &DeviceSpec,
    vdev: Option<&Plan>,
) -> Result<Port<Probed>, BringUpError> {
    match (spec, vdev) {
        (DeviceSpec::Pci(address), _) => eal
            .port_by_name(&address.to_string())
            .map_err(|error| BringUpError::pci(plan, *address, error)),
        (DeviceSpec::Vdev(_), Some(vdev)) => eal
            .hotplug_add(&vdev.vdev)
            .map_err(|error| BringUpError::vdev(plan, &vdev.vdev, &error)),
        (DeviceSpec::Vdev(vdev), None) => eal
            .hotplug_add(&vdev.to_string())
            .map_err(|error| BringUpError::vdev(plan, vdev.name(), &error)),
    }
}

/// A kernel interface must not send or join frames of its own beside the gateway.
fn check_interface(
    plan: &PortPlan<'_>,
    spec: &DeviceSpec,
    vdev: Option<&Plan>,
    backing: Backing,
    warnings: &mut Vec<String>,
) -> Result<(), BringUpError> {
    let DeviceSpec::Vdev(device) = spec else {
        return Ok(());
    };
    let Some(interface) = device
        .interface()
        .filter(|_| device.backing() == Some(backing))
    else {
        return Ok(());
    };
    let least_mtu = vdev.and_then(|vdev| vdev.interface_mtu);
    let found = netdev::inspect(interface, backing, least_mtu)
        .map_err(|error| BringUpError::device(plan.device, error))?;
    if let Some(least) = least_mtu
        && let Ok(mtu) = netdev::mtu(interface)
        && mtu < u32::from(least)
    {
        return Err(BringUpError::mtu(
            plan,
            u16::try_from(mtu).unwrap_or(u16::MAX),
        ));
    }
    if plan.must_encrypt && !found.findings.is_empty() {
        return Err(BringUpError::interface(plan, &found));
    }
    warnings.extend(
        found
            .findings
            .iter()
            .map(|finding| format!("{interface}: {finding}")),
    );
    Ok(())
}

/// `net_af_packet` sets its socket up so that the kernel joins IP fragments; a wire must not.
fn leave_fanout(
    plan: &PortPlan<'_>,
    port: &Port<Probed>,
    vdev: &Vdev,
    planned: Option<&Plan>,
) -> Result<(), BringUpError> {
    if vdev.driver() != Driver::AfPacket {
        return Ok(());
    }
    // The plan's string spells out what the driver was given.
    let given = planned.and_then(|plan| plan.vdev.parse().ok());
    let Some(DeviceSpec::Vdev(given)) = given else {
        return Ok(());
    };
    netdev::leave_fanout(port, &given).map_err(|error| BringUpError::device(plan.device, error))
}

/// Whether the driver may be able to take its link down by itself, and the way where it can't.
fn link_down_way(spec: &DeviceSpec) -> (bool, LinkDownWay) {
    match spec {
        DeviceSpec::Pci(_) => (true, LinkDownWay::Stop),
        DeviceSpec::Vdev(vdev) => match vdev.link_down() {
            LinkDown::SetLinkDown => (true, LinkDownWay::Stop),
            LinkDown::StopPort => (false, LinkDownWay::Stop),
            LinkDown::InterfaceFlags => (false, LinkDownWay::Interface),
            LinkDown::None => (false, LinkDownWay::None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_that_do_not_cross_pages_take_whole_ones() {
        assert_eq!(buffers_memory(4096, 2016, 4096), 4096 * 4096);
        assert_eq!(buffers_memory(1151, 1514, 4096), 576 * 4096);
        assert_eq!(buffers_memory(4096, 2016, 2 << 20), 5 * (2 << 20));
        assert_eq!(buffers_memory(10, 9216, 4096), 10 * (9216 + 512));
    }
}
