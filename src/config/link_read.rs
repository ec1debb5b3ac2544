//! Reads and checks `[[link]]`.

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::time::Duration;

use arrayvec::ArrayVec;

use super::agreement_read::{Kind, contradict, open_mka, read_agreement, read_kind, read_profile};
use super::device::{Device, DeviceError};
use super::gateway::{NAME_RULE, is_name};
use super::keys::KeyReference;
use super::link::{AfterSecured, EncryptionMode, Link};
use super::mka_read::Terms;
use super::profile::Profile;
use super::profile::rules::Known;
use super::raw::{Field, Reader, Section};
use super::redact::quoted;
use super::secy_read::{
    read_bypass, read_protection, read_replay, read_sectag_sci, read_validate_frames,
};
use super::static_read::read_sci;
use super::utc::Utc;
use crate::ieee::{CipherSuite, Sci};

/// Keys of `[[link]]`.
pub(super) const LINK_KEYS: [&str; 29] = [
    "name",
    "plain",
    "secure",
    "mtu",
    "encryption",
    "after_secured",
    "clear_wait_s",
    "agreement",
    "profile",
    "sci",
    "cipher_suite",
    "confidentiality",
    "confidentiality_offset",
    "sectag_sci",
    "clear_vlan_tags",
    "replay",
    "replay_window",
    "duplicate_depth",
    "validate_frames",
    "pn_soft_threshold",
    "bypass",
    "protect_worker",
    "validate_worker",
    "protect_helpers",
    "validate_helpers",
    "plain_queues",
    "static",
    "mka",
    "cak",
];

/// How many crypto helpers a lane may have.
const HELPERS: RangeInclusive<i64> = 0..=32;

/// What a link is read against.
pub(super) struct Place<'a> {
    /// `$CREDENTIALS_DIRECTORY`.
    pub(super) credentials: Option<&'a OsStr>,
    /// Entries of `workers.cores`.
    pub(super) cores: usize,
    /// Entries of `workers.helper_cores`.
    pub(super) helper_cores: usize,
    /// The time of day, for the windows of keys.
    pub(super) now: Utc,
}

/// A link as read, with the places that the checks between links point at.
pub(super) struct ReadLink {
    name: Option<Field<String>>,
    devices: Vec<Field<Device>>,
    sci: Option<Field<Sci>>,
    helpers: [Field<usize>; 2],
    pub(super) tx_key: Option<Field<KeyReference>>,
    pub(super) rx_key: Option<Field<KeyReference>>,
    /// `None` where something that has no default is missing or wrong.
    pub(super) checked: Option<Link>,
}

pub(super) fn read_link(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    place: &Place<'_>,
) -> ReadLink {
    let name = read_name(reader, section);
    let plain = read_device(reader, section, "plain");
    let secure = read_device(reader, section, "secure");
    let modes = read_modes(reader, section);
    let kind = read_kind(reader, section, modes.encryption.value);
    let profile = read_profile(reader, section, kind);
    let mka = open_mka(reader, section, kind);
    check_clear(reader, profile, &modes.encryption);
    let suites = read_suites(reader, section, &mka, profile);
    let soft_threshold = if kind == Some(Kind::Mka) { 0.9 } else { 0.75 };
    let protection = read_protection(reader, section, &suites, profile, soft_threshold);
    let sci = read_own_sci(reader, section);
    let sectag_sci = read_sectag_sci(reader, section, sci.as_ref(), profile);
    let (replay, duplicate_depth) = read_replay(reader, section, &suites, profile);
    let suite = suites.first().copied().unwrap_or(CipherSuite::GcmAesXpn256);
    let terms = Terms {
        profile,
        encryption: modes.encryption.value,
        suites,
        confidentiality: protection.confidentiality,
        sectag_sci,
        pn_soft_threshold: protection.pn_soft_threshold.clone(),
        mka: &mka,
    };
    let agreed = read_agreement(reader, section, kind, suite, &terms, place);
    check_own_sci(reader, sci.as_ref(), agreed.static_keys.peer_sci.as_ref());
    let validate_frames = read_validate_frames(reader, section, modes.encryption.value);
    let bypass = read_bypass(reader, section, modes.encryption.value);
    let protect_worker = read_worker(reader, section, "protect_worker", place.cores);
    let validate_worker = read_worker(reader, section, "validate_worker", place.cores);
    let protect_helpers = section.number::<usize>(reader, "protect_helpers", HELPERS, 0);
    let validate_helpers = section.number::<usize>(reader, "validate_helpers", HELPERS, 0);
    let plain_queues = section.number::<u16>(reader, "plain_queues", 1..=16, 1);
    let mtu = section.number::<u16>(reader, "mtu", 68..=9600, 1500).value;
    let named = name.as_ref().zip(plain.as_ref().zip(secure.as_ref()));
    let checked = named.map(|(name, (plain, secure))| Link {
        name: name.value.clone(),
        plain: plain.value.clone(),
        secure: secure.value.clone(),
        mtu,
        encryption: modes.encryption.value,
        after_secured: modes.after_secured,
        clear_wait: modes.clear_wait,
        agreement: agreed.agreement,
        sci: sci.as_ref().map(|sci| sci.value),
        cipher_suite: suite,
        confidentiality: protection.confidentiality,
        sectag_sci,
        clear_vlan_tags: protection.clear_vlan_tags,
        replay,
        duplicate_depth,
        validate_frames,
        pn_soft_threshold: protection.pn_soft_threshold.value,
        bypass,
        protect_worker,
        validate_worker,
        protect_helpers: protect_helpers.value,
        validate_helpers: validate_helpers.value,
        plain_queues: plain_queues.value,
    });
    ReadLink {
        helpers: [protect_helpers, validate_helpers],
        name,
        devices: plain.into_iter().chain(secure).collect(),
        sci,
        tx_key: agreed.static_keys.tx_key,
        rx_key: agreed.static_keys.rx_key,
        checked,
    }
}

fn read_name(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Field<String>> {
    let name = section.required_text(reader, "name", NAME_RULE)?;
    if is_name(&name.value) {
        return Some(name);
    }
    reader.wrong(
        &name,
        format!("{} is no name", quoted(&name.value)),
        NAME_RULE,
    );
    None
}

fn read_device(reader: &mut Reader<'_>, section: &Section<'_>, key: &str) -> Option<Field<Device>> {
    let example = "a PCI address such as \"0000:03:00.0\", or a vdev such as \
                   \"net_af_packet0,iface=eth0\"";
    let text = section.required_text(reader, key, example)?;
    match Device::new(&text.value) {
        Ok(device) => Some(text.with(device)),
        Err(error) => {
            let right = if error == DeviceError::Unknown && is_name(&text.value) {
                let index = u8::from(key == "secure");
                format!(
                    "for a kernel's interface write \"net_af_packet{index},iface={}\"",
                    text.value
                )
            } else {
                example.to_owned()
            };
            reader.wrong(&text, format!("{} {error}", quoted(&text.value)), right);
            None
        }
    }
}

struct Modes {
    encryption: Field<EncryptionMode>,
    after_secured: AfterSecured,
    clear_wait: Duration,
}

fn read_modes(reader: &mut Reader<'_>, section: &Section<'_>) -> Modes {
    let choices = [
        EncryptionMode::MustEncrypt,
        EncryptionMode::ShouldEncrypt,
        EncryptionMode::NoEncrypt,
    ]
    .map(|mode| (mode.name(), mode));
    let encryption = section.choice(reader, "encryption", &choices, EncryptionMode::MustEncrypt);
    let choices = [
        ("clear", AfterSecured::Clear),
        ("close", AfterSecured::Close),
    ];
    let after_secured = section.choice(reader, "after_secured", &choices, AfterSecured::Clear);
    let clear_wait = section.number::<u32>(reader, "clear_wait_s", 0..=86_400, 6);
    let places = [after_secured.with(()), clear_wait.with(())];
    for field in places.iter().filter(|field| field.given) {
        if encryption.value != EncryptionMode::ShouldEncrypt {
            let what = format!("this has no effect with {}", encryption.value.name());
            let right = "it is for encryption = \"should_encrypt\"; leave it out";
            reader.warn(field, what, right);
        }
    }
    Modes {
        encryption,
        after_secured: after_secured.value,
        clear_wait: Duration::from_secs(clear_wait.value.into()),
    }
}

/// Refuses clear frames towards a cloud that has none.
fn check_clear(reader: &mut Reader<'_>, profile: Profile, encryption: &Field<EncryptionMode>) {
    if let Known::Fixed(words) = profile.rules().carries_clear.known
        && encryption.value == EncryptionMode::ShouldEncrypt
    {
        contradict(reader, profile, encryption, encryption.value.name(), words);
    }
}

/// `cipher_suite`, and behind it what `[link.mka]` accepts besides.
fn read_suites(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    mka: &Section<'_>,
    profile: Profile,
) -> ArrayVec<CipherSuite, 4> {
    let rules = profile.rules().suites;
    let choices = CipherSuite::ALL.map(|suite| (suite.name(), suite));
    let first = section.choice(reader, "cipher_suite", &choices, rules.preferred);
    let others = mka.choices(reader, "accept_cipher_suites", &choices);
    let mut suites = ArrayVec::new();
    for suite in [&first].into_iter().chain(&others) {
        if !rules.taken.contains(&suite.value) {
            contradict(reader, profile, suite, suite.value.name(), rules.rule);
        }
        if suites.contains(&suite.value) {
            let what = format!("{} is accepted already", suite.value);
            reader.wrong(suite, what, "each suite once; `cipher_suite` always is");
        } else {
            suites.push(suite.value);
        }
    }
    if mka.find("accept_cipher_suites").is_none() {
        suites.extend(rules.besides(first.value));
    }
    suites
}

fn read_own_sci(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Field<Sci>> {
    let text = section.text(reader, "sci", "");
    if text.value.is_empty() {
        return None;
    }
    read_sci(reader, &text)
}

fn check_own_sci(reader: &mut Reader<'_>, own: Option<&Field<Sci>>, peer: Option<&Field<Sci>>) {
    let Some(sci) = own else { return };
    if peer.is_some_and(|peer| peer.value == sci.value) {
        let what = format!("the own SCI {} is the peer's, too", sci.value);
        let right = "each side has an SCI of its own; leave `sci` out to use the secure port's \
                     address";
        reader.wrong(sci, what, right);
    }
}

fn read_worker(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    key: &str,
    cores: usize,
) -> Option<usize> {
    let field = section.number::<i32>(reader, key, -1..=1023, -1);
    let index = usize::try_from(field.value).ok()?;
    if index < cores {
        return Some(index);
    }
    let (what, right) = if cores == 0 {
        (
            format!("`{key}` is {index}, but [workers] lists no `cores`"),
            "-1 to have the lanes spread, or list the workers' CPUs in `cores`".to_owned(),
        )
    } else {
        (
            format!("`{key}` is {index}, but there are only {cores} workers"),
            format!("an index into `cores`, 0 to {}, or -1", cores - 1),
        )
    };
    reader.wrong(&field, what, right);
    None
}

/// Each helper has a CPU of its own, where the config names CPUs for them.
pub(super) fn check_helpers(reader: &mut Reader<'_>, links: &[ReadLink], place: &Place<'_>) {
    let mut wanted = 0;
    for helpers in links.iter().flat_map(|link| &link.helpers) {
        let had = wanted;
        wanted += helpers.value;
        if place.helper_cores > 0 && had <= place.helper_cores && wanted > place.helper_cores {
            let what = format!(
                "so far the lanes want {wanted} helpers, and `helper_cores` in [workers] lists {} CPUs",
                place.helper_cores
            );
            reader.wrong(helpers, what, "list more CPUs, or want fewer helpers");
        }
    }
}

/// What only the links together can have wrong: one name, or one port, in two places.
pub(super) fn check_between(reader: &mut Reader<'_>, links: &[ReadLink]) {
    let mut names: Vec<&Field<String>> = Vec::new();
    for name in links.iter().filter_map(|link| link.name.as_ref()) {
        if names.iter().any(|other| other.value == name.value) {
            let what = format!("two links are named {}", quoted(&name.value));
            reader.wrong(name, what, "each link has a name of its own");
        }
        names.push(name);
    }
    let mut devices: Vec<&Field<Device>> = Vec::new();
    for device in links.iter().flat_map(|link| &link.devices) {
        let other = devices
            .iter()
            .find(|other| other.value.is_same_port(&device.value));
        if let Some(other) = other {
            let name = device.value.name();
            let what = match device.value.interface() {
                Some(interface) if name != other.value.name() => {
                    format!("`{}` already stands on {}", other.key, quoted(interface))
                }
                _ => format!("{} is already the port `{}`", quoted(&name), other.key),
            };
            reader.wrong(device, what, "each side of each link has a port of its own");
        }
        devices.push(device);
    }
    check_scis(reader, links);
}

/// Two links with one SCI and key agreement: where their wires meet, each would take the other for
/// its own reflection.
fn check_scis(reader: &mut Reader<'_>, links: &[ReadLink]) {
    for (index, link) in links.iter().enumerate() {
        let (Some(checked), Some(sci)) = (&link.checked, &link.sci) else {
            continue;
        };
        let earlier = links.iter().take(index).filter_map(|l| l.checked.as_ref());
        let same = |other: &&Link| {
            other.sci == checked.sci && (other.mka().is_some() || checked.mka().is_some())
        };
        if let Some(other) = earlier.into_iter().find(same) {
            let what = format!("link {} has the SCI {}, too", other.name, sci.value);
            let right = "each link has an SCI of its own; leave `sci` out to use the secure port's \
                         address";
            reader.wrong(sci, what, right);
        }
    }
}
