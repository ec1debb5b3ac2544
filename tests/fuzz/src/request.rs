//! A line on the control socket.

use macsec_gateway::api;

/// One input: the line.
pub fn run(octets: &[u8]) {
    match api::parse(octets) {
        Ok(call) => assert!(!call.verb().is_empty()),
        // What comes back is short and moves no cursor, whatever was asked.
        Err(refusal) => {
            assert!(refusal.text.len() < 1000 && !refusal.text.contains(char::is_control));
        }
    }
}
