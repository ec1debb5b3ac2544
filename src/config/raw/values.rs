//! Values of a table's keys, each of the type that is wanted or noted as none.

use core::fmt;
use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::{Field, Reader, Section};
use crate::config::nearest::nearest;
use crate::config::problem::Severity;
use crate::config::redact::{names_a_secret, quoted};
use crate::config::utc::Utc;

impl<'t> Section<'t> {
    /// The value of `key` made by `read`, or `default` where it is absent or wrong.
    pub(super) fn read<T>(
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
    pub(in crate::config) fn text(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        default: &str,
    ) -> Field<String> {
        let wanted = "a text in quotes";
        self.read(reader, key, default.to_owned(), &wanted, |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A text that must be given. `None` where it isn't, and that is noted.
    pub(in crate::config) fn required_text(
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
    pub(in crate::config) fn flag(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        default: bool,
    ) -> Field<bool> {
        let wanted = "true or false, without quotes";
        self.read(reader, key, default, &wanted, DeValue::as_bool)
    }

    /// A whole number within `range`.
    pub(in crate::config) fn number<T>(
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
    pub(in crate::config) fn fraction(
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
    pub(in crate::config) fn choice<T: Copy>(
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
    pub(in crate::config) fn moment(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
    ) -> Field<Option<Utc>> {
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
    pub(in crate::config) fn choices<T: Copy>(
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
    pub(in crate::config) fn texts(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
    ) -> Vec<Field<String>> {
        self.list(reader, key, &"a list of texts in quotes", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// A list of whole numbers within `range`, each with its place.
    pub(in crate::config) fn numbers<T: TryFrom<i64>>(
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

    pub(super) fn list<T>(
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
}

/// A TOML integer, in any of its radices. `None` past 64 bits.
pub(in crate::config) fn integer(value: &DeValue<'_>) -> Option<i64> {
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
