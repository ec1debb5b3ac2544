//! The form that the text files of this module share: a line with what it is and its version, lines
//! with a name and a value each, and a checksum over them.
//!
//! Text, so that an operator can look at it. The version comes first and rules the rest; the checksum
//! comes last and ends with the newline, so that a file cut anywhere is seen to be cut.

use core::fmt::Write as _;

use ring::digest::{SHA256, digest};

/// What is wrong with a file, as far as its form goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It ends too early.
    Truncated,
    /// It is not what was written.
    Corrupt,
    /// A version that this program does not know.
    Version(String),
}

/// `body` with the checksum that it should have.
pub(super) fn sealed(mut body: String) -> String {
    let checksum = checksum(&body);
    body.push_str(&checksum);
    body
}

/// The lines of a file behind the first, of which the checksum has said that they are what was written.
/// The first is `magic` and `version`.
pub(super) fn opened<'a>(magic: &str, version: u32, octets: &'a [u8]) -> Result<&'a str, Flaw> {
    let text = std::str::from_utf8(octets).map_err(|_| Flaw::Corrupt)?;
    // The version before all else: only its own format says how a later one ends.
    let (first, _) = text.split_once('\n').ok_or(Flaw::Truncated)?;
    let (found_magic, found) = first.split_once(' ').ok_or(Flaw::Corrupt)?;
    if found_magic != magic {
        return Err(Flaw::Corrupt);
    }
    if found != version.to_string() {
        let printed = found.chars().filter(char::is_ascii_graphic).take(16);
        return Err(Flaw::Version(printed.collect()));
    }
    let lines = text.strip_suffix('\n').ok_or(Flaw::Truncated)?;
    let body_len = lines.rfind('\n').map_or(0, |at| at + 1);
    let (body, last) = text.split_at(body_len);
    if !last.starts_with("checksum ") {
        return Err(Flaw::Truncated);
    }
    if last != checksum(body) {
        return Err(Flaw::Corrupt);
    }
    body.split_once('\n')
        .map(|(_, rest)| rest)
        .ok_or(Flaw::Truncated)
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
