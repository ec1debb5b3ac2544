//! A KaY as an operator sees it: values, taken at one moment.

use alloc::vec::Vec;
use core::time::Duration;

use super::{KayCounters, Mi, Mn, ParticipantCounters, SaId, Time, pdu::SakUse};
use crate::ieee::{CipherSuite, Ckn, MacAddr, Pn, Sci, Ssci};

/// One KaY.
#[derive(Clone, Debug)]
pub struct KayStatus {
    /// Our SCI.
    pub sci: Sci,
    /// Every participant, in the order of their keys' age.
    pub participants: Vec<ParticipantStatus>,
    /// The CKN of the principal.
    pub principal: Option<Ckn>,
    /// The elected key server: its SCI, ours if it is us.
    pub key_server: Option<Sci>,
    /// A transmit SA in use and receive SAs installed for every live peer.
    pub secured: bool,
    /// The latest key, while it is not yet, or is, in use.
    pub latest: Option<KeyStatus>,
    /// The key before it, until it retired.
    pub old: Option<KeyStatus>,
    /// SAKs put in use after the first.
    pub rekeys: u64,
    /// When the key in use was put in use.
    pub last_rekey: Option<Time>,
    /// Until the next rekey that is known by now: by time, or queued behind the gap.
    pub next_rekey: Option<Duration>,
    /// The state of the CP machine, as the standard names it (802.1X-2020 figure 12-2).
    pub cp_state: &'static str,
    /// Counters.
    pub counters: KayCounters,
}

/// One participant.
#[derive(Clone, Debug)]
pub struct ParticipantStatus {
    /// Its CAK.
    pub ckn: Ckn,
    /// Whether its CAK is the fallback.
    pub fallback: bool,
    /// Whether it is the principal.
    pub principal: bool,
    /// Our member identifier.
    pub mi: Mi,
    /// The message number that was sent last.
    pub mn: Mn,
    /// Its peers, live and potential.
    pub peers: Vec<PeerStatus>,
    /// Counters.
    pub counters: ParticipantCounters,
}

/// One peer.
#[derive(Clone, Debug)]
pub struct PeerStatus {
    /// Its SCI; a potential peer that was only named by another has none.
    pub sci: Option<Sci>,
    /// The source address of its last MKPDU with a right ICV.
    pub source: MacAddr,
    /// Its member identifier.
    pub mi: Mi,
    /// Its message number that was taken last.
    pub mn: Mn,
    /// Whether it hears us.
    pub live: bool,
    /// When it was heard last.
    pub heard: Time,
    /// Its priority.
    pub priority: u8,
    /// Its MKA version.
    pub version: u8,
    /// What it last said of the keys that it uses.
    pub sak_use: Option<SakUse>,
}

/// One key of the SAK Use (802.1X-2020 9.10).
#[derive(Clone, Debug)]
pub struct KeyStatus {
    /// AN and KI.
    pub sa: SaId,
    /// Suite.
    pub suite: CipherSuite,
    /// LTX or OTX.
    pub tx: bool,
    /// LRX or ORX.
    pub rx: bool,
    /// Our SSCI.
    pub ssci: Option<Ssci>,
    /// Our next packet number.
    pub next_pn: Pn,
}
