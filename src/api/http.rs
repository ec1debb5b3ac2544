//! What Prometheus and health checks ask: `GET` or `HEAD` of `/metrics`, `/live` and `/ready`.
//!
//! No more of HTTP than that: the head of a request is bounded in size and time, a body is never
//! looked at, and each connection carries one request.

use alloc::{format, string::String, vec::Vec};
use std::{
    io,
    net::{TcpListener, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    time::Instant,
};

use super::{
    connection::{Answer, Protocol},
    door::Door,
};
use crate::{
    bus::SnapshotReader,
    metrics::{CONTENT_TYPE, Exporter, READY_WITHIN},
};

const PLAIN: &str = "text/plain; charset=utf-8";

/// The HTTP thread owns this.
#[derive(Debug)]
pub(super) struct Http {
    listener: TcpListener,
    reader: SnapshotReader,
    exporter: Exporter,
}

#[derive(Debug, PartialEq, Eq)]
struct Response {
    status: &'static str,
    media: &'static str,
    body: String,
}

impl Response {
    fn plain(status: &'static str, body: impl Into<String>) -> Self {
        Self {
            status,
            media: PLAIN,
            body: body.into(),
        }
    }

    fn octets(&self, with_body: bool) -> Vec<u8> {
        let Self {
            status,
            media,
            body,
        } = self;
        let allow = if status.starts_with("405") {
            "Allow: GET, HEAD\r\n"
        } else {
            ""
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n{allow}\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let mut octets = head.into_bytes();
        if with_body {
            octets.extend_from_slice(body.as_bytes());
        }
        octets
    }
}

impl Http {
    pub(super) fn new(listener: TcpListener, reader: SnapshotReader) -> Self {
        Self {
            listener,
            reader,
            exporter: Exporter::default(),
        }
    }

    fn respond(&mut self, path: &str, now: Instant) -> Response {
        match path {
            "/metrics" => self.metrics(now),
            "/live" => Response::plain("200 OK", "live\n"),
            "/ready" => self.ready(now),
            _ => Response::plain("404 Not Found", "there are /metrics, /live and /ready\n"),
        }
    }

    fn metrics(&mut self, now: Instant) -> Response {
        let Some(snapshot) = self.reader.newest() else {
            return Response::plain("503 Service Unavailable", "starting\n");
        };
        match self.exporter.render(&snapshot, now) {
            Ok(body) => Response {
                status: "200 OK",
                media: CONTENT_TYPE,
                body,
            },
            Err(error) => Response::plain("500 Internal Server Error", format!("{error}\n")),
        }
    }

    fn ready(&mut self, now: Instant) -> Response {
        match self.reader.newest() {
            None => Response::plain("503 Service Unavailable", "starting\n"),
            Some(snapshot) if now.saturating_duration_since(snapshot.taken) >= READY_WITHIN => {
                Response::plain(
                    "503 Service Unavailable",
                    "the control thread does not answer\n",
                )
            }
            Some(_) => Response::plain("200 OK", "ready\n"),
        }
    }
}

/// The path that a request's head asks for. For the fuzzer alone, which opens no sockets.
#[cfg(fuzzing)]
pub fn requested_path(head: &[u8]) -> Option<&str> {
    read_head(head).ok().map(|(path, _)| path)
}

/// The path that is asked for and whether a body is wanted, or what to say instead.
fn read_head(head: &[u8]) -> Result<(&str, bool), Response> {
    let bad = || Response::plain("400 Bad Request", "not an HTTP request\n");
    let line = head
        .split(|octet| *octet == b'\n')
        .next()
        .unwrap_or_default();
    let line = core::str::from_utf8(line.trim_ascii_end()).map_err(|_| bad())?;
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad());
    };
    if !version.starts_with("HTTP/") {
        return Err(bad());
    }
    if !matches!(version, "HTTP/1.0" | "HTTP/1.1") {
        return Err(Response::plain(
            "505 HTTP Version Not Supported",
            "HTTP/1.0 or HTTP/1.1\n",
        ));
    }
    let with_body = match method {
        "GET" => true,
        "HEAD" => false,
        _ => return Err(Response::plain("405 Method Not Allowed", "GET or HEAD\n")),
    };
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    Ok((path, with_body))
}

/// Octets of the head, its empty line included, if it is whole.
fn head_len(input: &[u8]) -> Option<usize> {
    let long = input
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4);
    let short = input
        .windows(2)
        .position(|two| two == b"\n\n")
        .map(|at| at + 2);
    long.into_iter().chain(short).min()
}

impl Protocol for Http {
    type Peer = ();
    const LONGEST: usize = 8 * 1024;

    fn answer(&mut self, (): (), input: &mut Vec<u8>) -> Answer {
        let Some(len) = head_len(input) else {
            return Answer::NotYet;
        };
        let head: Vec<u8> = input.drain(..len).collect();
        Answer::Last(match read_head(&head) {
            Ok((path, with_body)) => self.respond(path, Instant::now()).octets(with_body),
            Err(response) => response.octets(true),
        })
    }

    fn too_long(&self) -> Vec<u8> {
        let status = "431 Request Header Fields Too Large";
        Response::plain(status, format!("at most {} octets\n", Self::LONGEST)).octets(true)
    }

    fn too_slow(&self) -> Vec<u8> {
        Response::plain("408 Request Timeout", "no whole request within 2 seconds\n").octets(true)
    }
}

impl AsFd for Http {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Door for Http {
    type Stream = TcpStream;

    fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    }

    fn admit(&self, _stream: &TcpStream) -> ((), Result<(), Vec<u8>>) {
        ((), Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let read = |head: &'static str| read_head(head.as_bytes()).map_err(|said| said.status);
        assert_eq!(
            read("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"),
            Ok(("/metrics", true))
        );
        assert_eq!(read("HEAD /live?x=1 HTTP/1.0\n\n"), Ok(("/live", false)));
        for (head, status) in [
            ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
            ("GET /metrics HTTP/2.0\r\n\r\n", "505"),
            ("GET /metrics\r\n\r\n", "400"),
            ("GET  /metrics HTTP/1.1\r\n\r\n", "400"),
            ("\r\n\r\n", "400"),
        ] {
            assert!(read(head).unwrap_err().starts_with(status), "{head}");
        }
        assert!(read_head(b"GET /\xff HTTP/1.1\r\n\r\n").is_err());
    }

    #[test]
    fn the_end_of_a_head_is_found() {
        assert_eq!(head_len(b"GET / HTTP/1.1\r\n"), None);
        assert_eq!(head_len(b"a\r\n\r\nb"), Some(5));
        assert_eq!(head_len(b"a\n\nb\r\n\r\n"), Some(3));
    }
}
