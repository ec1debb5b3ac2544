//! The body of the reply to `counters`: every counter, as maps from name to value, so that a new one
//! needs no new field. `docs/api.md` documents the shape; names are those of the catalogue.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{
    API_VERSION,
    read_only::Sight,
    status::{MkaCounts, millis},
};
use crate::{
    bus::{
        DropReason, LaneCounters, LinkSnapshot, PortSide, PortStats, RxScView, UnsentReason,
        WorkerCounters,
    },
    ieee::An,
    macsec::{
        CounterEntry, Level, RxSaCounters, RxScCounters, RxSecyCounters, TxCounters, TxSaCounters,
    },
};

/// Counters by name.
pub type Counts = BTreeMap<String, u64>;

/// Everything that `counters` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// The API's version.
    pub v: u64,
    /// The gateway's name.
    pub gateway: String,
    /// Age of the snapshot that names the places, in ms. The values are read at the reply.
    pub snapshot_age_ms: u64,
    /// Time since the gateway was ready, in ms, at the reply.
    pub uptime_ms: u64,
    /// Links, in the configuration's order.
    pub links: Vec<LinkCounters>,
    /// Workers, by index.
    pub workers: Vec<WorkerCounts>,
}

/// One link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCounters {
    /// Its name.
    pub name: String,
    /// Lanes by direction (`protect`, `validate`).
    pub lanes: BTreeMap<String, LaneCounts>,
    /// The SecY's own counters, both halves.
    pub secy: Counts,
    /// The transmit SC.
    pub tx_sc: TxScCount,
    /// Receive SCs.
    pub rx_scs: Vec<RxScCount>,
    /// Ports by side (`plain`, `secure`), as `ethdev` counts.
    pub ports: BTreeMap<String, Counts>,
    /// Key agreement; null where it is not by MKA.
    pub mka: Option<MkaCounts>,
}

/// One lane. `frames_in` = `frames_out` + `to_control` + `dropped` while nothing is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneCounts {
    /// What came, went, and how.
    #[serde(flatten)]
    pub counts: Counts,
    /// Frames that ended here, by reason.
    pub drops: Counts,
    /// EAPOL frames of our own that did not leave, by reason.
    #[serde(default)]
    pub eapol_unsent: Counts,
}

/// The transmit SC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxScCount {
    /// Own SCI.
    pub sci: String,
    /// Its counters, over all SAs that it ever had.
    pub counters: Counts,
    /// By association number, over all SAs that used it.
    pub sas: Vec<SaCount>,
}

/// One receive SC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RxScCount {
    /// The peer's SCI.
    pub sci: String,
    /// Its counters, over all SAs that it ever had.
    pub counters: Counts,
    /// By association number, over all SAs that used it.
    pub sas: Vec<SaCount>,
}

/// One association number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaCount {
    /// The number.
    pub an: u8,
    /// Its counters.
    pub counters: Counts,
}

/// One worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerCounts {
    /// Its place among the workers.
    pub index: usize,
    /// Its counters.
    pub counters: Counts,
}

impl Counters {
    pub(super) fn of(sight: Sight<'_>) -> Self {
        let Sight { snapshot, now, .. } = sight;
        let workers = snapshot.workers.iter().enumerate();
        Self {
            v: API_VERSION,
            gateway: snapshot.gateway.clone(),
            snapshot_age_ms: millis(now.saturating_duration_since(snapshot.taken)),
            uptime_ms: millis(now.saturating_duration_since(snapshot.started)),
            links: snapshot.links.iter().map(LinkCounters::of).collect(),
            workers: workers
                .map(|(index, view)| WorkerCounts {
                    index,
                    counters: of_worker(&view.counters),
                })
                .collect(),
        }
    }
}

impl LinkCounters {
    fn of(link: &LinkSnapshot) -> Self {
        let mut secy = table(TxCounters::CATALOGUE, &link.tx_counters, Level::Secy);
        secy.extend(table(
            RxSecyCounters::CATALOGUE,
            &link.rx_counters,
            Level::Secy,
        ));
        let tx_sas = An::ALL
            .iter()
            .zip(&link.tx_counters.sas)
            .map(|(an, block)| SaCount {
                an: an.value(),
                counters: table(TxSaCounters::CATALOGUE, block, Level::Sa),
            });
        let lanes = [("protect", &link.protect), ("validate", &link.validate)];
        let ports = [
            (PortSide::Plain, &link.plain),
            (PortSide::Secure, &link.secure),
        ];
        Self {
            name: link.name.clone(),
            lanes: lanes
                .map(|(name, lane)| (name.to_string(), LaneCounts::of(lane)))
                .into(),
            secy,
            tx_sc: TxScCount {
                sci: link.sci.to_string(),
                counters: table(TxCounters::CATALOGUE, &link.tx_counters, Level::Sc),
                sas: tx_sas.collect(),
            },
            rx_scs: link.rx_scs.iter().map(RxScCount::of).collect(),
            ports: ports
                .map(|(side, port)| (side.name().to_string(), of_port(&port.stats)))
                .into(),
            mka: link.mka.as_ref().map(MkaCounts::of),
        }
    }
}

impl LaneCounts {
    fn of(lane: &LaneCounters) -> Self {
        // Where frames ended is read before where they came from: read while frames move, a lane
        // shows frames under way and never more out than in.
        let drops: Counts = DropReason::all()
            .map(|reason| (reason.name().to_string(), lane.dropped(reason).value()))
            .collect();
        let counts = named([
            ("dropped", drops.values().sum()),
            ("frames_out", lane.frames_out.value()),
            ("octets_out", lane.octets_out.value()),
            ("to_control", lane.to_control.value()),
            ("bypassed", lane.bypassed.value()),
            ("clear", lane.clear.value()),
            ("frames_in", lane.frames_in.value()),
            ("octets_in", lane.octets_in.value()),
            ("bursts", lane.bursts.value()),
            ("tx_retries", lane.tx_retries.value()),
            ("eapol_sent", lane.eapol_sent.value()),
        ]);
        let unsent = |why: UnsentReason| (why.name().to_string(), lane.eapol_unsent(why).value());
        Self {
            counts,
            drops,
            eapol_unsent: UnsentReason::ALL.map(unsent).into(),
        }
    }
}

impl RxScCount {
    fn of(sc: &RxScView) -> Self {
        let sas = An::ALL
            .iter()
            .zip(&sc.counters.sas)
            .map(|(an, block)| SaCount {
                an: an.value(),
                counters: table(RxSaCounters::CATALOGUE, block, Level::Sa),
            });
        Self {
            sci: sc.sci.to_string(),
            counters: table(RxScCounters::CATALOGUE, &sc.counters, Level::Sc),
            sas: sas.collect(),
        }
    }
}

fn table<B>(catalogue: &[CounterEntry<B>], block: &B, level: Level) -> Counts {
    let of_level = catalogue.iter().filter(|entry| entry.level == level);
    of_level
        .map(|entry| (entry.name.to_string(), entry.read(block)))
        .collect()
}

fn of_worker(worker: &WorkerCounters) -> Counts {
    named([
        ("polls", worker.polls.value()),
        ("empty_polls", worker.empty_polls.value()),
        ("busy_cycles", worker.busy_cycles.value()),
        ("idle_cycles", worker.idle_cycles.value()),
        ("sleeps", worker.sleeps.value()),
    ])
}

fn of_port(stats: &PortStats) -> Counts {
    named([
        ("rx_packets", stats.rx_packets),
        ("rx_octets", stats.rx_octets),
        ("rx_missed", stats.rx_missed),
        ("rx_errors", stats.rx_errors),
        ("rx_no_mbuf", stats.rx_no_mbuf),
        ("tx_packets", stats.tx_packets),
        ("tx_octets", stats.tx_octets),
        ("tx_errors", stats.tx_errors),
    ])
}

fn named<const N: usize>(counts: [(&str, u64); N]) -> Counts {
    counts
        .into_iter()
        .map(|(name, value)| (name.to_string(), value))
        .collect()
}
