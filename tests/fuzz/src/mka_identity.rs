//! A link's identity in MKA: what is read is what would be written.

use macsec_gateway::state::{identity_checked_again, with_checksum};

/// One input: the file, and the same text as the file's lines under a right checksum.
pub fn run(octets: &[u8]) {
    let read = |octets: &[u8]| match identity_checked_again(octets) {
        Ok(again) => assert_eq!(identity_checked_again(again.as_bytes()), Ok(again)),
        Err(error) => assert!(!error.to_string().is_empty()),
    };
    read(octets);
    if let Ok(body) = str::from_utf8(octets) {
        read(with_checksum(body).as_bytes());
    }
}
