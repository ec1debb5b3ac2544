//! The management API and the metrics' HTTP endpoint: the two sockets that operators touch.
//!
//! `control.sock` in the runtime directory speaks versioned JSON, a line each way; TCP serves what
//! Prometheus scrapes. Both answer from control's newest snapshot and say its age, so that no reader
//! ever waits for control, nor control for a reader. Reading and state-changing verbs stand in two
//! tables with two rules for who may use them. Every request is bounded in size and time.
//!
//! Each socket has one thread that polls; there is no thread per connection and nothing is shared.

mod access;
mod client;
mod connection;
mod control_socket;
mod counters;
mod door;
mod http;
mod read_only;
mod reply;
mod request;
mod serve;
mod socket_file;
mod state_changing;
mod status;

pub use client::{AskError, ask, ask_as, ask_rekey};
pub use counters::{
    Counters, Counts, LaneCounts, LinkCounters, RxScCount, SaCount, TxScCount, WorkerCounts,
};
#[cfg(fuzzing)]
pub use http::requested_path;
pub use read_only::Version;
pub use reply::{ErrorCode, ErrorReply};
pub use request::{Call, parse};
pub use serve::{ApiConfig, ApiError, ApiThreads, serve};
pub use status::{
    AlarmStatus, CakStatus, CaptureStatus, ClockStatus, EngineStatus, HelperStatus,
    KeyServerStatus, LaneStatus, LinkStatus, LossStatus, MkaCounts, MkaKeyStatus, MkaStatus,
    ParticipantCounts, PeerStatus, PortStatus, ReloadStatus, ReplayStatus, RxSaStatus, RxScStatus,
    Status, TxSaStatus, WorkerStatus,
};

/// The version of requests and replies.
pub const API_VERSION: u64 = 1;

/// Octets of the longest request, newline included.
pub const LONGEST_REQUEST: usize = 64 * 1024;
