//! A link's key agreement in `status`.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::millis;
use crate::{
    bus::{ClockView, LossView, MkaCakView, MkaKeyView, MkaParticipantView, MkaPeerView, MkaView},
    metrics::{KAY_COUNTERS, PARTICIPANT_COUNTERS},
};

/// The KaY of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MkaStatus {
    /// The name of the CAK in use, in hex; null while no peer is live.
    pub principal: Option<String>,
    /// Who gives the keys; null while nobody is elected.
    pub key_server: Option<KeyServerStatus>,
    /// The state of the CP machine, as the standard names it.
    pub cp_state: String,
    /// Every CKN/CAK pair of the configuration.
    pub caks: Vec<CakStatus>,
    /// The key that was distributed last.
    pub latest_key: Option<MkaKeyStatus>,
    /// The key before it, until it retired.
    pub old_key: Option<MkaKeyStatus>,
    /// Keys put in use after the first.
    pub rekeys: u64,
    /// Time since the key in use was put in use, in ms.
    pub since_rekey_ms: Option<u64>,
    /// Time until the next rekey that is known by now, in ms.
    pub next_rekey_ms: Option<u64>,
    /// How often the link ceased to be secured.
    pub losses: u64,
    /// How it did so last.
    pub last_loss: Option<LossStatus>,
    /// How often `should_encrypt` went from secured to clear.
    pub falls_to_clear: u64,
    /// The wall clock.
    pub clock: ClockStatus,
}

/// Who gives the keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyServerStatus {
    /// Its SCI.
    pub sci: String,
    /// Whether that is this gateway.
    pub is_us: bool,
}

/// One CKN/CAK pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CakStatus {
    /// Its name, in hex.
    pub ckn: String,
    /// Whether it is the fallback.
    pub fallback: bool,
    /// Whether it is the one in use.
    pub principal: bool,
    /// `waiting`, `usable`, `kept` or `expired`.
    pub state: String,
    /// Seconds since 1970 UTC at which it starts; null: from ever.
    pub start: Option<i64>,
    /// Seconds since 1970 UTC at which it ends; null: never.
    pub end: Option<i64>,
    /// Our member identifier, while it runs.
    pub member_identifier: Option<String>,
    /// The number of our last MKPDU by it.
    pub message_number: Option<u32>,
    /// Peers, live and potential.
    pub peers: Vec<PeerStatus>,
}

/// One peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    /// Its SCI, if it is known.
    pub sci: Option<String>,
    /// Its member identifier.
    pub member_identifier: String,
    /// The number of its last MKPDU.
    pub message_number: u32,
    /// Whether it hears us; a potential peer does not, or has not said so yet.
    pub live: bool,
    /// Time since it was heard, in ms.
    pub heard_ms: u64,
    /// Its key server priority.
    pub priority: u8,
    /// Its MKA version.
    pub mka_version: u8,
    /// It says that it protects with the key in use.
    pub tx: bool,
    /// It says that it receives with the key in use.
    pub rx: bool,
}

/// One key. `tx` and `rx` are LTX and LRX of the latest key, OTX and ORX of the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MkaKeyStatus {
    /// Association number.
    pub an: u8,
    /// Key identifier, in hex: the key server's member identifier and the key's number.
    pub key_identifier: String,
    /// The cipher suite.
    pub cipher_suite: String,
    /// Whether we protect with it.
    pub tx: bool,
    /// Whether we receive with it.
    pub rx: bool,
    /// Our SSCI, with XPN.
    pub ssci: Option<u32>,
    /// The next packet number to send.
    pub next_pn: u64,
}

/// How a link ceased to be secured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossStatus {
    /// `peers_gone`, `no_macsec`, `sa_ended`, `cak_removed` or `data_plane`.
    pub why: String,
    /// What that means, in a sentence.
    pub sentence: String,
    /// How long ago, in ms.
    pub ago_ms: u64,
}

/// The wall clock, by which pairs start and end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStatus {
    /// `good`, `before_build` or `stepped`.
    pub state: String,
    /// What it says, in seconds since 1970 UTC.
    pub utc: i64,
    /// Steps of more than a minute since the start.
    pub steps: u64,
    /// The last one in seconds, forwards positive.
    pub last_step_s: Option<i64>,
    /// How long ago that was, in ms.
    pub last_step_ago_ms: Option<u64>,
}

/// MKA's counters of a link in `counters`: maps from name to value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MkaCounts {
    /// Of the KaY.
    pub kay: BTreeMap<String, u64>,
    /// Of each pair's participant, while it runs.
    pub participants: Vec<ParticipantCounts>,
}

/// Counters of one participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantCounts {
    /// The name of its CAK.
    pub ckn: String,
    /// Its counters.
    pub counters: BTreeMap<String, u64>,
}

impl MkaCounts {
    pub(in crate::api) fn of(mka: &MkaView) -> Self {
        let kay = KAY_COUNTERS
            .iter()
            .map(|entry| (entry.name.to_string(), (entry.read)(&mka.counters)));
        let running = mka
            .caks
            .iter()
            .filter_map(|cak| Some((cak, cak.participant.as_ref()?)));
        let participants = running.map(|(cak, runs)| {
            let counts = PARTICIPANT_COUNTERS
                .iter()
                .map(|entry| (entry.name.to_string(), (entry.read)(&runs.counters)));
            ParticipantCounts {
                ckn: cak.ckn.to_string(),
                counters: counts.chain(discarded(&runs.counters.discarded)).collect(),
            }
        });
        Self {
            kay: kay.chain(discarded(&mka.counters.discarded)).collect(),
            participants: participants.collect(),
        }
    }
}

/// MKPDUs discarded, each under its reason.
fn discarded(counts: &[(&'static str, u64)]) -> impl Iterator<Item = (String, u64)> {
    counts
        .iter()
        .map(|(reason, count)| (alloc::format!("discarded_{reason}"), *count))
}

impl MkaStatus {
    pub(super) fn of(mka: &MkaView) -> Self {
        Self {
            principal: mka.principal.as_ref().map(ToString::to_string),
            key_server: mka.key_server.map(|server| KeyServerStatus {
                sci: server.sci.to_string(),
                is_us: server.is_us,
            }),
            cp_state: mka.cp_state.to_string(),
            caks: mka.caks.iter().map(CakStatus::of).collect(),
            latest_key: mka.latest.as_ref().map(MkaKeyStatus::of),
            old_key: mka.old.as_ref().map(MkaKeyStatus::of),
            rekeys: mka.rekeys,
            since_rekey_ms: mka.since_rekey.map(millis),
            next_rekey_ms: mka.next_rekey.map(millis),
            losses: mka.losses,
            last_loss: mka.last_loss.as_ref().map(LossStatus::of),
            falls_to_clear: mka.falls_to_clear,
            clock: ClockStatus::of(mka.clock),
        }
    }
}

impl CakStatus {
    fn of(cak: &MkaCakView) -> Self {
        let runs = cak.participant.as_ref();
        let peers = |runs: &MkaParticipantView| runs.peers.iter().map(PeerStatus::of).collect();
        Self {
            ckn: cak.ckn.to_string(),
            fallback: cak.fallback,
            principal: cak.principal,
            state: cak.state.name().to_string(),
            start: cak.start,
            end: cak.end,
            member_identifier: runs.map(|runs| runs.mi.clone()),
            message_number: runs.map(|runs| runs.mn),
            peers: runs.map(peers).unwrap_or_default(),
        }
    }
}

impl PeerStatus {
    fn of(peer: &MkaPeerView) -> Self {
        Self {
            sci: peer.sci.map(|sci| sci.to_string()),
            member_identifier: peer.mi.clone(),
            message_number: peer.mn,
            live: peer.live,
            heard_ms: millis(peer.heard),
            priority: peer.priority,
            mka_version: peer.version,
            tx: peer.tx,
            rx: peer.rx,
        }
    }
}

impl MkaKeyStatus {
    fn of(key: &MkaKeyView) -> Self {
        Self {
            an: key.an.value(),
            key_identifier: key.ki.to_string(),
            cipher_suite: key.suite.to_string(),
            tx: key.tx,
            rx: key.rx,
            ssci: key.ssci.map(|ssci| ssci.0),
            next_pn: key.next_pn.0,
        }
    }
}

impl LossStatus {
    fn of(loss: &LossView) -> Self {
        Self {
            why: loss.why.to_string(),
            sentence: loss.sentence.to_string(),
            ago_ms: millis(loss.ago),
        }
    }
}

impl ClockStatus {
    fn of(clock: ClockView) -> Self {
        Self {
            state: clock.state.name().to_string(),
            utc: clock.utc,
            steps: clock.steps,
            last_step_s: clock.last_step,
            last_step_ago_ms: clock.last_step_ago.map(|ago: Duration| millis(ago)),
        }
    }
}
