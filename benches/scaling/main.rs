//! What a protect lane carries with so many crypto helpers, what it would with more, and what a frame costs
//! each of those who work on it.
//!
//! Real lanes, worker and helpers on EAL's lcores between two `net_null` ports, GCM-AES-XPN-256, helpers used
//! for every burst. For each number of helpers that the machine has CPUs for, in turns, round by round, in
//! windows of which the quick ones count. Three inputs come out of it, in cycles of the time stamp counter per
//! frame, and the model from them (`docs/performance.md`, "More cores for one lane") beside what was measured.
//! Where `perf` is installed and may count, a table of instructions, cycles of the core and cache misses per
//! frame of each role follows.
//!
//! `SIZES=64,1518 BURST=32 ROUNDS=5 MILLIS=500 HELPERS=3 ENGINE=ring PERF=0 cargo bench --bench scaling`;
//! `EVENTS=` has `perf` count others, separated by blanks.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a benchmark ends where it can't go on, and its figures are no exact ones"
)]

mod bed;
#[path = "../stages/lanes.rs"]
#[expect(dead_code, reason = "shared with benchmarks that use more of it")]
mod lanes;
mod model;
mod perf;
mod sample;

use bed::Bed;
use lanes::{factory, hugepages, key, setting};
use macsec_gateway::worker::HelpPolicy;
use model::Inputs;
use perf::Perf;
use sample::Sample;

/// Rows of the model's table.
const MODEL: usize = 15;

fn main() {
    let cpus: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_default()
        .into_iter()
        .map(|core| core.id)
        .collect();
    let most = setting("HELPERS", MODEL).min(cpus.len().saturating_sub(1));
    let burst = setting("BURST", 32);
    let huge = hugepages();
    let factory = factory(&setting("ENGINE", "auto".to_owned()));
    let eal = bed::eal(&cpus, most, huge);
    let sizes = setting("SIZES", "64,1518".to_owned());
    let perf = Perf::find();
    for size in sizes.split(',') {
        let bed = Bed::new(&eal, key(&*factory), size.parse().unwrap(), burst);
        println!(
            "{size} octets, bursts of {burst}, engine {}, {}",
            factory.name(),
            if huge { "hugepages" } else { "ordinary pages" },
        );
        let mut crews: Vec<_> = (0..=most)
            .map(|helpers| (helpers, HelpPolicy::Always))
            .collect();
        crews.push((most, HelpPolicy::Load));
        let mut samples = bed.rounds(&crews);
        let left_to_it = samples.pop().unwrap();
        let Some((alone, helped)) = samples.first().zip(samples.get(1)) else {
            println!("one CPU: no helper can be measured here");
            continue;
        };
        let inputs = Inputs::of(alone, helped);
        table(bed.size, &inputs, &samples);
        println!(
            "where the lane chooses (`helpers_when = \"load\"`), {most} helpers: {:.3} Mframes/s, {:.0}% by helpers",
            dpdk::tsc_hz() as f64 / left_to_it.per_frame() / 1e6,
            100.0 * left_to_it.share()
        );
        match &perf {
            Ok(perf) => perf.table(&bed),
            Err(why) => println!("no counts: {why}"),
        }
        println!();
    }
}

fn table(size: u16, inputs: &Inputs, samples: &[Sample]) {
    let hz = dpdk::tsc_hz() as f64;
    println!(
        "cycles of the time stamp counter ({:.2} GHz) per frame: worker alone {:.0}, sequencer {:.0}, helper {:.0}; \
         the sequencer is full at {:.1} helpers",
        hz / 1e9,
        inputs.alone,
        inputs.sequencer,
        inputs.helper,
        inputs.helper / inputs.sequencer
    );
    println!("cores  helpers  model Mframes/s   Gbit/s  measured  by helpers  stalls");
    for helpers in 0..=MODEL {
        let model = inputs.rate(helpers) * hz;
        let measured = samples.get(helpers).map_or_else(String::new, |sample| {
            format!(
                "{:10.3} {:10.0}% {:7}",
                hz / sample.per_frame() / 1e6,
                100.0 * sample.share(),
                sample.stalls
            )
        });
        println!(
            "{:5} {helpers:8} {:16.3} {:8.1}{measured}",
            helpers + 1,
            model / 1e6,
            model * f64::from(size) * 8.0 / 1e9
        );
    }
}
