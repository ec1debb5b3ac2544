//! Packet capture for other processes: `dpdk-dumpcap` and `dpdk-pdump` attach through it.

use std::marker::PhantomData;

use crate::eal::Eal;
use crate::error::{Error, check};

/// Capture is possible while this lives.
#[derive(Debug)]
pub struct Pdump<'eal> {
    eal: PhantomData<&'eal Eal>,
}

impl<'eal> Pdump<'eal> {
    pub(crate) fn init(eal: &'eal Eal) -> Result<Self, Error> {
        eal.shares_memory()?;
        // SAFETY: EAL is started and the calling thread is its main lcore.
        let returned = unsafe { dpdk_sys::rte_pdump_init() };
        if returned < 0 {
            let error = crate::error::last("rte_pdump_init");
            // DPDK sets rte_errno for some of its reasons only.
            return Err(if error.code() == Some(0) {
                check("rte_pdump_init", returned).err().unwrap_or(error)
            } else {
                error
            });
        }
        Ok(Self { eal: PhantomData })
    }
}

impl Drop for Pdump<'_> {
    fn drop(&mut self) {
        // SAFETY: initialised once by `init`, and EAL is still there (the borrow).
        unsafe { dpdk_sys::rte_pdump_uninit() };
    }
}
