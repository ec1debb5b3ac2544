//! MKPDUs (802.1X-2020 11.11): frames to values, and back.
//!
//! [`Received::parse`] reads a frame as far as it can be read without a key, [`Received::verify`] checks
//! its ICV and gives its parameter sets, [`encode`] makes a frame of them. Each set has a file of its
//! own. What is sent is the one form that every peer takes; what is heard is wider: sets in any order,
//! types that we don't know, a second set of one type (ignored), later MKA versions.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod announcement;
mod basic;
mod distributed_cak;
mod distributed_sak;
mod encode;
mod frame;
#[cfg(fuzzing)]
mod fuzzed;
mod icv_indicator;
mod kmd;
mod peer_list;
mod received;
mod sak_use;
mod set;
#[cfg(test)]
mod tests;
mod xpn;

pub use announcement::{AnnouncedSuites, Announcement, Tlv, Tlvs};
pub use basic::{Basic, Capability};
pub use distributed_cak::DistributedCak;
pub use distributed_sak::{DistributedKey, DistributedSak, SuiteField};
pub use encode::encode;
pub use frame::{Envelope, FRAME_MAX, Frame};
#[cfg(fuzzing)]
pub use fuzzed::set_again;
pub use kmd::Kmd;
pub use peer_list::PeerList;
pub use received::Received;
pub use sak_use::{KeyUse, SakUse};
pub use xpn::Xpn;

/// The parameter sets of one MKPDU. For one that was received: after its ICV was found right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mkpdu {
    /// Who sends, and of which CA.
    pub basic: Basic,
    /// Type 1.
    pub live: Option<PeerList>,
    /// Type 2.
    pub potential: Option<PeerList>,
    /// Type 3.
    pub sak_use: Option<SakUse>,
    /// Type 4.
    pub distributed_sak: Option<DistributedSak>,
    /// Type 5 was there; nothing is done with it.
    pub distributed_cak: bool,
    /// Type 6, unless it is longer than it may be; nothing is done with it.
    pub kmd: Option<Kmd>,
    /// Type 7; nothing is done with it.
    pub announcement: Option<Announcement>,
    /// Type 8.
    pub xpn: Option<Xpn>,
    /// Type 255 was there, or is to be sent.
    pub icv_indicator: bool,
}

impl Mkpdu {
    /// A MKPDU of the basic parameter set alone.
    pub const fn new(basic: Basic) -> Self {
        Self {
            basic,
            live: None,
            potential: None,
            sak_use: None,
            distributed_sak: None,
            distributed_cak: false,
            kmd: None,
            announcement: None,
            xpn: None,
            icv_indicator: false,
        }
    }
}
