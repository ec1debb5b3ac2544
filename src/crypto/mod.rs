//! Secrets, and AES-GCM behind one trait that is shaped for bursts.
//!
//! Two halves. The trait half (`aead`, `key_agreement`, `secret`) is pure and builds without `std`. The
//! other half, behind the feature `std`, holds the engines, MKA's cryptography, the memory that keys
//! live in, and what hardens the process.

mod aead;
mod key_agreement;
mod secret;

// What follows first is as pure as the trait half but for its dependencies: `aes` asks the CPU what it
// can do. Unit tests of pure modules have it too.
#[cfg(any(test, feature = "std"))]
mod aes_agreement;
#[cfg(any(test, feature = "std"))]
mod kdf;
#[cfg(any(test, feature = "std"))]
mod scrub;
#[cfg(test)]
mod seeded;

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
pub mod self_test;

pub use aead::{
    AeadFrame, AeadKey, BURST_CAPACITY, KeyError, KeyFactory, NONCE_LEN, Opened, SaKey, TAG_LEN,
    open_each,
};
#[cfg(any(test, feature = "std"))]
pub use aes_agreement::{AesKeyAgreement, RandomSource};
#[cfg(feature = "std")]
pub use fingerprint::{
    Fingerprint, ParseFingerprintError, digest_of_secrets, static_key_identifier,
};
pub use key_agreement::{CakKeys, ICV_LEN, KeyAgreement, UnwrapError, WRAPPED_SAK_MAX, WrappedSak};
#[cfg(feature = "std")]
pub use locked::Locked;
pub use secret::{Cak, Ick, Kek, Sak, Secret, WrongKeyLength, kind};
#[cfg(test)]
pub(crate) use seeded::seeded;
