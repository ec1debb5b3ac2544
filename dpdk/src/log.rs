//! DPDK's own log messages, handed to a callback instead of standard error.

use std::ffi::c_char;
use std::panic::catch_unwind;
use std::sync::OnceLock;

use crate::error::{Error, check};

/// Receives one message: DPDK's level (1 emergency, 4 error, 5 warning, 6 notice, 7 info, 8 debug) and its
/// text without the line end. Called on whatever thread logs, an lcore included, so it must not block long.
pub type Sink = fn(level: u32, text: &str);

static SINK: OnceLock<Sink> = OnceLock::new();

/// Sends what DPDK logs to `sink` from here on. Call it before `Eal::init` to get EAL's start as well.
/// The first sink stays.
///
/// # Errors
/// [`Error::Call`] when there is no memory for the stream.
pub fn forward(sink: Sink) -> Result<(), Error> {
    if SINK.set(sink).is_err() {
        return Ok(());
    }
    // SAFETY: `write` is a function for the whole run of the process; needs no EAL.
    let returned = unsafe { dpdk_sys::dpdk_shim_log_open(Some(write)) };
    check("rte_openlog_stream", returned).map(|_| ())
}

unsafe extern "C" fn write(level: u32, text: *const c_char, len: usize) {
    let Some(sink) = SINK.get() else { return };
    if text.is_null() || len == 0 {
        return;
    }
    // SAFETY: the C library's stream gives `len` octets that stay valid during the call.
    let octets = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len) };
    let text = String::from_utf8_lossy(octets);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        // A sink that panics loses its message; unwinding into C would lose the process.
        if let Err(payload) = catch_unwind(|| sink(level, line)) {
            // Its drop could panic.
            std::mem::forget(payload);
        }
    }
}
