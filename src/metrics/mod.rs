//! One catalogue of everything that is measured, and its way to Prometheus.
//!
//! The tables in here say each metric's name, help, unit, kind and source once; the exposition that
//! Prometheus scrapes and `docs/metrics.md` are both made from them. Labels are bounded by the
//! configuration: links, lanes, ports, association numbers, CKNs and SCIs of known peers. No key identifier and
//! no text that a peer chose is ever a label.

mod catalogue;
mod doc;
mod exporter;
mod family;
mod gateway;
mod helper;
mod lane;
mod link;
mod mka;
mod port;
mod sample;
mod secy;
mod worker;

pub use catalogue::catalogue;
pub use doc::metrics_document;
pub use exporter::{CONTENT_TYPE, Exporter, MetricsError};
pub use family::{Family, Kind, Scene, Source};
pub use mka::{KAY_COUNTERS, MkaCounterEntry, PARTICIPANT_COUNTERS};

/// A snapshot older than this says that control is stuck: the gateway is not ready.
pub const READY_WITHIN: core::time::Duration = core::time::Duration::from_secs(5);

/// This program's release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
