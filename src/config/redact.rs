//! Keeps key material out of everything that a config problem shows.
//!
//! A key belongs in a file of its own, but people paste keys where the file's name belongs, into
//! keys that do not exist, or on a line with a syntax error. So every source line and every quoted
//! text goes through here: what may be a key is replaced, whatever the problem was.

use std::ops::Range;

use super::mka_read::MKA_KEYS;

/// What stands in the place of hidden text.
pub(super) const HIDDEN: &str = "<hidden: it looks like a key>";

/// So many hexadecimal digits in a row may be a key, or most of one. A salt, no secret, has 24.
const KEY_DIGITS: usize = 26;

/// A text for a secret's place that holds no `.` and no `/` and is this long may be a key.
const KEY_TEXT: usize = 16;

/// Names that hold secrets somewhere in the trade; a value behind one is hidden.
const SECRET_WORDS: [&str; 9] = [
    "sak",
    "cak",
    "key",
    "secret",
    "psk",
    "ick",
    "kek",
    "password",
    "passphrase",
];

/// The parts of `line`, in octets, that must not be shown. Ascending, apart from each other.
pub(super) fn secret_spans(line: &str) -> Vec<Range<usize>> {
    let mut spans = hex_runs(line);
    spans.extend(values_of_secret_names(line));
    spans.sort_by_key(|span| span.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// Whether `text`, found where a key file's or credential's name belongs, may be a key itself.
pub(super) fn looks_like_key(text: &str) -> bool {
    !hex_runs(text).is_empty()
        || text.len() >= KEY_TEXT && {
            let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
            let separators = text.bytes().filter(|&c| is_separator(c)).count();
            let base64 = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'=');
            digits + separators == text.len()
                || text.ends_with('=') && text.bytes().all(base64)
                || text.len() >= 22
                    && text.bytes().all(base64)
                    && text.bytes().any(|c| c.is_ascii_digit())
                    && text.bytes().any(|c| c.is_ascii_uppercase())
                    && text.bytes().any(|c| c.is_ascii_lowercase())
        }
}

const fn is_separator(octet: u8) -> bool {
    matches!(octet, b':' | b'-' | b' ' | b'_' | b'.' | b',')
}

/// Runs of [`KEY_DIGITS`] or more hexadecimal digits, each at most one separator from the next.
fn hex_runs(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut run: Option<(usize, usize, usize)> = None;
    let mut separators = 0;
    for (at, octet) in text.bytes().chain([b'\n', b'\n']).enumerate() {
        if octet.is_ascii_hexdigit() {
            let (start, _, digits) = run.unwrap_or((at, at, 0));
            run = Some((start, at + 1, digits + 1));
            separators = 0;
        } else if run.is_some() {
            separators += 1;
            if separators > 1 || !is_separator(octet) {
                if let Some((start, end, digits)) = run.take()
                    && digits >= KEY_DIGITS
                {
                    spans.push(start..end);
                }
                separators = 0;
            }
        }
    }
    spans
}

/// The values of `name = value` where the name speaks of a secret. A `*_file` and a `*_credential`
/// name a place, so there only a value that looks like a key itself is one.
fn values_of_secret_names(line: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(found) = line[from..].find(['=', ':']) {
        let sign = from + found;
        from = sign + 1;
        let name = line[..sign].trim_end().trim_end_matches(['"', '\'']);
        let name_start = name
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .map_or(0, |at| {
                at + name[at..].chars().next().map_or(1, char::len_utf8)
            });
        let name = &name[name_start..];
        if !speaks_of_a_secret(name) {
            continue;
        }
        let value = value_span(line, sign + 1);
        if names_a_secret(name) || looks_like_key(&line[value.clone()]) {
            from = value.end.max(from);
            spans.push(value);
        }
    }
    spans.retain(|span| !span.is_empty());
    spans
}

fn speaks_of_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Whether a secret itself would stand behind `name`, not the name of the secret's place.
pub(super) fn names_a_secret(name: &str) -> bool {
    let names_a_place = name.ends_with("_file") || name.ends_with("_credential");
    speaks_of_a_secret(name) && !names_a_place && !is_no_secret(name)
}

/// Whether `name` is a key of ours that has one of those words in it and no secret behind it.
pub(super) fn is_no_secret(name: &str) -> bool {
    MKA_KEYS.contains(&name)
}

/// Where the value that follows an equals sign at `from` lies, without its quotes. An unquoted or
/// unended one reaches to the end of the line: better too much hidden than too little.
fn value_span(line: &str, from: usize) -> Range<usize> {
    let rest = &line[from..];
    let start = from + (rest.len() - rest.trim_start().len());
    let rest = &line[start..];
    match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let inner = start + 1;
            let end = line[inner..].find(quote).map(|at| inner + at);
            match end {
                // Two quotes in a row open a multi-line string, or end an empty one.
                Some(end) if end > inner => inner..end,
                _ => inner..line.len(),
            }
        }
        _ => start..line.trim_end().len().max(start),
    }
}

/// `text` as a message may quote it: in backquotes, at most 64 characters, on one line, no key.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("`");
    for (count, c) in hidden(text).chars().enumerate() {
        if count == 64 {
            out.push('\u{2026}');
            break;
        }
        out.push(printable(c));
    }
    out.push('`');
    out
}

/// `text` with [`HIDDEN`] where a key may be.
pub(super) fn hidden(text: &str) -> String {
    without(text, secret_spans(text))
}

/// A sentence of ours with [`HIDDEN`] where what was found in the config brought a key into it.
pub(super) fn hidden_digits(text: &str) -> String {
    without(text, hex_runs(text))
}

fn without(text: &str, spans: Vec<Range<usize>>) -> String {
    let mut out = String::new();
    let mut from = 0;
    for span in spans {
        out.push_str(&text[from..span.start]);
        out.push_str(HIDDEN);
        from = span.end;
    }
    out.push_str(&text[from..]);
    out
}

/// `c`, or a stand-in where it would move the cursor or turn the text around on a terminal.
pub(super) const fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => '\u{fffd}',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f";

    #[test]
    fn long_runs_of_digits_are_hidden_with_and_without_separators() {
        assert_eq!(
            hidden(&format!("x = {KEY} # y")),
            format!("x = {HIDDEN} # y")
        );
        let colons = "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f";
        assert_eq!(hidden(&format!("[{colons}]")), format!("[{HIDDEN}]"));
    }

    #[test]
    fn addresses_salts_and_ordinary_values_stay() {
        for text in [
            "salt = \"e0e1e2e3e4e5e6e7e8e9eaeb\"",
            "sci = \"02:00:00:00:00:01/1\"",
            "plain = \"0000:03:00.0\"",
            "tx_sak_file = \"keys/dx1-tx.sak\"",
            "tx_sak_credential = \"dx1-tx\"",
        ] {
            assert_eq!(hidden(text), text);
        }
    }

    #[test]
    fn a_value_behind_a_secret_name_is_hidden_whatever_it_is() {
        assert_eq!(
            hidden("tx_sak = \"hunter2\""),
            format!("tx_sak = \"{HIDDEN}\"")
        );
        assert_eq!(hidden("cak = hunter2"), format!("cak = {HIDDEN}"));
        assert_eq!(
            hidden("\"psk\" = \"\"\"hunter2"),
            format!("\"psk\" = \"{HIDDEN}")
        );
        assert_eq!(
            hidden("static = { tx_sak = 'hunter2', tx_an = 9 }"),
            format!("static = {{ tx_sak = '{HIDDEN}', tx_an = 9 }}")
        );
    }

    #[test]
    fn settings_with_such_a_word_in_their_name_are_shown() {
        for text in ["key_server_priority = 16", "sak_rekey_interval_s = \"x\""] {
            assert_eq!(hidden(text), text);
        }
        assert_eq!(
            hidden(&format!("sak_gap_ms = \"{KEY}\"")),
            format!("sak_gap_ms = \"{HIDDEN}\"")
        );
        assert_eq!(hidden("sak_gap = 16"), format!("sak_gap = {HIDDEN}"));
    }

    #[test]
    fn a_key_in_the_place_of_a_file_name_is_hidden() {
        assert_eq!(
            hidden(&format!("tx_sak_file = \"{KEY}\"")),
            format!("tx_sak_file = \"{HIDDEN}\"")
        );
        assert!(looks_like_key("0001020304050607"));
        assert!(looks_like_key("AAECAwQFBgcICQoLDA0ODw=="));
        assert!(!looks_like_key("/etc/macsecgw/keys/dx1.tx.sak"));
    }
}
