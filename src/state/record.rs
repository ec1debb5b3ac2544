//! The format of a packet number file: see [`lines`].

use core::fmt;
use core::str::FromStr;
use std::path::Path;

use super::StateError;
use super::lines::{self, Flaw};
use crate::crypto::Fingerprint;
use crate::ieee::{An, CipherSuite, Pn, Sci};

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u32 = 1;

const MAGIC: &str = "macsecgw-packet-numbers";

/// Whose packet numbers these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Transmit,
    Receive,
}

impl Direction {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Transmit => "tx",
            Self::Receive => "rx",
        }
    }
}

/// Whether a key is still in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Active,
    Retired,
}

/// What a state file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) direction: Direction,
    pub(super) link: String,
    pub(super) fingerprint: Fingerprint,
    pub(super) suite: CipherSuite,
    /// The transmitter; `None` until the first start with the key, which learns it from the port.
    pub(super) sci: Option<Sci>,
    pub(super) an: An,
    pub(super) status: Status,
    /// Transmit: every number up to this one may have been used. Receive: every number below this
    /// one is refused.
    pub(super) pn: Pn,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC} {VERSION}")?;
        writeln!(f, "direction {}", self.direction.name())?;
        writeln!(f, "link {}", self.link)?;
        writeln!(f, "fingerprint {}", self.fingerprint)?;
        writeln!(f, "cipher_suite {}", self.suite)?;
        match self.sci {
            Some(sci) => writeln!(f, "sci {sci}")?,
            None => writeln!(f, "sci unbound")?,
        }
        writeln!(f, "an {}", self.an)?;
        let status = match self.status {
            Status::Active => "active",
            Status::Retired => "retired",
        };
        writeln!(f, "status {status}")?;
        writeln!(f, "pn {}", self.pn)
    }
}

impl Record {
    /// The file's content.
    pub(super) fn encode(&self) -> String {
        lines::sealed(self.to_string())
    }

    /// Reads the content of the file `path`.
    pub(super) fn decode(path: &Path, octets: &[u8]) -> Result<Self, StateError> {
        let path = path.to_path_buf();
        match lines::opened(MAGIC, VERSION, octets) {
            Ok(body) => Self::parse(body).ok_or(StateError::Corrupt { path }),
            Err(Flaw::Truncated) => Err(StateError::Truncated { path }),
            Err(Flaw::Corrupt) => Err(StateError::Corrupt { path }),
            Err(Flaw::Version(found)) => Err(StateError::Version { path, found }),
        }
    }

    /// The lines, of which the checksum has said that they are what was written.
    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.lines();
        let mut value = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let record = Self {
            direction: match value("direction")? {
                "tx" => Direction::Transmit,
                "rx" => Direction::Receive,
                _ => return None,
            },
            link: value("link")?.to_owned(),
            fingerprint: value("fingerprint")?.parse().ok()?,
            suite: value("cipher_suite")?.parse().ok()?,
            sci: match value("sci")? {
                "unbound" => None,
                sci => Some(sci.parse().ok()?),
            },
            an: An::new(number(value("an")?)?)?,
            status: match value("status")? {
                "active" => Status::Active,
                "retired" => Status::Retired,
                _ => return None,
            },
            pn: Pn(number(value("pn")?)?),
        };
        lines.next().is_none().then_some(record)
    }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// What a state file of these octets says, written anew. For the fuzzer alone, which has no files.
///
/// # Errors
/// As for a file that an operator handed in.
#[cfg(fuzzing)]
pub fn checked_again(octets: &[u8]) -> Result<String, StateError> {
    Record::decode(Path::new("fuzzed"), octets).map(|record| record.encode())
}

/// `body` and the checksum that it should have, which no fuzzer would find.
#[cfg(fuzzing)]
pub fn with_checksum(body: &str) -> String {
    lines::sealed(body.to_owned())
}
