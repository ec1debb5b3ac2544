//! Random plans: some hundreds in an ordinary test run, as many as one likes by `MKA_SIM_SEEDS`.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{plan::Plan, watch::Tally};

/// Seeds of an ordinary run.
const ORDINARY: u64 = 300;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text}: not a number")),
    )
}

/// Seeds that failed are listed up to this many; the first one is made short and told in full.
const LISTED: usize = 50;

#[test]
fn random_runs_keep_every_invariant_and_come_together() {
    let (first, count) = match number("MKA_SIM_SEED") {
        Some(seed) => (seed, 1),
        None => (
            number("MKA_SIM_FIRST").unwrap_or(1),
            number("MKA_SIM_SEEDS").unwrap_or(ORDINARY),
        ),
    };
    println!(
        "MKA in virtual time: seeds {first} to {} (MKA_SIM_SEEDS=10000 for more)",
        first + count - 1
    );
    let (mut sum, failed) = run(first, count);
    if let Some((seed, _)) = failed.first() {
        let list: Vec<_> = failed
            .iter()
            .map(|(_, what)| what.as_str())
            .take(LISTED)
            .collect();
        panic!(
            "{} of {count} seeds failed:\n{}\n\n{}",
            failed.len(),
            list.join("\n"),
            Plan::random(*seed).report(),
        );
    }
    sum.together.sort_unstable();
    let at = |part: usize| sum.together[(sum.together.len() - 1) * part / 100] / 1000;
    println!(
        "{count} runs: {} MKPDUs, {} SAKs, {} data frames taken, {} not taken during faults; together after \
         {} ms (median), {} ms (99 of 100), {} ms at the most; {} MKPDUs of one participant in a second at \
         the most",
        sum.mkpdus,
        sum.keys,
        sum.frames_ok,
        sum.frames_lost.values().sum::<u64>(),
        at(50),
        at(99),
        at(100),
        sum.busiest_second,
    );
    assert!(sum.frames_ok > 0 && sum.keys >= count);
}

/// Runs so many plans on all processors: what was counted, and which failed.
fn run(first: u64, count: u64) -> (Tally, Vec<(u64, String)>) {
    let next = AtomicU64::new(first);
    let work = || {
        let (mut sum, mut failed) = (Tally::default(), Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return (sum, failed);
            }
            match Plan::random(seed).check() {
                Ok(tally) => sum.add(tally),
                Err(what) => failed.push((seed, what)),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let results: Vec<_> = std::thread::scope(|scope| {
        let start = |_| {
            std::thread::Builder::new()
                .spawn_scoped(scope, work)
                .unwrap()
        };
        let threads: Vec<_> = (0..threads).map(start).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let (mut sum, mut failed) = (Tally::default(), Vec::new());
    for (tally, more) in results {
        sum.add(tally);
        failed.extend(more);
    }
    failed.sort();
    (sum, failed)
}

impl Tally {
    fn add(&mut self, more: Self) {
        self.frames_ok += more.frames_ok;
        for (why, count) in more.frames_lost {
            *self.frames_lost.entry(why).or_insert(0) += count;
        }
        self.mkpdus += more.mkpdus;
        self.keys += more.keys;
        self.busiest_second = self.busiest_second.max(more.busiest_second);
        self.together.extend(more.together);
    }
}
