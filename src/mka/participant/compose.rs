//! What a MKPDU says (802.1X-2020 11.11).

use arrayvec::ArrayVec;

use crate::mka::{
    MAX_PEERS, Mi,
    pdu::{Capability, DistributedSak, SakUse, Xpn},
};

/// The parts of a MKPDU that the KaY decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mka) struct KeyPart {
    /// The Key Server bit: we are, or may become, the key server.
    pub(in crate::mka) key_server: bool,
    /// We want MACsec.
    pub(in crate::mka) macsec_desired: bool,
    /// What our SecY can do.
    pub(in crate::mka) capability: Capability,
    /// Which keys we use.
    pub(in crate::mka) sak_use: Option<SakUse>,
    /// The key that we distribute.
    pub(in crate::mka) distributed: Option<DistributedSak>,
    /// Upper halves of the lowest packet numbers.
    pub(in crate::mka) xpn: Option<Xpn>,
    /// MKA version 3 with an XPN suite: our SSCI's low octet, and the live list's order. Live peers that it
    /// leaves out come behind; members of it that are not live are left out.
    pub(in crate::mka) ssci_order: Option<(u8, ArrayVec<Mi, MAX_PEERS>)>,
}
