//! A link's part of the snapshot.

use std::time::Instant;

use super::{
    alarms,
    link::LinkControl,
    mka::{self, Clock},
    rx_use::RxUse,
    tx_use::TxUse,
};
use crate::{
    bus::{LinkSnapshot, RxScView, Secured, TxSaView},
    config::{Agreement, EncryptionMode},
    ieee::An,
    macsec::{ETHERNET_HEADER_LEN, longest_secure_frame},
};

/// The link as an operator sees it.
pub(super) fn of_link(link: &LinkControl, now: Instant, clock: &Clock) -> LinkSnapshot {
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
        tx_encoding: encoding(link),
        tx_sas: tx_sas(link),
        rx_scs: rx_scs(link),
        alarms: alarms::standing(link, now, clock),
        an_changes: match &link.mka {
            Some(session) => session.sas.changes(),
            None => link.agreement.changes(),
        },
        mka: link
            .mka
            .as_ref()
            .map(|session| mka::of_session(session, link.falls_to_clear, now, clock)),
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
        _ if link.is_secured() => Secured::Yes,
        _ => Secured::No,
    }
}

fn encoding(link: &LinkControl) -> Option<An> {
    match &link.mka {
        Some(session) => session.sas.encoding().map(|used| used.held.id().an),
        None => link.agreement.encoding().map(|used| used.an),
    }
}

/// Installed is what a worker said is: an operator waits for it before the peer changes over.
fn tx_sas(link: &LinkControl) -> Vec<TxSaView> {
    let Some(session) = &link.mka else {
        let installed = link.agreement.tx.iter().filter(|used| used.installed);
        return installed.map(TxUse::view).collect();
    };
    let standing = session.sas.tx.iter().filter(|used| used.held.stands());
    let soft_at = |space| link.config.pn_soft_threshold.of(space);
    standing
        .map(|used| used.view(soft_at(used.held.key.suite.pn_space())))
        .collect()
}

fn rx_scs(link: &LinkControl) -> Vec<RxScView> {
    let Some(session) = &link.mka else {
        let view = |sci| {
            let all = link.agreement.rx.iter();
            let installed = all.filter(|used| used.installed && used.sci == sci);
            installed.map(RxUse::view).collect()
        };
        let channels = link.parts.rx_scs.iter();
        return channels
            .map(|(sci, counters)| RxScView {
                sci: *sci,
                sas: view(*sci),
                counters: counters.clone(),
            })
            .collect();
    };
    let view = |sci| {
        let all = session.sas.rx.iter();
        let standing = all.filter(|used| used.held.stands() && used.peer == sci);
        standing.map(mka::AgreedRx::view).collect()
    };
    let channels = session.sas.channels.iter();
    channels
        .map(|(sci, counters)| RxScView {
            sci,
            sas: view(sci),
            counters: counters.clone(),
        })
        .collect()
}
