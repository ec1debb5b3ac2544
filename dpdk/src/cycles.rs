//! The time stamp counter: what workers measure their load with.

/// The counter now, in cycles since some moment in the past.
#[inline]
#[must_use]
pub fn tsc() -> u64 {
    // SAFETY: reads a register; no state is touched.
    unsafe { dpdk_sys::dpdk_shim_tsc_cycles() }
}

/// Cycles a second, as EAL measured them at its start; 0 before.
#[must_use]
pub fn tsc_hz() -> u64 {
    // SAFETY: reads a number that EAL wrote at its start.
    unsafe { dpdk_sys::rte_get_tsc_hz() }
}
