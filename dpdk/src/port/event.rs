//! What a driver reports by itself: a change of the link, the removal of the device.
//!
//! DPDK calls back on its interrupt thread. The callback counts, and calls the one function that control
//! may have set, under `catch_unwind`.

use std::ffi::{c_int, c_void};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::error::{Error, check};

type OnLinkChange = Box<dyn Fn() + Send + Sync>;

/// How often a callback that is just running is asked about, with a pause between.
const UNREGISTER_TRIES: u32 = 2_000;

/// The pause.
const UNREGISTER_PAUSE: Duration = Duration::from_millis(1);

/// What has been reported.
#[derive(Default)]
pub(super) struct Events {
    link_changes: AtomicU64,
    removed: AtomicBool,
    on_link_change: OnceLock<OnLinkChange>,
}

impl Events {
    pub(super) fn link_changes(&self) -> u64 {
        self.link_changes.load(Ordering::Acquire)
    }

    pub(super) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// Sets the function, once. False if there is one.
    pub(super) fn on_link_change(&self, function: OnLinkChange) -> bool {
        self.on_link_change.set(function).is_ok()
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("link_changes", &self.link_changes())
            .field("removed", &self.is_removed())
            .finish_non_exhaustive()
    }
}

/// A port's callbacks, unregistered on drop.
#[derive(Debug)]
pub(super) struct Registration {
    port: u16,
    /// A reference count that the registered callbacks hold.
    argument: *const Events,
    registered: Vec<dpdk_sys::rte_eth_event_type>,
}

// SAFETY: the pointer is a counted reference to something Send and Sync, touched on drop alone.
unsafe impl Send for Registration {}

impl Registration {
    /// Registers for link changes and removal.
    pub(super) fn new(port: u16, events: &Arc<Events>) -> Result<Self, Error> {
        let argument = Arc::into_raw(Arc::clone(events));
        let mut registration = Self {
            port,
            argument,
            registered: Vec::new(),
        };
        for event in [
            dpdk_sys::RTE_ETH_EVENT_INTR_LSC,
            dpdk_sys::RTE_ETH_EVENT_INTR_RMV,
        ] {
            // SAFETY: the argument stays valid until `drop` has unregistered the callback.
            let returned = unsafe {
                dpdk_sys::rte_eth_dev_callback_register(
                    port,
                    event,
                    Some(called),
                    argument.cast_mut().cast(),
                )
            };
            check("rte_eth_dev_callback_register", returned)?;
            registration.registered.push(event);
        }
        Ok(registration)
    }

    fn unregister(&self, event: dpdk_sys::rte_eth_event_type) -> bool {
        for _ in 0..UNREGISTER_TRIES {
            // SAFETY: the same function and argument as at registration.
            let returned = unsafe {
                dpdk_sys::rte_eth_dev_callback_unregister(
                    self.port,
                    event,
                    Some(called),
                    self.argument.cast_mut().cast(),
                )
            };
            if returned != -libc::EAGAIN {
                return returned == 0;
            }
            std::thread::sleep(UNREGISTER_PAUSE);
        }
        false
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut gone = true;
        for event in &self.registered {
            gone &= self.unregister(*event);
        }
        // A callback that could not be taken off keeps its reference for good.
        if gone {
            // SAFETY: made by `Arc::into_raw` and no callback holds it any more.
            drop(unsafe { Arc::from_raw(self.argument) });
        }
    }
}

unsafe extern "C" fn called(
    _port: u16,
    event: dpdk_sys::rte_eth_event_type,
    argument: *mut c_void,
    _returned: *mut c_void,
) -> c_int {
    // SAFETY: `Registration` keeps a reference for as long as this is registered.
    let events = unsafe { &*argument.cast_const().cast::<Events>() };
    match event {
        dpdk_sys::RTE_ETH_EVENT_INTR_LSC => {
            events.link_changes.fetch_add(1, Ordering::AcqRel);
            if let Some(function) = events.on_link_change.get()
                && let Err(payload) = catch_unwind(AssertUnwindSafe(function))
            {
                // Its drop could panic.
                std::mem::forget(payload);
            }
        }
        dpdk_sys::RTE_ETH_EVENT_INTR_RMV => events.removed.store(true, Ordering::Release),
        _ => {}
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(events: &Arc<Events>, event: dpdk_sys::rte_eth_event_type) {
        let argument = Arc::as_ptr(events).cast_mut().cast();
        // SAFETY: the argument is what a registration would pass, and lives.
        let returned = unsafe { called(0, event, argument, std::ptr::null_mut()) };
        assert_eq!(returned, 0);
    }

    #[test]
    fn removal_is_a_flag_and_link_changes_are_counted() {
        let events = Arc::<Events>::default();
        call(&events, dpdk_sys::RTE_ETH_EVENT_INTR_LSC);
        call(&events, dpdk_sys::RTE_ETH_EVENT_INTR_LSC);
        assert_eq!((events.link_changes(), events.is_removed()), (2, false));
        call(&events, dpdk_sys::RTE_ETH_EVENT_INTR_RMV);
        assert_eq!((events.link_changes(), events.is_removed()), (2, true));
    }

    #[test]
    fn a_panic_of_the_function_ends_in_the_callback() {
        let events = Arc::<Events>::default();
        assert!(events.on_link_change(Box::new(|| panic!("no"))));
        call(&events, dpdk_sys::RTE_ETH_EVENT_INTR_LSC);
        assert_eq!(events.link_changes(), 1);
    }
}
