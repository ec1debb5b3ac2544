//! The MACsec SAK Use parameter set (802.1X-2020 figure 11-10).

use crate::{
    ieee::An,
    mka::{Kn, Mi},
};

/// Which keys the sender uses. A set without body is all default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SakUse {
    /// The latest key.
    pub latest: Option<KeyUse>,
    /// The one before it.
    pub old: Option<KeyUse>,
    /// The sender transmits unprotected frames.
    pub plain_tx: bool,
    /// The sender accepts unprotected frames.
    pub plain_rx: bool,
    /// The sender wants lowest packet numbers to be enforced.
    pub delay_protect: bool,
}

/// How one key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Association number.
    pub an: An,
    /// Its key server's member identifier.
    pub mi: Mi,
    /// Its key number.
    pub kn: Kn,
    /// The sender protects with it.
    pub tx: bool,
    /// The sender receives with it.
    pub rx: bool,
    /// The lowest packet number that the sender may still have under way; the low 32 bits with XPN.
    /// Sent as at least 1.
    pub lowest_pn: u32,
}
