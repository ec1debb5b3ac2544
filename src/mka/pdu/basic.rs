//! The basic parameter set (802.1X-2020 figure 11-8).

use crate::{
    ieee::{Ckn, Sci},
    mka::{Mi, Mn},
};

/// Who sends, and of which CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basic {
    /// MKA version: 1, 2 or 3; later ones are heard as the latest known.
    pub version: u8,
    /// Key server priority.
    pub priority: u8,
    /// The sender is, or may become, the key server.
    pub key_server: bool,
    /// The sender wants MACsec.
    pub macsec_desired: bool,
    /// What its SecY can do.
    pub capability: Capability,
    /// Its SCI.
    pub sci: Sci,
    /// Its member identifier.
    pub mi: Mi,
    /// The number of this message.
    pub mn: Mn,
    /// The name of the CAK.
    pub ckn: Ckn,
}

/// MACsec capability (802.1X-2020 table 11-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// No MACsec.
    None,
    /// Integrity only.
    Integrity,
    /// And confidentiality without offset.
    Offset0,
    /// And confidentiality with offsets 30 and 50.
    Offsets,
}
