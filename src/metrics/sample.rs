//! From a source and a snapshot to label values and numbers.

use alloc::{
    string::{String, ToString},
    vec,
    vec::Vec,
};

use super::family::{Scene, Source};
use crate::{
    bus::{
        Direction, DropReason, LaneCounters, LaneMode, LinkSnapshot, PortSide, PortSnapshot,
        UnsentReason,
    },
    ieee::An,
    macsec::Counter,
};

/// One series' label values, in the order of [`Source::labels`], and its value.
pub(super) type Sample = (Vec<String>, f64);

const MODES: [LaneMode; 5] = [
    LaneMode::Closed,
    LaneMode::Wire,
    LaneMode::Clear,
    LaneMode::SecuredAcceptClear,
    LaneMode::Secured,
];

/// A whole number as Prometheus has it. Exact up to 2^53, and never going down above.
#[expect(
    clippy::cast_precision_loss,
    reason = "the exposition format has floating point only"
)]
pub(super) const fn number(value: u64) -> f64 {
    value as f64
}

fn count(counter: &Counter) -> f64 {
    number(counter.value())
}

/// 1 for true.
pub(super) const fn flag(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

/// Every series of `source`.
pub(super) fn samples(source: &Source, scene: Scene<'_>) -> Vec<Sample> {
    let snapshot = scene.snapshot;
    match *source {
        Source::Gateway(value) => value(scene)
            .map(|value| (vec![], value))
            .into_iter()
            .collect(),
        Source::GatewayInfo(_, texts) => vec![(texts(scene), 1.0)],
        Source::Worker(_) | Source::WorkerInfo(..) => worker_samples(source, scene),
        Source::Helper(_) | Source::HelperInfo(..) => helper_samples(source, scene),
        Source::Port(_) | Source::PortStats(_) | Source::PortInfo(..) => {
            port_samples(source, scene)
        }
        Source::Lane(_) | Source::LaneMode | Source::Drop | Source::Unsent => snapshot
            .links
            .iter()
            .flat_map(|link| lane_samples(source, link))
            .collect(),
        _ => snapshot
            .links
            .iter()
            .flat_map(|link| link_samples(source, link))
            .collect(),
    }
}

fn worker_samples(source: &Source, scene: Scene<'_>) -> Vec<Sample> {
    let workers = scene.snapshot.workers.iter().enumerate();
    workers
        .filter_map(|(index, worker)| {
            let label = index.to_string();
            match *source {
                Source::Worker(value) => Some((vec![label], value(worker, scene.snapshot.tsc_hz))),
                Source::WorkerInfo(_, texts) => Some((with(&[&label], texts(worker)), 1.0)),
                _ => None,
            }
        })
        .collect()
}

fn helper_samples(source: &Source, scene: Scene<'_>) -> Vec<Sample> {
    let helpers = scene.snapshot.helpers.iter().enumerate();
    helpers
        .filter_map(|(index, helper)| {
            let label = index.to_string();
            match *source {
                Source::Helper(value) => Some((vec![label], value(helper, scene.snapshot.tsc_hz))),
                Source::HelperInfo(_, texts) => Some((with(&[&label], texts(helper)), 1.0)),
                _ => None,
            }
        })
        .collect()
}

fn port_samples(source: &Source, scene: Scene<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    for link in &scene.snapshot.links {
        for side in PortSide::BOTH {
            let port = port_of(link, side);
            let labels = [link.name.as_str(), side.name()];
            match *source {
                Source::Port(value) => samples.push((with(&labels, vec![]), value(port))),
                Source::PortStats(value) => {
                    samples.push((with(&labels, vec![]), number(value(&port.stats))));
                }
                Source::PortInfo(_, texts) => samples.push((with(&labels, texts(port)), 1.0)),
                _ => {}
            }
        }
    }
    samples
}

/// A link's port.
const fn port_of(link: &LinkSnapshot, side: PortSide) -> &PortSnapshot {
    match side {
        PortSide::Plain => &link.plain,
        PortSide::Secure => &link.secure,
    }
}

fn lane_samples(source: &Source, link: &LinkSnapshot) -> Vec<Sample> {
    let mut samples = Vec::new();
    for direction in Direction::BOTH {
        let (counters, mode): (&LaneCounters, _) = match direction {
            Direction::Protect => (&link.protect, link.protect_mode),
            Direction::Validate => (&link.validate, link.validate_mode),
        };
        let labels = [link.name.as_str(), direction.name()];
        match *source {
            Source::Lane(value) => samples.push((with(&labels, vec![]), number(value(counters)))),
            Source::LaneMode => samples.extend(MODES.map(|each| {
                (
                    with(&labels, vec![each.name().to_string()]),
                    flag(each == mode),
                )
            })),
            Source::Drop => samples.extend(DropReason::all().map(|reason| {
                let value = number(counters.dropped(reason).value());
                (with(&labels, vec![reason.name().to_string()]), value)
            })),
            Source::Unsent => samples.extend(UnsentReason::ALL.map(|reason| {
                let value = count(counters.eapol_unsent(reason));
                (with(&labels, vec![reason.name().to_string()]), value)
            })),
            _ => {}
        }
    }
    samples
}

fn link_samples(source: &Source, link: &LinkSnapshot) -> Vec<Sample> {
    let name = link.name.as_str();
    let own_sci = link.sci.to_string();
    match *source {
        Source::Link(value) => vec![(with(&[name], vec![]), value(link))],
        Source::LinkInfo(_, texts) => vec![(with(&[name], texts(link)), 1.0)],
        Source::Alarm => {
            let alarms = link.alarms.iter();
            alarms
                .map(|alarm| (with(&[name, alarm.name], vec![]), 1.0))
                .collect()
        }
        Source::TxSecy(value) => vec![(with(&[name], vec![]), count(value(&link.tx_counters)))],
        Source::RxSecy(value) => vec![(with(&[name], vec![]), count(value(&link.rx_counters)))],
        Source::TxSc(value) => {
            vec![(
                with(&[name, &own_sci], vec![]),
                count(value(&link.tx_counters)),
            )]
        }
        Source::TxSaCount(value) => An::ALL
            .iter()
            .zip(&link.tx_counters.sas)
            .map(|(an, block)| {
                (
                    with(&[name, &own_sci], vec![an.to_string()]),
                    count(value(block)),
                )
            })
            .collect(),
        Source::TxSa(value) => link
            .tx_sas
            .iter()
            .map(|sa| {
                (
                    with(&[name, &own_sci], vec![sa.an.to_string()]),
                    value(link, sa),
                )
            })
            .collect(),
        Source::RxSc(_) | Source::RxSaCount(_) | Source::RxSa(_) => rx_samples(source, link),
        Source::Mka(_) | Source::MkaCount(_) | Source::MkaDiscard => mka_samples(source, link),
        Source::MkaCak(_) | Source::MkaCakCount(_) | Source::MkaCakDiscard => {
            cak_samples(source, link)
        }
        _ => vec![],
    }
}

fn rx_samples(source: &Source, link: &LinkSnapshot) -> Vec<Sample> {
    let mut samples = Vec::new();
    for sc in &link.rx_scs {
        let sci = sc.sci.to_string();
        let labels = [link.name.as_str(), sci.as_str()];
        match *source {
            Source::RxSc(value) => {
                samples.push((with(&labels, vec![]), count(value(&sc.counters))))
            }
            Source::RxSaCount(value) => {
                let blocks = An::ALL.iter().zip(&sc.counters.sas);
                samples.extend(
                    blocks.map(|(an, block)| {
                        (with(&labels, vec![an.to_string()]), count(value(block)))
                    }),
                );
            }
            Source::RxSa(value) => samples.extend(
                sc.sas
                    .iter()
                    .map(|sa| (with(&labels, vec![sa.an.to_string()]), value(sa))),
            ),
            _ => {}
        }
    }
    samples
}

fn mka_samples(source: &Source, link: &LinkSnapshot) -> Vec<Sample> {
    let Some(mka) = &link.mka else {
        return vec![];
    };
    let name = [link.name.as_str()];
    match *source {
        Source::Mka(value) => value(mka)
            .map(|value| (with(&name, vec![]), value))
            .into_iter()
            .collect(),
        Source::MkaCount(value) => vec![(with(&name, vec![]), number(value(&mka.counters)))],
        Source::MkaDiscard => reasons(&name, &mka.counters.discarded).collect(),
        _ => vec![],
    }
}

fn cak_samples(source: &Source, link: &LinkSnapshot) -> Vec<Sample> {
    let mut samples = Vec::new();
    for cak in link.mka.iter().flat_map(|mka| &mka.caks) {
        let ckn = cak.ckn.to_string();
        let labels = [link.name.as_str(), ckn.as_str()];
        let counters = cak.participant.as_ref().map(|runs| &runs.counters);
        match (*source, counters) {
            (Source::MkaCak(value), _) => {
                samples.extend(value(cak).map(|value| (with(&labels, vec![]), value)));
            }
            (Source::MkaCakCount(value), Some(counters)) => {
                samples.push((with(&labels, vec![]), number(value(counters))));
            }
            (Source::MkaCakDiscard, Some(counters)) => {
                samples.extend(reasons(&labels, &counters.discarded));
            }
            _ => {}
        }
    }
    samples
}

/// One series per reason.
fn reasons<'a>(
    labels: &'a [&'a str],
    discarded: &'a [(&'static str, u64)],
) -> impl Iterator<Item = Sample> + 'a {
    discarded
        .iter()
        .map(move |(reason, count)| (with(labels, vec![(*reason).to_string()]), number(*count)))
}

fn with(fixed: &[&str], more: Vec<String>) -> Vec<String> {
    fixed.iter().map(ToString::to_string).chain(more).collect()
}
