//! The raw half of reading a config: typed values out of the TOML tree, each with its place.
//!
//! A derived `Deserialize` stops at the first value that does not fit. An operator wants all of
//! them at once, so this walks the parser's own tree: every reader here notes what is wrong, hands
//! back the default, and lets the walk go on. What was noted refuses the config in the end.

use core::fmt;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::load::known_keys;
use super::nearest::nearest;
use super::problem::{Place, Problem, Problems, Severity};
use super::redact::{hidden_digits, is_no_secret, names_a_secret, quoted};
use super::source::Source;
use super::utc::Utc;

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

/// One table of the file: hands out its values, and knows which keys may be there.
pub(super) struct Section<'t> {
    pub(super) path: String,
    pub(super) span: Span,
    table: Option<&'t DeTable<'t>>,
}

impl<'t> Section<'t> {
    /// The table at `path`, of which only `known` keys may be given; every other one is noted.
    pub(super) fn open(
        reader: &mut Reader<'_>,
        path: &str,
        table: Option<&'t DeTable<'t>>,
        span: Span,
        known: &[&str],
    ) -> Self {
        let section = Self {
            path: path.to_owned(),
            span,
            table,
        };
        for key in table.into_iter().flat_map(|table| table.keys()) {
            if !known.contains(&key.get_ref().as_ref()) {
                section.note_unknown(reader, key.get_ref(), &key.span(), known);
            }
        }
        section
    }

    fn note_unknown(&self, reader: &mut Reader<'_>, key: &str, span: &Span, known: &[&str]) {
        let (place, at) = if self.path.is_empty() {
            ("a config".to_owned(), "at the top of the file".to_owned())
        } else {
            let place = format!("`{}`", self.path);
            (place.clone(), format!("in {place}"))
        };
        let meant = nearest(key, known);
        let right = if let Some(meant) = meant.filter(|meant| is_no_secret(meant)) {
            format!("did you mean `{meant}`?")
        } else if names_a_secret(key) {
            let place = if known.contains(&"tx_sak_file") {
                "`tx_sak_file` or `rx_sak_file`"
            } else {
                "`cak_file` in [[link.cak]]"
            };
            format!(
                "no key stands in a config: put it into a file of mode 0600, and name that with \
                 {place}"
            )
        } else if let Some(table) = self.table_of(key) {
            format!("`{key}` belongs to {table}")
        } else if let Some(meant) = meant {
            format!("did you mean `{meant}`?")
        } else {
            format!("{place} knows {}", known.join(", "))
        };
        let what = format!("unknown key {} {at}", quoted(key));
        // The key may be a pasted secret itself, so its path is quoted, too.
        let path = self.path_of(quoted(key).trim_matches('`'));
        reader.note(Severity::Error, &path, span, what, right);
    }

    /// A table `key` in this one that has no keys, whatever the file says.
    pub(super) fn none(&self, key: &str) -> Self {
        Self {
            path: self.path_of(key),
            span: self.span.clone(),
            table: None,
        }
    }

    /// The other table that knows `key`: one of a link, if this is one of a link.
    fn table_of(&self, key: &str) -> Option<String> {
        let mut tables = known_keys().into_iter().filter(|(table, keys)| {
            let of_a_link = table.starts_with("link");
            of_a_link == self.path.starts_with("link") && keys.contains(&key)
        });
        let (table, _) = tables.find(|(table, _)| !table.is_empty())?;
        Some(match table {
            "link" | "link.cak" => format!("[[{table}]]"),
            "link.bypass" => "an entry of `bypass`".to_owned(),
            _ => format!("[{table}]"),
        })
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The value of `key`, if it is given.
    pub(super) fn find(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table?
            .iter()
            .find(|(name, _)| name.get_ref().as_ref() == key)
            .map(|(_, value)| value)
    }

    /// The place of `key`'s value, whatever it is; where it is not given, that of the table.
    pub(super) fn place(&self, key: &str) -> Field<()> {
        let found = self.find(key);
        Field {
            value: (),
            given: found.is_some(),
            span: found.map_or_else(|| self.span.clone(), Spanned::span),
            key: self.path_of(key),
        }
    }

    /// `value` with the place of `key`, which is not given.
    pub(super) fn default<T>(&self, key: &str, value: T) -> Field<T> {
        Field {
            value,
            given: false,
            span: self.span.clone(),
            key: self.path_of(key),
        }
    }

    /// The value of `key` made by `read`, or `default` where it is absent or wrong.
    fn read<T>(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        default: T,
        wanted: &dyn fmt::Display,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Field<T> {
        let Some(found) = self.find(key) else {
            return self.default(key, default);
        };
        let read = read(found.get_ref());
        let given = read.is_some();
        let field = Field {
            value: read.unwrap_or(default),
            given,
            span: found.span(),
            key: self.path_of(key),
        };
        if !given {
            let what = format!("`{key}` {}", description(key, found.get_ref()));
            reader.wrong(&field, what, format!("`{key}` is {wanted}"));
        }
        field
    }

    /// A text. Whether its content fits is for the caller to say.
    pub(super) fn text(&self, reader: &mut Reader<'_>, key: &str, default: &str) -> Field<String> {
        let wanted = "a text in quotes";
        self.read(reader, key, default.to_owned(), &wanted, |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A text that must be given. `None` where it isn't, and that is noted.
    pub(super) fn required_text(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        right: &str,
    ) -> Option<Field<String>> {
        let field = self.text(reader, key, "");
        if self.find(key).is_none() {
            let what = format!("`{key}` is missing in `{}`", self.path);
            reader.wrong(&field, what, right);
        }
        field.given.then_some(field)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, reader: &mut Reader<'_>, key: &str, default: bool) -> Field<bool> {
        let wanted = "true or false, without quotes";
        self.read(reader, key, default, &wanted, DeValue::as_bool)
    }

    /// A whole number within `range`.
    pub(super) fn number<T>(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        range: RangeInclusive<i64>,
        default: T,
    ) -> Field<T>
    where
        T: TryFrom<i64>,
    {
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        self.read(reader, key, default, &wanted, |value| {
            integer(value)
                .filter(|number| range.contains(number))
                .and_then(|number| T::try_from(number).ok())
        })
    }

    /// A number with or without a fraction, within `range`.
    pub(super) fn fraction(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        range: RangeInclusive<f64>,
        default: f64,
    ) -> Field<f64> {
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        self.read(reader, key, default, &wanted, |value| {
            let number = match value {
                DeValue::Float(float) => plain(float.as_str()).parse().ok()?,
                _ => f64::from(i32::try_from(integer(value)?).ok()?),
            };
            range.contains(&number).then_some(number)
        })
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        choices: &[(&str, T)],
        default: T,
    ) -> Field<T> {
        let words: Vec<&str> = choices.iter().map(|&(word, _)| word).collect();
        let mut wanted = format!("one of \"{}\"", words.join("\", \""));
        if let Some(meant) = self
            .find(key)
            .and_then(|value| value.get_ref().as_str())
            .and_then(|word| nearest(word, &words))
        {
            wanted.push_str(&format!("; did you mean \"{meant}\"?"));
        }
        self.read(reader, key, default, &wanted, |value| {
            let word = value.as_str()?;
            choices
                .iter()
                .find(|&&(name, _)| name == word)
                .map(|&(_, choice)| choice)
        })
    }

    /// A moment of the calendar: a date and time of TOML, or the same as a text. `None` where it is
    /// not given.
    pub(super) fn moment(&self, reader: &mut Reader<'_>, key: &str) -> Field<Option<Utc>> {
        let wanted = "a date and time with its zone, such as 2027-01-31T22:00:00Z";
        self.read(reader, key, None, &wanted, |value| {
            let moment = match value {
                DeValue::Datetime(datetime) => Utc::of_datetime(datetime),
                DeValue::String(text) => Utc::of_datetime(&text.parse().ok()?),
                _ => None,
            };
            moment.map(Some)
        })
    }

    /// A list of a few words, each with its place.
    pub(super) fn choices<T: Copy>(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        choices: &[(&str, T)],
    ) -> Vec<Field<T>> {
        let words: Vec<&str> = choices.iter().map(|&(word, _)| word).collect();
        let wanted = format!("a list of \"{}\"", words.join("\", \""));
        self.list(reader, key, &wanted, |value| {
            let word = value.as_str()?;
            choices
                .iter()
                .find(|&&(name, _)| name == word)
                .map(|&(_, choice)| choice)
        })
    }

    /// A list of texts, each with its place.
    pub(super) fn texts(&self, reader: &mut Reader<'_>, key: &str) -> Vec<Field<String>> {
        self.list(reader, key, &"a list of texts in quotes", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A list of whole numbers within `range`, each with its place.
    pub(super) fn numbers<T: TryFrom<i64>>(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        range: RangeInclusive<i64>,
    ) -> Vec<Field<T>> {
        let (first, last) = (range.start(), range.end());
        let wanted = format!("a list of whole numbers from {first} to {last}");
        self.list(reader, key, &wanted, |value| {
            integer(value)
                .filter(|number| range.contains(number))
                .and_then(|number| T::try_from(number).ok())
        })
    }

    fn list<T>(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        wanted: &dyn fmt::Display,
        read: impl Fn(&'t DeValue<'t>) -> Option<T>,
    ) -> Vec<Field<T>> {
        let list = self.read(reader, key, None, wanted, |value| {
            value.as_array().map(Some)
        });
        let mut fields = Vec::new();
        for (index, item) in list.value.into_iter().flatten().enumerate() {
            let path = format!("{}[{index}]", list.key);
            match read(item.get_ref()) {
                Some(value) => fields.push(Field {
                    value,
                    given: true,
                    span: item.span(),
                    key: path,
                }),
                None => reader.note(
                    Severity::Error,
                    &path,
                    &item.span(),
                    format!("an entry of `{key}` {}", description(key, item.get_ref())),
                    format!("`{key}` is {wanted}"),
                ),
            }
        }
        fields
    }

    /// The table `key` in this one, open; a closed one with no keys where it is absent.
    pub(super) fn section(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        known: &[&str],
    ) -> Field<Self> {
        let found = self.read(reader, key, None, &format!("a table, [{key}]"), |value| {
            value.as_table().map(Some)
        });
        let section = Section::open(reader, &found.key, found.value, found.span.clone(), known);
        found.with(section)
    }

    /// The tables of the list `key` in this one, open.
    pub(super) fn sections(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        wanted: &str,
        known: &[&str],
    ) -> Vec<Self> {
        let tables = self.list(reader, key, &wanted, DeValue::as_table);
        tables
            .into_iter()
            .map(|table| Section::open(reader, &table.key, Some(table.value), table.span, known))
            .collect()
    }
}

/// A TOML integer, in any of its radices. `None` past 64 bits.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(&plain(integer.as_str()), integer.radix()).ok()
}

/// Digits without the underscores that TOML allows between them.
fn plain(digits: &str) -> String {
    digits.chars().filter(|&c| c != '_').collect()
}

/// What the value of `key` is, for a message that says what it should be.
fn description(key: &str, value: &DeValue<'_>) -> String {
    match value {
        // A short secret does not look like one.
        DeValue::String(_) if names_a_secret(key) => "is a text".to_owned(),
        DeValue::Integer(_) | DeValue::Float(_) if names_a_secret(key) => "is a number".to_owned(),
        DeValue::String(text) => format!("is the text {}", quoted(text)),
        DeValue::Integer(number) => format!("is {}", quoted(&number.to_string())),
        DeValue::Float(number) => format!("is {}", quoted(number.as_str())),
        DeValue::Boolean(flag) => format!("is {flag}"),
        DeValue::Datetime(date) if date.date.is_some() && date.time.is_some() => {
            "is a date and time without a time zone".to_owned()
        }
        DeValue::Datetime(date) if date.date.is_none() => "is a time without a date".to_owned(),
        DeValue::Datetime(_) => "is a date without a time".to_owned(),
        DeValue::Array(_) => "is a list".to_owned(),
        DeValue::Table(_) => "is a table".to_owned(),
    }
}
