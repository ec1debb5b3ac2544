//! Live and potential peer lists (802.1X-2020 figure 11-9).

use arrayvec::ArrayVec;

use crate::mka::{MAX_PEERS, Mi, Mn};

/// Members that the sender hears, or has heard of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerList {
    /// Live list of MKA version 3 beside an XPN SAK: the low octet of the key server's SSCI; else 0.
    pub key_server_ssci: u8,
    /// Members, each with the number of its message that was taken last. A longer list is cut here.
    pub peers: ArrayVec<(Mi, Mn), MAX_PEERS>,
}
