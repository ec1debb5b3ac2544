//! The whole path: the protect lane, DPDK's `l2fwd-crypto` on two drivers, and testpmd as the ceiling, in
//! rounds that take turns, from `net_pcap` into `net_null` on one core.

use crate::gateway::Ports;
use crate::row::{Row, Sample, median, ratio};
use crate::size::Size;
use crate::{FRAMES, Plan, exact, gateway, l2fwd, plain_file, testpmd};

/// What takes turns.
const RUNS: [&str; 4] = [
    "macsecgw protect",
    "l2fwd-crypto crypto_aesni_mb",
    "l2fwd-crypto crypto_aesni_gcm",
    "testpmd io",
];

fn timed(plan: &Plan, size: Size, run: usize) -> Option<Sample> {
    let file = plain_file(plan, size);
    match run {
        0 => Some(gateway::timed(plan, size, &[Ports::null(0, &file)])),
        3 => Some(testpmd::timed(plan, &file)),
        _ if size.longest() > l2fwd::LONGEST => None,
        _ => {
            let program = plan.l2fwd.as_ref()?;
            Some(l2fwd::timed(plan, program, l2fwd::DRIVERS[run - 1], &file))
        }
    }
}

pub(crate) fn measure(plan: &Plan) -> Vec<Row> {
    let checked: Vec<_> = plan
        .sizes
        .iter()
        .map(|size| exact::check(plan, *size, FRAMES))
        .collect();
    let mut samples = vec![vec![Vec::new(); RUNS.len()]; plan.sizes.len()];
    for round in 0..plan.rounds {
        for (size, samples) in plan.sizes.iter().zip(&mut samples) {
            for turn in 0..RUNS.len() {
                let run = (round + turn) % RUNS.len();
                samples[run].extend(timed(plan, *size, run));
            }
            eprintln!(
                "path: round {} of {}: {size} octets done",
                round + 1,
                plan.rounds
            );
        }
    }
    let mut rows = Vec::new();
    for ((size, samples), faults) in plan.sizes.iter().zip(&samples).zip(checked) {
        let rate = |run: usize| median(samples[run].iter().map(|sample: &Sample| sample.rate));
        let best = [1, 2].into_iter().filter(|run| !samples[*run].is_empty());
        let best = best.max_by(|a, b| rate(*a).total_cmp(&rate(*b)));
        // Without the example the ceiling is what there is to compare with.
        let against = best.unwrap_or(3);
        for (run, what) in RUNS
            .iter()
            .enumerate()
            .filter(|(run, _)| !samples[*run].is_empty())
        {
            let ours = run == 0;
            let lost: u64 = samples[run].iter().map(|sample| sample.lost).sum();
            rows.push(Row {
                part: "path",
                what: (*what).to_owned(),
                size: *size,
                rate: rate(run),
                ratio: ratio(&samples[run], &samples[against]),
                against: RUNS[against].to_owned(),
                lost: lost + if ours { faults.lost } else { 0 },
                reordered: ours.then_some(faults.reordered),
                miscounted: ours.then_some(faults.miscounted),
                account: String::new(),
            });
        }
    }
    rows
}
