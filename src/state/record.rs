//! The format of a state file: a few lines of text, and a checksum over them.
//!
//! Text, so that an operator can look at it. The version comes first and rules the rest; the
//! checksum comes last and ends with the newline, so that a file cut anywhere is seen to be cut.

use core::fmt::{self, Write as _};
use core::str::FromStr;
use std::path::Path;

use ring::digest::{SHA256, digest};

use super::StateError;
use crate::crypto::Fingerprint;
use crate::ieee::{An, CipherSuite, Pn, Sci};

/// The version that is written, and the only one that is read.
pub(super) const VERSION: u32 = 1;

const MAGIC: &str = "macsecgw-packet-numbers";

/// The longest file that is read; a record has less than 400 octets.
pub(super) const MAX_RECORD: usize = 4096;

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
        let mut text = self.to_string();
        let checksum = checksum(&text);
        text.push_str(&checksum);
        text
    }

    /// Reads the content of the file `path`.
    pub(super) fn decode(path: &Path, octets: &[u8]) -> Result<Self, StateError> {
        let truncated = || StateError::Truncated {
            path: path.to_path_buf(),
        };
        let corrupt = || StateError::Corrupt {
            path: path.to_path_buf(),
        };
        let text = std::str::from_utf8(octets).map_err(|_| corrupt())?;
        // The version before all else: only its own format says how a later one ends.
        let (first, _) = text.split_once('\n').ok_or_else(truncated)?;
        let (magic, version) = first.split_once(' ').ok_or_else(corrupt)?;
        if magic != MAGIC {
            return Err(corrupt());
        }
        if version != VERSION.to_string() {
            return Err(StateError::Version {
                path: path.to_path_buf(),
                found: version
                    .chars()
                    .filter(char::is_ascii_graphic)
                    .take(16)
                    .collect(),
            });
        }
        let lines = text.strip_suffix('\n').ok_or_else(truncated)?;
        let body_len = lines.rfind('\n').map_or(0, |at| at + 1);
        let (body, last) = text.split_at(body_len);
        if !last.starts_with("checksum ") {
            return Err(truncated());
        }
        if last != checksum(body) {
            return Err(corrupt());
        }
        Self::parse(body).ok_or_else(corrupt)
    }

    /// The lines, of which the checksum has said that they are what was written.
    fn parse(body: &str) -> Option<Self> {
        let mut lines = body.lines().skip(1);
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

/// The last line of a file whose other lines are `body`.
fn checksum(body: &str) -> String {
    let mut line = String::from("checksum ");
    for octet in digest(&SHA256, body.as_bytes()).as_ref() {
        // Writing to a string can't fail.
        let _ = write!(line, "{octet:02x}");
    }
    line.push('\n');
    line
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
    format!("{body}{}", checksum(body))
}
