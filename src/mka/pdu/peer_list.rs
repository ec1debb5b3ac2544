//! Live and potential peer lists (802.1X-2020 figure 11-9).

use arrayvec::ArrayVec;

use super::{
    Frame,
    set::{self, Set, kind, put},
};
use crate::mka::{Discard, MAX_PEERS, Mi, Mn};

/// Octets of one entry: a member identifier and a message number.
const ENTRY_LEN: usize = 16;

/// Members that the sender hears, or has heard of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerList {
    /// Live list of MKA version 3 beside an XPN SAK: the low octet of the key server's SSCI; else 0.
    pub key_server_ssci: u8,
    /// Members, each with the number of its message that was taken last. A longer list is cut here.
    pub peers: ArrayVec<(Mi, Mn), MAX_PEERS>,
}

impl PeerList {
    /// Reads either list. A body that is no multiple of 16 octets is malformed.
    pub(super) fn parse(set: Set<'_>) -> Result<Self, Discard> {
        let (entries, []) = set.body.as_chunks::<ENTRY_LEN>() else {
            return Err(Discard::Malformed);
        };
        let is_live = set.kind == kind::LIVE;
        Ok(Self {
            key_server_ssci: if is_live { set.flags } else { 0 },
            peers: entries.iter().take(MAX_PEERS).copied().map(entry).collect(),
        })
    }

    /// Appends the list under its type, [`kind::LIVE`] or [`kind::POTENTIAL`].
    pub(super) fn emit(&self, kind: u8, out: &mut Frame) -> Option<()> {
        let is_live = kind == kind::LIVE;
        let ssci = if is_live { self.key_server_ssci } else { 0 };
        set::emit(out, [kind, ssci, 0], |out| {
            self.peers.iter().try_for_each(|(mi, mn)| {
                put(out, &mi.0)?;
                put(out, &mn.0.to_be_bytes())
            })
        })
    }
}

/// One member.
fn entry(octets: [u8; ENTRY_LEN]) -> (Mi, Mn) {
    let [mi @ .., a, b, c, d] = octets;
    (Mi(mi), Mn(u32::from_be_bytes([a, b, c, d])))
}
