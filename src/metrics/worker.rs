//! Workers: how busy, and how often they found nothing.

use alloc::{string::ToString, vec};

use super::{Family, Kind, Source, family::row, sample::number};

const BLOCK: &str = "the worker's own counter block";

pub(super) const TABLE: &[Family] = &[
    row(
        "macsecgw_worker_info",
        Kind::Gauge,
        "1",
        "Always 1; the labels say where a worker runs and how it idles.",
        "EAL and the configuration",
        Source::WorkerInfo(&["lcore", "cpu", "idle"], |worker| {
            vec![
                worker.lcore.to_string(),
                worker.cpu.to_string(),
                worker.idle.clone(),
            ]
        }),
    ),
    row(
        "macsecgw_worker_polls_total",
        Kind::Counter,
        "polls",
        "Polls of a receive queue.",
        BLOCK,
        Source::Worker(|worker, _| number(worker.counters.polls.value())),
    ),
    row(
        "macsecgw_worker_empty_polls_total",
        Kind::Counter,
        "polls",
        "Polls of a receive queue that found nothing.",
        BLOCK,
        Source::Worker(|worker, _| number(worker.counters.empty_polls.value())),
    ),
    row(
        "macsecgw_worker_busy_seconds_total",
        Kind::Counter,
        "seconds",
        "Time in loop turns that moved at least one frame; with the idle time it gives the busy ratio.",
        "cycles of the time stamp counter over its rate",
        Source::Worker(|worker, hz| seconds(worker.counters.busy_cycles.value(), hz)),
    ),
    row(
        "macsecgw_worker_idle_seconds_total",
        Kind::Counter,
        "seconds",
        "Time in all other loop turns, sleep included.",
        "cycles of the time stamp counter over its rate",
        Source::Worker(|worker, hz| seconds(worker.counters.idle_cycles.value(), hz)),
    ),
    row(
        "macsecgw_worker_sleeps_total",
        Kind::Counter,
        "sleeps",
        "Times that the idle policy slept.",
        BLOCK,
        Source::Worker(|worker, _| number(worker.counters.sleeps.value())),
    ),
];

pub(super) fn seconds(cycles: u64, hz: u64) -> f64 {
    if hz == 0 {
        0.0
    } else {
        number(cycles) / number(hz)
    }
}
