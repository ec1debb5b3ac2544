//! Key agreement of one link on control's thread: a KaY, and what joins it to the rest.
//!
//! `keychain` says which CAKs run, `clock` what the wall clock is worth.

mod clock;
mod keychain;
