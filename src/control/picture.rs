//! A link's part of the snapshot.

use super::{alarms, link::LinkControl, tx_use::TxUse};
use crate::{
    bus::{LinkSnapshot, RxScView, Secured},
    config::{Agreement, EncryptionMode},
    macsec::{ETHERNET_HEADER_LEN, longest_secure_frame},
};

/// The link as an operator sees it.
pub(super) fn of_link(link: &LinkControl) -> LinkSnapshot {
    let config = &link.config;
    LinkSnapshot {
        name: config.name.clone(),
        plain: link.plain.view(),
        secure: link.secure.view(),
        encryption: config.encryption.name(),
        agreement: config.agreement.as_ref().map_or("none", Agreement::name),
        secured: secured(link),
        controlled_port_open: link.is_open(),
        reason: link
            .stance
            .map_or("starting", |stance| stance.why.sentence())
            .to_owned(),
        protect_mode: link.protect.now,
        validate_mode: link.validate.now,
        cipher_suite: config.cipher_suite,
        confidentiality: config.confidentiality.encrypts(),
        confidentiality_offset: u8::try_from(config.confidentiality.offset()).unwrap_or(0),
        sci: link.parts.own_sci,
        sectag_sci: config.sectag_sci,
        clear_vlan_tags: config.clear_vlan_tags,
        replay: config.replay,
        duplicate_depth: config.duplicate_depth as usize,
        validate_frames: config.validate_frames,
        mtu: config.mtu,
        secure_mtu_needed: secure_mtu_needed(config.mtu),
        tx_encoding: link.agreement.encoding().map(|used| used.an),
        // Installed is what a worker said is: an operator waits for it before the peer changes over.
        tx_sas: link
            .agreement
            .tx
            .iter()
            .filter(|used| used.installed)
            .map(TxUse::view)
            .collect(),
        rx_scs: link
            .parts
            .rx_scs
            .iter()
            .map(|(sci, counters)| RxScView {
                sci: *sci,
                sas: link
                    .agreement
                    .rx
                    .iter()
                    .filter(|used| used.installed && used.sci == *sci)
                    .map(super::rx_use::RxUse::view)
                    .collect(),
                counters: counters.clone(),
            })
            .collect(),
        alarms: alarms::standing(link),
        an_changes: link.agreement.changes(),
        mka: None,
        protect: link.parts.protect.clone(),
        validate: link.parts.validate.clone(),
        tx_counters: link.parts.tx_counters.clone(),
        rx_counters: link.parts.rx_counters.clone(),
    }
}

/// What the secure port must take behind the Ethernet header.
fn secure_mtu_needed(mtu: u16) -> u16 {
    let needed = longest_secure_frame(usize::from(mtu)) - ETHERNET_HEADER_LEN;
    u16::try_from(needed).unwrap_or(u16::MAX)
}

fn secured(link: &LinkControl) -> Secured {
    match link.config.encryption {
        EncryptionMode::NoEncrypt => Secured::NotWanted,
        _ if link.agreement.is_secured() => Secured::Yes,
        _ => Secured::No,
    }
}
