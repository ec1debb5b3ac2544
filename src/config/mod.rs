//! The config: file, then raw values with their places, then checked types.
//!
//! Two halves. `raw` walks the TOML tree and says what is no text, number or known key; the modules
//! named after the tables check what those mean and make [`Config`], in which nothing is left to be
//! parsed. Everything wrong is collected and shown at once, with its place and what would be right.
//! Keys are read to be checked, and only their fingerprints stay.

mod agreement_read;
mod cak_read;
mod device;
mod gateway;
mod key_read;
mod key_windows;
pub mod keys;
mod link;
mod link_read;
mod load;
mod mka;
mod mka_read;
mod mka_timers_read;
mod nearest;
mod problem;
pub mod profile;
mod ram;
mod raw;
mod redact;
pub mod reload;
pub mod reuse;
mod secy_read;
mod source;
mod static_read;
mod utc;

pub use crate::crypto::Fingerprint;
pub use crate::crypto::engine::EngineChoice;
pub use device::{Device, DeviceError, DeviceKind, PciAddress};
pub use gateway::{Eal, Gateway, HelpersWhen, Idle, Memory, Metrics, Workers};
pub use keys::{CakReference, KeyFileError, KeyReference, KeySource};
pub use link::{
    AfterSecured, Agreement, Bypass, BypassDirection, EncryptionMode, Link, PnShare, StaticKeys,
    StaticSa,
};
pub use load::known_keys;
pub use mka::{ChainKey, Mka};
pub use problem::{Place, Problem, Problems, Severity};
pub use profile::Profile;
pub use source::MAX_CONFIG_LEN;
pub use utc::Utc;

use std::path::PathBuf;

/// A whole config, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file that it was read from.
    pub path: PathBuf,
    /// Who this process is on its machine.
    pub gateway: Gateway,
    /// What DPDK is started with.
    pub eal: Eal,
    /// The poll-mode threads.
    pub workers: Workers,
    /// Which engine does AES-GCM.
    pub engine: EngineChoice,
    /// Where Prometheus scrapes.
    pub metrics: Metrics,
    /// The links, at least one, in the order of the file.
    pub links: Vec<Link>,
    /// What is not wrong but worth the operator's eye.
    pub warnings: Vec<Problem>,
}
