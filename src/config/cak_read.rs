//! Reads and checks `[[link.cak]]`: the keychain of a link.

use super::agreement_read::contradict;
use super::key_read::read_source;
use super::key_windows::{self, Window};
use super::keys::{self, CakReference, KeySource};
use super::link_read::Place;
use super::mka::ChainKey;
use super::profile::Profile;
use super::profile::rules::{Fallback, Known, Lengths};
use super::profile::table::{cak_digits, digits};
use super::raw::{Field, Reader, Section};
use super::utc::Utc;
use crate::crypto::{Cak, Fingerprint};
use crate::ieee::{Ckn, CknError};
use crate::mka::MAX_CAKS;

/// Keys of `[[link.cak]]`.
pub(super) const CAK_KEYS: [&str; 6] = [
    "ckn",
    "cak_file",
    "cak_credential",
    "start",
    "end",
    "fallback",
];

/// More entries than this are a mistake, and checks between them take their square.
const MAX_ENTRIES: usize = 128;

/// An entry as read.
struct Entry {
    table: Field<()>,
    ckn: Option<Field<Ckn>>,
    /// What is told of the key alone: no two names have one.
    cak: Option<Field<Fingerprint>>,
    reference: Option<CakReference>,
    start: Field<Option<Utc>>,
    end: Field<Option<Utc>>,
    fallback: Field<bool>,
}

impl Entry {
    /// Whether one of its times is there and is none.
    fn is_misread(&self) -> bool {
        let misread = |edge: &Field<Option<Utc>>| !edge.given && edge.span != self.table.span;
        misread(&self.start) || misread(&self.end)
    }
}

/// The keychain of the link in `section`; `strongest`: octets of the longest SAK that it may get.
pub(super) fn read_keychain(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    profile: Profile,
    strongest: Option<usize>,
    hard_expiry: bool,
    place: &Place<'_>,
) -> Option<Vec<ChainKey>> {
    let wanted = "a list of tables, each opened by [[link.cak]], with `ckn` and the `cak_file` that \
                  the key is in";
    let tables = section.sections(reader, "cak", wanted, &CAK_KEYS);
    if tables.is_empty() {
        let list = section.find("cak").map(|found| found.get_ref().as_array());
        if list.is_none_or(|list| list.is_some_and(|list| list.is_empty())) {
            let field = section.place("agreement");
            let what = "`agreement` is mka, but there is no [[link.cak]]";
            let right = "add one, with `ckn` and `cak_file`: macsecgw keygen cak makes a pair";
            reader.wrong(&field, what, right);
        }
        return None;
    }
    if let Some(over) = tables.get(MAX_ENTRIES) {
        let what = format!("{} CAKs on one link", tables.len());
        let right = format!("at most {MAX_ENTRIES}; take out those whose time is over");
        reader.wrong(&over.default("ckn", ()), what, right);
    }
    let entries: Vec<Entry> = tables
        .iter()
        .take(MAX_ENTRIES)
        .map(|table| read_entry(reader, table, profile, strongest, place))
        .collect();
    check_names(reader, &entries);
    check_keys(reader, &entries);
    check_fallback(reader, &entries, profile);
    check_count(reader, &entries, profile);
    check_starts(reader, &entries, profile);
    check_windows(reader, &entries, hard_expiry, place.now);
    chain(&entries)
}

fn read_entry(
    reader: &mut Reader<'_>,
    table: &Section<'_>,
    profile: Profile,
    strongest: Option<usize>,
    place: &Place<'_>,
) -> Entry {
    let cak = read_cak(reader, table, profile, place);
    let octets = cak.as_ref().map(|cak| cak.value.1.expose().len());
    let ckn = read_ckn(reader, table, profile, octets);
    if let (Some(cak), Some(octets), Some(strongest)) = (&cak, octets, strongest)
        && octets < strongest
    {
        let what = "a CAK of 128 bits, which carries SAKs of 256: they are no stronger than it";
        let right = "make one of 256 bits: macsecgw keygen cak; or a suite of 128 bits";
        reader.warn(cak, what, right);
    }
    Entry {
        table: Field {
            span: table.span.clone(),
            key: table.path.clone(),
            given: true,
            value: (),
        },
        reference: ckn.as_ref().zip(cak.as_ref()).map(|(ckn, cak)| {
            let (source, cak) = &cak.value;
            CakReference {
                source: source.clone(),
                ckn: ckn.value.clone(),
                octets: cak.expose().len(),
                fingerprint: Fingerprint::of_pair(&ckn.value, cak),
            }
        }),
        ckn,
        cak: cak.map(|cak| cak.with(Fingerprint::of_octets(cak.value.1.expose()))),
        start: table.moment(reader, "start"),
        end: table.moment(reader, "end"),
        fallback: table.flag(reader, "fallback", false),
    }
}

fn read_cak(
    reader: &mut Reader<'_>,
    table: &Section<'_>,
    profile: Profile,
    place: &Place<'_>,
) -> Option<Field<(KeySource, Cak)>> {
    let source = read_source(reader, table, "cak", place.credentials)?;
    let cak = match keys::read_cak(&source.value) {
        Ok(cak) => cak,
        Err(error) => {
            let what = format!("{error} ({})", source.value.path().display());
            reader.wrong(&source, what, error.cak_remedy(&source.value));
            return None;
        }
    };
    let octets = cak.expose().len();
    let lengths = &profile.rules().cak;
    if let Some(words) = outside(lengths, octets) {
        let what = format!(
            "the CAK has {} digits where the profile {} has {}",
            2 * octets,
            profile.name(),
            cak_digits(lengths)
        );
        reader.wrong(&source, what, format!("{}: {words}", profile.cloud()));
        return None;
    }
    Some(source.with((source.value.clone(), cak)))
}

/// The rule that `octets` are against.
fn outside(lengths: &Lengths, octets: usize) -> Option<&'static str> {
    match lengths.known {
        Known::Fixed(words) if !(lengths.least..=lengths.most).contains(&octets) => Some(words),
        _ => None,
    }
}

fn read_ckn(
    reader: &mut Reader<'_>,
    table: &Section<'_>,
    profile: Profile,
    cak_octets: Option<usize>,
) -> Option<Field<Ckn>> {
    let right =
        "the name of the CAK, the same at the other end: 2 to 64 hexadecimal digits in quotes";
    let text = table.required_text(reader, "ckn", right)?;
    let ckn = match text.value.parse::<Ckn>() {
        Ok(ckn) => ckn,
        Err(error) => {
            let what = match error {
                // An odd or long text may be a key in the wrong place: it is not shown.
                CknError::Length(octets) => format!("{octets} octets are no CKN"),
                CknError::Digits => "this is no CKN".to_owned(),
            };
            reader.wrong(&text, what, error.to_string());
            return None;
        }
    };
    let octets = ckn.octets().len();
    let lengths = &profile.rules().ckn;
    let apart = profile.rules().keys.of_one_length && cak_octets.is_some_and(|cak| cak != octets);
    if outside(lengths, octets).is_some() || apart {
        let what = format!(
            "the CKN has {} digits where the profile {} has {}",
            2 * octets,
            profile.name(),
            if apart {
                "as many as the CAK".to_owned()
            } else {
                digits(lengths)
            }
        );
        let words = match lengths.known {
            Known::Fixed(words) => words,
            _ => "",
        };
        reader.wrong(&text, what, format!("{}: {words}", profile.cloud()));
        return None;
    }
    Some(text.with(ckn))
}

/// Where `entry` is, for a message about another one.
fn named(entry: &Entry) -> String {
    format!("`{}`", entry.table.key)
}

fn check_names(reader: &mut Reader<'_>, entries: &[Entry]) {
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

fn check_keys(reader: &mut Reader<'_>, entries: &[Entry]) {
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

fn check_fallback(reader: &mut Reader<'_>, entries: &[Entry], profile: Profile) {
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

fn check_count(reader: &mut Reader<'_>, entries: &[Entry], profile: Profile) {
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
fn check_starts(reader: &mut Reader<'_>, entries: &[Entry], profile: Profile) {
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

fn check_windows(reader: &mut Reader<'_>, entries: &[Entry], hard_expiry: bool, now: Utc) {
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

/// The keychain, with ranks. `None` where an entry could not be read.
fn chain(entries: &[Entry]) -> Option<Vec<ChainKey>> {
    let windows: Vec<_> = entries
        .iter()
        .map(|entry| (entry.fallback.value, entry.start.value))
        .collect();
    entries
        .iter()
        .zip(key_windows::ranks(&windows))
        .map(|(entry, rank)| {
            Some(ChainKey {
                ckn: entry.ckn.as_ref()?.value.clone(),
                cak: entry.reference.clone()?,
                start: entry.start.value,
                end: entry.end.value,
                fallback: entry.fallback.value,
                rank,
            })
        })
        .collect()
}
