//! The verbs that read. Whoever may connect may use them; they touch nothing but a snapshot.

use alloc::string::{String, ToString};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{API_VERSION, Counters, ErrorReply, Status, reply::body};
use crate::{bus::Snapshot, metrics::VERSION};

/// A verb that reads.
#[derive(Debug)]
pub(super) struct ReadVerb {
    /// Its name on the wire.
    pub(super) name: &'static str,
    pub(super) answer: fn(Sight<'_>) -> Result<Value, ErrorReply>,
}

/// What is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) now: Instant,
}

/// All of them.
pub(super) const VERBS: &[ReadVerb] = &[
    ReadVerb {
        name: "status",
        answer: |sight| body(&Status::of(sight)),
    },
    ReadVerb {
        name: "counters",
        answer: |sight| body(&Counters::of(sight)),
    },
    ReadVerb {
        name: "version",
        answer: |sight| body(&Version::of(sight)),
    },
];

/// What runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The API's version.
    pub v: u64,
    /// The gateway's name.
    pub gateway: String,
    /// This program's release.
    pub version: String,
    /// The DPDK release in use.
    pub dpdk_version: String,
}

impl Version {
    fn of(sight: Sight<'_>) -> Self {
        Self {
            v: API_VERSION,
            gateway: sight.snapshot.gateway.clone(),
            version: VERSION.to_string(),
            dpdk_version: sight.snapshot.dpdk_version.clone(),
        }
    }
}
