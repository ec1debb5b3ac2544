//! Time stamps, and how many cycles of the core one of them is.

use std::arch::asm;
use std::time::{Duration, Instant};

/// The time stamp counter, after everything before it is done.
#[cfg(target_arch = "x86_64")]
pub(crate) fn ticks() -> u64 {
    let (high, low): (u64, u64);
    // SAFETY: `lfence` and `rdtsc` touch no memory and are on every CPU of 64 bits.
    unsafe {
        asm!("lfence", "rdtsc", "lfence", out("rax") low, out("rdx") high, options(nostack, nomem));
    }
    high << 32 | low
}

/// The virtual counter, after everything before it is done.
#[cfg(target_arch = "aarch64")]
pub(crate) fn ticks() -> u64 {
    let now: u64;
    // SAFETY: Linux lets programs read this register; nothing else is touched.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", "isb", out(reg) now, options(nostack, nomem)) };
    now
}

/// Time stamps in a second.
pub(crate) fn ticks_per_second() -> f64 {
    let (begun, first) = (Instant::now(), ticks());
    std::thread::sleep(Duration::from_millis(100));
    let (last, passed) = (ticks(), begun.elapsed());
    (last - first) as f64 / passed.as_secs_f64()
}

/// Additions in the chain; each needs the one before it, so each is one cycle.
const CHAIN: u32 = 20_000;
const STEPS: u32 = 100;

/// Cycles of the core in one time stamp, now: the best of some chains, because whatever disturbs one makes
/// it longer.
pub(crate) fn cycles_per_tick() -> f64 {
    let best = (0..4).map(|_| chain()).min().unwrap_or(1);
    f64::from(CHAIN) / best as f64
}

fn chain() -> u64 {
    let begun = ticks();
    add_chain();
    ticks() - begun
}

#[cfg(target_arch = "x86_64")]
fn add_chain() {
    // An operand in a register: newer cores add small constants for nothing.
    // SAFETY: works on its own two registers only.
    unsafe {
        asm!(
            "2:", ".rept 100", "add {sum}, {one}", ".endr", "dec {count:e}", "jnz 2b",
            sum = inout(reg) 0u64 => _, one = in(reg) 1u64, count = inout(reg) CHAIN / STEPS => _,
            options(nostack, nomem),
        );
    }
}

#[cfg(target_arch = "aarch64")]
fn add_chain() {
    // SAFETY: works on its own two registers only.
    unsafe {
        asm!(
            "2:", ".rept 100", "add {sum}, {sum}, {one}", ".endr", "subs {count:w}, {count:w}, #1",
            "b.ne 2b",
            sum = inout(reg) 0u64 => _, one = in(reg) 1u64, count = inout(reg) CHAIN / STEPS => _,
            options(nostack, nomem),
        );
    }
}
