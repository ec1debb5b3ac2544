//! Another member of the CA, as we know it.

use crate::{
    ieee::Sci,
    mka::{
        Mi, Mn, Time,
        pdu::{Capability, SakUse, Xpn},
    },
};

/// A peer: what its last MKPDU said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mka) struct Peer {
    /// Its member identifier.
    pub(in crate::mka) mi: Mi,
    /// Its SCI.
    pub(in crate::mka) sci: Sci,
    /// The number of its last MKPDU.
    pub(in crate::mka) mn: Mn,
    /// Its key server priority.
    pub(in crate::mka) priority: u8,
    /// Its Key Server bit.
    pub(in crate::mka) key_server: bool,
    /// It wants MACsec.
    pub(in crate::mka) macsec_desired: bool,
    /// What its SecY can do.
    pub(in crate::mka) capability: Capability,
    /// Its MKA version.
    pub(in crate::mka) version: u8,
    /// When its last MKPDU was taken.
    pub(in crate::mka) heard: Time,
    /// The last SAK Use that it sent; a MKPDU without one leaves it.
    pub(in crate::mka) sak_use: Option<SakUse>,
    /// The XPN set beside that SAK Use.
    pub(in crate::mka) xpn: Option<Xpn>,
}
