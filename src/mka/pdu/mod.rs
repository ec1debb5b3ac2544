//! MKPDUs (802.1X-2020 11.11): their parameter sets, as values.

mod basic;
mod distributed_sak;
mod frame;
mod peer_list;
mod sak_use;
mod xpn;

pub use basic::{Basic, Capability};
pub use distributed_sak::{DistributedKey, DistributedSak, SuiteField};
pub use frame::{FRAME_MAX, Frame};
pub use peer_list::PeerList;
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
    /// Type 8.
    pub xpn: Option<Xpn>,
    /// Type 255 was there, or is to be sent.
    pub icv_indicator: bool,
}
