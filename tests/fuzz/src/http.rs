//! The head of a request to the metrics' endpoint.

/// One input: the head.
pub fn run(octets: &[u8]) {
    if let Some(path) = macsec_gateway::api::requested_path(octets) {
        assert!(!path.contains(['?', ' ', '\n']));
    }
}
