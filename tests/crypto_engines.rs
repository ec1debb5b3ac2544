//! Every engine that this CPU can run: against `ring` and each other, against published figures,
//! against tampering, and beside memory that must not be touched.
#![cfg(feature = "std")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where it can't go on"
)]

#[path = "crypto_engines/cavs.rs"]
mod cavs;
#[path = "crypto_engines/frames.rs"]
mod frames;
#[path = "crypto_engines/guard_pages.rs"]
mod guard_pages;
#[path = "crypto_engines/lengths.rs"]
mod lengths;
#[path = "crypto_engines/published.rs"]
mod published;
#[path = "crypto_engines/several_keys.rs"]
mod several_keys;
#[path = "crypto_engines/tampering.rs"]
mod tampering;
