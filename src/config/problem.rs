//! What is wrong with a config, as an operator reads it: where, what, and what would be right.

use core::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::redact;
use super::source::Source;

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The config is refused.
    Error,
    /// The config is accepted; the operator should know.
    Warning,
}

/// One thing that is wrong with a config. Shows itself the way `rustc` does, over several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the config is refused for it.
    pub severity: Severity,
    /// The config file.
    pub file: PathBuf,
    /// Where in the file; `None` where the file as a whole is meant.
    pub place: Option<Place>,
    /// The dotted path of the key, `link[0].static.tx_an`, or of the table; empty for the file.
    pub key: String,
    /// What is wrong, in one sentence.
    pub what: String,
    /// What would be right, in one sentence.
    pub right: Option<String>,
}

/// A place in a config file, with its line as it may be shown: no key in it, no control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line, or the window of it around the place.
    pub text: String,
    /// The characters of `text` that are meant.
    pub marked: Range<usize>,
}

/// The most characters of a line that are shown.
const WINDOW: usize = 120;

impl Place {
    pub(super) fn new(source: &Source, span: &Range<usize>) -> Self {
        let (line, text, covered) = source.line_of(span);
        let column = 1 + text[..covered.start].chars().count();
        let (text, marked) = shown(text, covered);
        let (text, marked) = windowed(&text, marked);
        Self {
            line,
            column,
            text,
            marked,
        }
    }
}

/// `line` with keys hidden, and where the octets `covered` are in it, counted in characters.
fn shown(line: &str, covered: Range<usize>) -> (String, Range<usize>) {
    let secrets = redact::secret_spans(line);
    let mut out = String::new();
    let mut length = 0;
    let mut marked = [None, None];
    let mut note = |at: usize, length: usize| {
        if at >= covered.start {
            marked[0].get_or_insert(length);
        }
        if at >= covered.end {
            marked[1].get_or_insert(length);
        }
    };
    for (at, c) in line.char_indices() {
        if let Some(secret) = secrets.iter().find(|secret| secret.contains(&at)) {
            if secret.start == at {
                note(at, length);
                out.push_str(redact::HIDDEN);
                length += redact::HIDDEN.chars().count();
            }
            continue;
        }
        note(at, length);
        out.push(redact::printable(c));
        length += 1;
    }
    note(line.len(), length);
    let [start, end] = marked.map(|at| at.unwrap_or(length));
    (out, start.min(end)..end)
}

/// The part of `line` around `marked`, where the line is too long to show.
fn windowed(line: &str, marked: Range<usize>) -> (String, Range<usize>) {
    let length = line.chars().count();
    if length <= WINDOW {
        return (line.trim_end().to_owned(), marked);
    }
    let from = marked.start.saturating_sub(WINDOW / 3);
    let text: String = line.chars().skip(from).take(WINDOW).collect();
    let ahead = if from > 0 { "\u{2026}" } else { "" };
    let after = if from + WINDOW < length {
        "\u{2026}"
    } else {
        ""
    };
    let shift = |at: usize| at.saturating_sub(from).min(WINDOW) + ahead.chars().count();
    (
        format!("{ahead}{text}{after}"),
        shift(marked.start)..shift(marked.end),
    )
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}: {}", self.what)?;
        let file = self.file.display();
        let mut margin = 1;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            margin = number.len();
            writeln!(f, "{:margin$}--> {file}:{number}:{}", "", place.column)?;
            writeln!(f, "{:margin$} |", "")?;
            writeln!(f, "{number} | {}", place.text)?;
            let carets = place.marked.len().max(1);
            let at = place.marked.start;
            writeln!(f, "{:margin$} | {:at$}{:^<carets$}", "", "", "")?;
        } else {
            writeln!(f, " --> {file}")?;
        }
        if !self.key.is_empty() {
            writeln!(f, "{:margin$} = key: {}", "", self.key)?;
        }
        if let Some(right) = &self.right {
            writeln!(f, "{:margin$} = help: {right}", "")?;
        }
        Ok(())
    }
}

/// All that is wrong with a config, in the order of the file. Never empty as an error.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// A problem of the whole file `path`.
    pub(super) fn of_file(path: &Path, what: String, right: &str) -> Self {
        Self(vec![Problem {
            severity: Severity::Error,
            file: path.to_path_buf(),
            place: None,
            key: String::new(),
            what,
            right: Some(right.to_owned()),
        }])
    }

    /// How many of them refuse the config.
    pub fn errors(&self) -> usize {
        self.0
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        match self.errors() {
            0 => Ok(()),
            1 => f.write_str("config refused: 1 error\n"),
            count => writeln!(f, "config refused: {count} errors"),
        }
    }
}

impl core::error::Error for Problems {}
