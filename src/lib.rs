//! `macsecgw`: a MACsec gateway that stands between a plain and a secure Ethernet port.
//!
//! The room for a new line is found from the module names; `docs/architecture.md` says which module
//! may import which, and a test holds them to it. Without the feature `std` the library is the pure
//! half: `ieee`, `macsec`, `mka` and the trait half of `crypto`, which can reach no clock, file or thread.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

#[cfg(feature = "std")]
pub mod api;
#[cfg(feature = "std")]
pub mod bus;
#[cfg(feature = "std")]
pub mod cli;
#[cfg(feature = "std")]
pub mod config;
#[cfg(feature = "std")]
pub mod control;
pub mod crypto;
pub mod ieee;
pub mod macsec;
#[cfg(feature = "std")]
pub mod metrics;
pub mod mka;
#[cfg(feature = "std")]
pub mod pipeline;
#[cfg(feature = "std")]
pub mod state;
#[cfg(feature = "std")]
pub mod worker;
