//! SAs in `status`.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use crate::bus::{LinkSnapshot, RxScView, TxSaView};

/// One transmit SA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxSaStatus {
    /// Association number.
    pub an: u8,
    /// Whether frames are protected with it.
    pub encoding: bool,
    /// Key identifier, in hex. It says which key, and nothing about its octets.
    pub key_identifier: String,
    /// The next packet number to send.
    pub next_pn: u64,
    /// The first packet number that the reservation on disk does not cover.
    pub reserved_until: u64,
    /// Whether so much of the space is used that a new key should be on its way.
    pub soft_threshold_passed: bool,
    /// SSCI, with XPN.
    pub ssci: Option<u32>,
}

/// One receive SC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RxScStatus {
    /// The peer's SCI.
    pub sci: String,
    /// Its SAs.
    pub sas: Vec<RxSaStatus>,
}

/// One receive SA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RxSaStatus {
    /// Association number.
    pub an: u8,
    /// Key identifier, in hex.
    pub key_identifier: String,
    /// One more than the highest packet number that was accepted.
    pub next_pn: u64,
    /// The lowest acceptable packet number.
    pub lowest_pn: u64,
    /// SSCI, with XPN.
    pub ssci: Option<u32>,
}

impl TxSaStatus {
    pub(super) fn of(link: &LinkSnapshot, sa: &TxSaView) -> Self {
        Self {
            an: sa.an.value(),
            encoding: link.tx_encoding == Some(sa.an),
            key_identifier: sa.ki.to_string(),
            next_pn: sa.next_pn.0,
            reserved_until: sa.reserved_until.0,
            soft_threshold_passed: sa.soft_threshold_passed,
            ssci: sa.ssci.map(|ssci| ssci.0),
        }
    }
}

impl RxScStatus {
    pub(super) fn of(sc: &RxScView) -> Self {
        let sas = sc.sas.iter().map(|sa| RxSaStatus {
            an: sa.an.value(),
            key_identifier: sa.ki.to_string(),
            next_pn: sa.next_pn.0,
            lowest_pn: sa.lowest_pn.0,
            ssci: sa.ssci.map(|ssci| ssci.0),
        });
        Self {
            sci: sc.sci.to_string(),
            sas: sas.collect(),
        }
    }
}
