//! One table of the file: which keys may be there, and where their values are.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Field, Reader, Span};
use crate::config::load::known_keys;
use crate::config::nearest::nearest;
use crate::config::problem::Severity;
use crate::config::redact::{is_no_secret, names_a_secret, quoted};

/// One table of the file: hands out its values, and knows which keys may be there.
pub(in crate::config) struct Section<'t> {
    pub(in crate::config) path: String,
    pub(in crate::config) span: Span,
    table: Option<&'t DeTable<'t>>,
}

impl<'t> Section<'t> {
    /// The table at `path`, of which only `known` keys may be given; every other one is noted.
    pub(in crate::config) fn open(
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
    pub(in crate::config) fn none(&self, key: &str) -> Self {
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

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The value of `key`, if it is given.
    pub(in crate::config) fn find(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table?
            .iter()
            .find(|(name, _)| name.get_ref().as_ref() == key)
            .map(|(_, value)| value)
    }

    /// The place of `key`'s value, whatever it is; where it is not given, that of the table.
    pub(in crate::config) fn place(&self, key: &str) -> Field<()> {
        let found = self.find(key);
        Field {
            value: (),
            given: found.is_some(),
            span: found.map_or_else(|| self.span.clone(), Spanned::span),
            key: self.path_of(key),
        }
    }

    /// `value` with the place of `key`, which is not given.
    pub(in crate::config) fn default<T>(&self, key: &str, value: T) -> Field<T> {
        Field {
            value,
            given: false,
            span: self.span.clone(),
            key: self.path_of(key),
        }
    }

    /// The table `key` in this one, open; a closed one with no keys where it is absent.
    pub(in crate::config) fn section(
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
    pub(in crate::config) fn sections(
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
