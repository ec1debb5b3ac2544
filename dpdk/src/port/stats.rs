//! A port's counters: the eight of every driver, and the driver's own.

use crate::error::{Error, check};

/// The counters that every driver has, since the port's start or as the driver keeps them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStats {
    /// Frames received.
    pub ipackets: u64,
    /// Frames sent.
    pub opackets: u64,
    /// Octets received.
    pub ibytes: u64,
    /// Octets sent.
    pub obytes: u64,
    /// Frames that the NIC dropped because its queue was full.
    pub imissed: u64,
    /// Frames received in error.
    pub ierrors: u64,
    /// Frames that could not be sent.
    pub oerrors: u64,
    /// Frames dropped because the mempool was empty.
    pub rx_nombuf: u64,
}

impl PortStats {
    pub(crate) fn read(id: u16) -> Result<Self, Error> {
        let mut raw = dpdk_sys::dpdk_shim_port_stats {
            ipackets: 0,
            opackets: 0,
            ibytes: 0,
            obytes: 0,
            imissed: 0,
            ierrors: 0,
            oerrors: 0,
            rx_nombuf: 0,
        };
        // SAFETY: DPDK checks the port number; the struct is writable.
        let returned = unsafe { dpdk_sys::dpdk_shim_port_stats(id, &raw mut raw) };
        check("rte_eth_stats_get", returned)?;
        Ok(Self {
            ipackets: raw.ipackets,
            opackets: raw.opackets,
            ibytes: raw.ibytes,
            obytes: raw.obytes,
            imissed: raw.imissed,
            ierrors: raw.ierrors,
            oerrors: raw.oerrors,
            rx_nombuf: raw.rx_nombuf,
        })
    }
}

/// One of the driver's own counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xstat {
    /// The driver's name for it.
    pub name: String,
    /// Its value.
    pub value: u64,
}

impl Xstat {
    /// All of a port's, with their names. The driver may name more while it runs; the next reading has them.
    pub(crate) fn read(id: u16) -> Result<Vec<Self>, Error> {
        let names = names(id)?;
        let capacity = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let empty = dpdk_sys::rte_eth_xstat { id: 0, value: 0 };
        let mut values = vec![empty; names.len()];
        // SAFETY: DPDK checks the port number and writes `capacity` entries at most.
        let returned = unsafe { dpdk_sys::rte_eth_xstats_get(id, values.as_mut_ptr(), capacity) };
        let count = usize::try_from(check("rte_eth_xstats_get", returned)?).unwrap_or(0);
        values.truncate(count);
        let named = values.iter().filter_map(|xstat| {
            let name = names.get(usize::try_from(xstat.id).ok()?)?.clone();
            Some(Self {
                name,
                value: xstat.value,
            })
        });
        Ok(named.collect())
    }
}

/// The names of a port's own counters; the position is the identifier.
fn names(id: u16) -> Result<Vec<String>, Error> {
    // SAFETY: DPDK checks the port number; a null array asks for the count alone.
    let returned = unsafe { dpdk_sys::rte_eth_xstats_get_names(id, std::ptr::null_mut(), 0) };
    let count = check("rte_eth_xstats_get_names", returned)?;
    let capacity = u32::try_from(count).unwrap_or(0);
    let empty = dpdk_sys::rte_eth_xstat_name { name: [0; _] };
    let mut names = vec![empty; capacity as usize];
    // SAFETY: DPDK checks the port number and writes `capacity` entries at most.
    let returned = unsafe { dpdk_sys::rte_eth_xstats_get_names(id, names.as_mut_ptr(), capacity) };
    let count = usize::try_from(check("rte_eth_xstats_get_names", returned)?).unwrap_or(0);
    names.truncate(count);
    Ok(names.iter().map(|entry| fixed_text(&entry.name)).collect())
}

/// The text in a fixed array, up to its NUL.
fn fixed_text(field: &[std::ffi::c_char]) -> String {
    let octets: Vec<u8> = field
        .iter()
        .take_while(|octet| **octet != 0)
        .map(|octet| octet.to_ne_bytes()[0])
        .collect();
    String::from_utf8_lossy(&octets).into_owned()
}
