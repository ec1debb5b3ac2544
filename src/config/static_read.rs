//! Reads and checks `[link.static]`.

use std::ffi::OsStr;
use std::path::Path;

use super::keys::{self, KeyReference, KeySource};
use super::link::{StaticKeys, StaticSa};
use super::raw::{Field, Reader, Section};
use super::redact::{self, quoted};
use crate::ieee::{An, CipherSuite, Salt, Sci, Ssci, decode_hex};
use crate::macsec::XpnParams;

/// Keys of `[link.static]`.
pub(super) const STATIC_KEYS: [&str; 10] = [
    "peer_sci",
    "tx_sak_file",
    "tx_sak_credential",
    "tx_an",
    "rx_sak_file",
    "rx_sak_credential",
    "rx_an",
    "tx_ssci",
    "rx_ssci",
    "salt",
];

/// The keys as read, with the places that the checks between links point at.
pub(super) struct ReadStatic {
    pub(super) keys: Option<StaticKeys>,
    pub(super) peer_sci: Option<Field<Sci>>,
    pub(super) tx_key: Option<Field<KeyReference>>,
    pub(super) rx_key: Option<Field<KeyReference>>,
}

/// Reads the table. `credentials` is `$CREDENTIALS_DIRECTORY`.
pub(super) fn read_static(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    suite: CipherSuite,
    credentials: Option<&OsStr>,
) -> ReadStatic {
    let right = "the SCI that the peer transmits with, such as \"02:00:00:00:00:02/1\"";
    let peer_sci = section
        .required_text(reader, "peer_sci", right)
        .and_then(|text| read_sci(reader, &text));
    let tx_key = read_key(reader, section, "tx", suite, credentials);
    let rx_key = read_key(reader, section, "rx", suite, credentials);
    let tx_an = section.number::<u8>(reader, "tx_an", 0..=3, 0);
    let rx_an = section.number::<u8>(reader, "rx_an", 0..=3, 0);
    let xpn = read_xpn(reader, section, suite);
    let sa = |an: u8, key: &Option<Field<KeyReference>>, xpn: Option<XpnParams>| {
        Some(StaticSa {
            an: An::new(an)?,
            key: key.as_ref()?.value.clone(),
            xpn,
        })
    };
    let (tx_xpn, rx_xpn) = xpn.map_or((None, None), |(tx, rx)| (Some(tx), Some(rx)));
    let complete = !suite.is_xpn() || tx_xpn.is_some();
    let keys = sa(tx_an.value, &tx_key, tx_xpn)
        .zip(sa(rx_an.value, &rx_key, rx_xpn))
        .zip(peer_sci.as_ref())
        .filter(|_| complete)
        .map(|((tx, rx), peer_sci)| StaticKeys {
            peer_sci: peer_sci.value,
            tx,
            rx,
        });
    ReadStatic {
        keys,
        peer_sci,
        tx_key,
        rx_key,
    }
}

/// An SCI that a station can have.
pub(super) fn read_sci(reader: &mut Reader<'_>, text: &Field<String>) -> Option<Field<Sci>> {
    let right = "an SCI is an address and a port number, such as \"02:00:00:00:00:01/1\"";
    let Ok(sci) = text.value.parse::<Sci>() else {
        reader.wrong(
            text,
            format!("{} is not an SCI", quoted(&text.value)),
            right,
        );
        return None;
    };
    let [first, ..] = sci.address().0;
    if sci.address().0 == [0; 6] || first & 1 == 1 {
        let what = format!("{} is no station's address", quoted(&text.value));
        let right = "an SCI has the address of one port: not all zeros, and no group address";
        reader.wrong(text, what, right);
        return None;
    }
    Some(text.with(sci))
}

/// The key of one direction, from `tx_sak_file` or `tx_sak_credential` (or `rx_...`).
fn read_key(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    direction: &str,
    suite: CipherSuite,
    credentials: Option<&OsStr>,
) -> Option<Field<KeyReference>> {
    let (file_key, credential_key) = (
        format!("{direction}_sak_file"),
        format!("{direction}_sak_credential"),
    );
    let file = section.text(reader, &file_key, "");
    let credential = section.text(reader, &credential_key, "");
    let (has_file, has_credential) = (
        section.find(&file_key).is_some(),
        section.find(&credential_key).is_some(),
    );
    let text = match (has_file, has_credential) {
        (true, false) => file,
        (false, true) => credential,
        (true, true) => {
            let what = format!("both `{file_key}` and `{credential_key}` are given");
            reader.wrong(
                &credential,
                what,
                "keep the one that the key is to come from",
            );
            return None;
        }
        (false, false) => {
            let what = format!("`{file_key}` is missing in `{}`", section.path);
            let right = format!("the name of a key file, or `{credential_key}`");
            reader.wrong(&file, what, right);
            return None;
        }
    };
    if !text.given || !check_names_a_place(reader, &text) {
        return None;
    }
    let source = if has_file {
        KeySource::File(reader.source.directory().join(&text.value))
    } else {
        credential_source(reader, &text, credentials)?
    };
    match keys::read(&source, suite) {
        Ok((_, fingerprint)) => Some(text.with(KeyReference {
            source,
            suite,
            fingerprint,
        })),
        Err(error) => {
            let path = source.path();
            let what = format!("{error} ({})", path.display());
            reader.wrong(&text, what, error.remedy(&source, suite));
            None
        }
    }
}

/// Refuses a key, or nothing, where the place of a key belongs.
fn check_names_a_place(reader: &mut Reader<'_>, text: &Field<String>) -> bool {
    if redact::looks_like_key(&text.value) {
        let what = "a key where the name of a key's place belongs";
        let right = "put the key into a file of mode 0600 and name that; take the key out of the \
                     config, and think of making a new one";
        reader.wrong(text, what, right);
        return false;
    }
    if text.value.is_empty() || text.value.contains('\0') {
        let what = format!("{} names no key", quoted(&text.value));
        reader.wrong(text, what, "such as \"keys/dx1-tx.sak\"");
        return false;
    }
    true
}

fn credential_source(
    reader: &mut Reader<'_>,
    name: &Field<String>,
    credentials: Option<&OsStr>,
) -> Option<KeySource> {
    if name.value.contains('/') || name.value.starts_with('.') {
        let what = format!("{} is not a credential's name", quoted(&name.value));
        let right = "the name that LoadCredential= gives it, without a path";
        reader.wrong(name, what, right);
        return None;
    }
    let Some(directory) = credentials else {
        let what = "a systemd credential, but $CREDENTIALS_DIRECTORY is not set";
        let right = format!(
            "start the gateway from a unit with LoadCredential={}:FILE, or name a key file",
            name.value
        );
        reader.wrong(name, what, right);
        return None;
    };
    Some(KeySource::Credential {
        name: name.value.clone(),
        path: Path::new(directory).join(&name.value),
    })
}

/// SSCIs and salt of both directions. `None` without XPN, and where one of them is wrong.
fn read_xpn(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    suite: CipherSuite,
) -> Option<(XpnParams, XpnParams)> {
    let keys = ["tx_ssci", "rx_ssci", "salt"];
    if !suite.is_xpn() {
        for key in keys {
            if let Some(value) = section.find(key) {
                let field = Field {
                    span: value.span(),
                    ..section.default(key, ())
                };
                let what = format!("`{key}` is for XPN suites, and this one is {suite}");
                reader.wrong(&field, what, format!("leave `{key}` out"));
            }
        }
        return None;
    }
    for key in keys.into_iter().filter(|key| section.find(key).is_none()) {
        let what = format!("`{key}` is missing in `{}`", section.path);
        let right = format!("{suite} needs `tx_ssci`, `rx_ssci` and `salt`");
        reader.wrong(&section.default(key, ()), what, right);
    }
    let tx = section.number::<u32>(reader, "tx_ssci", 1..=0xffff_ffff, 0);
    let rx = section.number::<u32>(reader, "rx_ssci", 1..=0xffff_ffff, 0);
    let salt = section.text(reader, "salt", "");
    let mut octets = [0; 12];
    if salt.given
        && let Err(error) = decode_hex(salt.value.as_bytes(), &mut octets)
    {
        let right = "24 hexadecimal digits, the same on both sides";
        reader.wrong(&salt, format!("`salt` is not one: {error}"), right);
        return None;
    }
    if tx.given && rx.given && tx.value == rx.value {
        let what = format!("`tx_ssci` and `rx_ssci` are both {}", tx.value);
        let right = "the two sides have different SSCIs; the peer's are the other way round";
        reader.wrong(&rx, what, right);
        return None;
    }
    let nonce = |ssci| XpnParams {
        ssci: Ssci(ssci),
        salt: Salt(octets),
    };
    (tx.given && rx.given && salt.given).then(|| (nonce(tx.value), nonce(rx.value)))
}
