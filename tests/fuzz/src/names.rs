//! The identifiers that operators type: what is read is what would be shown.

use std::fmt::Display;
use std::str::FromStr;

use macsec_gateway::crypto::Fingerprint;
use macsec_gateway::ieee::{CipherSuite, MacAddr, Sci, decode_hex};

/// One input: the text.
pub fn run(octets: &[u8]) {
    let mut out = [0; 12];
    let _ = decode_hex(octets, &mut out);
    let text = String::from_utf8_lossy(octets);
    round::<Sci>(&text);
    round::<MacAddr>(&text);
    round::<CipherSuite>(&text);
    round::<Fingerprint>(&text);
}

fn round<T: FromStr + Display + PartialEq>(text: &str)
where
    T::Err: Display,
{
    match text.parse::<T>() {
        Ok(value) => assert!(
            value
                .to_string()
                .parse::<T>()
                .is_ok_and(|again| again == value)
        ),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
