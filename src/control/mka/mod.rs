//! Key agreement of one link on control's thread: a KaY, and what joins it to the rest.
//!
//! `session` drives it. `keychain` says which CAKs run, `caks` holds them, `clock` says what the wall
//! clock is worth; `sas` turns its actions into SAs and the lanes' words into reports; `chronicle` is what
//! it tells, `view` how it looks, `alarms` what is wrong.

mod alarms;
mod allowance;
mod caks;
mod channels;
mod chronicle;
mod clock;
mod filter;
mod keeper;
mod keychain;
mod saks;
mod sas;
mod session;
mod trap;
mod used_sa;
mod view;
mod watch;
mod words;
mod writer;

pub(super) use alarms::standing;
pub(super) use caks::PreparedCaks;
pub(super) use clock::Clock;
pub(super) use saks::SakStores;
pub(super) use session::{Session, SessionSetup, Surroundings};
pub(super) use used_sa::AgreedRx;
pub(super) use view::of_session;
