//! One link in `status`.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{
    mka::MkaStatus,
    port::PortStatus,
    sa::{RxScStatus, TxSaStatus},
};
use crate::{
    bus::{LaneCounters, LaneMode, LinkSnapshot, Secured},
    macsec::{Replay, SectagSci, ValidateFrames},
};

/// One link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// Its name.
    pub name: String,
    /// `must_encrypt`, `should_encrypt` or `no_encrypt`.
    pub encryption: String,
    /// `static`, `mka` or `none`.
    pub agreement: String,
    /// Whether a transmit SA is in use and a receive SA is installed, as workers reported.
    pub secured: bool,
    /// Whether anything but key agreement passes.
    pub controlled_port_open: bool,
    /// Why it is in this state.
    pub reason: String,
    /// The plain port.
    pub plain: PortStatus,
    /// The secure port.
    pub secure: PortStatus,
    /// Plain to secure.
    pub protect: LaneStatus,
    /// Secure to plain.
    pub validate: LaneStatus,
    /// The largest layer-3 payload on the plain side, without VLAN tags.
    pub mtu: u16,
    /// What the secure port must take for it, with MACsec and two VLAN tags.
    pub secure_mtu_needed: u16,
    /// The cipher suite.
    pub cipher_suite: String,
    /// False: integrity only.
    pub confidentiality: bool,
    /// 0, 30 or 50.
    pub confidentiality_offset: u8,
    /// Own SCI.
    pub sci: String,
    /// How the SCI is sent: `explicit`, `end-station`, `single-copy-broadcast` or `none`.
    pub sectag_sci: String,
    /// Clear VLAN tags ahead of the SecTAG.
    pub clear_vlan_tags: u8,
    /// `strict`, `check` or `disabled`.
    pub validate_frames: String,
    /// Replay protection.
    pub replay: ReplayStatus,
    /// The association number of the transmit SA in use.
    pub tx_encoding: Option<u8>,
    /// Transmit SAs that are installed.
    pub tx_sas: Vec<TxSaStatus>,
    /// Receive SCs.
    pub rx_scs: Vec<RxScStatus>,
    /// SAs that were put in use since the start, both ways.
    pub an_changes: u64,
    /// Key agreement; null where it is not by MKA.
    pub mka: Option<MkaStatus>,
    /// Standing alarms.
    pub alarms: Vec<AlarmStatus>,
}

/// Replay protection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayStatus {
    /// `off`, `strict` or `window`.
    pub mode: String,
    /// Packet numbers; 0 unless the mode is `window`.
    pub window: u32,
    /// Newest packet numbers among which duplicates are refused.
    pub duplicate_depth: usize,
    /// What that means, in a sentence.
    pub meaning: String,
}

/// One lane. Counters are those of the reply's moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneStatus {
    /// `closed`, `wire`, `clear`, `secured-accepting-clear` or `secured`.
    pub mode: String,
    /// Frames taken from the port.
    pub frames_in: u64,
    /// Octets of those, without FCS.
    pub octets_in: u64,
    /// Frames that the other port took.
    pub frames_out: u64,
    /// Octets of those, without FCS.
    pub octets_out: u64,
    /// EAPOL frames handed to control.
    pub to_control: u64,
    /// Frames out that the bypass list let through in clear.
    pub bypassed: u64,
    /// Frames out that left in clear because the link is in clear.
    pub clear: u64,
    /// Frames that ended here, all reasons together; `counters` tells them apart.
    pub dropped: u64,
}

/// A standing alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmStatus {
    /// Its fixed name.
    pub name: String,
    /// What it means here and what to do.
    pub text: String,
}

impl LinkStatus {
    pub(super) fn of(link: &LinkSnapshot) -> Self {
        let alarms = link.alarms.iter();
        Self {
            name: link.name.clone(),
            encryption: link.encryption.to_string(),
            agreement: link.agreement.to_string(),
            secured: link.secured == Secured::Yes,
            controlled_port_open: link.controlled_port_open,
            reason: link.reason.clone(),
            plain: PortStatus::of(&link.plain),
            secure: PortStatus::of(&link.secure),
            protect: LaneStatus::of(link.protect_mode, &link.protect),
            validate: LaneStatus::of(link.validate_mode, &link.validate),
            mtu: link.mtu,
            secure_mtu_needed: link.secure_mtu_needed,
            cipher_suite: link.cipher_suite.to_string(),
            confidentiality: link.confidentiality,
            confidentiality_offset: link.confidentiality_offset,
            sci: link.sci.to_string(),
            sectag_sci: sectag_sci(link.sectag_sci).to_string(),
            clear_vlan_tags: link.clear_vlan_tags,
            validate_frames: validate_frames(link.validate_frames).to_string(),
            replay: ReplayStatus::of(link.replay, link.duplicate_depth),
            tx_encoding: link.tx_encoding.map(|an| an.value()),
            tx_sas: link
                .tx_sas
                .iter()
                .map(|sa| TxSaStatus::of(link, sa))
                .collect(),
            rx_scs: link.rx_scs.iter().map(RxScStatus::of).collect(),
            an_changes: link.an_changes,
            mka: link.mka.as_ref().map(MkaStatus::of),
            alarms: alarms
                .map(|alarm| AlarmStatus {
                    name: alarm.name.to_string(),
                    text: alarm.text.clone(),
                })
                .collect(),
        }
    }
}

impl LaneStatus {
    fn of(mode: LaneMode, counters: &LaneCounters) -> Self {
        Self {
            mode: mode.name().to_string(),
            frames_in: counters.frames_in.value(),
            octets_in: counters.octets_in.value(),
            frames_out: counters.frames_out.value(),
            octets_out: counters.octets_out.value(),
            to_control: counters.to_control.value(),
            bypassed: counters.bypassed.value(),
            clear: counters.clear.value(),
            dropped: counters.dropped_total(),
        }
    }
}

impl ReplayStatus {
    fn of(replay: Replay, duplicate_depth: usize) -> Self {
        let (mode, window) = match replay {
            Replay::Off => ("off", 0),
            Replay::Strict => ("strict", 0),
            Replay::Window(window) => ("window", window),
        };
        let meaning = match replay {
            Replay::Off => String::from("late frames and duplicates are delivered"),
            Replay::Strict => {
                String::from("a frame is taken only if its packet number is above all before it")
            }
            Replay::Window(window) => format!(
                "packet numbers down to {window} below the next one are taken; duplicates are refused \
                 within the newest {duplicate_depth} only, beyond that the standard's rule alone holds"
            ),
        };
        Self {
            mode: mode.to_string(),
            window,
            duplicate_depth,
            meaning,
        }
    }
}

const fn sectag_sci(how: SectagSci) -> &'static str {
    match how {
        SectagSci::Explicit => "explicit",
        SectagSci::EndStation => "end-station",
        SectagSci::SingleCopyBroadcast => "single-copy-broadcast",
        SectagSci::None => "none",
    }
}

const fn validate_frames(validate: ValidateFrames) -> &'static str {
    match validate {
        ValidateFrames::Disabled => "disabled",
        ValidateFrames::Check => "check",
        ValidateFrames::Strict => "strict",
    }
}
