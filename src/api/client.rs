//! The asking end, for the subcommands.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{error, fmt};
use std::{
    io::{self, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{API_VERSION, ErrorReply};

/// Longer than control may take for a change.
const PATIENCE: Duration = Duration::from_secs(8);
/// Octets of the longest reply that is believed.
const LONGEST_REPLY: u64 = 64 * 1024 * 1024;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskError {
    /// No one listens on the socket.
    NoGateway {
        /// The socket.
        socket: PathBuf,
    },
    /// This user may not connect.
    NotAllowed {
        /// The socket.
        socket: PathBuf,
    },
    /// The gateway answered with a refusal.
    Refused(ErrorReply),
    /// The connection or the reply is broken.
    Broken {
        /// The socket.
        socket: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl AskError {
    /// What to do about it.
    pub fn remedy(&self) -> &str {
        match self {
            Self::NoGateway { .. } => {
                "start one with `macsecgw run --config FILE`, or name the one that you mean with --name \
                 or --socket"
            }
            Self::NotAllowed { .. } => "ask as root, or become a member of the gateway's group",
            Self::Refused(refusal) => &refusal.remedy,
            Self::Broken { .. } => "the gateway's log may say why",
        }
    }

    /// The process's exit code: 3 where no gateway runs, else 1.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NoGateway { .. } => 3,
            _ => 1,
        }
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGateway { socket } => write!(f, "no gateway answers on {}", socket.display()),
            Self::NotAllowed { socket } => write!(f, "you may not speak to {}", socket.display()),
            Self::Refused(refusal) => f.write_str(&refusal.text),
            Self::Broken { socket, what } => write!(f, "{}: {what}", socket.display()),
        }
    }
}

impl error::Error for AskError {}

/// Sends `verb` and returns the body of the reply.
///
/// # Errors
/// No gateway, no access, a refusal, or a broken reply.
pub fn ask(socket: &Path, verb: &str) -> Result<Value, AskError> {
    send(socket, &json!({ "v": API_VERSION, "verb": verb }))
}

/// Asks for a new SAK on a link; what control says about it.
///
/// # Errors
/// As [`ask`].
pub fn ask_rekey(socket: &Path, link: &str) -> Result<String, AskError> {
    let request = json!({ "v": API_VERSION, "verb": "rekey", "link": link });
    let body = send(socket, &request)?;
    let text = body.get("text").and_then(Value::as_str);
    Ok(text.unwrap_or_default().to_string())
}

fn send(socket: &Path, request: &Value) -> Result<Value, AskError> {
    let mut line = request.to_string().into_bytes();
    line.push(b'\n');
    let reply = exchange(socket, &line)?;
    read_reply(socket, &reply)
}

/// Like [`ask`], with the body read into `T`.
///
/// # Errors
/// As [`ask`]; a body that is no `T` is broken.
pub fn ask_as<T: DeserializeOwned>(socket: &Path, verb: &str) -> Result<T, AskError> {
    let body = ask(socket, verb)?;
    serde_json::from_value(body).map_err(|error| AskError::Broken {
        socket: socket.into(),
        what: format!("the reply to `{verb}` is of another release of this program ({error})"),
    })
}

fn exchange(socket: &Path, line: &[u8]) -> Result<Vec<u8>, AskError> {
    let broken = |error: io::Error| AskError::Broken {
        socket: socket.into(),
        what: error.to_string(),
    };
    let mut stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::NotADirectory => {
            AskError::NoGateway {
                socket: socket.into(),
            }
        }
        ErrorKind::PermissionDenied => AskError::NotAllowed {
            socket: socket.into(),
        },
        _ => broken(error),
    })?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
        // One who may not enter is told so and the rest of what he says is not read; the reply counts.
        .and_then(|()| stream.write_all(line).or_else(ignore_broken_pipe))
        .map_err(broken)?;
    // The end of what is asked is the end of what is answered: no framing is needed to read it.
    stream
        .shutdown(std::net::Shutdown::Write)
        .or_else(ignore_broken_pipe)
        .map_err(broken)?;
    let mut reply = Vec::new();
    stream
        .take(LONGEST_REPLY)
        .read_to_end(&mut reply)
        .map_err(broken)?;
    Ok(reply)
}

fn ignore_broken_pipe(error: io::Error) -> io::Result<()> {
    match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::NotConnected => Ok(()),
        _ => Err(error),
    }
}

fn read_reply(socket: &Path, reply: &[u8]) -> Result<Value, AskError> {
    let broken = |what: &str| AskError::Broken {
        socket: socket.into(),
        what: what.to_string(),
    };
    if reply.is_empty() {
        return Err(broken(
            "the gateway closed the connection without an answer",
        ));
    }
    let Ok(Value::Object(mut reply)) = serde_json::from_slice(reply) else {
        return Err(broken("the answer is not a JSON object"));
    };
    if let Some(body) = reply.remove("ok") {
        return Ok(body);
    }
    let refusal = reply
        .remove("error")
        .and_then(|error| serde_json::from_value(error).ok());
    Err(refusal.map_or_else(
        || broken("the answer is neither ok nor an error"),
        AskError::Refused,
    ))
}
