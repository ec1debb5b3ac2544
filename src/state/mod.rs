//! Files that survive a restart: which packet numbers of a static key may have been used, which member a
//! link is to its peers in MKA, and, in memory alone, the SAKs of MKA.
//!
//! A static key outlives the process, and a packet number must never be used twice with it. So
//! numbers are reserved ahead on disk before they are used, and a start goes on behind the end of
//! the last reservation. Each file is replaced whole: written aside, synced, renamed, the directory
//! synced; whatever a crash leaves behind says at least as many numbers are used as really were.
//! What can't be read is refused and never guessed. A backup or a snapshot of these files must not
//! be put back: it would say that used numbers are free.

mod dir;
mod disk;
mod error;
mod identity;
mod kept_error;
mod lines;
mod lock;
#[cfg(test)]
mod model_disk;
mod record;
mod sak_store;
#[cfg(test)]
mod tests;

pub use dir::{KeyUse, Reservation, StateDir, declare_fresh};
pub use error::StateError;
#[cfg(fuzzing)]
pub use identity::identity_checked_again;
pub use identity::{IdentityFile, MkaIdentity, MkaMember};
pub use kept_error::KeptError;
#[cfg(fuzzing)]
pub use record::{checked_again, with_checksum};
#[cfg(fuzzing)]
pub use sak_store::saks_checked_again;
pub use sak_store::{KeptKey, KeptKeys, KeptPeer, KeptProtection, SakStore};
