//! MKA: the KaY of each link, and each CKN/CAK pair's participant. The counters are those of the
//! OpenConfig MACsec model, and more.
//!
//! One table of counters each serves Prometheus and the management API, so that both use the same names.

use alloc::{borrow::Cow, format, vec::Vec};

use super::{
    Family, Kind, Source,
    family::row,
    sample::{flag, number},
};
use crate::bus::{MkaCakView, MkaCounters, MkaParticipantCounters, MkaView};

/// One counter of MKA.
#[derive(Clone, Copy, Debug)]
pub struct MkaCounterEntry<B> {
    /// Its name without prefix and unit.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// What a value of 1 stands for.
    pub unit: &'static str,
    /// Its value.
    pub read: fn(&B) -> u64,
}

const fn entry<B>(
    name: &'static str,
    unit: &'static str,
    help: &'static str,
    read: fn(&B) -> u64,
) -> MkaCounterEntry<B> {
    MkaCounterEntry {
        name,
        help,
        unit,
        read,
    }
}

/// Counters of a KaY but for MKPDUs discarded, which have a reason each.
pub const KAY_COUNTERS: &[MkaCounterEntry<MkaCounters>] = &[
    entry(
        "saks_generated",
        "keys",
        "SAKs that we made as key server.",
        |of| of.saks_generated,
    ),
    entry(
        "saks_received",
        "keys",
        "SAKs that we took from the key server.",
        |of| of.saks_received,
    ),
    entry(
        "saks_installed",
        "keys",
        "SAKs that the data plane installed both ways.",
        |of| of.saks_installed,
    ),
    entry(
        "sak_generation_errors",
        "keys",
        "SAKs that could not be made.",
        |of| of.sak_generation_errors,
    ),
    entry(
        "sak_wrap_errors",
        "keys",
        "SAKs that could not be wrapped for their way.",
        |of| of.sak_wrap_errors,
    ),
    entry(
        "sak_unwrap_errors",
        "keys",
        "Distributed SAKs that do not open with the CAK's key.",
        |of| of.sak_unwrap_errors,
    ),
    entry(
        "sak_suite_errors",
        "keys",
        "Distributed SAKs of a cipher suite that is not allowed.",
        |of| of.sak_suite_errors,
    ),
    entry(
        "saks_refused",
        "keys",
        "Distributed SAKs refused for another reason, such as integrity only where encryption is wanted.",
        |of| of.saks_refused,
    ),
    entry(
        "install_errors",
        "SAs",
        "SAs that the data plane could not install.",
        |of| of.install_errors,
    ),
    entry(
        "out_overrun",
        "MKPDUs",
        "Own MKPDUs that found no room on their way to the port.",
        |of| of.out_overrun,
    ),
    entry(
        "save_errors",
        "writes",
        "Times that the member's identity could not be written to disk.",
        |of| of.save_errors,
    ),
    entry(
        "log_lines_withheld",
        "lines",
        "Log lines left out because received frames caused too many.",
        |of| of.log_lines_withheld,
    ),
];

/// Counters of a participant but for MKPDUs discarded, which have a reason each.
pub const PARTICIPANT_COUNTERS: &[MkaCounterEntry<MkaParticipantCounters>] = &[
    entry("in_mkpdus", "MKPDUs", "MKPDUs taken.", |of| of.in_mkpdus),
    entry("out_mkpdus", "MKPDUs", "MKPDUs sent.", |of| of.out_mkpdus),
    entry(
        "in_sak_mkpdus",
        "MKPDUs",
        "MKPDUs taken that carried a SAK.",
        |of| of.in_sak_mkpdus,
    ),
    entry(
        "out_sak_mkpdus",
        "MKPDUs",
        "MKPDUs sent that carried a SAK.",
        |of| of.out_sak_mkpdus,
    ),
    entry(
        "in_cak_mkpdus",
        "MKPDUs",
        "MKPDUs taken that carried a CAK, which is never acted on.",
        |of| of.in_cak_mkpdus,
    ),
    entry(
        "out_cak_mkpdus",
        "MKPDUs",
        "MKPDUs sent that carried a CAK: none.",
        |of| of.out_cak_mkpdus,
    ),
    entry(
        "out_errors",
        "MKPDUs",
        "MKPDUs that could not be made or sent.",
        |of| of.out_errors,
    ),
    entry("peers_gained", "peers", "Peers that became live.", |of| {
        of.peers_gained
    }),
    entry("peers_lost", "peers", "Live peers that were lost.", |of| {
        of.peers_lost
    }),
    entry(
        "peer_list_errors",
        "lists",
        "Peer lists that name us with a message number that can't be.",
        |of| of.peer_list_errors,
    ),
];

/// The rows of MKA.
pub(super) fn families() -> Vec<Family> {
    let kay = KAY_COUNTERS
        .iter()
        .map(|entry| counter(entry, "the KaY", Source::MkaCount(entry.read)));
    let participants = PARTICIPANT_COUNTERS.iter().map(|entry| {
        let source = Source::MkaCakCount(entry.read);
        counter(entry, "the CAK's participant", source)
    });
    TABLE
        .iter()
        .cloned()
        .chain(kay)
        .chain(participants)
        .collect()
}

fn counter<B>(entry: &MkaCounterEntry<B>, from: &'static str, source: Source) -> Family {
    Family {
        name: Cow::Owned(format!("macsec_mka_{}_total", entry.name)),
        help: Cow::Borrowed(entry.help),
        unit: entry.unit,
        kind: Kind::Counter,
        from,
        source,
    }
}

fn seconds(duration: Option<core::time::Duration>) -> Option<f64> {
    duration.map(|duration| duration.as_secs_f64())
}

fn peers(cak: &MkaCakView, live: bool) -> Option<f64> {
    let peers = &cak.participant.as_ref()?.peers;
    let count = peers.iter().filter(|peer| peer.live == live).count();
    Some(number(u64::try_from(count).unwrap_or(u64::MAX)))
}

fn is_key_server(mka: &MkaView) -> Option<f64> {
    Some(flag(mka.key_server.is_some_and(|server| server.is_us)))
}

const TABLE: &[Family] = &[
    row(
        "macsec_mka_key_server",
        Kind::Gauge,
        "1 = yes",
        "Whether this gateway is the elected key server of the link.",
        "the KaY",
        Source::Mka(is_key_server),
    ),
    row(
        "macsec_mka_rekeys_total",
        Kind::Counter,
        "keys",
        "SAKs put in use after the first.",
        "the KaY",
        Source::Mka(|mka| Some(number(mka.rekeys))),
    ),
    row(
        "macsec_mka_since_rekey_seconds",
        Kind::Gauge,
        "seconds",
        "Time since the SAK in use was put in use.",
        "the KaY",
        Source::Mka(|mka| seconds(mka.since_rekey)),
    ),
    row(
        "macsec_mka_next_rekey_seconds",
        Kind::Gauge,
        "seconds",
        "Time until the next rekey that is known by now: by time, or queued.",
        "the KaY",
        Source::Mka(|mka| seconds(mka.next_rekey)),
    ),
    row(
        "macsec_mka_losses_total",
        Kind::Counter,
        "losses",
        "Times that the link ceased to be secured.",
        "control",
        Source::Mka(|mka| Some(number(mka.losses))),
    ),
    row(
        "macsec_mka_falls_to_clear_total",
        Kind::Counter,
        "falls",
        "Times that a link in should_encrypt went from secured to clear.",
        "control",
        Source::Mka(|mka| Some(number(mka.falls_to_clear))),
    ),
    row(
        "macsec_mka_clock_steps_total",
        Kind::Counter,
        "steps",
        "Steps of the wall clock of more than a minute.",
        "control",
        Source::Mka(|mka| Some(number(mka.clock.steps))),
    ),
    row(
        "macsec_mka_principal",
        Kind::Gauge,
        "1 = yes",
        "Whether the link's SAKs come by this CAK.",
        "the KaY",
        Source::MkaCak(|cak| Some(flag(cak.principal))),
    ),
    row(
        "macsec_mka_cak_usable",
        Kind::Gauge,
        "1 = yes",
        "Whether this CAK has a participant now.",
        "control",
        Source::MkaCak(|cak| Some(flag(cak.participant.is_some()))),
    ),
    row(
        "macsec_mka_cak_expiry_seconds",
        Kind::Gauge,
        "seconds",
        "Time until this CAK ends, by the gateway's clock; none for one that never does.",
        "the configuration and the wall clock",
        Source::MkaCak(|cak| seconds(cak.expires_in)),
    ),
    row(
        "macsec_mka_live_peers",
        Kind::Gauge,
        "peers",
        "Peers that hear us.",
        "the CAK's participant",
        Source::MkaCak(|cak| peers(cak, true)),
    ),
    row(
        "macsec_mka_potential_peers",
        Kind::Gauge,
        "peers",
        "Peers that were heard and did not yet say that they hear us.",
        "the CAK's participant",
        Source::MkaCak(|cak| peers(cak, false)),
    ),
    row(
        "macsec_mka_discarded_mkpdus_total",
        Kind::Counter,
        "MKPDUs",
        "MKPDUs of no known CAK that were discarded, by reason.",
        "the KaY",
        Source::MkaDiscard,
    ),
    row(
        "macsec_mka_cak_discarded_mkpdus_total",
        Kind::Counter,
        "MKPDUs",
        "MKPDUs of this CAK's name that were discarded, by reason; `icv` are those with another key.",
        "the CAK's participant",
        Source::MkaCakDiscard,
    ),
];
