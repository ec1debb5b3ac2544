//! A link's key agreement as an operator sees it, in the snapshot.
//!
//! Plain values, because this module does not know `mka`. Durations count from the moment that the
//! snapshot was taken. A peer's words are in it as numbers and identifiers only, never as text.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use crate::ieee::{An, CipherSuite, Ckn, KeyIdentifier, Pn, Sci, Ssci};

/// The KaY of one link.
#[derive(Clone, Debug)]
pub struct MkaView {
    /// Our SCI.
    pub sci: Sci,
    /// The state of the CP machine, as the standard names it (802.1X-2020 figure 12-2).
    pub cp_state: &'static str,
    /// Every CAK of the config, in its order: those that run, those to come and those that ended.
    pub caks: Vec<MkaCakView>,
    /// The name of the CAK whose participant is the principal.
    pub principal: Option<Ckn>,
    /// The elected key server.
    pub key_server: Option<KeyServerView>,
    /// The latest key, from its distribution on.
    pub latest: Option<MkaKeyView>,
    /// The key before it, until it retired.
    pub old: Option<MkaKeyView>,
    /// SAKs put in use after the first.
    pub rekeys: u64,
    /// Since the key in use was put in use.
    pub since_rekey: Option<Duration>,
    /// Until the next rekey that is known by now: by time, or queued behind the gap between two.
    pub next_rekey: Option<Duration>,
    /// How the link ceased to be secured last, since the start.
    pub last_loss: Option<LossView>,
    /// How often it did.
    pub losses: u64,
    /// How often `should_encrypt` went from secured to clear.
    pub falls_to_clear: u64,
    /// The wall clock, by which CAKs start and end.
    pub clock: ClockView,
    /// Counters of the KaY.
    pub counters: MkaCounters,
}

/// Who gives the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyServerView {
    /// Its SCI.
    pub sci: Sci,
    /// Whether that is us.
    pub is_us: bool,
}

/// One CKN/CAK pair of the config.
#[derive(Clone, Debug)]
pub struct MkaCakView {
    /// Its name.
    pub ckn: Ckn,
    /// Whether it is the fallback.
    pub fallback: bool,
    /// Whether its participant is the principal.
    pub principal: bool,
    /// Where its window is now.
    pub state: CakState,
    /// The start of its window in seconds since 1970 UTC; `None`: from ever.
    pub start: Option<i64>,
    /// The end of its window in seconds since 1970 UTC; `None`: for ever.
    pub end: Option<i64>,
    /// Until it starts, by the gateway's clock; `None`: it has.
    pub starts_in: Option<Duration>,
    /// Until it ends, by the gateway's clock; zero once it has; `None`: never.
    pub expires_in: Option<Duration>,
    /// Its participant, while there is one.
    pub participant: Option<MkaParticipantView>,
}

/// Where the window of a CAK is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CakState {
    /// It has not begun.
    Waiting,
    /// The clock is inside.
    Usable,
    /// It is over, and the CAK is kept: a live session hangs on it and there is no successor.
    Kept,
    /// It is over.
    Expired,
}

impl CakState {
    /// The word in `status` and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Usable => "usable",
            Self::Kept => "kept",
            Self::Expired => "expired",
        }
    }
}

/// The participant of one CAK.
#[derive(Clone, Debug)]
pub struct MkaParticipantView {
    /// Our member identifier, 24 hexadecimal digits.
    pub mi: String,
    /// The message number that was sent last.
    pub mn: u32,
    /// Its peers, live and potential.
    pub peers: Vec<MkaPeerView>,
    /// Counters.
    pub counters: MkaParticipantCounters,
}

/// One peer.
#[derive(Clone, Debug)]
pub struct MkaPeerView {
    /// Its SCI, if it is known.
    pub sci: Option<Sci>,
    /// Its member identifier, 24 hexadecimal digits.
    pub mi: String,
    /// Its message number that was taken last.
    pub mn: u32,
    /// True: live, it hears us. False: potential.
    pub live: bool,
    /// Since it was heard last.
    pub heard: Duration,
    /// Its key server priority.
    pub priority: u8,
    /// Its MKA version.
    pub version: u8,
    /// It says that it protects with the latest key (LTX), or with the one in use while there is none.
    pub tx: bool,
    /// It says that it receives with that key (LRX).
    pub rx: bool,
}

/// One key as our SAK Use tells it (802.1X-2020 9.10): LTX and LRX of the latest, OTX and ORX of the
/// old one.
#[derive(Clone, Debug)]
pub struct MkaKeyView {
    /// Association number.
    pub an: An,
    /// Key identifier.
    pub ki: KeyIdentifier,
    /// Suite.
    pub suite: CipherSuite,
    /// We protect with it.
    pub tx: bool,
    /// We receive with it.
    pub rx: bool,
    /// Our SSCI, with XPN.
    pub ssci: Option<Ssci>,
    /// Our next packet number.
    pub next_pn: Pn,
}

/// A secured link that became so no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossView {
    /// A fixed word: `peers_gone`, `no_macsec`, `sa_ended`, `cak_removed`, `data_plane`.
    pub why: &'static str,
    /// What it means, in a sentence.
    pub sentence: &'static str,
    /// How long ago.
    pub ago: Duration,
}

/// What is known of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockView {
    /// Whether it can be believed.
    pub state: ClockState,
    /// What it says, in seconds since 1970 UTC.
    pub utc: i64,
    /// The last step of more than a minute against the monotonic clock, in seconds, forwards positive.
    pub last_step: Option<i64>,
    /// How long ago that was.
    pub last_step_ago: Option<Duration>,
    /// Such steps since the start.
    pub steps: u64,
}

/// Whether the wall clock can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockState {
    /// Nothing speaks against it.
    Good,
    /// It stands before the day that this program was built.
    BeforeBuild,
    /// It stepped by more than a minute a short while ago.
    Stepped,
}

impl ClockState {
    /// The word in `status` and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::BeforeBuild => "before_build",
            Self::Stepped => "stepped",
        }
    }
}

/// Counters of one participant; see `mka::ParticipantCounters`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MkaParticipantCounters {
    /// MKPDUs taken.
    pub in_mkpdus: u64,
    /// MKPDUs sent.
    pub out_mkpdus: u64,
    /// MKPDUs taken that carried a SAK.
    pub in_sak_mkpdus: u64,
    /// MKPDUs sent that carried a SAK.
    pub out_sak_mkpdus: u64,
    /// MKPDUs taken that carried a CAK.
    pub in_cak_mkpdus: u64,
    /// MKPDUs sent that carried a CAK.
    pub out_cak_mkpdus: u64,
    /// MKPDUs that could not be made or sent.
    pub out_errors: u64,
    /// Peers that became live.
    pub peers_gained: u64,
    /// Live peers that were lost.
    pub peers_lost: u64,
    /// Peer lists that name us with a number that can't be.
    pub peer_list_errors: u64,
    /// MKPDUs discarded: reason and count, every reason in a fixed order.
    pub discarded: Vec<(&'static str, u64)>,
}

/// Counters of the KaY; see `mka::KayCounters`. The last three are control's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MkaCounters {
    /// MKPDUs that no participant was found for: reason and count, every reason in a fixed order.
    pub discarded: Vec<(&'static str, u64)>,
    /// SAKs made.
    pub saks_generated: u64,
    /// SAKs received and taken.
    pub saks_received: u64,
    /// SAKs installed in both directions.
    pub saks_installed: u64,
    /// SAKs that could not be made.
    pub sak_generation_errors: u64,
    /// SAKs that could not be wrapped.
    pub sak_wrap_errors: u64,
    /// Wrapped SAKs that did not open.
    pub sak_unwrap_errors: u64,
    /// SAKs of a suite that is not allowed.
    pub sak_suite_errors: u64,
    /// SAKs refused for another reason.
    pub saks_refused: u64,
    /// SAs that the data plane could not install.
    pub install_errors: u64,
    /// MKPDUs of ours that found no free slot to the port.
    pub out_overrun: u64,
    /// Times that the identity could not be written.
    pub save_errors: u64,
    /// Lines that were not logged because frames caused too many.
    pub log_lines_withheld: u64,
}
