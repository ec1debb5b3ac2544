//! SAKs that outlive the process, by the operator's leave only: in memory, for a moment, to be used once.
//!
//! With them a restarted gateway goes on under the keys that its peers have, before MKA has said a word.
//! So much can go wrong with that, up to a packet number used twice, that a file is good only
//! - in RAM that is not swapped, in a directory that is the process's own;
//! - in the same run of the machine, and within MKA Life Time of its writing;
//! - for the same link and SCI, whole;
//! - once: it is unlinked before it is looked at;
//! - if it is the last one that was written. Each carries a random number that is also left in the state
//!   directory, which is another place and is swept when the file is taken; so that a copy that was put
//!   back, from an earlier save or after it was taken, is no good. It is not synced: a killed process
//!   loses nothing by that, and after anything worse the machine has started anew.
//!
//! What is refused is gone, and the link starts without: nothing here is a reason not to start.

mod boot;
mod file;
mod ram;
mod seal;
#[cfg(test)]
mod tests;

use core::time::Duration;
use std::path::{Path, PathBuf};

#[cfg(fuzzing)]
pub use file::saks_checked_again;

use self::boot::{Boot, Machine};
use self::ram::{Ram, RamDir};
use super::disk::{ASIDE, Disk, Failed, Filesystem};
use super::{KeptError, StateDir};
use crate::crypto::Sak;
use crate::ieee::{An, CipherSuite, Ckn, KeyIdentifier, Pn, Salt, Sci, Ssci};

/// The end of a file's name.
const SUFFIX: &str = ".saks";

/// The keys of a link. `S` is `&Sak` to save and [`Sak`] when taken.
#[derive(Debug)]
pub struct KeptKeys<S> {
    /// The SCI of the secure port.
    pub sci: Sci,
    /// The keys, in the caller's order: by MKA's custom the one in use last. At most
    /// [`KeptKeys::MAX_KEYS`].
    pub keys: Vec<KeptKey<S>>,
}

impl<S> KeptKeys<S> {
    /// One key for each association number.
    pub const MAX_KEYS: usize = An::COUNT;
}

/// A SAK and how far it was used.
#[derive(Debug)]
pub struct KeptKey<S> {
    /// The CAK that it came by.
    pub ckn: Ckn,
    /// Association number.
    pub an: An,
    /// Key identifier.
    pub ki: KeyIdentifier,
    /// Its suite.
    pub suite: CipherSuite,
    /// What is done to frames.
    pub protection: KeptProtection,
    /// With an XPN suite.
    pub salt: Option<Salt>,
    /// The key.
    pub sak: S,
    /// Our SSCI, with an XPN suite.
    pub own_ssci: Option<Ssci>,
    /// No packet number from here on is used before a later save; `None`: for receive only.
    pub next_pn: Option<Pn>,
    /// Whom frames are accepted from. At most [`KeptPeer::MAX_PEERS`].
    pub peers: Vec<KeptPeer>,
}

/// A peer under a [`KeptKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptPeer {
    /// Its SCI.
    pub sci: Sci,
    /// Its SSCI, with an XPN suite.
    pub ssci: Option<Ssci>,
    /// The lowest packet number that is accepted.
    pub lowest_pn: Pn,
}

impl KeptPeer {
    /// Peers that a key may have: more than a KaY ever has.
    pub const MAX_PEERS: usize = 64;
}

/// What is done to frames (802.1X-2020 figure 11-11), as this file keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptProtection {
    /// Authenticated, not encrypted.
    IntegrityOnly,
    /// Encrypted from the first octet on.
    Offset0,
    /// Encrypted but for the first 30 octets.
    Offset30,
    /// Encrypted but for the first 50 octets.
    Offset50,
}

/// The directory in memory in which a gateway keeps its links' SAKs.
#[derive(Debug)]
pub struct SakStore(Shelf<RamDir, Filesystem, Machine>);

impl SakStore {
    /// Takes the directory at `path` for this process, and makes it if it isn't there. Links may share one:
    /// it is opened once. `state` is where the numbers of the files are left.
    ///
    /// # Errors
    /// [`KeptError::NotRam`], [`KeptError::Swap`], [`KeptError::Exposed`], [`KeptError::InUse`],
    /// [`KeptError::Io`]: no SAK can be kept there.
    pub fn open(path: &Path, state: &StateDir) -> Result<Self, KeptError> {
        Ok(Self(Shelf {
            ram: RamDir::open(path)?,
            path: path.to_path_buf(),
            disk: Filesystem,
            state: state.files.path.clone(),
            boot: Machine,
        }))
    }

    /// Keeps `keys` for `link`, in the place of what was kept before; no keys are as
    /// [`Self::forget`]. To be called again every few seconds, before `next_pn` of any key is reached and
    /// before `life` of [`Self::take`] is over.
    ///
    /// # Errors
    /// [`KeptError`]; what was kept before may then still be there, or nothing. Where the memory has
    /// become swappable, everything of the link is removed.
    pub fn save(&self, link: &str, keys: &KeptKeys<&Sak>) -> Result<(), KeptError> {
        self.0.save(link, keys)
    }

    /// What was kept for `link`, whose secure port has `sci`, no longer than `life` (MKA Life Time) ago.
    /// It is removed before it is looked at, whatever it is; so a second call finds nothing.
    ///
    /// # Errors
    /// [`KeptError`] says why what was there is no good; or why it can't be removed, and is not used.
    pub fn take(
        &self,
        link: &str,
        sci: Sci,
        life: Duration,
    ) -> Result<Option<KeptKeys<Sak>>, KeptError> {
        self.0.take(link, sci, life)
    }

    /// Removes what is kept for `link`: when it has no key any more, or the operator's leave is gone.
    ///
    /// # Errors
    /// [`KeptError::Io`].
    pub fn forget(&self, link: &str) -> Result<(), KeptError> {
        self.0.forget(link)
    }

    /// Removes all SAKs, whoever's. To be called at a start once every link of the config has taken its own: what
    /// is left then is that of links that are no more.
    ///
    /// # Errors
    /// [`KeptError::Io`].
    pub fn sweep(&self) -> Result<(), KeptError> {
        self.0.sweep()
    }
}

/// The store with its surroundings as parameters, so that a test can stop it anywhere.
#[derive(Debug)]
struct Shelf<R, D, B> {
    ram: R,
    /// Where `ram` is, for messages.
    path: PathBuf,
    disk: D,
    /// The state directory, on `disk`.
    state: PathBuf,
    boot: B,
}

impl<R: Ram, D: Disk, B: Boot> Shelf<R, D, B> {
    fn save(&self, link: &str, keys: &KeptKeys<&Sak>) -> Result<(), KeptError> {
        if keys.keys.is_empty() {
            return self.forget(link);
        }
        if self
            .ram
            .is_swappable()
            .map_err(Failed::at("look for swap at", &self.path))?
        {
            self.forget(link)?;
            return Err(KeptError::Swap {
                path: self.path.clone(),
            });
        }
        let (name, path) = self.place(link);
        let nonce = seal::fresh()?;
        let mut buffer = file::buffer()?;
        let stamp = self.boot.stamp()?;
        let len = file::write(&mut buffer[..], link, &stamp, nonce, keys)
            .ok_or_else(|| KeptError::TooMuch { path: path.clone() })?;
        let content = buffer.get(..len).unwrap_or_default();
        let aside = format!("{name}{}", ASIDE);
        self.ram
            .write(&aside, content)
            .map_err(Failed::at("write", &self.path.join(&aside)))?;
        // From here on the last file is void, and not before: a kill here costs the keys, a kill one step
        // earlier leaves the last file good, and at no time are two files good.
        seal::put(&self.disk, &self.state, link, nonce)?;
        self.ram
            .rename(&aside, &name)
            .map_err(Failed::at("rename", &self.path.join(&aside)))?;
        Ok(())
    }

    fn take(
        &self,
        link: &str,
        sci: Sci,
        life: Duration,
    ) -> Result<Option<KeptKeys<Sak>>, KeptError> {
        let (name, path) = self.place(link);
        let mut buffer = file::buffer()?;
        let found = self.ram.read(&name, &mut buffer[..]);
        let seal = seal::read(&self.disk, &self.state, link);
        // Before anything is made of it, and also where there is nothing: a copy may be put back later.
        self.forget(link)?;
        let Some(len) = found.map_err(Failed::at("read", &path))? else {
            return Ok(None);
        };
        let content = buffer.get_mut(..len).unwrap_or_default();
        let wanted = file::Wanted {
            link,
            sci,
            now: self.boot.stamp()?,
            life,
            nonce: seal,
        };
        file::read(&path, content, &wanted).map(Some)
    }

    fn forget(&self, link: &str) -> Result<(), KeptError> {
        let (name, path) = self.place(link);
        for name in [format!("{name}{}", ASIDE), name] {
            self.ram
                .remove(&name)
                .map_err(Failed::at("remove", &path))?;
        }
        seal::remove(&self.disk, &self.state, link)?;
        Ok(())
    }

    fn sweep(&self) -> Result<(), KeptError> {
        let failed = || Failed::at("sweep", &self.path);
        for name in self.ram.names().map_err(failed())? {
            // An operator may have named a directory with other things in it.
            if name.strip_suffix(ASIDE).unwrap_or(&name).ends_with(SUFFIX) {
                self.ram.remove(&name).map_err(failed())?;
            }
        }
        Ok(())
    }

    fn place(&self, link: &str) -> (String, PathBuf) {
        let name = format!("{link}{SUFFIX}");
        let path = self.path.join(&name);
        (name, path)
    }
}
