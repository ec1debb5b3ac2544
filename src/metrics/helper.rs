//! Crypto helpers: how busy, how many bursts they were given, and how often one did not answer.

use alloc::{string::ToString, vec};

use super::{
    Family, Kind, Source,
    family::row,
    sample::{flag, number},
    worker::seconds,
};

const BLOCK: &str = "the lane's sequencer, about this helper";

pub(super) const TABLE: &[Family] = &[
    row(
        "macsecgw_helper_info",
        Kind::Gauge,
        "1",
        "Always 1; the labels say where a crypto helper runs, how it idles and which lane it helps.",
        "EAL and the configuration",
        Source::HelperInfo(&["lcore", "cpu", "idle", "link", "lane"], |helper| {
            let link = helper.lane_name.rsplit_once('/');
            vec![
                helper.lcore.to_string(),
                helper.cpu.to_string(),
                helper.idle.clone(),
                link.map_or("", |(link, _)| link).to_string(),
                helper.lane.direction.name().to_string(),
            ]
        }),
    ),
    row(
        "macsecgw_helper_bursts_total",
        Kind::Counter,
        "bursts",
        "Bursts that the helper was given.",
        BLOCK,
        Source::Helper(|helper, _| number(helper.counters.bursts.value())),
    ),
    row(
        "macsecgw_helper_taken_back_total",
        Kind::Counter,
        "bursts",
        "Bursts of those that the helper had not begun when the lane did them itself.",
        BLOCK,
        Source::Helper(|helper, _| number(helper.counters.taken_back.value())),
    ),
    row(
        "macsecgw_helper_stalls_total",
        Kind::Counter,
        "stalls",
        "Times that the helper kept a burst for so long that its frames were given up.",
        BLOCK,
        Source::Helper(|helper, _| number(helper.counters.stalls.value())),
    ),
    row(
        "macsecgw_helper_stalled",
        Kind::Gauge,
        "1",
        "Whether the helper gets no work, because it has some that was given up.",
        BLOCK,
        Source::Helper(|helper, _| flag(helper.counters.is_stalled())),
    ),
    row(
        "macsecgw_helper_busy_seconds_total",
        Kind::Counter,
        "seconds",
        "Time in which the helper worked on bursts.",
        "cycles of the time stamp counter over its rate",
        Source::Helper(|helper, hz| seconds(helper.own.busy_cycles.value(), hz)),
    ),
    row(
        "macsecgw_helper_idle_seconds_total",
        Kind::Counter,
        "seconds",
        "All other time, sleep included.",
        "cycles of the time stamp counter over its rate",
        Source::Helper(|helper, hz| seconds(helper.own.idle_cycles.value(), hz)),
    ),
];
