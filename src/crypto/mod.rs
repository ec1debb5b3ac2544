//! Secrets, and AES-GCM behind one trait that is shaped for bursts.
//!
//! Two halves. The trait half (`aead`, `secret`) is pure and builds without `std`. The other half,
//! behind the feature `std`, holds the engines, the memory that keys live in, and what hardens the
//! process.

mod aead;
mod key_agreement;
mod secret;

#[cfg(feature = "std")]
pub mod engine;
#[cfg(feature = "std")]
mod fingerprint;
#[cfg(feature = "std")]
mod locked;
#[cfg(feature = "std")]
pub mod process;
#[cfg(feature = "std")]
pub mod random;
#[cfg(feature = "std")]
mod scrub;
#[cfg(feature = "std")]
pub mod self_test;

pub use aead::{
    AeadFrame, AeadKey, BURST_CAPACITY, KeyError, KeyFactory, NONCE_LEN, Opened, SaKey, TAG_LEN,
};
#[cfg(feature = "std")]
pub use fingerprint::{Fingerprint, ParseFingerprintError, static_key_identifier};
pub use key_agreement::{CakKeys, ICV_LEN, KeyAgreement, UnwrapError, WRAPPED_SAK_MAX, WrappedSak};
#[cfg(feature = "std")]
pub use locked::Locked;
pub use secret::{Cak, Ick, Kek, Sak, Secret, WrongKeyLength, kind};
