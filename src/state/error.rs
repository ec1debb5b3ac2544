//! Why the state of a key can't be used.

use core::fmt;
use std::io;
use std::path::PathBuf;

use super::disk::Failed;
use crate::crypto::Fingerprint;
use crate::ieee::Pn;

/// Why the state directory, or a file in it, can't be used. No one is guessed right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateError {
    /// A system call failed.
    Io {
        /// What was being done.
        step: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// Others may write into the directory, or it belongs to someone else.
    Unsafe {
        /// The directory.
        path: PathBuf,
    },
    /// Another gateway runs on this directory.
    Locked {
        /// The directory.
        path: PathBuf,
        /// Its process, if it has said so.
        pid: Option<u32>,
    },
    /// No state for a transmit key: it was never said to be fresh.
    Missing {
        /// The link.
        link: String,
        /// The key.
        fingerprint: Fingerprint,
    },
    /// There is state for a key that is said to be fresh.
    Known {
        /// The link that used it, or was to.
        link: String,
        /// The key.
        fingerprint: Fingerprint,
    },
    /// The key is another link's.
    OtherLink {
        /// The link that used it, or was to.
        link: String,
        /// The key.
        fingerprint: Fingerprint,
    },
    /// This process already has the key's reservation.
    Reserved {
        /// The key.
        fingerprint: Fingerprint,
    },
    /// This process has no reservation of the key.
    NotOpen {
        /// The key.
        fingerprint: Fingerprint,
    },
    /// The key was retired.
    Retired {
        /// The key.
        fingerprint: Fingerprint,
    },
    /// The state was made under another parameter.
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Which parameter.
        what: &'static str,
        /// What it is now.
        wanted: String,
        /// What it was then.
        found: String,
    },
    /// A file that ends too early.
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// A file whose content is not what was written.
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// A file of a version that this program does not know.
    Version {
        /// The file.
        path: PathBuf,
        /// Its version, as far as it is one.
        found: String,
    },
    /// A reservation that would end before the last one, or beyond the packet number space.
    Range {
        /// The end asked for.
        until: Pn,
        /// The end of the last one.
        reserved: Pn,
    },
    /// All packet numbers of the key are used.
    Exhausted {
        /// The key.
        fingerprint: Fingerprint,
    },
}

impl StateError {
    pub(super) fn io(step: &'static str, path: &std::path::Path, error: &io::Error) -> Self {
        Self::Io {
            step,
            path: path.to_path_buf(),
            kind: error.kind(),
        }
    }
}

impl From<Failed> for StateError {
    fn from(failed: Failed) -> Self {
        let Failed { step, path, kind } = failed;
        Self::Io { step, path, kind }
    }
}

/// What all errors of a file that can't be trusted end with.
const NO_GUESS: &str = "what it said of used packet numbers is lost: make a new key \
                        (macsecgw keygen sak) on both sides";

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { step, path, kind } => {
                write!(f, "can't {step} {}: {kind}", path.display())
            }
            Self::Unsafe { path } => write!(
                f,
                "others than root and the gateway may write to {0}, and so make it use a packet \
                 number twice; chown root {0}; chmod 700 {0}",
                path.display()
            ),
            Self::Locked { path, pid } => {
                write!(f, "another gateway ")?;
                if let Some(pid) = pid {
                    write!(f, "(process {pid}) ")?;
                }
                write!(
                    f,
                    "uses the state directory {}; stop it, or give this one its own `name` or \
                     `state_dir`",
                    path.display()
                )
            }
            Self::Missing { link, fingerprint } => write!(
                f,
                "there is no packet-number reservation for the transmit key {fingerprint} of link \
                 {link}; if the key has never been used, say so once: macsecgw fresh-key --config \
                 FILE --link {link} --fingerprint {fingerprint}; otherwise make a new key"
            ),
            Self::Known { link, fingerprint } => write!(
                f,
                "the key {fingerprint} is not fresh: link {link} has state for it; a fresh key is \
                 made with macsecgw keygen sak"
            ),
            Self::OtherLink { link, fingerprint } => write!(
                f,
                "the key {fingerprint} belongs to link {link}; a key serves one link: make a new \
                 one (macsecgw keygen sak)"
            ),
            Self::Reserved { fingerprint } => write!(
                f,
                "the packet numbers of the key {fingerprint} are already reserved in this process; \
                 a key serves one secure association: make a new one (macsecgw keygen sak)"
            ),
            Self::Retired { fingerprint } => write!(
                f,
                "the key {fingerprint} was retired and is not used again; make a new one \
                 (macsecgw keygen sak)"
            ),
            Self::Mismatch {
                path,
                what,
                wanted,
                found,
            } => write!(
                f,
                "{}: the key was used with {what} {found}, not {wanted}; go back to that, or make \
                 a new key (macsecgw keygen sak)",
                path.display()
            ),
            Self::Truncated { path } => {
                write!(f, "{} ends too early; {NO_GUESS}", path.display())
            }
            Self::Corrupt { path } => write!(
                f,
                "{} is not what the gateway wrote; {NO_GUESS}",
                path.display()
            ),
            Self::Version { path, found } => write!(
                f,
                "{} has version {found}, and this program knows version {}; use the newer program, \
                 or make a new key",
                path.display(),
                super::record::VERSION
            ),
            Self::Range { until, reserved } => write!(
                f,
                "a reservation to packet number {until} can't follow one to {reserved}"
            ),
            Self::NotOpen { fingerprint } => {
                write!(
                    f,
                    "no reservation of the key {fingerprint} is open; please report this"
                )
            }
            Self::Exhausted { fingerprint } => write!(
                f,
                "all packet numbers of the key {fingerprint} are reserved or used; make a new key \
                 (macsecgw keygen sak)"
            ),
        }
    }
}

impl core::error::Error for StateError {}
