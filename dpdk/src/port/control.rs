//! The control thread's handle of a port.

use std::sync::Arc;

use super::config::PortFacts;
use super::info::{Link, PortInfo};
use super::shared::PortShared;
use super::stats::{PortStats, Xstat};
use crate::error::{Error, check};

/// Watches and switches a port, from any thread. Calls on one port wait for each other (ethdev demands it),
/// and some make system calls: never from a worker.
#[derive(Clone, Debug)]
pub struct PortControl(Arc<PortShared>);

impl PortControl {
    pub(super) fn new(shared: Arc<PortShared>) -> Self {
        Self(shared)
    }

    /// The port's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.info.name
    }

    /// What the driver says about the port.
    #[must_use]
    pub fn info(&self) -> &PortInfo {
        &self.0.info
    }

    /// What the config came to.
    #[must_use]
    pub fn facts(&self) -> PortFacts {
        self.0.setup().facts.clone()
    }

    /// The counters of every driver. Some drivers begin again at a start: what is exported must add up.
    ///
    /// # Errors
    /// The driver's reason.
    pub fn stats(&self) -> Result<PortStats, Error> {
        let _serial = self.0.setup();
        PortStats::read(self.0.id)
    }

    /// The driver's own counters.
    ///
    /// # Errors
    /// The driver's reason.
    pub fn xstats(&self) -> Result<Vec<Xstat>, Error> {
        let _serial = self.0.setup();
        Xstat::read(self.0.id)
    }

    /// The link, without waiting for a negotiation.
    ///
    /// # Errors
    /// The driver's reason.
    pub fn link(&self) -> Result<Link, Error> {
        let _serial = self.0.setup();
        Link::read(self.0.id)
    }

    /// Takes the link up.
    ///
    /// # Errors
    /// [`Error::is_not_supported`] where the driver can't.
    pub fn set_link_up(&self) -> Result<(), Error> {
        let _serial = self.0.setup();
        // SAFETY: DPDK checks the port's number; the lock keeps other control calls away.
        let returned = unsafe { dpdk_sys::rte_eth_dev_set_link_up(self.0.id) };
        check("rte_eth_dev_set_link_up", returned).map(|_| ())
    }

    /// Takes the link down, so that the peer sees it.
    ///
    /// # Errors
    /// [`Error::is_not_supported`] where the driver can't.
    pub fn set_link_down(&self) -> Result<(), Error> {
        let _serial = self.0.setup();
        // SAFETY: as above.
        let returned = unsafe { dpdk_sys::rte_eth_dev_set_link_down(self.0.id) };
        check("rte_eth_dev_set_link_down", returned).map(|_| ())
    }

    /// Calls `function` on DPDK's interrupt thread at each change of the link, where the driver reports them
    /// ([`PortFacts::link_interrupt`]). It must be short, and must not call back into this port. The first
    /// function stays: false if there was one.
    pub fn on_link_change(&self, function: impl Fn() + Send + Sync + 'static) -> bool {
        self.0.events.on_link_change(Box::new(function))
    }

    /// How many changes of the link the driver has reported.
    #[must_use]
    pub fn link_changes(&self) -> u64 {
        self.0.events.link_changes()
    }

    /// Whether the device was taken away.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.0.events.is_removed()
    }

    /// The MTU, octets.
    ///
    /// # Errors
    /// DPDK's reason.
    pub fn mtu(&self) -> Result<u16, Error> {
        let _serial = self.0.setup();
        self.0.mtu()
    }

    /// Sets the MTU. Most drivers demand a stopped port.
    ///
    /// # Errors
    /// [`Error::is_not_supported`] where the driver has no notion of it; `EBUSY` on a started port; `EINVAL`
    /// outside of its range.
    pub fn set_mtu(&self, mtu: u16) -> Result<(), Error> {
        let _serial = self.0.setup();
        self.0.set_mtu(mtu)
    }

    /// The port's Ethernet address.
    ///
    /// # Errors
    /// DPDK's reason.
    pub fn mac(&self) -> Result<[u8; 6], Error> {
        let _serial = self.0.setup();
        let mut mac = [0; 6];
        // SAFETY: DPDK checks the port's number; the shim writes six octets.
        let returned = unsafe { dpdk_sys::dpdk_shim_port_mac(self.0.id, mac.as_mut_ptr()) };
        check("rte_eth_macaddr_get", returned).map(|_| mac)
    }

    /// Takes frames for any address, or not.
    ///
    /// # Errors
    /// [`Error::is_not_supported`] where the driver can't.
    pub fn promiscuous(&self, on: bool) -> Result<(), Error> {
        let _serial = self.0.setup();
        self.0.set_promiscuous(on)
    }

    /// Takes frames for any group address, or not.
    ///
    /// # Errors
    /// [`Error::is_not_supported`] where the driver can't.
    pub fn all_multicast(&self, on: bool) -> Result<(), Error> {
        let _serial = self.0.setup();
        self.0.set_all_multicast(on)
    }

    /// Starts the configured port. Nothing happens if it is started.
    ///
    /// # Errors
    /// The driver's reason.
    pub fn start(&self) -> Result<(), Error> {
        self.0.start()
    }

    /// Stops the port. Nothing happens if it is stopped.
    ///
    /// # Errors
    /// [`Error::QueuesInUse`] until the owners of all its queues have quiesced or dropped them; the driver's
    /// reason.
    pub fn stop(&self) -> Result<(), Error> {
        self.0.stop()
    }

    /// Whether the port is started.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.0.gate.is_open()
    }
}
