//! The verbs that change something. Only root and the gateway's own user may use them, and control
//! alone does what they ask.

use alloc::string::String;

use crate::control::Request;

/// A verb that changes something.
#[derive(Debug)]
pub(super) struct ChangeVerb {
    /// Its name on the wire.
    pub(super) name: &'static str,
    /// Its fields, each a text and none to be left out.
    pub(super) fields: &'static [&'static str],
    /// The request, from the fields' values in their order.
    pub(super) request: fn(&[String]) -> Request,
}

/// All of them.
pub(super) const VERBS: &[ChangeVerb] = &[
    ChangeVerb {
        name: "reload",
        fields: &[],
        request: |_| Request::Reload,
    },
    ChangeVerb {
        name: "rekey",
        fields: &["link"],
        request: |fields| Request::Rekey {
            link: fields.first().cloned().unwrap_or_default(),
        },
    },
];
