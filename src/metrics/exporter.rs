//! The text that Prometheus scrapes.

use alloc::{
    collections::BTreeSet,
    string::{String, ToString},
    vec::Vec,
};
use core::{error, fmt};
use std::time::Instant;

use prometheus::{
    TEXT_FORMAT, TextEncoder,
    proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType},
};

use super::{
    Family, Kind, Source, catalogue,
    family::Scene,
    sample::{Sample, samples},
};
use crate::bus::Snapshot;

/// The media type of what [`Exporter::render`] returns.
pub const CONTENT_TYPE: &str = TEXT_FORMAT;

/// Renders snapshots. It remembers what keeps series from going down or away.
#[derive(Debug)]
pub struct Exporter {
    families: Vec<Family>,
    /// Alarms that stood at any time: their series stay, at 0, so that their end can be seen.
    alarms: BTreeSet<(String, &'static str)>,
}

/// Why nothing could be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsError(String);

impl fmt::Display for MetricsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metrics: {}", self.0)
    }
}

impl error::Error for MetricsError {}

impl Default for Exporter {
    fn default() -> Self {
        Self {
            families: catalogue(),
            alarms: BTreeSet::new(),
        }
    }
}

impl Exporter {
    /// Everything in `snapshot` in Prometheus' text format, as of `now`.
    ///
    /// # Errors
    /// A family that the encoder refuses; a defect of the catalogue, not of the snapshot.
    pub fn render(&mut self, snapshot: &Snapshot, now: Instant) -> Result<String, MetricsError> {
        for link in &snapshot.links {
            self.alarms.extend(
                link.alarms
                    .iter()
                    .map(|alarm| (link.name.clone(), alarm.name)),
            );
        }
        let scene = Scene { snapshot, now };
        let families: Vec<MetricFamily> = self
            .families
            .iter()
            .filter_map(|family| self.family(family, scene))
            .collect();
        TextEncoder::new()
            .encode_to_string(&families)
            .map_err(|error| MetricsError(error.to_string()))
    }

    fn family(&self, family: &Family, scene: Scene<'_>) -> Option<MetricFamily> {
        let mut samples = samples(&family.source, scene);
        if matches!(family.source, Source::Alarm) {
            self.add_gone_alarms(&mut samples);
        }
        if samples.is_empty() {
            return None;
        }
        let names = family.source.labels();
        let metrics = samples
            .into_iter()
            .map(|sample| metric(family.kind, &names, sample))
            .collect();
        let mut out = MetricFamily::default();
        out.set_name(family.name.to_string());
        out.set_help(family.help.to_string());
        out.set_field_type(match family.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
        });
        out.set_metric(metrics);
        Some(out)
    }

    fn add_gone_alarms(&self, samples: &mut Vec<Sample>) {
        for (link, alarm) in &self.alarms {
            let stands = samples
                .iter()
                .any(|(labels, _)| labels.iter().eq([link.as_str(), *alarm]));
            if !stands {
                samples.push((Vec::from([link.clone(), alarm.to_string()]), 0.0));
            }
        }
    }
}

fn metric(kind: Kind, names: &[&str], (values, value): Sample) -> Metric {
    let labels = names.iter().zip(values).map(|(name, text)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_string());
        pair.set_value(text);
        pair
    });
    let mut metric = Metric::from_label(labels.collect());
    match kind {
        Kind::Counter => {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        }
        Kind::Gauge => {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
    }
    metric
}
