//! Why what MKA kept over a restart can't be used. None of it stops a gateway: the link starts as a
//! member that nobody knows.

use core::{fmt, time::Duration};
use std::io;
use std::path::{Path, PathBuf};

use super::disk::Failed;
use super::lines::Flaw;
use crate::crypto::KeyError;
use crate::ieee::Sci;

/// Why a file of MKA's, or the directory that SAKs are kept in, can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeptError {
    /// A system call failed.
    Io {
        /// What was being done.
        step: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
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
    /// Another link's file.
    OtherLink {
        /// The file.
        path: PathBuf,
        /// The link that reads it.
        wanted: String,
        /// The link that wrote it.
        found: String,
    },
    /// The file of a port with another SCI.
    OtherSci {
        /// The file.
        path: PathBuf,
        /// The SCI of the port that reads it.
        wanted: Sci,
        /// That of the port that wrote it.
        found: Sci,
    },
    /// More than a file can hold.
    TooMuch {
        /// The file.
        path: PathBuf,
    },
    /// SAKs are kept in memory alone, and the directory is on something else.
    NotRam {
        /// The directory.
        path: PathBuf,
    },
    /// The directory is no directory, not the process's own, or open to others.
    Exposed {
        /// The directory.
        path: PathBuf,
    },
    /// The directory is in memory that may be swapped out.
    Swap {
        /// The directory.
        path: PathBuf,
    },
    /// Another process keeps its SAKs in the directory.
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// SAKs from before the machine was started.
    OtherBoot {
        /// The file.
        path: PathBuf,
    },
    /// SAKs that peers have given up by now.
    TooOld {
        /// The file.
        path: PathBuf,
        /// How long ago it was written.
        age: Duration,
        /// MKA Life Time.
        life: Duration,
    },
    /// Not the file that was written last, or one that was taken before.
    Stale {
        /// The file.
        path: PathBuf,
    },
    /// No memory or no randomness to keep a key with.
    Key(KeyError),
}

impl KeptError {
    /// What is wrong with the form of the file at `path`.
    pub(super) fn of_flaw(path: &Path, flaw: Flaw) -> Self {
        let path = path.to_path_buf();
        match flaw {
            Flaw::Truncated => Self::Truncated { path },
            Flaw::Corrupt => Self::Corrupt { path },
            Flaw::Version(found) => Self::Version { path, found },
        }
    }
}

impl From<Failed> for KeptError {
    fn from(failed: Failed) -> Self {
        let Failed { step, path, kind } = failed;
        Self::Io { step, path, kind }
    }
}

impl From<KeyError> for KeptError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl fmt::Display for KeptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { step, path, kind } => write!(f, "can't {step} {}: {kind}", path.display()),
            Self::Truncated { path } => write!(f, "{} ends too early", path.display()),
            Self::Corrupt { path } => {
                write!(f, "{} is not what the gateway wrote", path.display())
            }
            Self::Version { path, found } => write!(
                f,
                "{} has version {found}, which this program does not know",
                path.display()
            ),
            Self::OtherLink {
                path,
                wanted,
                found,
            } => write!(
                f,
                "{} belongs to link {found}, not to {wanted}; a state file is not copied from one \
                 link to another",
                path.display()
            ),
            Self::OtherSci {
                path,
                wanted,
                found,
            } => write!(
                f,
                "{} belongs to the SCI {found}, and the secure port now has {wanted}",
                path.display()
            ),
            Self::TooMuch { path } => {
                write!(f, "{} would hold more than it can", path.display())
            }
            Self::NotRam { path } => write!(
                f,
                "{} is not in memory (tmpfs or ramfs), and SAKs are kept nowhere else; use a \
                 directory under /run",
                path.display()
            ),
            Self::Exposed { path } => write!(
                f,
                "{0} must be a directory of the gateway's own user that no one else can enter: \
                 remove it, and the gateway makes it; or chmod 700 {0}",
                path.display()
            ),
            Self::Swap { path } => write!(
                f,
                "{0} may be swapped out to disk, SAKs and all; mount a tmpfs with noswap (Linux \
                 6.4) or a ramfs there, or switch swap off",
                path.display()
            ),
            Self::InUse { path } => write!(
                f,
                "another process keeps its SAKs in {}; each gateway needs a directory of its own",
                path.display()
            ),
            Self::OtherBoot { path } => write!(
                f,
                "{} is from before the machine was started",
                path.display()
            ),
            Self::TooOld { path, age, life } => write!(
                f,
                "{} is {} s old, and peers forget after {} s",
                path.display(),
                age.as_secs(),
                life.as_secs_f32()
            ),
            Self::Stale { path } => write!(
                f,
                "{} is not the one that was written last, or it was used before; a copy of it must \
                 not be put back",
                path.display()
            ),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for KeptError {}
