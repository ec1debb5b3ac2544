//! One connection: reads a request, writes its answer, and never waits.

use alloc::vec::Vec;
use std::{
    io::{ErrorKind, Read, Write},
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use nix::poll::PollFlags;

/// How long a request may take to come, from the connection's start or the last answer.
const REQUEST_WITHIN: Duration = Duration::from_secs(2);
/// How long an answer may take to be fetched.
const FETCHED_WITHIN: Duration = Duration::from_secs(5);
/// How long, and for how many octets, what nobody asked for is read after the last answer. Closing
/// with unread input would make the kernel throw the answer away at the other end.
const DRAINED_WITHIN: Duration = Duration::from_secs(1);
const DRAINED_MOST: usize = 1024 * 1024;

/// What a stream must be able to do.
pub(super) trait Stream: Read + Write + AsFd {
    /// Says that no more will be written.
    fn end_writing(&self);
}

impl Stream for std::os::unix::net::UnixStream {
    fn end_writing(&self) {
        // A peer that has gone needs no end.
        let _ = self.shutdown(std::net::Shutdown::Write);
    }
}

impl Stream for std::net::TcpStream {
    fn end_writing(&self) {
        // A peer that has gone needs no end.
        let _ = self.shutdown(std::net::Shutdown::Write);
    }
}

/// What to do with the input so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is no whole request yet.
    NotYet,
    /// Send this, then take the next request.
    Reply(Vec<u8>),
    /// Send this, then close.
    Last(Vec<u8>),
}

/// One protocol.
pub(super) trait Protocol {
    /// What is known of an asker.
    type Peer: Copy;
    /// Octets of the longest request.
    const LONGEST: usize;
    /// Takes a whole request off the front of `input`, if there is one, and answers it.
    fn answer(&mut self, peer: Self::Peer, input: &mut Vec<u8>) -> Answer;
    /// Said to one whose request is longer than [`Self::LONGEST`].
    fn too_long(&self) -> Vec<u8>;
    /// Said to one whose request did not come in time.
    fn too_slow(&self) -> Vec<u8>;
}

#[derive(Debug)]
enum State {
    Reading,
    Writing {
        out: Vec<u8>,
        sent: usize,
        last: bool,
    },
    Draining {
        left: usize,
    },
    Closed,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection<S, P> {
    stream: S,
    peer: P,
    input: Vec<u8>,
    /// The other end will send no more.
    ended: bool,
    state: State,
    deadline: Instant,
}

impl<S: Stream, P: Copy> Connection<S, P> {
    /// A connection that waits for its first request. The stream must not block.
    pub(super) fn new(stream: S, peer: P, now: Instant) -> Self {
        let deadline = now + REQUEST_WITHIN;
        Self {
            stream,
            peer,
            input: Vec::new(),
            ended: false,
            state: State::Reading,
            deadline,
        }
    }

    /// A connection that is told one thing and closed.
    pub(super) fn refused(stream: S, peer: P, why: Vec<u8>, now: Instant) -> Self {
        let mut connection = Self::new(stream, peer, now);
        connection.write(why, true, now);
        connection
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    pub(super) const fn interest(&self) -> PollFlags {
        match self.state {
            State::Writing { .. } => PollFlags::POLLOUT,
            _ => PollFlags::POLLIN,
        }
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether it is waiting for a request: the first to go where there are too many.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.state, State::Reading | State::Draining { .. })
    }

    /// Does what can be done without waiting: at most one request. True where there may be more in
    /// hand that no poll would wake us for.
    pub(super) fn step(&mut self, protocol: &mut impl Protocol<Peer = P>, now: Instant) -> bool {
        if matches!(self.state, State::Writing { .. }) {
            self.send(now);
        }
        let mut more = false;
        if matches!(self.state, State::Reading) {
            if self.input.len() < longest(protocol) {
                self.fill();
            }
            more = self.take_request(protocol, now);
            self.send(now);
        }
        if matches!(self.state, State::Draining { .. }) {
            self.drain();
        }
        self.expire(protocol, now);
        more && !self.is_closed()
    }

    fn fill(&mut self) {
        let mut chunk = [0; 4096];
        match self.stream.read(&mut chunk) {
            // What came before the end may still be a whole request.
            Ok(0) if self.input.is_empty() => self.state = State::Closed,
            Ok(0) => self.ended = true,
            Ok(len) => self
                .input
                .extend_from_slice(chunk.get(..len).unwrap_or_default()),
            Err(error) if is_patience(&error) => {}
            Err(_) => self.state = State::Closed,
        }
    }

    fn take_request(&mut self, protocol: &mut impl Protocol<Peer = P>, now: Instant) -> bool {
        if self.input.is_empty() || !matches!(self.state, State::Reading) {
            return false;
        }
        match protocol.answer(self.peer, &mut self.input) {
            Answer::NotYet if self.input.len() >= longest(protocol) => {
                let why = protocol.too_long();
                self.write(why, true, now);
                false
            }
            Answer::NotYet => {
                if self.ended {
                    self.state = State::Closed;
                }
                false
            }
            Answer::Reply(out) => {
                self.write(out, false, now);
                !self.input.is_empty()
            }
            Answer::Last(out) => {
                self.write(out, true, now);
                false
            }
        }
    }

    fn write(&mut self, out: Vec<u8>, last: bool, now: Instant) {
        self.state = State::Writing { out, sent: 0, last };
        self.deadline = now + FETCHED_WITHIN;
    }

    fn send(&mut self, now: Instant) {
        let State::Writing { out, sent, last } = &mut self.state else {
            return;
        };
        while *sent < out.len() {
            match self.stream.write(out.get(*sent..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(len) => *sent += len,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.state = State::Closed;
                    return;
                }
            }
        }
        if *last {
            self.stream.end_writing();
            self.state = State::Draining { left: DRAINED_MOST };
            self.deadline = now + DRAINED_WITHIN;
        } else {
            self.state = State::Reading;
            self.deadline = now + REQUEST_WITHIN;
        }
    }

    fn drain(&mut self) {
        let State::Draining { left } = &mut self.state else {
            return;
        };
        let mut chunk = [0; 4096];
        match self.stream.read(&mut chunk) {
            Ok(len) if len > 0 && *left > len => *left -= len,
            Err(error) if is_patience(&error) => {}
            _ => self.state = State::Closed,
        }
    }

    fn expire(&mut self, protocol: &impl Protocol<Peer = P>, now: Instant) {
        if now < self.deadline {
            return;
        }
        if matches!(self.state, State::Reading) && !self.input.is_empty() {
            let why = protocol.too_slow();
            self.write(why, true, now);
            self.send(now);
        } else {
            self.state = State::Closed;
        }
    }
}

const fn longest<T: Protocol>(_: &T) -> usize {
    T::LONGEST
}

fn is_patience(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
