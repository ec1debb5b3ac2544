//! What each fuzz target does with the octets it is given, and what must hold afterwards.
//!
//! A target is one decoder. It must not panic, and where the decoder has an inverse, a ledger or a
//! promise, that is checked as well: a decoder that swallows everything would pass otherwise.

pub mod config;
pub mod device;
pub mod http;
pub mod key_file;
pub mod lanes;
pub mod mka_frame;
pub mod mka_identity;
pub mod mka_saks;
pub mod mka_sets;
pub mod names;
pub mod protect;
pub mod request;
pub mod sectag;
pub mod state_record;
pub mod validate;

mod channel;
#[allow(dead_code, reason = "shared with the tests of macsec")]
#[path = "../../macsec_secy/frame.rs"]
mod frame;
mod input;
#[path = "../../macsec_secy/ledger.rs"]
mod ledger;
