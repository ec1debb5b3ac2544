//! The counters of IEEE8021-SECY-MIB, per SecY, SC and SA, and the packet numbers of SAs.
//!
//! The counters' names and help come from `macsec`'s own tables: `in_pkts_late` of a receive SC is
//! `macsec_rx_sc_in_pkts_late_total`.

use alloc::{borrow::Cow, format, vec::Vec};

use super::{
    Family, Kind, Source,
    family::row,
    sample::{flag, number},
};
use crate::macsec::{
    Counter, CounterEntry, Level, RxSaCounters, RxScCounters, RxSecyCounters, TxCounters,
    TxSaCounters,
};

/// The rows that come from `macsec`'s own tables, and the gauges of SAs.
pub(super) fn families() -> Vec<Family> {
    let tx = TxCounters::CATALOGUE.iter().map(|entry| match entry.level {
        Level::Secy => counter(entry, "macsec_secy", Source::TxSecy),
        Level::Sc | Level::Sa => counter(entry, "macsec_tx_sc", Source::TxSc),
    });
    let tx_sa = TxSaCounters::CATALOGUE
        .iter()
        .map(|entry| counter(entry, "macsec_tx_sa", Source::TxSaCount));
    let rx_secy = RxSecyCounters::CATALOGUE
        .iter()
        .map(|entry| counter(entry, "macsec_secy", Source::RxSecy));
    let rx_sc = RxScCounters::CATALOGUE
        .iter()
        .map(|entry| counter(entry, "macsec_rx_sc", Source::RxSc));
    let rx_sa = RxSaCounters::CATALOGUE
        .iter()
        .map(|entry| counter(entry, "macsec_rx_sa", Source::RxSaCount));
    let gauges = SA_TABLE.iter().cloned();
    tx.chain(tx_sa)
        .chain(rx_secy)
        .chain(rx_sc)
        .chain(rx_sa)
        .chain(gauges)
        .collect()
}

type Accessor<B> = fn(&B) -> &Counter;

fn counter<B>(
    entry: &CounterEntry<B>,
    prefix: &str,
    source: impl FnOnce(Accessor<B>) -> Source,
) -> Family {
    Family {
        name: Cow::Owned(format!("{prefix}_{}_total", entry.name)),
        help: Cow::Borrowed(entry.help),
        unit: if entry.name.contains("octets") {
            "octets"
        } else {
            "frames"
        },
        kind: Kind::Counter,
        from: entry.mib.unwrap_or("ours alone"),
        source: source(entry.counter),
    }
}

const SA_TABLE: &[Family] = &[
    row(
        "macsec_tx_sa_encoding",
        Kind::Gauge,
        "1 = yes",
        "Whether this installed transmit SA is the one that protects frames.",
        "workers' reports (secyTxSCEncodingSA)",
        Source::TxSa(|link, sa| flag(link.tx_encoding == Some(sa.an))),
    ),
    row(
        "macsec_tx_sa_next_pn",
        Kind::Gauge,
        "packet number",
        "The next packet number that this transmit SA will send.",
        "the SA (secyTxSANextPN)",
        Source::TxSa(|_, sa| number(sa.next_pn.0)),
    ),
    row(
        "macsec_tx_sa_reserved_until_pn",
        Kind::Gauge,
        "packet number",
        "The first packet number that the reservation on disk does not cover; the SA stops there.",
        "control's reservations",
        Source::TxSa(|_, sa| number(sa.reserved_until.0)),
    ),
    row(
        "macsec_tx_sa_soft_threshold_passed",
        Kind::Gauge,
        "1 = yes",
        "Whether so much of the packet number space is used that a new key should be on its way.",
        "control",
        Source::TxSa(|_, sa| flag(sa.soft_threshold_passed)),
    ),
    row(
        "macsec_rx_sa_next_pn",
        Kind::Gauge,
        "packet number",
        "One more than the highest packet number that this receive SA accepted.",
        "the SA (secyRxSANextPN)",
        Source::RxSa(|sa| number(sa.next_pn.0)),
    ),
    row(
        "macsec_rx_sa_lowest_pn",
        Kind::Gauge,
        "packet number",
        "The lowest packet number that this receive SA accepts.",
        "the SA (lowestPN, 802.1AE-2018 10.6.5)",
        Source::RxSa(|sa| number(sa.lowest_pn.0)),
    ),
];
