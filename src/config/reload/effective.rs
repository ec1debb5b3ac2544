//! The config that a gateway runs with after a reload: the old one with what can change live.

use super::{Change, mka};
use crate::config::{Config, Link};

/// `running` with what `applied` takes from `new`.
pub fn effective(running: &Config, new: &Config, applied: &[Change]) -> Config {
    let mut effective = running.clone();
    for change in applied {
        let name = change.link();
        let target = effective.links.iter_mut().find(|link| link.name == name);
        let source = new.links.iter().find(|link| link.name == name);
        if let (Some(link), Some(new)) = (target, source) {
            take(link, new, change);
        }
    }
    for link in &mut effective.links {
        if let Some(new) = new.links.iter().find(|new| new.name == link.name) {
            take_keychain(link, new);
        }
    }
    effective
}

fn take(link: &mut Link, new: &Link, change: &Change) {
    match change {
        Change::TxSa { .. } | Change::RxSa { .. } => {
            let (Some(keys), Some(new)) = (link.static_keys_mut(), new.static_keys()) else {
                return;
            };
            if matches!(change, Change::TxSa { .. }) {
                keys.tx.clone_from(&new.tx);
            } else {
                keys.rx.clone_from(&new.rx);
            }
        }
        Change::EncryptionMode { .. } => {
            link.encryption = new.encryption;
            link.after_secured = new.after_secured;
            link.clear_wait = new.clear_wait;
        }
        Change::Replay { .. } => link.replay = new.replay,
        Change::ValidateFrames { .. } => link.validate_frames = new.validate_frames,
        Change::SoftThreshold { .. } => link.pn_soft_threshold = new.pn_soft_threshold,
        Change::Bypass { .. } => link.bypass.clone_from(&new.bypass),
        Change::KeyAgreement { .. } => {
            if let (Some(old), Some(new)) = (link.mka_mut(), new.mka()) {
                *old = mka::settled(old, new);
            }
        }
        Change::CakAdded { .. }
        | Change::CakChanged { .. }
        | Change::CakRemoved { .. }
        | Change::CakOrder { .. } => {}
    }
}

/// The keychain is taken whole, also where only a key file moved: a key is read when its time comes.
fn take_keychain(link: &mut Link, new: &Link) {
    if let (Some(old), Some(new)) = (link.mka_mut(), new.mka()) {
        old.keychain.clone_from(&new.keychain);
    }
}
