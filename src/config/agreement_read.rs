//! Reads `agreement` and `profile`: where a link's keys come from, and what its other end demands.

use super::link::{Agreement, EncryptionMode};
use super::link_read::Place;
use super::mka_read::{MKA_KEYS, Terms, read_mka};
use super::profile::Profile;
use super::profile::rules::{Known, Rule};
use super::raw::{Field, Reader, Section};
use super::static_read::{ReadStatic, STATIC_KEYS, read_static};
use crate::ieee::CipherSuite;

/// Where keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Static,
    Mka,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Mka => "mka",
        }
    }
}

/// What in `[[link]]` belongs to one kind, and how it is written.
const BELONGS: [(&str, &str, Kind); 4] = [
    ("static", "[link.static]", Kind::Static),
    ("mka", "[link.mka]", Kind::Mka),
    ("cak", "[[link.cak]]", Kind::Mka),
    ("profile", "`profile`", Kind::Mka),
];

/// `agreement`, or what the rest of the link makes of a missing one. `None`: no keys.
pub(super) fn read_kind(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    encryption: EncryptionMode,
) -> Option<Kind> {
    let choices = [Kind::Mka, Kind::Static].map(|kind| (kind.word(), Some(kind)));
    let agreement = section.choice(reader, "agreement", &choices, None);
    let mut given = BELONGS
        .into_iter()
        .filter(|(key, _, _)| section.find(key).is_some());
    if section.find("agreement").is_none() {
        let Some((key, written, kind)) = given.next() else {
            if encryption != EncryptionMode::NoEncrypt {
                let what = format!("`agreement` is missing, and {} needs it", encryption.name());
                let right = "`agreement = \"mka\"` with a [[link.cak]], or \"static\" with a table \
                             [link.static]";
                reader.wrong(&agreement, what, right);
            }
            return None;
        };
        let place = section.place(key);
        let right = format!("add `agreement = \"{}\"` to the link", kind.word());
        reader.wrong(&place, format!("{written} without `agreement`"), right);
        return Some(kind);
    }
    let kind = agreement.value?;
    for (key, written, other) in given.filter(|&(_, _, other)| other != kind) {
        let place = section.place(key);
        if key == "cak" && section.find(key).is_some_and(|v| !v.get_ref().is_array()) {
            let right = "no key stands in a config: put it into a file of mode 0600, and name that \
                         with `cak_file` in [[link.cak]]";
            reader.wrong(
                &place,
                "a value behind `cak`, which is a list of tables",
                right,
            );
            continue;
        }
        let what = format!("{written} with agreement = \"{}\"", kind.word());
        let right = format!("leave it out, or `agreement = \"{}\"`", other.word());
        reader.wrong(&place, what, right);
    }
    Some(kind)
}

/// `profile`. Static keys have none: any end may have them.
pub(super) fn read_profile(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    kind: Option<Kind>,
) -> Profile {
    if kind != Some(Kind::Mka) {
        return Profile::Generic;
    }
    let choices = Profile::ALL.map(|profile| (profile.name(), profile));
    section
        .choice(reader, "profile", &choices, Profile::Generic)
        .value
}

/// Notes where `field` says other than the profile's cloud takes.
pub(super) fn hold<T: Copy + PartialEq + core::fmt::Display>(
    reader: &mut Reader<'_>,
    profile: Profile,
    field: &Field<T>,
    rule: &Rule<T>,
) {
    if let Known::Fixed(words) = rule.known
        && field.given
        && field.value != rule.value
    {
        contradict(reader, profile, field, &field.value.to_string(), words);
    }
}

/// Notes that the value of `field`, as `shown`, is against the rule of the profile's cloud.
pub(super) fn contradict<T>(
    reader: &mut Reader<'_>,
    profile: Profile,
    field: &Field<T>,
    shown: &str,
    rule: &str,
) {
    let key = field.key.rsplit('.').next().unwrap_or_default();
    let what = format!("`{key}` is {shown}, against the profile {}", profile.name());
    reader.wrong(field, what, format!("{}: {rule}", profile.cloud()));
}

/// What was agreed on, with the places that the checks between links point at.
pub(super) struct ReadAgreement {
    pub(super) agreement: Option<Agreement>,
    pub(super) static_keys: ReadStatic,
}

/// The table that goes with `kind`.
pub(super) fn read_agreement(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    kind: Option<Kind>,
    suite: CipherSuite,
    terms: &Terms<'_>,
    place: &Place<'_>,
) -> ReadAgreement {
    let mut read = ReadAgreement {
        agreement: None,
        static_keys: ReadStatic::default(),
    };
    match kind {
        None => {}
        Some(Kind::Mka) => {
            let mka = read_mka(reader, section, terms, place);
            read.agreement = mka.map(|mka| Agreement::Mka(Box::new(mka)));
        }
        Some(Kind::Static) => {
            let keys = section.section(reader, "static", &STATIC_KEYS);
            if section.find("static").is_none() {
                let field = section.place("agreement");
                let right = "add the table, with `peer_sci`, `tx_sak_file` and `rx_sak_file`";
                let what = "`agreement` is static, but there is no [link.static]";
                reader.wrong(&field, what, right);
            } else if keys.given {
                read.static_keys = read_static(reader, &keys.value, suite, place.credentials);
                read.agreement = read.static_keys.keys.take().map(Agreement::Static);
            }
        }
    }
    read
}

/// The table `[link.mka]`, open; one without keys where it is absent or not wanted.
pub(super) fn open_mka<'t>(
    reader: &mut Reader<'_>,
    section: &Section<'t>,
    kind: Option<Kind>,
) -> Section<'t> {
    if kind == Some(Kind::Mka) {
        section.section(reader, "mka", &MKA_KEYS).value
    } else {
        section.none("mka")
    }
}
