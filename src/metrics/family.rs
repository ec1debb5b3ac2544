//! What one metric is: the columns of the catalogue.

use alloc::{borrow::Cow, string::String, vec::Vec};
use std::time::Instant;

use crate::{
    bus::{
        HelperView, LaneCounters, LinkSnapshot, MkaCakView, MkaCounters, MkaParticipantCounters,
        MkaView, PortSnapshot, PortStats, RxSaView, Snapshot, TxSaView, WorkerView,
    },
    macsec::{Counter, RxSaCounters, RxScCounters, RxSecyCounters, TxCounters, TxSaCounters},
};

/// One metric and all its series.
#[derive(Clone, Debug)]
pub struct Family {
    /// Name as Prometheus knows it, base unit and `_total` included.
    pub name: Cow<'static, str>,
    /// One sentence for people.
    pub help: Cow<'static, str>,
    /// What a value of 1 stands for.
    pub unit: &'static str,
    /// Counter or gauge.
    pub kind: Kind,
    /// Where the value comes from, in words.
    pub from: &'static str,
    /// Where the value comes from, as code.
    pub source: Source,
}

/// Whether a metric only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Never goes down while the process lives.
    Counter,
    /// Any value at any time.
    Gauge,
}

impl Kind {
    /// The word in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// What the sources read.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The picture.
    pub snapshot: &'a Snapshot,
    /// The moment of the scrape.
    pub now: Instant,
}

/// Where a value comes from: what it is read off, and with it the labels of its series.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// One series; none where the gateway has no such value.
    Gateway(fn(Scene<'_>) -> Option<f64>),
    /// One series of value 1 whose labels are the information.
    GatewayInfo(&'static [&'static str], fn(Scene<'_>) -> Vec<String>),
    /// Per worker; the second argument is the time stamp counter's cycles per second.
    Worker(fn(&WorkerView, u64) -> f64),
    /// Per worker, value 1, information in labels.
    WorkerInfo(&'static [&'static str], fn(&WorkerView) -> Vec<String>),
    /// Per crypto helper; the second argument as for workers.
    Helper(fn(&HelperView, u64) -> f64),
    /// Per crypto helper, value 1, information in labels.
    HelperInfo(&'static [&'static str], fn(&HelperView) -> Vec<String>),
    /// Per link.
    Link(fn(&LinkSnapshot) -> f64),
    /// Per link, value 1, information in labels.
    LinkInfo(&'static [&'static str], fn(&LinkSnapshot) -> Vec<String>),
    /// Per link and alarm.
    Alarm,
    /// Per lane.
    Lane(fn(&LaneCounters) -> u64),
    /// Per lane and mode: 1 for the mode in force.
    LaneMode,
    /// Per lane and drop reason.
    Drop,
    /// Per lane and reason for which EAPOL of our own did not leave.
    Unsent,
    /// Per port.
    Port(fn(&PortSnapshot) -> f64),
    /// Per port, from `ethdev`'s counters, which control continues over a driver's resets.
    PortStats(fn(&PortStats) -> u64),
    /// Per port, value 1, information in labels.
    PortInfo(&'static [&'static str], fn(&PortSnapshot) -> Vec<String>),
    /// Per link, from the transmit half's counters.
    TxSecy(fn(&TxCounters) -> &Counter),
    /// Per transmit SC.
    TxSc(fn(&TxCounters) -> &Counter),
    /// Per transmit SC and AN; the block of an AN outlives the SAs that use it.
    TxSaCount(fn(&TxSaCounters) -> &Counter),
    /// Per installed transmit SA.
    TxSa(fn(&LinkSnapshot, &TxSaView) -> f64),
    /// Per link, from the receive half's counters.
    RxSecy(fn(&RxSecyCounters) -> &Counter),
    /// Per receive SC.
    RxSc(fn(&RxScCounters) -> &Counter),
    /// Per receive SC and AN; the block of an AN outlives the SAs that use it.
    RxSaCount(fn(&RxSaCounters) -> &Counter),
    /// Per installed receive SA.
    RxSa(fn(&RxSaView) -> f64),
    /// Per link with MKA; none where there is no such value now.
    Mka(fn(&MkaView) -> Option<f64>),
    /// Per link with MKA, from the KaY's counters.
    MkaCount(fn(&MkaCounters) -> u64),
    /// Per link with MKA and reason of a discard.
    MkaDiscard,
    /// Per link and CKN; none where there is no such value now.
    MkaCak(fn(&MkaCakView) -> Option<f64>),
    /// Per link and CKN that runs, from its participant's counters.
    MkaCakCount(fn(&MkaParticipantCounters) -> u64),
    /// Per link, CKN that runs, and reason of a discard.
    MkaCakDiscard,
}

impl Source {
    /// The labels of every series, in order.
    pub fn labels(&self) -> Vec<&'static str> {
        let (fixed, own): (&[&'static str], &[&'static str]) = match self {
            Self::Gateway(_) => (&[], &[]),
            Self::GatewayInfo(own, _) => (&[], own),
            Self::Worker(_) => (&["worker"], &[]),
            Self::WorkerInfo(own, _) => (&["worker"], own),
            Self::Helper(_) => (&["helper"], &[]),
            Self::HelperInfo(own, _) => (&["helper"], own),
            Self::Link(_)
            | Self::TxSecy(_)
            | Self::RxSecy(_)
            | Self::Mka(_)
            | Self::MkaCount(_) => (&["link"], &[]),
            Self::MkaDiscard => (&["link", "reason"], &[]),
            Self::MkaCak(_) | Self::MkaCakCount(_) => (&["link", "ckn"], &[]),
            Self::MkaCakDiscard => (&["link", "ckn", "reason"], &[]),
            Self::LinkInfo(own, _) => (&["link"], own),
            Self::Alarm => (&["link", "alarm"], &[]),
            Self::Lane(_) => (&["link", "lane"], &[]),
            Self::LaneMode => (&["link", "lane", "mode"], &[]),
            Self::Drop | Self::Unsent => (&["link", "lane", "reason"], &[]),
            Self::Port(_) | Self::PortStats(_) => (&["link", "side"], &[]),
            Self::PortInfo(own, _) => (&["link", "side"], own),
            Self::TxSc(_) | Self::RxSc(_) => (&["link", "sci"], &[]),
            Self::TxSaCount(_) | Self::TxSa(_) | Self::RxSaCount(_) | Self::RxSa(_) => {
                (&["link", "sci", "an"], &[])
            }
        };
        fixed.iter().chain(own).copied().collect()
    }
}

/// A row of the catalogue whose texts are all known when it is compiled.
pub(super) const fn row(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    help: &'static str,
    from: &'static str,
    source: Source,
) -> Family {
    Family {
        name: Cow::Borrowed(name),
        help: Cow::Borrowed(help),
        unit,
        kind,
        from,
        source,
    }
}
