//! The envelope of replies: `{"v":1,"ok":..}` or `{"v":1,"error":{code,text,remedy}}`.

use alloc::{format, string::String, vec::Vec};
use core::{error, fmt};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::API_VERSION;

/// Why a request was refused. The words on the wire are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a JSON object on one line.
    BadJson,
    /// No `v`, or one that this gateway does not speak.
    BadVersion,
    /// No such verb.
    UnknownVerb,
    /// A field that the verb does not have.
    UnknownField,
    /// A field that the verb needs.
    MissingField,
    /// A field of the wrong kind or form.
    BadField,
    /// Longer than a request may be.
    TooLong,
    /// Not complete in time.
    TooSlow,
    /// The asker may not do that.
    NotAllowed,
    /// The gateway is starting: there is no snapshot yet.
    NotReady,
    /// Control refused.
    Refused,
    /// A defect of this gateway.
    Internal,
}

/// A refusal: what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReply {
    /// For machines.
    pub code: ErrorCode,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

impl ErrorReply {
    /// A refusal.
    pub(super) fn new(code: ErrorCode, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            remedy: remedy.into(),
        }
    }

    /// As a line on the wire.
    pub(super) fn line(&self) -> Vec<u8> {
        line(&json!({ "v": API_VERSION, "error": self }))
    }
}

impl fmt::Display for ErrorReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text, self.remedy)
    }
}

impl error::Error for ErrorReply {}

/// Either kind of reply as a line on the wire.
pub(super) fn reply_line(outcome: Result<Value, ErrorReply>) -> Vec<u8> {
    match outcome {
        Ok(body) => line(&json!({ "v": API_VERSION, "ok": body })),
        Err(refusal) => refusal.line(),
    }
}

/// `body` as JSON; a defect of ours where it can't be.
pub(super) fn body(body: &impl Serialize) -> Result<Value, ErrorReply> {
    serde_json::to_value(body).map_err(|error| {
        ErrorReply::new(
            ErrorCode::Internal,
            format!("no JSON: {error}"),
            "report this as a defect",
        )
    })
}

fn line(value: &Value) -> Vec<u8> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}
