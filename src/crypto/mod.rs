//! Secrets, and AES-GCM behind one trait that is shaped for bursts.
//!
//! Two halves. The trait half (`aead`, `secret`) is pure and builds without `std`. The other half,
//! behind the feature `std`, holds the engines, the memory that keys live in, and what hardens the
//! process.

mod aead;
mod secret;

pub use aead::{
    AeadFrame, AeadKey, BURST_CAPACITY, KeyError, KeyFactory, NONCE_LEN, Opened, SaKey, TAG_LEN,
};
pub use secret::{Sak, WrongSakLength};
