//! From a line to a checked request.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value};

use super::{
    API_VERSION, ErrorCode, ErrorReply,
    read_only::{self, ReadVerb},
    state_changing::{self, ChangeVerb},
};

/// A checked request.
#[derive(Clone, Debug)]
pub struct Call(pub(super) Kind);

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A verb that reads.
    Read(&'static ReadVerb),
    /// A verb that changes something, and the values of its fields.
    Change(&'static ChangeVerb, Vec<String>),
}

impl Call {
    /// The verb's name.
    pub const fn verb(&self) -> &'static str {
        match &self.0 {
            Kind::Read(verb) => verb.name,
            Kind::Change(verb, _) => verb.name,
        }
    }
}

/// Reads one request, without its newline.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub fn parse(line: &[u8]) -> Result<Call, ErrorReply> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        let text = format!("not JSON (line 1, column {})", error.column());
        ErrorReply::new(ErrorCode::BadJson, text, EXAMPLE)
    })?;
    let Value::Object(mut fields) = value else {
        return Err(ErrorReply::new(
            ErrorCode::BadJson,
            "not a JSON object",
            EXAMPLE,
        ));
    };
    check_version(fields.remove("v").as_ref())?;
    let verb = match fields.remove("verb") {
        Some(Value::String(verb)) => verb,
        Some(_) => {
            return Err(ErrorReply::new(
                ErrorCode::BadField,
                "`verb` is not a text",
                verbs(),
            ));
        }
        None => {
            return Err(ErrorReply::new(
                ErrorCode::MissingField,
                "no `verb`",
                verbs(),
            ));
        }
    };
    if let Some(read) = read_only::VERBS.iter().find(|each| each.name == verb) {
        take_fields(read.name, &[], fields)?;
        return Ok(Call(Kind::Read(read)));
    }
    if let Some(change) = state_changing::VERBS.iter().find(|each| each.name == verb) {
        let values = take_fields(change.name, change.fields, fields)?;
        return Ok(Call(Kind::Change(change, values)));
    }
    let text = format!("no verb {}", quoted(&verb));
    Err(ErrorReply::new(ErrorCode::UnknownVerb, text, verbs()))
}

const EXAMPLE: &str = "send one JSON object on one line, such as {\"v\":1,\"verb\":\"status\"}";

fn check_version(version: Option<&Value>) -> Result<(), ErrorReply> {
    match version {
        Some(version) if version.as_u64() == Some(API_VERSION) => Ok(()),
        found => {
            let text = found.map_or_else(
                || String::from("no `v`"),
                |found| format!("version {} is not spoken here", quoted(&found.to_string())),
            );
            let remedy = format!("say \"v\":{API_VERSION}");
            Err(ErrorReply::new(ErrorCode::BadVersion, text, remedy))
        }
    }
}

/// The values of a verb's own fields, in their order: every one is a text and must be there.
fn take_fields(
    verb: &str,
    wanted: &[&str],
    mut given: Map<String, Value>,
) -> Result<Vec<String>, ErrorReply> {
    let remedy = || match wanted {
        [] => format!("`{verb}` takes `v` and `verb` only"),
        _ => format!("`{verb}` takes `v`, `verb` and `{}`", wanted.join("`, `")),
    };
    let values = wanted
        .iter()
        .map(|field| match given.remove(*field) {
            Some(Value::String(value)) => Ok(value),
            Some(_) => {
                let text = format!("`{field}` is not a text");
                Err(ErrorReply::new(ErrorCode::BadField, text, remedy()))
            }
            None => {
                let text = format!("`{verb}` without `{field}`");
                Err(ErrorReply::new(ErrorCode::MissingField, text, remedy()))
            }
        })
        .collect::<Result<_, _>>()?;
    given.keys().next().map_or(Ok(values), |unknown| {
        let text = format!("`{verb}` has no field {}", quoted(unknown));
        Err(ErrorReply::new(ErrorCode::UnknownField, text, remedy()))
    })
}

fn verbs() -> String {
    let names: Vec<_> = read_only::VERBS
        .iter()
        .map(|verb| verb.name)
        .chain(state_changing::VERBS.iter().map(|verb| verb.name))
        .collect();
    format!("one of: {}", names.join(", "))
}

/// What an asker wrote, for the reply to him: short, and with nothing in it that moves a cursor.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_default)
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("..");
    }
    format!("\"{shown}\"").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> ErrorReply {
        parse(line.as_bytes()).unwrap_err()
    }

    #[test]
    fn each_verb_is_known() {
        for verb in ["status", "counters", "version", "reload"] {
            let line = format!("{{\"v\":1,\"verb\":\"{verb}\"}}");
            assert_eq!(parse(line.as_bytes()).unwrap().verb(), verb);
        }
        let rekey = br#"{"v":1,"verb":"rekey","link":"dx1"}"#;
        let Kind::Change(verb, values) = parse(rekey).unwrap().0 else {
            panic!("rekey reads only");
        };
        assert_eq!((verb.name, &*values), ("rekey", &["dx1".to_string()][..]));
    }

    #[test]
    fn what_is_wrong_has_a_code_and_a_remedy() {
        for (line, code, word) in [
            ("", ErrorCode::BadJson, "{\"v\":1"),
            ("[1]", ErrorCode::BadJson, "{\"v\":1"),
            (
                "{\"v\":1,\"verb\":\"status\"}x",
                ErrorCode::BadJson,
                "{\"v\":1",
            ),
            ("{\"verb\":\"status\"}", ErrorCode::BadVersion, "\"v\":1"),
            (
                "{\"v\":2,\"verb\":\"status\"}",
                ErrorCode::BadVersion,
                "\"v\":1",
            ),
            ("{\"v\":1}", ErrorCode::MissingField, "status"),
            ("{\"v\":1,\"verb\":7}", ErrorCode::BadField, "status"),
            (
                "{\"v\":1,\"verb\":\"stats\"}",
                ErrorCode::UnknownVerb,
                "status",
            ),
            (
                "{\"v\":1,\"verb\":\"status\",\"link\":\"a\"}",
                ErrorCode::UnknownField,
                "only",
            ),
            (
                "{\"v\":1,\"verb\":\"rekey\"}",
                ErrorCode::MissingField,
                "`link`",
            ),
            (
                "{\"v\":1,\"verb\":\"rekey\",\"link\":1}",
                ErrorCode::BadField,
                "`link`",
            ),
            (
                "{\"v\":1,\"verb\":\"rekey\",\"link\":\"dx1\",\"now\":true}",
                ErrorCode::UnknownField,
                "`link`",
            ),
            (
                "{\"v\":1,\"verb\":\"reload\",\"force\":true}",
                ErrorCode::UnknownField,
                "only",
            ),
        ] {
            let refusal = refusal(line);
            assert_eq!(refusal.code, code, "{line}: {refusal}");
            assert!(refusal.remedy.contains(word), "{line}: {refusal}");
        }
    }

    #[test]
    fn an_askers_own_words_come_back_short_and_harmless() {
        let long = format!("{{\"v\":1,\"verb\":\"\\u001b[2J{}\"}}", "x".repeat(5000));
        let refusal = refusal(&long);
        assert!(refusal.text.len() < 100, "{}", refusal.text);
        assert!(!refusal.text.contains('\u{1b}'), "{:?}", refusal.text);
    }
}
