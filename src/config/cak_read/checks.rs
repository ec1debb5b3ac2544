//! What the entries of a keychain can have wrong between them: names, keys, number and windows.

use super::Entry;
use crate::config::agreement_read::contradict;
use crate::config::key_windows::{self, Window};
use crate::config::profile::Profile;
use crate::config::profile::rules::Fallback;
use crate::config::raw::Reader;
use crate::config::utc::Utc;
use crate::crypto::Fingerprint;
use crate::mka::MAX_CAKS;

/// Where `entry` is, for a message about another one.
fn named(entry: &Entry) -> String {
    format!("`{}`", entry.table.key)
}

pub(super) fn check_names(reader: &mut Reader<'_>, entries: &[Entry]) {
    for (index, entry) in entries.iter().enumerate() {
        let Some(ckn) = &entry.ckn else { continue };
        let earlier = |same: fn(&[u8], &[u8]) -> bool| {
            entries.iter().take(index).find(|earlier| {
                let earlier = earlier.ckn.as_ref();
                earlier.is_some_and(|earlier| same(earlier.value.octets(), ckn.value.octets()))
            })
        };
        if let Some(earlier) = earlier(|a, b| a == b) {
            let what = format!("this CKN already names the CAK of {}", named(earlier));
            let right = "each CAK has a name of its own: it says which one a peer means";
            reader.wrong(ckn, what, right);
        } else if let Some(earlier) = earlier(|a, b| trimmed(a) == trimmed(b)) {
            let what = format!(
                "this CKN is that of {} but for zeros at its end",
                named(earlier)
            );
            let right = "MKA derives keys from both alike, and a peer that pads names takes one for \
                         the other: give it another name";
            reader.warn(ckn, what, right);
        }
    }
}

/// A CKN without the zeros that key derivation pads it with.
fn trimmed(ckn: &[u8]) -> &[u8] {
    let zeros = ckn.iter().rev().take_while(|&&octet| octet == 0).count();
    ckn.split_at(ckn.len() - zeros).0
}

pub(super) fn check_keys(reader: &mut Reader<'_>, entries: &[Entry]) {
    for (index, entry) in entries.iter().enumerate() {
        if let Some(cak) = &entry.cak {
            let same = |earlier: &&Entry| {
                let earlier = earlier.cak.as_ref();
                earlier.is_some_and(|earlier| earlier.value == cak.value)
            };
            if let Some(earlier) = entries.iter().take(index).find(same) {
                let what = format!("this CAK is that of {} under another name", named(earlier));
                let right = "a new name makes no new key: macsecgw keygen cak makes one";
                reader.wrong(cak, what, right);
            }
        }
        if let Some(ckn) = &entry.ckn {
            let own = Fingerprint::of_octets(ckn.value.octets());
            let caks = entries.iter().filter_map(|entry| entry.cak.as_ref());
            if caks.into_iter().any(|cak| cak.value == own) {
                let what = "this CKN is a CAK: names travel in clear, so that anyone could read it";
                let right = "make a new pair, macsecgw keygen cak, and never use this key again";
                reader.wrong(ckn, what, right);
            }
        }
    }
}

pub(super) fn check_fallback(reader: &mut Reader<'_>, entries: &[Entry], profile: Profile) {
    let fallbacks: Vec<&Entry> = entries.iter().filter(|e| e.fallback.value).collect();
    if let [first, second, ..] = fallbacks.as_slice() {
        let what = format!("{} is the fallback already", named(first));
        let right = "a link has one; take `fallback` out of the others";
        reader.wrong(&second.fallback, what, right);
    }
    for entry in &fallbacks {
        if let Fallback::Refused(words) = profile.rules().keys.fallback {
            contradict(reader, profile, &entry.fallback, "true", words);
        }
        for edge in [&entry.start, &entry.end] {
            if edge.given {
                let what = "a fallback with a window";
                let right = "it is what remains when windows are wrong: take the time out";
                reader.wrong(edge, what, right);
            }
        }
    }
    if let [only] = fallbacks.as_slice()
        && entries.len() == 1
    {
        let what = "the only CAK is a fallback";
        let right = "take `fallback` out, or add the CAK that it stands in for";
        reader.wrong(&only.fallback, what, right);
    }
}

pub(super) fn check_count(reader: &mut Reader<'_>, entries: &[Entry], profile: Profile) {
    let rules = profile.rules().keys;
    let besides = matches!(rules.fallback, Fallback::Besides);
    let counted: Vec<&Entry> = entries
        .iter()
        .filter(|entry| !(besides && entry.fallback.value))
        .collect();
    let Some(held) = rules.held else { return };
    if let Some(over) = counted.get(held + rules.rotating) {
        let what = format!(
            "{} CAKs, against the profile {}",
            counted.len(),
            profile.name()
        );
        let right = format!("{}: {}", profile.cloud(), rules.rule);
        reader.wrong(&over.table, what, right);
    } else if let Some(extra) = counted.get(held) {
        let what = format!(
            "{} CAKs, and {} holds fewer",
            counted.len(),
            profile.cloud()
        );
        let right = format!(
            "{}; one more is for the change of keys: take the old one out after it",
            rules.rule
        );
        reader.warn(&extra.table, what, right);
    }
}

/// A cloud's own calendar.
pub(super) fn check_starts(reader: &mut Reader<'_>, entries: &[Entry], profile: Profile) {
    let rules = profile.rules().keys;
    let Some(apart) = rules.starts_apart else {
        return;
    };
    let right = format!("{}: {}", profile.cloud(), rules.rule);
    let mut last: Option<Utc> = None;
    let several = entries.iter().filter(|entry| !entry.fallback.value).count() > 1;
    for entry in entries.iter().filter(|entry| !entry.fallback.value) {
        if entry.end.given {
            let what = format!("an end, against the profile {}", profile.name());
            reader.wrong(&entry.end, what, right.clone());
        }
        match (entry.start.value, last) {
            (None, _) if several && !entry.is_misread() => {
                let what = "one of several CAKs, without `start`";
                reader.wrong(&entry.table, what, right.clone());
            }
            (Some(start), Some(before)) if start.0.saturating_sub(before.0) < apart => {
                let what = format!("a start less than {} h after {before}", apart / 3600);
                reader.wrong(&entry.start, what, right.clone());
            }
            _ => {}
        }
        last = entry.start.value.or(last);
    }
}

pub(super) fn check_windows(
    reader: &mut Reader<'_>,
    entries: &[Entry],
    hard_expiry: bool,
    now: Utc,
) {
    let windows: Vec<Window> = entries
        .iter()
        .map(|entry| Window {
            start: entry.start.value,
            end: entry.end.value,
            fallback: entry.fallback.value,
        })
        .collect();
    // A window that could not be read would seem to be without bounds.
    if entries.iter().any(|entry| entry.is_misread()) {
        return;
    }
    for (index, trouble) in key_windows::check(&windows, now, hard_expiry, MAX_CAKS) {
        let Some(entry) = entries.get(index) else {
            continue;
        };
        let (what, right) = trouble.words();
        let field = if trouble.at_start() {
            &entry.start
        } else {
            &entry.end
        };
        if trouble.refuses() {
            reader.wrong(field, what, right);
        } else {
            reader.warn(field, what, right);
        }
    }
}
