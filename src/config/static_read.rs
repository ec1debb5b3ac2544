//! Reads and checks `[link.static]`.

use std::ffi::OsStr;

use super::key_read::read_source;
use super::keys::{self, KeyReference};
use super::link::{StaticKeys, StaticSa};
use super::raw::{Field, Reader, Section};
use super::redact::quoted;
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
#[derive(Default)]
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
    let source = read_source(reader, section, &format!("{direction}_sak"), credentials)?;
    match keys::read(&source.value, suite) {
        Ok((_, fingerprint)) => Some(source.with(KeyReference {
            source: source.value.clone(),
            suite,
            fingerprint,
        })),
        Err(error) => {
            let what = format!("{error} ({})", source.value.path().display());
            reader.wrong(&source, what, error.remedy(&source.value, suite));
            None
        }
    }
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
