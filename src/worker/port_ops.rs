//! A DPDK port as control drives it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use dpdk::{Burst, Mempool, PortControl, Setting, netdev};

use crate::{
    bus::{LinkDownWay, LinkState, PortError, PortOps, PortStats},
    ieee::MacAddr,
};

/// One port, with the kernel interface behind it if there is one that stays when the port stops.
#[derive(Debug)]
pub struct DpdkPort {
    pub(super) device: String,
    pub(super) control: PortControl,
    pub(super) pool: Mempool,
    /// Frozen at start: the SCI is made of it, and a change must not follow into frames.
    pub(super) mac: MacAddr,
    pub(super) mtu: u16,
    /// How it takes its link down. A PCI port finds out at its first try whether its driver can.
    pub(super) set_link: AtomicBool,
    /// The way where the driver can't.
    pub(super) other_way: LinkDownWay,
    /// The interface whose running state is the link's: drivers such as `net_af_packet` say always up.
    pub(super) interface: Option<String>,
    /// Whether the interface ran when it was last looked at.
    pub(super) ran: AtomicBool,
    /// Readings of the counters that found less than a burst of free buffers.
    pub(super) starved: AtomicU64,
}

impl DpdkPort {
    fn error(&self, what: impl std::fmt::Display) -> PortError {
        PortError {
            device: self.device.clone(),
            what: what.to_string(),
        }
    }

    fn show_interface(&self, up: bool) -> Result<(), PortError> {
        let Some(interface) = &self.interface else {
            return Ok(());
        };
        let shown = if up {
            netdev::set_up(interface)
        } else {
            netdev::set_down(interface)
        };
        shown.map_err(|error| self.error(error))?;
        self.runs(interface);
        Ok(())
    }

    /// Whether the interface runs. When it has just come up, the error that its going down left on
    /// the driver's socket is cleared, or the first burst would stay in the ring.
    fn runs(&self, interface: &str) -> bool {
        let runs = netdev::running(interface).unwrap_or(false);
        if runs && !self.ran.swap(runs, Ordering::Relaxed) {
            // Without it the first burst is late, and no frame is lost.
            let _ = netdev::clear_error(interface);
        }
        self.ran.store(runs, Ordering::Relaxed);
        runs
    }

    fn set_link(&self, up: bool) -> Result<(), PortError> {
        let set = if up {
            self.control.set_link_up()
        } else {
            self.control.set_link_down()
        };
        set.map_err(|error| {
            if error.is_not_supported() {
                self.set_link.store(false, Ordering::Relaxed);
            }
            self.error(error)
        })
    }

    /// Tells of settings that the driver refused: the port then takes other frames than a wire would.
    fn tell_facts(&self) {
        let facts = self.control.facts();
        for (what, setting) in [
            ("promiscuous mode", facts.promiscuous),
            ("receiving all multicast", facts.all_multicast),
            ("switching flow control off", facts.flow_control_off),
        ] {
            if let Setting::Failed(error) = setting {
                tracing::warn!(port = self.device, "{what} failed: {error}");
            } else if setting == Setting::NotSupported {
                tracing::info!(port = self.device, "the driver has no way of {what}");
            }
        }
    }
}

impl PortOps for DpdkPort {
    fn device(&self) -> &str {
        &self.device
    }

    fn driver(&self) -> &str {
        &self.control.info().driver
    }

    fn mac(&self) -> MacAddr {
        self.mac
    }

    fn mtu(&self) -> u16 {
        self.mtu
    }

    fn link(&self) -> LinkState {
        let link = self.control.link().ok();
        let running = self.interface.as_deref().map(|name| self.runs(name));
        LinkState {
            up: running.unwrap_or_else(|| link.is_some_and(|link| link.up)),
            speed_mbps: link.and_then(|link| link.speed_mbps).unwrap_or(0),
            full_duplex: link.is_some_and(|link| link.full_duplex),
        }
    }

    fn stats(&self) -> Result<PortStats, PortError> {
        if self.is_started() {
            // A capture that ends may switch it off for everybody (`dpdk-dumpcap` without `-p`), and a
            // wire takes frames for any address. Costs nothing while it is on.
            let _ = self.control.promiscuous(true);
        }
        let stats = self.control.stats().map_err(|error| self.error(error))?;
        // Many drivers stop receiving without a word when the pool is empty, or holds less than they
        // want at once (`net_af_packet`, `net_null`): this at least tells that it was so.
        if usize::try_from(self.pool.avail()).is_ok_and(|free| free < Burst::CAPACITY) {
            self.starved.fetch_add(1, Ordering::Relaxed);
        }
        let starved = self.starved.load(Ordering::Relaxed);
        Ok(PortStats {
            rx_packets: stats.ipackets,
            tx_packets: stats.opackets,
            rx_octets: stats.ibytes,
            tx_octets: stats.obytes,
            rx_missed: stats.imissed,
            rx_errors: stats.ierrors,
            tx_errors: stats.oerrors,
            rx_no_mbuf: stats.rx_nombuf.saturating_add(starved),
        })
    }

    fn xstats(&self) -> Result<Vec<(String, u64)>, PortError> {
        let xstats = self.control.xstats().map_err(|error| self.error(error))?;
        Ok(xstats
            .into_iter()
            .map(|xstat| (xstat.name, xstat.value))
            .collect())
    }

    fn link_down_way(&self) -> LinkDownWay {
        if self.set_link.load(Ordering::Relaxed) {
            LinkDownWay::SetLink
        } else {
            self.other_way
        }
    }

    fn show_link(&self, up: bool) -> Result<(), PortError> {
        match self.link_down_way() {
            LinkDownWay::Interface => self.show_interface(up),
            LinkDownWay::SetLink => self.set_link(up),
            LinkDownWay::Stop | LinkDownWay::None => Ok(()),
        }
    }

    fn start(&self) -> Result<(), PortError> {
        self.control.start().map_err(|error| self.error(error))?;
        self.tell_facts();
        Ok(())
    }

    fn stop(&self) -> Result<(), PortError> {
        self.control.stop().map_err(|error| self.error(error))
    }

    fn is_started(&self) -> bool {
        self.control.is_started()
    }

    fn buffers(&self) -> (u32, u32) {
        (self.pool.avail(), self.pool.size())
    }
}
