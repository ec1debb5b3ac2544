//! The raw half of reading a config: typed values out of the TOML tree, each with its place.
//!
//! A derived `Deserialize` stops at the first value that does not fit. An operator wants all of
//! them at once, so this walks the parser's own tree: every reader here notes what is wrong, hands
//! back the default, and lets the walk go on. What was noted refuses the config in the end.

mod section;
mod values;

pub(super) use section::Section;

use std::ops::Range;

use super::problem::{Place, Problem, Problems, Severity};
use super::redact::hidden_digits;
use super::source::Source;

/// The most problems that are noted; a binary file that happens to be text may have thousands.
const MAX_PROBLEMS: usize = 100;

/// Octets `start..end` of the file.
pub(super) type Span = Range<usize>;

/// A value, whether the file gives it, and the place to point at when it is wrong.
#[derive(Clone, Debug)]
pub(super) struct Field<T> {
    pub(super) value: T,
    /// The file says so; otherwise the value is the default.
    pub(super) given: bool,
    /// The value's place; the place of its table's header where it is not given.
    pub(super) span: Span,
    /// Dotted path of the key.
    pub(super) key: String,
}

impl<T> Field<T> {
    /// The same place with another value.
    pub(super) fn with<U>(&self, value: U) -> Field<U> {
        Field {
            value,
            given: self.given,
            span: self.span.clone(),
            key: self.key.clone(),
        }
    }
}

/// The file, and what was wrong with it so far.
pub(super) struct Reader<'s> {
    pub(super) source: &'s Source,
    problems: Vec<(usize, Problem)>,
}

impl<'s> Reader<'s> {
    pub(super) const fn new(source: &'s Source) -> Self {
        Self {
            source,
            problems: Vec::new(),
        }
    }

    /// Notes that the text at `span` is wrong.
    pub(super) fn note(
        &mut self,
        severity: Severity,
        key: &str,
        span: &Span,
        what: impl Into<String>,
        right: impl Into<String>,
    ) {
        if self.problems.len() >= MAX_PROBLEMS {
            return;
        }
        let right = right.into();
        let problem = Problem {
            severity,
            file: self.source.path.clone(),
            place: Some(Place::new(self.source, span)),
            key: hidden_digits(key),
            what: hidden_digits(&what.into()),
            right: (!right.is_empty()).then(|| hidden_digits(&right)),
        };
        self.problems.push((span.start, problem));
    }

    /// Notes that `field` is wrong.
    pub(super) fn wrong<T>(
        &mut self,
        field: &Field<T>,
        what: impl Into<String>,
        right: impl Into<String>,
    ) {
        self.note(Severity::Error, &field.key, &field.span, what, right);
    }

    /// Notes something about `field` that does not refuse the config.
    pub(super) fn warn<T>(
        &mut self,
        field: &Field<T>,
        what: impl Into<String>,
        right: impl Into<String>,
    ) {
        self.note(Severity::Warning, &field.key, &field.span, what, right);
    }

    /// All that was noted, in the order of the file.
    pub(super) fn into_problems(mut self) -> Problems {
        self.problems.sort_by_key(|&(at, _)| at);
        Problems(self.problems.into_iter().map(|(_, p)| p).collect())
    }
}
