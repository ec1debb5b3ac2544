//! Reads and checks `[[link]]`.

use std::ffi::OsStr;
use std::time::Duration;

use super::device::{Device, DeviceError};
use super::gateway::{NAME_RULE, is_name};
use super::keys::KeyReference;
use super::link::{AfterSecured, Agreement, EncryptionMode, Link};
use super::raw::{Field, Reader, Section};
use super::redact::quoted;
use super::secy_read::{
    read_bypass, read_protection, read_replay, read_sectag_sci, read_validate_frames,
};
use super::static_read::{ReadStatic, STATIC_KEYS, read_sci, read_static};
use crate::ieee::{CipherSuite, Sci};

/// Keys of `[[link]]`.
pub(super) const LINK_KEYS: [&str; 23] = [
    "name",
    "plain",
    "secure",
    "mtu",
    "encryption",
    "after_secured",
    "clear_wait_s",
    "agreement",
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
    "static",
];

/// What a link is read against.
pub(super) struct Place<'a> {
    /// `$CREDENTIALS_DIRECTORY`.
    pub(super) credentials: Option<&'a OsStr>,
    /// Entries of `workers.cores`.
    pub(super) cores: usize,
}

/// A link as read, with the places that the checks between links point at.
pub(super) struct ReadLink {
    name: Option<Field<String>>,
    devices: Vec<Field<Device>>,
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
    let suite = read_suite(reader, section);
    let agreed = read_agreement(reader, section, modes.encryption, suite, place);
    let sci = read_own_sci(reader, section, agreed.peer_sci.as_ref());
    let sectag_sci = read_sectag_sci(reader, section, sci.as_ref());
    let protection = read_protection(reader, section, suite);
    let (replay, duplicate_depth) = read_replay(reader, section, suite);
    let validate_frames = read_validate_frames(reader, section, modes.encryption);
    let bypass = read_bypass(reader, section, modes.encryption);
    let protect_worker = read_worker(reader, section, "protect_worker", place.cores);
    let validate_worker = read_worker(reader, section, "validate_worker", place.cores);
    let mtu = section.number::<u16>(reader, "mtu", 68..=9600, 1500).value;
    let named = name.as_ref().zip(plain.as_ref().zip(secure.as_ref()));
    let checked = named.map(|(name, (plain, secure))| Link {
        name: name.value.clone(),
        plain: plain.value.clone(),
        secure: secure.value.clone(),
        mtu,
        encryption: modes.encryption,
        after_secured: modes.after_secured,
        clear_wait: modes.clear_wait,
        agreement: agreed.keys.map(Agreement::Static),
        sci: sci.map(|sci| sci.value),
        cipher_suite: suite,
        confidentiality: protection.confidentiality,
        sectag_sci,
        clear_vlan_tags: protection.clear_vlan_tags,
        replay,
        duplicate_depth,
        validate_frames,
        pn_soft_threshold: protection.pn_soft_threshold,
        bypass,
        protect_worker,
        validate_worker,
    });
    ReadLink {
        name,
        devices: plain.into_iter().chain(secure).collect(),
        tx_key: agreed.tx_key,
        rx_key: agreed.rx_key,
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
    encryption: EncryptionMode,
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
    let encryption = section
        .choice(reader, "encryption", &choices, EncryptionMode::MustEncrypt)
        .value;
    let choices = [
        ("clear", AfterSecured::Clear),
        ("close", AfterSecured::Close),
    ];
    let after_secured = section.choice(reader, "after_secured", &choices, AfterSecured::Clear);
    let clear_wait = section.number::<u32>(reader, "clear_wait_s", 0..=86_400, 6);
    let places = [after_secured.with(()), clear_wait.with(())];
    for field in places.iter().filter(|field| field.given) {
        if encryption != EncryptionMode::ShouldEncrypt {
            let what = format!("this has no effect with {}", encryption.name());
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

fn read_suite(reader: &mut Reader<'_>, section: &Section<'_>) -> CipherSuite {
    let choices = CipherSuite::ALL.map(|suite| (suite.name(), suite));
    section
        .choice(reader, "cipher_suite", &choices, CipherSuite::GcmAesXpn256)
        .value
}

/// `agreement`, and the table that goes with it.
fn read_agreement(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    encryption: EncryptionMode,
    suite: CipherSuite,
    place: &Place<'_>,
) -> ReadStatic {
    let agreement = section.choice(reader, "agreement", &[("static", Some(()))], None);
    let table = section.find("static");
    let wanted = encryption != EncryptionMode::NoEncrypt;
    if agreement.given || table.is_some() {
        let keys = section.section(reader, "static", &STATIC_KEYS);
        if !agreement.given && section.find("agreement").is_none() {
            let what = "[link.static] without `agreement`";
            reader.wrong(&keys, what, "add `agreement = \"static\"` to the link");
        }
        if table.is_none() {
            let right = "add the table, with `peer_sci`, `tx_sak_file` and `rx_sak_file`";
            reader.wrong(
                &agreement,
                "`agreement` is static, but there is no [link.static]",
                right,
            );
        } else if keys.given {
            return read_static(reader, &keys.value, suite, place.credentials);
        }
    } else if wanted && section.find("agreement").is_none() {
        let what = format!("`agreement` is missing, and {} needs it", encryption.name());
        reader.wrong(
            &agreement,
            what,
            "`agreement = \"static\"` and a table [link.static]",
        );
    }
    ReadStatic {
        keys: None,
        peer_sci: None,
        tx_key: None,
        rx_key: None,
    }
}

fn read_own_sci(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    peer: Option<&Field<Sci>>,
) -> Option<Field<Sci>> {
    let text = section.text(reader, "sci", "");
    if text.value.is_empty() {
        return None;
    }
    let sci = read_sci(reader, &text)?;
    if peer.is_some_and(|peer| peer.value == sci.value) {
        let what = format!("the own SCI {} is the peer's, too", sci.value);
        let right = "each side has an SCI of its own; leave `sci` out to use the secure port's \
                     address";
        reader.wrong(&sci, what, right);
    }
    Some(sci)
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
}
