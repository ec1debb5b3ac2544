//! A port from its name to running, as a typestate.

use std::ffi::{CStr, CString, c_char};
use std::sync::Arc;

use super::config::{PortConfig, PortFacts};
use super::control::PortControl;
use super::info::PortInfo;
use super::queue::{RxQueue, TxQueue};
use super::shared::PortShared;
use crate::eal::Eal;
use crate::error::{Error, check};

/// A port that was found and not configured.
#[derive(Debug)]
pub struct Probed(());

/// A port that is set up, and stopped.
#[derive(Debug)]
pub struct Configured {
    queues: Option<Queues>,
}

/// A port that was started.
#[derive(Debug)]
pub struct Started {
    queues: Option<Queues>,
}

/// A port's queues, by number. Each goes to one owner.
#[derive(Debug)]
pub struct Queues {
    /// Receive queues.
    pub rx: Vec<RxQueue>,
    /// Transmit queues.
    pub tx: Vec<TxQueue>,
}

/// An owned port. It is closed when the port, its queues and its control handles are gone; a closed port
/// cannot be taken again, unless its device is plugged anew.
#[derive(Debug)]
pub struct Port<State> {
    shared: Arc<PortShared>,
    state: State,
}

impl<State> Port<State> {
    /// What the driver says about the port.
    #[must_use]
    pub fn info(&self) -> &PortInfo {
        &self.shared.info
    }

    /// A handle for the control thread.
    #[must_use]
    pub fn control(&self) -> PortControl {
        PortControl::new(Arc::clone(&self.shared))
    }
}

impl Port<Probed> {
    /// Sets the port and its queues up. Offloads that the config does not name are off.
    ///
    /// # Errors
    /// [`Error::TooManyQueues`], [`Error::Mtu`], [`Error::RoomTooSmall`]; [`Error::Call`] when the driver
    /// refuses; the port is closed then.
    pub fn configure(self, config: PortConfig) -> Result<Port<Configured>, Error> {
        let (rx, tx) = (config.rx_pools.len(), config.tx_queues);
        self.shared.configure(config)?;
        let queues = Queues {
            rx: (0..)
                .take(rx)
                .map(|n| RxQueue::new(Arc::clone(&self.shared), n))
                .collect(),
            tx: (0..tx)
                .map(|n| TxQueue::new(Arc::clone(&self.shared), n))
                .collect(),
        };
        Ok(Port {
            shared: self.shared,
            state: Configured {
                queues: Some(queues),
            },
        })
    }
}

impl Port<Configured> {
    /// The queues, once. They may be polled at any time and move frames once the port is started.
    pub fn take_queues(&mut self) -> Option<Queues> {
        self.state.queues.take()
    }

    /// What the config came to.
    #[must_use]
    pub fn facts(&self) -> PortFacts {
        self.shared.setup().facts.clone()
    }

    /// Starts the port.
    ///
    /// # Errors
    /// The driver's reason. The port is closed then, unless other handles exist.
    pub fn start(self) -> Result<Port<Started>, Error> {
        self.shared.start()?;
        Ok(Port {
            shared: self.shared,
            state: Started {
                queues: self.state.queues,
            },
        })
    }
}

impl Port<Started> {
    /// The queues, once.
    pub fn take_queues(&mut self) -> Option<Queues> {
        self.state.queues.take()
    }

    /// What the config came to.
    #[must_use]
    pub fn facts(&self) -> PortFacts {
        self.shared.setup().facts.clone()
    }

    /// Stops the port.
    ///
    /// # Errors
    /// The port itself, still started, with [`Error::QueuesInUse`] or the driver's reason.
    pub fn stop(self) -> Result<Port<Configured>, (Self, Error)> {
        match self.shared.stop() {
            Ok(()) => Ok(Port {
                shared: self.shared,
                state: Configured {
                    queues: self.state.queues,
                },
            }),
            Err(error) => Err((self, error)),
        }
    }
}

/// The numbers of all ports.
pub(crate) fn all() -> Vec<u16> {
    let mut found = Vec::new();
    let mut next = 0;
    loop {
        // SAFETY: a bounds-checked walk over ethdev's table; EAL is started, or the table is empty.
        let port = unsafe { dpdk_sys::rte_eth_find_next(next) };
        if port >= crate::eal::max_ethports() {
            return found;
        }
        found.push(port);
        next = port + 1;
    }
}

/// A port's name.
pub(crate) fn name(port: u16) -> Option<String> {
    let mut field = [c_char::default(); dpdk_sys::DPDK_SHIM_ETH_NAME_MAX as usize];
    // SAFETY: DPDK checks the number and writes a NUL-terminated string of RTE_ETH_NAME_MAX_LEN at most.
    let returned = unsafe { dpdk_sys::rte_eth_dev_get_name_by_port(port, field.as_mut_ptr()) };
    if returned != 0 {
        return None;
    }
    // SAFETY: NUL-terminated, see above.
    let text = unsafe { CStr::from_ptr(field.as_ptr()) };
    Some(text.to_string_lossy().into_owned())
}

/// Takes the port of this name.
pub(crate) fn by_name(eal: &Eal, wanted: &str) -> Result<Port<Probed>, Error> {
    let c_name = c_string(wanted)?;
    let mut port = 0;
    // SAFETY: EAL is started, the name is a valid string, the number is writable.
    let returned =
        unsafe { dpdk_sys::rte_eth_dev_get_port_by_name(c_name.as_ptr(), &raw mut port) };
    if returned != 0 {
        return Err(Error::NoSuchPort {
            name: wanted.to_owned(),
            known: eal.port_names(),
        });
    }
    take(eal, port, wanted.to_owned(), false)
}

/// Plugs a device and takes its first port.
pub(crate) fn hotplug_add(eal: &Eal, device: &str) -> Result<Port<Probed>, Error> {
    let c_device = c_string(device)?;
    let before = all();
    // SAFETY: EAL is started and this is its main lcore's thread (`Eal` is not Send); the string is valid and
    // is copied.
    check("rte_dev_probe", unsafe {
        dpdk_sys::rte_dev_probe(c_device.as_ptr())
    })?;
    let port = all().into_iter().find(|port| !before.contains(port));
    let Some((port, name)) = port.and_then(|port| Some((port, name(port)?))) else {
        return Err(Error::NoPort {
            device: device.to_owned(),
        });
    };
    take(eal, port, name, true)
}

/// Claims a port that exists.
fn take(eal: &Eal, port: u16, name: String, hotplugged: bool) -> Result<Port<Probed>, Error> {
    if !eal.runtime().claim(port) {
        return Err(Error::PortTaken { name });
    }
    let runtime = Arc::clone(eal.runtime());
    match PortInfo::read(port, name) {
        Ok(info) => {
            let shared = Arc::new(PortShared::new(info, hotplugged, runtime));
            Ok(Port {
                shared,
                state: Probed(()),
            })
        }
        Err(error) => {
            runtime.release(port);
            Err(error)
        }
    }
}

fn c_string(text: &str) -> Result<CString, Error> {
    CString::new(text).map_err(|_| Error::NulInName {
        name: text.to_owned(),
    })
}
