//! What a program's busiest thread had of the CPU: on a machine with other work, rates are by this.

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::time::Instant;

/// On-CPU nanoseconds of each thread of a process, at a moment.
#[derive(Clone, Debug)]
pub(crate) struct OnCpu {
    threads: BTreeMap<u32, u64>,
    at: Instant,
}

impl OnCpu {
    pub(crate) fn of(process: u32) -> Self {
        let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
        let thread = |name: String| {
            let text = fs::read_to_string(format!("/proc/{process}/task/{name}/schedstat")).ok()?;
            let spent = text.split_whitespace().next()?.parse().ok()?;
            Some((name.parse().ok()?, spent))
        };
        let at = Instant::now();
        let names = tasks
            .flatten()
            .map(|task| task.file_name().to_string_lossy().into_owned());
        Self {
            threads: names.filter_map(thread).collect(),
            at,
        }
    }

    /// Seconds on a CPU of the thread that had the most of it since `earlier`.
    pub(crate) fn seconds_since(&self, earlier: &Self) -> f64 {
        let spent = |(thread, now): (&u32, &u64)| now - earlier.threads.get(thread).unwrap_or(now);
        self.threads.iter().map(spent).max().unwrap_or(0) as f64 / 1e9
    }

    /// That thread's share of the time since `earlier`.
    pub(crate) fn share_since(&self, earlier: &Self) -> f64 {
        self.seconds_since(earlier) / (self.at - earlier.at).as_secs_f64()
    }
}

/// Cycles of the core in a nanosecond: from a chain of multiplications (three cycles each) and
/// exclusive-ors (one).
pub(crate) fn cycles_per_ns() -> f64 {
    const LINKS: u32 = 50_000;
    let factor = black_box(0x9e37_79b9_7f4a_7c15_u64);
    let fastest = (0..20)
        .map(|_| {
            let begun = Instant::now();
            let mut value = black_box(1_u64);
            for _ in 0..LINKS {
                value = value.wrapping_mul(factor) ^ factor;
            }
            black_box(value);
            begun.elapsed()
        })
        .min()
        .unwrap();
    f64::from(LINKS) * 4.0 / fastest.as_nanos() as f64
}
