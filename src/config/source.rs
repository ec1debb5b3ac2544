//! The text of a config file, and where in it an offset lies.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The largest config file that is read: 1 MiB. A thousand links need less than half of it.
pub const MAX_CONFIG_LEN: usize = 1 << 20;

/// A config file's text and name.
///
/// The text is wiped on drop: an operator may have pasted a key where a key file's name belongs.
pub(super) struct Source {
    pub(super) path: PathBuf,
    text: Zeroizing<String>,
}

/// Why a file gave no text.
#[derive(Debug)]
pub(super) enum SourceError {
    Io(io::Error),
    NotAFile,
    TooLong,
    /// No text in UTF-8; where it stops being one: line and column, both from 1.
    NotText {
        line: usize,
        column: usize,
    },
    Empty,
}

impl Source {
    /// Reads `path`, at most one octet past [`MAX_CONFIG_LEN`].
    pub(super) fn read(path: &Path) -> Result<Self, SourceError> {
        let file = File::open(path).map_err(SourceError::Io)?;
        if file.metadata().map_err(SourceError::Io)?.is_dir() {
            return Err(SourceError::NotAFile);
        }
        let mut octets = Zeroizing::new(Vec::new());
        file.take(MAX_CONFIG_LEN as u64 + 1)
            .read_to_end(&mut octets)
            .map_err(SourceError::Io)?;
        Self::from_octets(path, &octets)
    }

    /// Takes `octets` as the content of the file `path`.
    pub(super) fn from_octets(path: &Path, octets: &[u8]) -> Result<Self, SourceError> {
        if octets.len() > MAX_CONFIG_LEN {
            return Err(SourceError::TooLong);
        }
        let text = match std::str::from_utf8(octets) {
            // Zeros are UTF-8, too, but of a program or an image.
            Ok(text) if text.contains('\0') => Err(text.find('\0').unwrap_or_default()),
            Ok(text) => Ok(text),
            Err(error) => Err(error.valid_up_to()),
        };
        let text = text.map_err(|at| not_text(octets.get(..at).unwrap_or_default()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(SourceError::Empty);
        }
        Ok(Self {
            path: path.to_path_buf(),
            text: Zeroizing::new(text.to_owned()),
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The directory that relative paths in the file start from.
    pub(super) fn directory(&self) -> &Path {
        self.path
            .parent()
            .filter(|directory| !directory.as_os_str().is_empty())
            .unwrap_or_else(|| Path::new("."))
    }

    /// The line that `span` starts in: its number from 1, its text, and the part of the text, in
    /// octets, that `span` covers.
    pub(super) fn line_of(&self, span: &Range<usize>) -> (usize, &str, Range<usize>) {
        let text = self.text();
        let start = floor_char_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let number = 1 + text[..line_start].matches('\n').count();
        let end = floor_char_boundary(text, span.end).clamp(start, line_end);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let covered = start - line_start..(end - line_start).min(line.len());
        (
            number,
            line,
            covered.start.min(line.len())..covered.end.max(covered.start.min(line.len())),
        )
    }
}

/// That the text ends where `good` ends.
fn not_text(good: &[u8]) -> SourceError {
    let line_start = good
        .iter()
        .rposition(|&octet| octet == b'\n')
        .map_or(0, |at| at + 1);
    SourceError::NotText {
        line: 1 + good.iter().filter(|&&octet| octet == b'\n').count(),
        column: 1 + good.len() - line_start,
    }
}

/// The largest character boundary of `text` that is not past `at`.
pub(super) fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
