//! The body of the reply to `status`. `docs/api.md` documents its fields; their names are stable.

mod link;
mod mka;
mod port;
mod sa;

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{API_VERSION, read_only::Sight};
use crate::{
    bus::{HelperView, Snapshot, WorkerView},
    metrics::{READY_WITHIN, VERSION},
};

pub use link::{AlarmStatus, LaneStatus, LinkStatus, ReplayStatus};
pub use mka::{
    CakStatus, ClockStatus, KeyServerStatus, LossStatus, MkaCounts, MkaKeyStatus, MkaStatus,
    ParticipantCounts, PeerStatus,
};
pub use port::PortStatus;
pub use sa::{RxSaStatus, RxScStatus, TxSaStatus};

/// Everything that `status` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The API's version.
    pub v: u64,
    /// The gateway's name.
    pub gateway: String,
    /// This program's release.
    pub version: String,
    /// The DPDK release in use.
    pub dpdk_version: String,
    /// Whether control answers: its last snapshot is younger than 5 s.
    pub ready: bool,
    /// Age of the snapshot that this was made from, in ms. Counters are read at the reply.
    pub snapshot_age_ms: u64,
    /// Time since the gateway was ready, in ms, at the reply.
    pub uptime_ms: u64,
    /// The AES-GCM engine in use.
    pub engine: String,
    /// Every engine, and why it is or isn't in use.
    pub engines: Vec<EngineStatus>,
    /// Whether EAL's memory is hugepages.
    pub hugepages: bool,
    /// Whether `dpdk-dumpcap` can capture.
    pub capture: CaptureStatus,
    /// Facts of the process's hardening, one sentence each.
    pub hardening: Vec<String>,
    /// The last reload of the configuration.
    pub reload: ReloadStatus,
    /// Workers, by index.
    pub workers: Vec<WorkerStatus>,
    /// Crypto helpers, by index.
    #[serde(default)]
    pub helpers: Vec<HelperStatus>,
    /// Links, in the configuration's order.
    pub links: Vec<LinkStatus>,
}

/// One engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStatus {
    /// Its name.
    pub name: String,
    /// Whether it is the one in use.
    pub in_use: bool,
    /// Why it is or isn't.
    pub why: String,
}

/// Whether captures work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureStatus {
    /// Whether they do.
    pub possible: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// The last reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadStatus {
    /// Reloads since the start, refused ones too.
    pub generation: u64,
    /// How long ago the last one was, in ms; null before the first.
    pub age_ms: Option<u64>,
    /// Whether it was taken; null before the first.
    pub ok: Option<bool>,
    /// Why it was not taken.
    pub error: Option<String>,
}

/// One worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Its place among the workers.
    pub index: usize,
    /// The EAL lcore.
    pub lcore: u32,
    /// The CPU that it is pinned to.
    pub cpu: u32,
    /// The idle policy in use.
    pub idle: String,
    /// Its lanes, as `link/direction`.
    pub lanes: Vec<String>,
    /// Polls of a receive queue.
    pub polls: u64,
    /// Polls that found nothing.
    pub empty_polls: u64,
    /// Cycles of loop turns that moved a frame.
    pub busy_cycles: u64,
    /// Cycles of all other turns, sleep included.
    pub idle_cycles: u64,
    /// Times that the idle policy slept.
    pub sleeps: u64,
}

/// One crypto helper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelperStatus {
    /// Its place among the helpers.
    pub index: usize,
    /// The EAL lcore.
    pub lcore: u32,
    /// The CPU that it is pinned to.
    pub cpu: u32,
    /// The idle policy in use.
    pub idle: String,
    /// The lane that it helps, as `link/direction`.
    pub lane: String,
    /// Bursts that it was given.
    pub bursts: u64,
    /// Bursts of those that it had not begun when the lane did them itself.
    pub taken_back: u64,
    /// Times that it kept a burst for so long that its frames were given up.
    pub stalls: u64,
    /// Whether it gets no work, because it has some that was given up.
    pub stalled: bool,
    /// Cycles in which it worked on bursts.
    pub busy_cycles: u64,
    /// All other cycles, sleep included.
    pub idle_cycles: u64,
}

impl HelperStatus {
    fn of((index, helper): (usize, &HelperView)) -> Self {
        Self {
            index,
            lcore: helper.lcore,
            cpu: helper.cpu,
            idle: helper.idle.clone(),
            lane: helper.lane_name.clone(),
            bursts: helper.counters.bursts.value(),
            taken_back: helper.counters.taken_back.value(),
            stalls: helper.counters.stalls.value(),
            stalled: helper.counters.is_stalled(),
            busy_cycles: helper.own.busy_cycles.value(),
            idle_cycles: helper.own.idle_cycles.value(),
        }
    }
}

impl Status {
    /// What `sight` shows.
    pub(super) fn of(sight: Sight<'_>) -> Self {
        let Sight { snapshot, now, .. } = sight;
        let age = now.saturating_duration_since(snapshot.taken);
        let engines = snapshot.engines.iter().map(|engine| EngineStatus {
            name: engine.name.clone(),
            in_use: engine.in_use,
            why: engine.why.clone(),
        });
        Self {
            v: API_VERSION,
            gateway: snapshot.gateway.clone(),
            version: VERSION.to_string(),
            dpdk_version: snapshot.dpdk_version.clone(),
            ready: age < READY_WITHIN,
            snapshot_age_ms: millis(age),
            uptime_ms: millis(now.saturating_duration_since(snapshot.started)),
            engine: snapshot.engine.clone(),
            engines: engines.collect(),
            hugepages: snapshot.hugepages,
            capture: CaptureStatus {
                possible: snapshot.capture_refused.is_none(),
                reason: snapshot.capture_refused.clone(),
            },
            hardening: snapshot.hardening.clone(),
            reload: ReloadStatus::of(snapshot, now),
            workers: snapshot
                .workers
                .iter()
                .enumerate()
                .map(WorkerStatus::of)
                .collect(),
            helpers: (snapshot.helpers.iter().enumerate())
                .map(HelperStatus::of)
                .collect(),
            links: snapshot.links.iter().map(LinkStatus::of).collect(),
        }
    }
}

impl ReloadStatus {
    fn of(snapshot: &Snapshot, now: Instant) -> Self {
        let last = snapshot.last_reload.as_ref();
        Self {
            generation: snapshot.reload_generation,
            age_ms: last.map(|(at, _)| millis(now.saturating_duration_since(*at))),
            ok: last.map(|(_, outcome)| outcome.is_ok()),
            error: last.and_then(|(_, outcome)| outcome.as_ref().err().cloned()),
        }
    }
}

impl WorkerStatus {
    fn of((index, worker): (usize, &WorkerView)) -> Self {
        Self {
            index,
            lcore: worker.lcore,
            cpu: worker.cpu,
            idle: worker.idle.clone(),
            lanes: worker.lanes.clone(),
            polls: worker.counters.polls.value(),
            empty_polls: worker.counters.empty_polls.value(),
            busy_cycles: worker.counters.busy_cycles.value(),
            idle_cycles: worker.counters.idle_cycles.value(),
            sleeps: worker.counters.sleeps.value(),
        }
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
