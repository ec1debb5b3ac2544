//! The protocol of the control socket: a JSON object on a line each way.

use alloc::{format, vec::Vec};
use std::{
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::{UnixListener, UnixStream},
    },
    time::Instant,
};

use nix::unistd::Gid;
use serde_json::{Value, json};

use super::{
    ErrorCode, ErrorReply, LONGEST_REQUEST,
    access::{Peer, admit, allow_change},
    connection::{Answer, Protocol},
    door::Door,
    read_only::Sight,
    reply::reply_line,
    request::{Kind, parse},
};
use crate::{
    bus::{Snapshot, SnapshotReader},
    control::Requests,
};

/// The control socket's thread owns this.
#[derive(Debug)]
pub(super) struct ControlSocket {
    listener: UnixListener,
    group: Option<Gid>,
    reader: SnapshotReader,
    requests: Requests,
}

impl ControlSocket {
    pub(super) fn new(
        listener: UnixListener,
        group: Option<Gid>,
        reader: SnapshotReader,
        requests: Requests,
    ) -> Self {
        Self {
            listener,
            group,
            reader,
            requests,
        }
    }

    fn outcome(&mut self, peer: Peer, line: &[u8]) -> Result<Value, ErrorReply> {
        match parse(line)?.0 {
            Kind::Read(verb) => {
                let snapshot = self.snapshot()?;
                let now = Instant::now();
                (verb.answer)(Sight {
                    snapshot: &snapshot,
                    now,
                })
            }
            Kind::Change(verb, values) => {
                allow_change(peer, verb.name)?;
                tracing::info!(verb = verb.name, uid = %peer.uid, pid = peer.pid, "asked to change");
                let said = self.requests.ask((verb.request)(&values));
                match said {
                    Ok(text) => Ok(json!({ "v": super::API_VERSION, "text": text })),
                    Err(text) => Err(ErrorReply::new(
                        ErrorCode::Refused,
                        text,
                        "nothing was changed; `status` shows the state",
                    )),
                }
            }
        }
    }

    fn snapshot(&mut self) -> Result<alloc::sync::Arc<Snapshot>, ErrorReply> {
        self.reader.newest().ok_or_else(|| {
            let text = "the gateway is starting: there is nothing to show yet";
            ErrorReply::new(ErrorCode::NotReady, text, "ask again in a second")
        })
    }
}

impl Protocol for ControlSocket {
    type Peer = Option<Peer>;
    const LONGEST: usize = LONGEST_REQUEST;

    fn answer(&mut self, peer: Option<Peer>, input: &mut Vec<u8>) -> Answer {
        let Some(end) = input.iter().position(|octet| *octet == b'\n') else {
            return Answer::NotYet;
        };
        let line: Vec<u8> = input.drain(..=end).collect();
        // Only those who were admitted get here; one without a peer was refused at the door.
        let Some(peer) = peer else {
            return Answer::Last(Vec::new());
        };
        Answer::Reply(reply_line(self.outcome(peer, line.trim_ascii())))
    }

    fn too_long(&self) -> Vec<u8> {
        let text = format!("a request of more than {LONGEST_REQUEST} octets without a newline");
        ErrorReply::new(ErrorCode::TooLong, text, "end each request with a newline").line()
    }

    fn too_slow(&self) -> Vec<u8> {
        let text = "no whole request within 2 seconds";
        ErrorReply::new(
            ErrorCode::TooSlow,
            text,
            "send it at once and end it with a newline",
        )
        .line()
    }
}

impl AsFd for ControlSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Door for ControlSocket {
    type Stream = UnixStream;

    fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    fn admit(&self, stream: &UnixStream) -> (Option<Peer>, Result<(), Vec<u8>>) {
        match admit(stream, self.group) {
            Ok(peer) => (Some(peer), Ok(())),
            Err(refusal) => {
                tracing::warn!(%refusal, "control socket");
                (None, Err(refusal.line()))
            }
        }
    }
}
