//! Work with keys leaves copies on the stack; this overwrites them.
//!
//! Libraries move keys by value and spill round keys from registers. A stack that a long-lived thread
//! never goes down to again would keep those octets for as long as the process lives.

use core::hint::black_box;

/// Octets below the caller that a key's set-up or a fingerprint may have used. `tests/crypto_residue.rs`
/// finds out if it is too few.
#[cfg(feature = "std")]
const SETUP_DEPTH: usize = 64 * 1024;

/// Runs `work` and overwrites the stack that it used, also where it panics.
///
/// What `work` returns is on the caller's stack and stays: return no secret.
#[cfg(feature = "std")]
pub(super) fn with_clean_stack<R>(work: impl FnOnce() -> R) -> R {
    with_clean_stack_to::<SETUP_DEPTH, R>(work)
}

/// The same with another depth, for paths where 64 KiB would cost too much.
pub(super) fn with_clean_stack_to<const DEPTH: usize, R>(work: impl FnOnce() -> R) -> R {
    let _overwrite = Overwrite::<DEPTH>;
    apart(work)
}

struct Overwrite<const DEPTH: usize>;

impl<const DEPTH: usize> Drop for Overwrite<DEPTH> {
    fn drop(&mut self) {
        overwrite_below::<DEPTH>();
    }
}

/// A frame of its own for `work`, so that it starts where that of `overwrite_below` will.
#[inline(never)]
fn apart<R>(work: impl FnOnce() -> R) -> R {
    black_box(work())
}

#[inline(never)]
fn overwrite_below<const DEPTH: usize>() {
    // `black_box` makes the compiler write all of it.
    black_box(&mut [0u8; DEPTH]);
}
