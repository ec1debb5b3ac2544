//! The Distributed SAK parameter set (802.1X-2020 figures 11-11 and 11-12).

use crate::{
    crypto::WrappedSak,
    ieee::{An, CipherSuite},
    mka::{Kn, Protection},
};

/// What a key server distributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DistributedSak {
    /// No MACsec is to be used: a set without body.
    NoMacsec,
    /// A key.
    Key(DistributedKey),
}

/// A wrapped key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributedKey {
    /// Association number.
    pub an: An,
    /// What is done to frames.
    pub protection: Protection,
    /// Key number of the sender.
    pub kn: Kn,
    /// Its suite.
    pub suite: SuiteField,
    /// The SAK under the KEK.
    pub wrapped: WrappedSak,
}

/// The suite as it travels. GCM-AES-128 is always sent in the short form, without identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuiteField {
    /// A suite of 802.1AE, in either form, or by the identifier that older releases give to GCM-AES-128.
    Known(CipherSuite),
    /// Another identifier.
    Unknown([u8; 8]),
}
