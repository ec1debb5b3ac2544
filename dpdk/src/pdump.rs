//! Packet capture for other processes: `dpdk-dumpcap` and `dpdk-pdump` attach through it.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::eal::{Eal, Runtime};
use crate::error::{Error, check, last};

/// Capture is possible while this lives. Stays on the main lcore's thread, as [`Eal`] does.
#[derive(Debug)]
pub struct Pdump {
    /// EAL is cleaned up after this at the earliest.
    _runtime: Arc<Runtime>,
    not_send: PhantomData<*const ()>,
}

impl Pdump {
    pub(crate) fn init(eal: &Eal) -> Result<Self, Error> {
        eal.shares_memory()?;
        // SAFETY: EAL is started and the calling thread is its main lcore.
        let returned = unsafe { dpdk_sys::rte_pdump_init() };
        if returned < 0 {
            // DPDK sets rte_errno for some of its reasons only.
            return match last("rte_pdump_init") {
                error if error.code() == Some(0) => {
                    Err(check("rte_pdump_init", returned).err().unwrap_or(error))
                }
                error => Err(error),
            };
        }
        Ok(Self {
            _runtime: Arc::clone(eal.runtime()),
            not_send: PhantomData,
        })
    }
}

impl Drop for Pdump {
    fn drop(&mut self) {
        // SAFETY: initialised once by `init`, and EAL is still there (the reference to its runtime).
        unsafe { dpdk_sys::rte_pdump_uninit() };
    }
}
