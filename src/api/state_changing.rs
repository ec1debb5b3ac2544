//! The verbs that change something. Only root and the gateway's own user may use them, and control
//! alone does what they ask.

use crate::control::Request;

/// A verb that changes something.
#[derive(Debug)]
pub(super) struct ChangeVerb {
    /// Its name on the wire.
    pub(super) name: &'static str,
    pub(super) request: fn() -> Request,
}

/// All of them.
pub(super) const VERBS: &[ChangeVerb] = &[ChangeVerb {
    name: "reload",
    request: || Request::Reload,
}];
