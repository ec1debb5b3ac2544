//! The command line: what may be typed, and the subcommands.
//!
//! `check`, `keygen` and `fresh-key` need no running gateway; `status` and `counters` ask one. Of
//! `run` here are only the arguments.

pub mod args;
pub mod check;
pub mod counters;
pub mod fresh_key;
pub mod keygen;
mod new_file;
mod quantity;
pub mod status;
mod table;

use core::fmt;
use std::io;
use std::path::PathBuf;

use crate::api::AskError;
use crate::config::Problems;
use crate::crypto::random::NoRandomness;
use crate::state::StateError;

pub use args::{Cli, Command};

/// Why a subcommand failed. Shows itself as the operator reads it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The config is refused.
    Config(Problems),
    /// What was asked for does not fit what is there.
    Refused {
        /// What is wrong.
        what: String,
        /// What would be right; empty where `what` says so itself.
        right: String,
    },
    /// A file could not be made.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// The state directory said no.
    State(StateError),
    /// The running gateway was asked and did not answer as hoped.
    Ask(AskError),
    /// No key could be made.
    NoRandomness(NoRandomness),
}

impl Failure {
    /// What the process ends with: 2 for a refused config or request, 3 where no gateway runs that
    /// could be asked, 1 for what the system refused.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Refused { .. } => 2,
            Self::Ask(error) => error.exit_code(),
            Self::File { .. } | Self::State(_) | Self::NoRandomness(_) => 1,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(problems) => return fmt::Display::fmt(problems, f),
            Self::Refused { what, right } if right.is_empty() => writeln!(f, "error: {what}")?,
            Self::Refused { what, right } => writeln!(f, "error: {what}\n  help: {right}")?,
            Self::File { path, kind } => {
                writeln!(f, "error: can't make {}: {kind}", path.display())?;
                let right = match kind {
                    io::ErrorKind::AlreadyExists => {
                        "no file with a key is overwritten; remove it first if no one needs it"
                    }
                    io::ErrorKind::PermissionDenied => "key files are root's: run this as root",
                    io::ErrorKind::NotFound => "make the directory first",
                    _ => return Ok(()),
                };
                writeln!(f, "  help: {right}")?;
            }
            Self::State(error) => {
                writeln!(f, "error: {error}")?;
                if let StateError::Io { kind, .. } = error {
                    let right = match kind {
                        io::ErrorKind::PermissionDenied => {
                            "the state directory is root's: run this as root"
                        }
                        _ => {
                            "`state_dir` in [gateway] names the directory; see its disk and rights"
                        }
                    };
                    writeln!(f, "  help: {right}")?;
                }
            }
            Self::Ask(error) => writeln!(f, "error: {error}\n  help: {}", error.remedy())?,
            Self::NoRandomness(error) => writeln!(f, "error: {error}")?,
        }
        Ok(())
    }
}

impl core::error::Error for Failure {}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Config(problems)
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        Self::Ask(error)
    }
}

impl From<NoRandomness> for Failure {
    fn from(error: NoRandomness) -> Self {
        Self::NoRandomness(error)
    }
}
