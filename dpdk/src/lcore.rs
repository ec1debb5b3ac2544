//! Lcores: EAL's pinned threads, on which workers run.
//!
//! A function is launched with `rte_eal_remote_launch`. It runs under `catch_unwind`, so that a panic
//! ends the function and is reported by `Eal::wait`, and never unwinds into C.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use crate::error::{Error, check};

/// An lcore's number, as in `--lcores`. Not a CPU's: see [`LcoreId::cpus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LcoreId(pub(crate) u32);

impl LcoreId {
    /// The lcore that the calling thread is, if it is one.
    #[must_use]
    pub fn current() -> Option<Self> {
        // SAFETY: reads a thread-local integer; valid before and after EAL's start.
        let id = unsafe { dpdk_sys::dpdk_shim_lcore_id() };
        (id < dpdk_sys::DPDK_SHIM_MAX_LCORE).then_some(Self(id))
    }

    /// The number.
    #[must_use]
    pub fn index(self) -> u32 {
        self.0
    }

    /// The CPUs that the lcore may run on, by the kernel's numbers. More than one for `--lcores='5@(2,3)'`.
    #[must_use]
    pub fn cpus(self) -> Vec<u32> {
        let mut found = Vec::new();
        for cpu in 0.. {
            // SAFETY: a bounds-checked look at EAL's table.
            match unsafe { dpdk_sys::dpdk_shim_lcore_has_cpu(self.0, cpu) } {
                1 => found.push(cpu),
                0 => {}
                _ => break,
            }
        }
        found
    }

    /// The NUMA node of the lcore's CPU.
    #[must_use]
    pub fn socket(self) -> u32 {
        // SAFETY: the number was given by EAL, so it is below RTE_MAX_LCORE.
        unsafe { dpdk_sys::rte_lcore_to_socket_id(self.0) }
    }
}

impl fmt::Display for LcoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether an lcore is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LcoreState {
    /// Nothing runs on it.
    Waiting,
    /// A launched function runs on it.
    Running,
}

/// An lcore's function panicked. The process lives on; the function does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panicked {
    /// Where it ran.
    pub lcore: LcoreId,
    /// The panic's message, when it was text.
    pub message: String,
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lcore {} panicked: {}", self.lcore, self.message)
    }
}

impl std::error::Error for Panicked {}

/// How a launched function ended; empty while it runs.
pub(crate) type Outcome = Arc<OnceLock<Result<i32, Panicked>>>;

/// What travels through `rte_eal_remote_launch`'s pointer.
struct Launch {
    lcore: LcoreId,
    function: Box<dyn FnOnce() -> i32 + Send>,
    outcome: Outcome,
}

/// Starts `function` on `lcore`, which the caller knows to be a worker.
pub(crate) fn launch(
    lcore: LcoreId,
    function: Box<dyn FnOnce() -> i32 + Send>,
) -> Result<Outcome, Error> {
    let outcome = Outcome::default();
    let launch = Box::new(Launch {
        lcore,
        function,
        outcome: Arc::clone(&outcome),
    });
    let argument = Box::into_raw(launch);
    // SAFETY: the pointer stays valid until `trampoline` takes the box back, once, on the lcore; what is
    // inside is Send.
    let returned =
        unsafe { dpdk_sys::rte_eal_remote_launch(Some(trampoline), argument.cast(), lcore.0) };
    if let Err(error) = check("rte_eal_remote_launch", returned) {
        // SAFETY: EAL refused, so the trampoline will not run and the box is still ours alone.
        drop(unsafe { Box::from_raw(argument) });
        return Err(error);
    }
    Ok(outcome)
}

/// The C side of a launch: takes the box back and lets no panic out.
unsafe extern "C" fn trampoline(argument: *mut c_void) -> c_int {
    // SAFETY: `launch` made this pointer from a box and gave it up; EAL calls once per launch.
    let launch = unsafe { Box::from_raw(argument.cast::<Launch>()) };
    let Launch {
        lcore,
        function,
        outcome,
    } = *launch;
    let ended = catch_unwind(AssertUnwindSafe(function)).map_err(|payload| Panicked {
        lcore,
        message: panic_text(payload),
    });
    let code = *ended.as_ref().unwrap_or(&-1);
    // The lock is fresh for each launch, so it is empty here.
    drop(outcome.set(ended));
    code
}

/// The text of a panic. A payload that is no text is forgotten, because its own drop could panic.
pub(crate) fn panic_text(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(payload) => {
                std::mem::forget(payload);
                "a payload that is no text".to_owned()
            }
        },
    }
}
