//! Another member of the CA, as we know it.

use crate::{
    ieee::{MacAddr, Sci},
    mka::{
        Mi, Mn, Time,
        pdu::{Capability, Mkpdu, SakUse, Xpn},
    },
};

/// A peer: what its last MKPDU said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mka) struct Peer {
    /// Its member identifier.
    pub(in crate::mka) mi: Mi,
    /// Its SCI.
    pub(in crate::mka) sci: Sci,
    /// The source address of its last MKPDU.
    pub(in crate::mka) source: MacAddr,
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
    /// The last SAK Use that it sent; a MKPDU without one leaves it, because wpa_supplicant sends its
    /// first Distributed SAK without, and others send none until they have a key.
    pub(in crate::mka) sak_use: Option<SakUse>,
    /// The XPN set beside that SAK Use.
    pub(in crate::mka) xpn: Option<Xpn>,
}

impl Peer {
    /// The sender of a MKPDU, as that shows it.
    pub(super) fn new(now: Time, source: MacAddr, pdu: &Mkpdu) -> Self {
        let basic = &pdu.basic;
        Self {
            mi: basic.mi,
            sci: basic.sci,
            source,
            mn: basic.mn,
            priority: basic.priority,
            key_server: basic.key_server,
            macsec_desired: basic.macsec_desired,
            capability: basic.capability,
            version: basic.version,
            heard: now,
            sak_use: pdu.sak_use,
            xpn: pdu.xpn,
        }
    }

    /// Goes on as its next MKPDU shows it.
    pub(super) fn update(&mut self, next: Self) {
        let before = core::mem::replace(self, next);
        if self.sak_use.is_none() {
            self.sak_use = before.sak_use;
            self.xpn = before.xpn;
        }
    }
}
