//! Reads and checks `[[link.cak]]`: the keychain of a link.

mod checks;

use checks::{check_count, check_fallback, check_keys, check_names, check_starts, check_windows};

use super::key_read::read_source;
use super::key_windows;
use super::keys::{self, CakReference, KeySource};
use super::link_read::Place;
use super::mka::ChainKey;
use super::profile::Profile;
use super::profile::rules::{Known, Lengths};
use super::profile::table::{cak_digits, digits};
use super::raw::{Field, Reader, Section};
use super::utc::Utc;
use crate::crypto::{Cak, Fingerprint};
use crate::ieee::{Ckn, CknError};

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
