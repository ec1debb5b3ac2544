//! The text of a key file, for each suite and for a CAK.

use macsec_gateway::config::keys;
use macsec_gateway::crypto::Fingerprint;
use macsec_gateway::ieee::CipherSuite;

/// One input: the file.
pub fn run(octets: &[u8]) {
    for suite in [CipherSuite::GcmAes128, CipherSuite::GcmAesXpn256] {
        match keys::decode(octets, suite) {
            Ok((sak, fingerprint)) => {
                assert_eq!(sak.expose().len(), suite.sak_len());
                assert_eq!(fingerprint, Fingerprint::of(&sak));
                assert!(octets.len() >= 2 * suite.sak_len());
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    match keys::decode_cak(octets) {
        Ok(cak) => assert!(matches!(cak.expose().len(), 16 | 32)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
