//! The gateway as a whole.

use alloc::{string::ToString, vec};

use super::{
    Family, Kind, READY_WITHIN, Source, VERSION,
    family::row,
    sample::{flag, number},
};

pub(super) const TABLE: &[Family] = &[
    row(
        "macsecgw_build_info",
        Kind::Gauge,
        "1",
        "Always 1; the labels say which release runs, under which name and on which DPDK.",
        "the binary, and DPDK's own version call",
        Source::GatewayInfo(&["gateway", "version", "dpdk_version"], |scene| {
            let snapshot = scene.snapshot;
            vec![
                snapshot.gateway.clone(),
                VERSION.to_string(),
                snapshot.dpdk_version.clone(),
            ]
        }),
    ),
    row(
        "macsecgw_crypto_engine_info",
        Kind::Gauge,
        "1",
        "Always 1; the label names the AES-GCM engine that the links' keys use.",
        "the engine chosen at start",
        Source::GatewayInfo(&["engine"], |scene| vec![scene.snapshot.engine.clone()]),
    ),
    row(
        "macsecgw_ready",
        Kind::Gauge,
        "1 = yes",
        "Whether the control thread answers: its last picture is younger than 5 seconds.",
        "age of control's snapshot",
        Source::Gateway(|scene| {
            Some(flag(
                scene.now.saturating_duration_since(scene.snapshot.taken) < READY_WITHIN,
            ))
        }),
    ),
    row(
        "macsecgw_snapshot_age_seconds",
        Kind::Gauge,
        "seconds",
        "Age of the picture that all gauges are read from; counters are read when scraped.",
        "age of control's snapshot",
        Source::Gateway(|scene| {
            Some(
                scene
                    .now
                    .saturating_duration_since(scene.snapshot.taken)
                    .as_secs_f64(),
            )
        }),
    ),
    row(
        "macsecgw_uptime_seconds",
        Kind::Gauge,
        "seconds",
        "Time since the gateway was ready.",
        "monotonic clock",
        Source::Gateway(|scene| {
            Some(
                scene
                    .now
                    .saturating_duration_since(scene.snapshot.started)
                    .as_secs_f64(),
            )
        }),
    ),
    row(
        "macsecgw_hugepages",
        Kind::Gauge,
        "1 = yes",
        "Whether EAL's memory is hugepages.",
        "EAL",
        Source::Gateway(|scene| Some(flag(scene.snapshot.hugepages))),
    ),
    row(
        "macsecgw_capture_possible",
        Kind::Gauge,
        "1 = yes",
        "Whether dpdk-dumpcap can capture on this gateway; status says why not.",
        "pdump and the kind of EAL's memory",
        Source::Gateway(|scene| Some(flag(scene.snapshot.capture_refused.is_none()))),
    ),
    row(
        "macsecgw_config_last_reload_successful",
        Kind::Gauge,
        "1 = yes",
        "Whether the last reload of the configuration was taken; absent before the first.",
        "control",
        Source::Gateway(|scene| {
            scene
                .snapshot
                .last_reload
                .as_ref()
                .map(|(_, outcome)| flag(outcome.is_ok()))
        }),
    ),
    row(
        "macsecgw_config_last_reload_age_seconds",
        Kind::Gauge,
        "seconds",
        "Time since the last reload of the configuration; absent before the first.",
        "control",
        Source::Gateway(|scene| {
            let (at, _) = scene.snapshot.last_reload.as_ref()?;
            Some(scene.now.saturating_duration_since(*at).as_secs_f64())
        }),
    ),
    row(
        "macsecgw_links",
        Kind::Gauge,
        "links",
        "Links in the configuration.",
        "the configuration",
        Source::Gateway(|scene| {
            Some(number(
                u64::try_from(scene.snapshot.links.len()).unwrap_or(u64::MAX),
            ))
        }),
    ),
];
