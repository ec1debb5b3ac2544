//! What all handles of one port share.

use std::sync::{Arc, PoisonError};
#[expect(
    clippy::disallowed_types,
    reason = "ethdev's control calls must not overlap; only control and bring-up take it, no frame does"
)]
use std::sync::{Mutex, MutexGuard};

use super::config::{PortConfig, PortFacts, Setting};
use super::event::{Events, Registration};
use super::gate::Gate;
use super::info::PortInfo;
use crate::eal::Runtime;
use crate::error::{Error, check};
use crate::mempool::Mempool;

/// An owned port of DPDK. Closed when the last handle goes.
#[derive(Debug)]
pub(crate) struct PortShared {
    pub(crate) id: u16,
    pub(crate) info: PortInfo,
    pub(crate) gate: Gate,
    pub(super) events: Arc<Events>,
    /// Brought by hot-plug, so taken away again with its device.
    hotplugged: bool,
    #[expect(clippy::disallowed_types, reason = "see the import")]
    setup: Mutex<Setup>,
    /// Last, so that it goes last: EAL must be there while the port closes and its pools are freed.
    runtime: Arc<Runtime>,
}

/// What only the holder of the lock touches.
#[derive(Debug, Default)]
pub(super) struct Setup {
    registration: Option<Registration>,
    config: Option<PortConfig>,
    pub(super) facts: PortFacts,
}

impl PortShared {
    /// Takes over a claimed port.
    pub(super) fn new(info: PortInfo, hotplugged: bool, runtime: Arc<Runtime>) -> Self {
        Self {
            id: info.id,
            info,
            gate: Gate::default(),
            events: Arc::default(),
            hotplugged,
            #[expect(clippy::disallowed_types, reason = "see the import")]
            setup: Mutex::default(),
            runtime,
        }
    }

    /// Serialises control calls on this port, as ethdev demands.
    pub(super) fn setup(&self) -> MutexGuard<'_, Setup> {
        // What a panicking holder left is facts and handles, each whole.
        self.setup.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Configures the stopped port and sets its queues up.
    pub(super) fn configure(&self, config: PortConfig) -> Result<(), Error> {
        self.check_queues(&config)?;
        self.check_mtu(&config)?;
        let mut setup = self.setup();
        if setup.registration.is_none() {
            setup.registration = Some(Registration::new(self.id, &self.events)?);
        }
        let raw = dpdk_sys::dpdk_shim_port_conf {
            rx_queues: count(&config.rx_pools),
            tx_queues: config.tx_queues,
            mtu: config.mtu.map_or(0, u32::from),
            lsc_interrupt: u8::from(config.link_interrupt && self.info.lsc_interrupt),
            removal_interrupt: u8::from(config.link_interrupt && self.info.removal_interrupt),
            rx_scatter: u8::from(config.scatter && self.info.rx_scatter),
            tx_multi_segs: u8::from(config.multi_segs && self.info.tx_multi_segs),
        };
        // From here on the driver may hold pools of the config.
        setup.config = Some(config.clone());
        // SAFETY: DPDK checks the port's number and state, and copies the struct.
        let returned = unsafe { dpdk_sys::dpdk_shim_port_configure(self.id, &raw const raw) };
        check("rte_eth_dev_configure", returned)?;
        let mtu = config
            .mtu
            .map_or(Setting::Untouched, |mtu| Setting::of(self.set_mtu(mtu)));
        if let Setting::Failed(error) = mtu {
            return Err(error);
        }
        let (rx_descriptors, tx_descriptors) = self.set_up_queues(&config, &raw)?;
        setup.facts = PortFacts {
            rx_descriptors,
            tx_descriptors,
            mtu,
            link_interrupt: raw.lsc_interrupt != 0,
            ..PortFacts::default()
        };
        Ok(())
    }

    fn check_queues(&self, config: &PortConfig) -> Result<(), Error> {
        let wanted = [
            ("receive", count(&config.rx_pools), self.info.max_rx_queues),
            ("transmit", config.tx_queues, self.info.max_tx_queues),
        ];
        for (direction, asked, max) in wanted {
            if asked > max {
                let port = self.info.name.clone();
                return Err(Error::TooManyQueues {
                    port,
                    direction,
                    asked,
                    max,
                });
            }
        }
        Ok(())
    }

    /// Drivers differ in whether they refuse an mbuf that is too small, so it is refused here for all.
    fn check_mtu(&self, config: &PortConfig) -> Result<(), Error> {
        let Some(mtu) = config.mtu else { return Ok(()) };
        let (min, max) = (self.info.min_mtu, self.info.max_mtu);
        if mtu < min || mtu > max {
            return Err(Error::Mtu {
                port: self.info.name.clone(),
                asked: mtu,
                min,
                max,
            });
        }
        let needs = u32::from(mtu) + FRAME_OVERHEAD;
        for pool in &config.rx_pools {
            let has = u32::from(pool.data_room().saturating_sub(crate::mempool::headroom()));
            if !config.scatter && needs > has {
                return Err(Error::RoomTooSmall {
                    port: self.info.name.clone(),
                    needs,
                    has,
                });
            }
        }
        Ok(())
    }

    fn set_up_queues(
        &self,
        config: &PortConfig,
        raw: &dpdk_sys::dpdk_shim_port_conf,
    ) -> Result<(u16, u16), Error> {
        let (mut rx, mut tx) = (config.rx_descriptors, config.tx_descriptors);
        // SAFETY: DPDK checks the port's number; both numbers are writable.
        let returned =
            unsafe { dpdk_sys::dpdk_shim_port_descriptors(self.id, &raw mut rx, &raw mut tx) };
        check("rte_eth_dev_adjust_nb_rx_tx_desc", returned)?;
        for (queue, pool) in (0..).zip(&config.rx_pools) {
            let scatter = i32::from(raw.rx_scatter);
            // SAFETY: DPDK checks port and queue number. The pool stays alive: `Setup::config` has a handle
            // until the port is closed.
            let returned = unsafe {
                dpdk_sys::dpdk_shim_port_rx_queue(self.id, queue, rx, pool.as_ptr(), scatter)
            };
            check("rte_eth_rx_queue_setup", returned)?;
        }
        for queue in 0..config.tx_queues {
            let multi_segs = i32::from(raw.tx_multi_segs);
            // SAFETY: DPDK checks port and queue number.
            let returned =
                unsafe { dpdk_sys::dpdk_shim_port_tx_queue(self.id, queue, tx, multi_segs) };
            check("rte_eth_tx_queue_setup", returned)?;
        }
        Ok((rx, tx))
    }

    /// Starts the port and lets queues in. Nothing happens if it is started.
    pub(super) fn start(&self) -> Result<(), Error> {
        let mut setup = self.setup();
        if self.gate.is_open() {
            return Ok(());
        }
        // SAFETY: DPDK checks the port's number and that it is configured; the lock keeps other control calls
        // away, the closed gate keeps queues away.
        check("rte_eth_dev_start", unsafe {
            dpdk_sys::rte_eth_dev_start(self.id)
        })?;
        self.apply_modes(&mut setup);
        self.gate.open();
        Ok(())
    }

    /// What most drivers take only once they run.
    fn apply_modes(&self, setup: &mut Setup) {
        let Some(config) = setup.config.as_ref() else {
            return;
        };
        let facts = &mut setup.facts;
        if config.promiscuous {
            facts.promiscuous = Setting::of(self.set_promiscuous(true));
        }
        if config.all_multicast {
            facts.all_multicast = Setting::of(self.set_all_multicast(true));
        }
        if config.flow_control_off {
            // SAFETY: DPDK checks the port's number.
            let returned = unsafe { dpdk_sys::dpdk_shim_port_flow_control_off(self.id) };
            let outcome = check("rte_eth_dev_flow_ctrl_set", returned).map(|_| ());
            facts.flow_control_off = Setting::of(outcome);
        }
    }

    /// Stops the port. Nothing happens if it is stopped.
    pub(super) fn stop(&self) -> Result<(), Error> {
        let _setup = self.setup();
        if !self.gate.is_open() {
            return Ok(());
        }
        self.gate.close().map_err(|queues| Error::QueuesInUse {
            port: self.info.name.clone(),
            queues,
        })?;
        // SAFETY: DPDK checks the port's number; no queue is polled, since the gate is closed.
        check("rte_eth_dev_stop", unsafe {
            dpdk_sys::rte_eth_dev_stop(self.id)
        })
        .map(|_| ())
    }

    pub(super) fn mtu(&self) -> Result<u16, Error> {
        let mut mtu = 0;
        // SAFETY: DPDK checks the port's number; the number is writable.
        let returned = unsafe { dpdk_sys::rte_eth_dev_get_mtu(self.id, &raw mut mtu) };
        check("rte_eth_dev_get_mtu", returned).map(|_| mtu)
    }

    pub(super) fn set_mtu(&self, mtu: u16) -> Result<(), Error> {
        // SAFETY: DPDK checks the port's number and the MTU's range.
        check("rte_eth_dev_set_mtu", unsafe {
            dpdk_sys::rte_eth_dev_set_mtu(self.id, mtu)
        })
        .map(|_| ())
    }

    pub(super) fn set_promiscuous(&self, on: bool) -> Result<(), Error> {
        let returned = if on {
            // SAFETY: DPDK checks the port's number.
            unsafe { dpdk_sys::rte_eth_promiscuous_enable(self.id) }
        } else {
            // SAFETY: as above.
            unsafe { dpdk_sys::rte_eth_promiscuous_disable(self.id) }
        };
        check("rte_eth_promiscuous_enable", returned).map(|_| ())
    }

    pub(super) fn set_all_multicast(&self, on: bool) -> Result<(), Error> {
        let returned = if on {
            // SAFETY: DPDK checks the port's number.
            unsafe { dpdk_sys::rte_eth_allmulticast_enable(self.id) }
        } else {
            // SAFETY: as above.
            unsafe { dpdk_sys::rte_eth_allmulticast_disable(self.id) }
        };
        check("rte_eth_allmulticast_enable", returned).map(|_| ())
    }
}

impl Drop for PortShared {
    fn drop(&mut self) {
        let setup = std::mem::take(&mut *self.setup());
        // Callbacks end before the port does.
        drop(setup.registration);
        if setup.config.is_some() || self.hotplugged {
            // SAFETY: no queue exists any more (each holds a reference to this), so nobody polls.
            unsafe { dpdk_sys::rte_eth_dev_stop(self.id) };
            // A failing close leaves nothing to be done: the port is not used again either way.
            if self.hotplugged {
                // SAFETY: stopped, and nobody has a handle.
                unsafe { dpdk_sys::dpdk_shim_port_remove(self.id) };
            } else {
                // SAFETY: as above.
                unsafe { dpdk_sys::rte_eth_dev_close(self.id) };
            }
        }
        // The driver has given its mbufs back, so the pools may go.
        drop(setup.config);
        self.runtime.release(self.id);
    }
}

/// Header, check sequence and two VLAN tags around an MTU, octets.
const FRAME_OVERHEAD: u32 = 14 + 4 + 8;

/// How many queues a list of pools makes.
fn count(pools: &[Mempool]) -> u16 {
    u16::try_from(pools.len()).unwrap_or(u16::MAX)
}
