//! The environment abstraction layer as a token: memory, lcores and ports come from it.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, last};
use crate::lcore::{self, LcoreId, LcoreState, Outcome, Panicked};
use crate::pdump::Pdump;
use crate::port::{self, Port, Probed};

/// EAL cannot start twice in a process, not even after a failed start.
static STARTED: AtomicBool = AtomicBool::new(false);

/// DPDK's release, for example `DPDK 22.11.11`.
#[must_use]
pub fn version() -> String {
    // SAFETY: returns a static string; needs no EAL.
    let text = unsafe { dpdk_sys::rte_version() };
    // SAFETY: never null, NUL-terminated, never written after the first call's formatting of it.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().into_owned()
}

/// The most ports that this build of DPDK can have (`RTE_MAX_ETHPORTS`).
#[must_use]
pub const fn max_ethports() -> u16 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "port numbers are 16 bits wide in DPDK"
    )]
    {
        dpdk_sys::DPDK_SHIM_MAX_ETHPORTS as u16
    }
}

/// This process's part in DPDK's multi-process model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessType {
    /// Owns memory and ports.
    Primary,
    /// Attached to a primary.
    Secondary,
}

/// What must outlive every pool, port and queue: shared by all of them, cleaned up with the last one.
#[derive(Debug)]
pub(crate) struct Runtime {
    /// Which ports have an owner, by port number.
    claimed: Box<[AtomicBool]>,
    /// A mempool was dropped while mbufs of it were out. Its memory must stay mapped.
    keep_memory: AtomicBool,
}

impl Runtime {
    /// Takes a port; false if it has an owner.
    pub(crate) fn claim(&self, port: u16) -> bool {
        self.claimed
            .get(usize::from(port))
            .is_some_and(|taken| !taken.swap(true, Ordering::AcqRel))
    }

    /// Gives a port back.
    pub(crate) fn release(&self, port: u16) {
        if let Some(taken) = self.claimed.get(usize::from(port)) {
            taken.store(false, Ordering::Release);
        }
    }

    /// Forbids `rte_eal_cleanup`, which unmaps memory that something still points into.
    pub(crate) fn keep_memory(&self) {
        self.keep_memory.store(true, Ordering::Release);
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.keep_memory.load(Ordering::Acquire) {
            return;
        }
        // SAFETY: EAL was started (only `Eal::init` makes a Runtime), and whatever points into its memory
        // holds a reference to this Runtime or has set `keep_memory`. Its result says nothing of use.
        unsafe { dpdk_sys::rte_eal_cleanup() };
    }
}

/// A started EAL. One per process; it stays on the thread that started it, EAL's main lcore.
///
/// Dropping it waits for all lcores (so their functions must have been told to end). EAL itself is cleaned
/// up when the last pool, port and queue is gone too.
#[derive(Debug)]
pub struct Eal {
    runtime: Arc<Runtime>,
    /// How the function last launched on each lcore ended.
    outcomes: RefCell<Vec<Option<Outcome>>>,
    arguments: Vec<String>,
    /// Hot-plug and lcore bookkeeping belong to one thread.
    not_send: PhantomData<*const ()>,
}

impl Eal {
    /// Starts EAL with `args`, passed verbatim (without a program name, which is put before them).
    ///
    /// The calling thread becomes the main lcore and is pinned to its CPU; threads that it makes later
    /// inherit that.
    ///
    /// # Errors
    /// [`Error::AlreadyInitialised`] the second time; [`Error::Argument`] for an argument with a NUL, `--`
    /// and what is behind it, or one that EAL does not read; [`Error::Call`] with EAL's own reason. EAL logs
    /// more than its errno says: see [`crate::log`].
    pub fn init(args: &[String]) -> Result<Self, Error> {
        let argv = arguments(args)?;
        if STARTED.swap(true, Ordering::SeqCst) {
            return Err(Error::AlreadyInitialised);
        }
        let count = c_int::try_from(argv.len() - 1).map_err(|_| Error::Argument {
            argument: String::new(),
            why: "too many arguments",
        })?;
        // EAL reorders the array and keeps pointers into it, so both array and strings are never freed:
        // some hundred octets, once per process.
        let argv = Vec::leak(argv);
        // SAFETY: `argv` has `count` valid, writable, NUL-terminated strings and a null behind them, all
        // of them valid forever.
        let parsed = unsafe { dpdk_sys::rte_eal_init(count, argv.as_mut_ptr()) };
        if parsed < 0 {
            return Err(last("rte_eal_init"));
        }
        let claimed = (0..max_ethports())
            .map(|_| AtomicBool::new(false))
            .collect();
        let eal = Self {
            runtime: Arc::new(Runtime {
                claimed,
                keep_memory: AtomicBool::new(false),
            }),
            outcomes: RefCell::default(),
            arguments: args.to_vec(),
            not_send: PhantomData,
        };
        // EAL returns how many arguments it read, the program's name not counted.
        match usize::try_from(parsed).ok().and_then(|read| args.get(read)) {
            Some(_) => Err(Error::Argument {
                argument: leftover(args),
                why: "EAL does not read it; EAL options begin with `-`",
            }),
            None => Ok(eal),
        }
    }

    pub(crate) fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Whether memory is in hugepages. False with `--no-huge`.
    #[must_use]
    pub fn has_hugepages(&self) -> bool {
        // SAFETY: reads EAL's configuration; EAL is started.
        unsafe { dpdk_sys::rte_eal_has_hugepages() != 0 }
    }

    /// Whether `--in-memory` (or `--no-shconf`) was given: nothing on disk that another process finds.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        // EAL takes unambiguous beginnings of its long options.
        self.arguments.iter().any(|argument| {
            (argument.len() >= "--in-".len() && "--in-memory".starts_with(argument.as_str()))
                || (argument.len() >= "--no-sh".len()
                    && "--no-shconf".starts_with(argument.as_str()))
        })
    }

    /// Whether a secondary process can attach, and if not why.
    ///
    /// # Errors
    /// [`Error::NoSharedMemory`] with the reason and the remedy.
    pub fn shares_memory(&self) -> Result<(), Error> {
        if !self.has_hugepages() {
            return Err(Error::NoSharedMemory {
                why: "no other process can see the frames: memory is not in hugepages (--no-huge)",
            });
        }
        if self.is_in_memory() {
            return Err(Error::NoSharedMemory {
                why: "no other process can see the frames: EAL was started with --in-memory or --no-shconf",
            });
        }
        Ok(())
    }

    /// This process's part.
    #[must_use]
    pub fn process_type(&self) -> ProcessType {
        // SAFETY: reads EAL's configuration; EAL is started.
        match unsafe { dpdk_sys::rte_eal_process_type() } {
            dpdk_sys::RTE_PROC_SECONDARY => ProcessType::Secondary,
            _ => ProcessType::Primary,
        }
    }

    /// EAL's folder of run-time files, for example `/var/run/dpdk/rte`. Named after `--file-prefix`.
    #[must_use]
    pub fn runtime_dir(&self) -> Option<PathBuf> {
        // SAFETY: returns a pointer to a static buffer that EAL wrote at its start, or null.
        let text = unsafe { dpdk_sys::rte_eal_get_runtime_dir() };
        if text.is_null() {
            return None;
        }
        // SAFETY: not null, NUL-terminated, never written again.
        let text = unsafe { CStr::from_ptr(text) };
        Some(PathBuf::from(text.to_string_lossy().into_owned()))
    }

    /// The main lcore: the thread that started EAL. No function is launched on it.
    #[must_use]
    pub fn main_lcore(&self) -> LcoreId {
        // SAFETY: reads EAL's configuration; EAL is started.
        LcoreId(unsafe { dpdk_sys::rte_get_main_lcore() })
    }

    /// The lcores that functions can be launched on: all but the main one, in order.
    #[must_use]
    pub fn workers(&self) -> Vec<LcoreId> {
        let mut found = Vec::new();
        let mut lcore = u32::MAX;
        loop {
            // SAFETY: a bounds-checked walk over EAL's configuration; -1 (u32::MAX) starts it.
            lcore = unsafe { dpdk_sys::rte_get_next_lcore(lcore, 1, 0) };
            if lcore >= dpdk_sys::DPDK_SHIM_MAX_LCORE {
                return found;
            }
            found.push(LcoreId(lcore));
        }
    }

    /// Runs `function` on `lcore`. Its result, or its panic, is what [`Eal::wait`] gives.
    ///
    /// # Errors
    /// [`Error::Lcore`] if `lcore` is the main one, unknown, or still busy.
    pub fn launch(
        &self,
        lcore: LcoreId,
        function: impl FnOnce() -> i32 + Send + 'static,
    ) -> Result<(), Error> {
        if !self.workers().contains(&lcore) {
            return Err(Error::Lcore {
                lcore: lcore.0,
                why: "is not a worker of this EAL",
            });
        }
        if self.lcore_state(lcore) == LcoreState::Running {
            return Err(Error::Lcore {
                lcore: lcore.0,
                why: "is busy",
            });
        }
        let outcome = lcore::launch(lcore, Box::new(function))?;
        let mut outcomes = self.outcomes.borrow_mut();
        let index = lcore.0 as usize;
        if outcomes.len() <= index {
            outcomes.resize(index + 1, None);
        }
        if let Some(slot) = outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
        Ok(())
    }

    /// Whether a function runs on `lcore`.
    #[must_use]
    pub fn lcore_state(&self, lcore: LcoreId) -> LcoreState {
        // SAFETY: `LcoreId` is only made from numbers below RTE_MAX_LCORE, which EAL indexes with.
        match unsafe { dpdk_sys::rte_eal_get_lcore_state(lcore.0) } {
            dpdk_sys::RUNNING => LcoreState::Running,
            _ => LcoreState::Waiting,
        }
    }

    /// Waits until `lcore`'s function has ended and gives its result: 0 if nothing was launched there, or
    /// if the result was asked for before.
    ///
    /// # Errors
    /// [`Panicked`] when the function panicked.
    pub fn wait(&self, lcore: LcoreId) -> Result<i32, Panicked> {
        if lcore == self.main_lcore() {
            return Ok(0);
        }
        // SAFETY: `LcoreId` is only made from numbers below RTE_MAX_LCORE; this is the main lcore's thread,
        // so it does not wait for itself.
        unsafe { dpdk_sys::rte_eal_wait_lcore(lcore.0) };
        let outcome = self
            .outcomes
            .borrow_mut()
            .get_mut(lcore.0 as usize)
            .and_then(Option::take);
        match outcome.as_ref().and_then(|outcome| outcome.get()) {
            Some(ended) => ended.clone(),
            None => Ok(0),
        }
    }

    /// The names of all ports, in port order.
    #[must_use]
    pub fn port_names(&self) -> Vec<String> {
        port::all().into_iter().filter_map(port::name).collect()
    }

    /// A port by its name: the vdev's (`net_ring0`) or the PCI address (`0000:03:00.0`).
    ///
    /// # Errors
    /// [`Error::NoSuchPort`]; [`Error::PortTaken`] while another owner has it.
    pub fn port_by_name(&self, name: &str) -> Result<Port<Probed>, Error> {
        port::by_name(self, name)
    }

    /// Probes a device that was not there at start, by `--vdev`'s or `-a`'s text, and takes its first port.
    /// The device is removed again when the port is dropped.
    ///
    /// # Errors
    /// [`Error::Call`] when there's no such device or driver, or it is there already; [`Error::NoPort`] when
    /// it brings no port.
    pub fn hotplug_add(&self, device: &str) -> Result<Port<Probed>, Error> {
        port::hotplug_add(self, device)
    }

    /// Lets `dpdk-dumpcap` capture on this process's ports.
    ///
    /// # Errors
    /// [`Error::NoSharedMemory`] when no other process could attach; [`Error::Call`] with DPDK's reason.
    pub fn pdump_init(&self) -> Result<Pdump, Error> {
        Pdump::init(self)
    }
}

impl Drop for Eal {
    fn drop(&mut self) {
        // What runs on an lcore may hold the last reference to the runtime, and cleaning up from an lcore
        // would wait for itself.
        // SAFETY: EAL is started and this is the main lcore's thread (`Eal` is not Send).
        unsafe { dpdk_sys::rte_eal_mp_wait_lcore() };
    }
}

/// The C array: program name, arguments, a null at the end. Strings are leaked by the caller's contract.
fn arguments(args: &[String]) -> Result<Vec<*mut c_char>, Error> {
    let mut strings = vec![c"macsecgw".to_owned()];
    for argument in args {
        if argument == "--" {
            return Err(Error::Argument {
                argument: argument.clone(),
                why: "ends EAL's options; nothing behind it would be read",
            });
        }
        let string = CString::new(argument.as_str()).map_err(|_| Error::Argument {
            argument: argument.clone(),
            why: "has a NUL octet inside",
        })?;
        strings.push(string);
    }
    let mut argv: Vec<*mut c_char> = strings.into_iter().map(CString::into_raw).collect();
    argv.push(std::ptr::null_mut());
    Ok(argv)
}

/// The first argument that can be no option's value: what EAL left unread, as far as can be told.
fn leftover(args: &[String]) -> String {
    args.iter()
        .enumerate()
        .find(|(index, argument)| {
            !argument.starts_with('-')
                && index
                    .checked_sub(1)
                    .and_then(|before| args.get(before))
                    .is_none_or(|before| !before.starts_with('-') || before.contains('='))
        })
        .map_or_else(
            || args.last().cloned().unwrap_or_default(),
            |(_, argument)| argument.clone(),
        )
}
