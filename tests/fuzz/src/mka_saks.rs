//! A file of SAKs: what is read would be written octet for octet.

use macsec_gateway::state::saks_checked_again;

/// One input: the file without its checksum.
pub fn run(octets: &[u8]) {
    match saks_checked_again(octets) {
        Ok((whole, again)) => assert!(whole == again, "another file would be written"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
