//! What changed in a link's key agreement by MKA. Nearly all of it is applied to the live session.

use super::{Change, Changes};
use crate::config::{ChainKey, Link, Mka};
use crate::ieee::Ckn;

pub(super) fn compare(changes: &mut Changes, link: &Link, old: &Mka, new: &Mka) {
    let key = |name: &str| format!("link {}: {name}", link.name);
    if old.policy.ethertype != new.policy.ethertype {
        let why = "the lanes look for it from the start";
        changes.restart(key("mka.eapol_ethertype"), why);
    }
    if old.keep_saks != new.keep_saks {
        let why = "what outlives a restart is opened at the start";
        changes.restart(key("mka.keep_saks_dir"), why);
    }
    compare_keychain(changes, link, old, new);
    let settled = settled(old, new);
    let settings = |mka: &Mka| (mka.profile, mka.hard_expiry);
    if settled.policy != old.policy || settings(&settled) != settings(old) {
        changes.applied.push(Change::KeyAgreement {
            link: link.name.clone(),
        });
    }
}

/// `new` with what only a restart brings as it is in `old`.
pub(super) fn settled(old: &Mka, new: &Mka) -> Mka {
    let mut settled = new.clone();
    let (policy, running) = (&mut settled.policy, &old.policy);
    // Its first one is `cipher_suite`, which the secure channel in use was made with.
    if policy.suites.first() != running.suites.first() {
        policy.suites.clone_from(&running.suites);
    }
    policy.protection = running.protection;
    policy.ethertype = running.ethertype;
    settled.keep_saks.clone_from(&old.keep_saks);
    settled
}

fn compare_keychain(changes: &mut Changes, link: &Link, old: &Mka, new: &Mka) {
    let of = |ckn: &Ckn| (link.name.clone(), ckn.clone());
    let mut removed = Vec::new();
    // What comes is told before what goes: so it is done, and the link is never without a key.
    for (index, key) in new.keychain.iter().enumerate() {
        let (link, ckn) = of(&key.ckn);
        let Some(before) = find(old, &key.ckn) else {
            changes.applied.push(Change::CakAdded { link, ckn });
            continue;
        };
        if before.cak.fingerprint != key.cak.fingerprint {
            let why = "this CKN names another CAK in the running gateway: give the new CAK a CKN of \
                       its own (macsecgw keygen cak)";
            changes.refuse(format!("link {link}: cak[{index}]"), why);
        } else if (before.start, before.end, before.fallback) != (key.start, key.end, key.fallback)
        {
            changes.applied.push(Change::CakChanged { link, ckn });
        }
    }
    for key in &old.keychain {
        if find(new, &key.ckn).is_none() {
            let (link, ckn) = of(&key.ckn);
            removed.push(Change::CakRemoved { link, ckn });
        }
    }
    changes.applied.extend(removed);
    if order(old, new) != order(new, old) {
        changes.applied.push(Change::CakOrder {
            link: link.name.clone(),
        });
    }
}

fn find<'m>(mka: &'m Mka, ckn: &Ckn) -> Option<&'m ChainKey> {
    mka.keychain.iter().find(|key| key.ckn == *ckn)
}

/// The names of `mka` that `other` has, too, by age, without the fallback.
fn order<'m>(mka: &'m Mka, other: &Mka) -> Vec<&'m Ckn> {
    let in_both = |key: &&ChainKey| {
        !key.fallback && find(other, &key.ckn).is_some_and(|found| !found.fallback)
    };
    let mut keys: Vec<_> = mka.keychain.iter().filter(in_both).collect();
    keys.sort_by_key(|key| key.rank);
    keys.into_iter().map(|key| &key.ckn).collect()
}
