//! One socket's thread: accepts, polls, and serves a bounded number of connections.

use alloc::{sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicBool, Ordering};
use std::{
    io::{self, ErrorKind},
    os::fd::AsFd,
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::connection::{Connection, Protocol, Stream};

/// Connections at a time. One more takes the place of the one that has waited longest.
const CONNECTIONS: usize = 16;
/// How soon a stop is seen.
const STOP_SEEN_WITHIN: Duration = Duration::from_millis(100);

/// A listening socket and its protocol.
pub(super) trait Door: Protocol + AsFd {
    /// A connection's stream.
    type Stream: Stream;
    /// The next connection; `WouldBlock` where there is none. The stream must not block.
    fn accept(&self) -> io::Result<Self::Stream>;
    /// Who it is, or what to say to one who may not enter.
    fn admit(&self, stream: &Self::Stream) -> (Self::Peer, Result<(), Vec<u8>>);
}

/// Serves until `stop`.
pub(super) fn run<D: Door>(mut door: D, stop: &Arc<AtomicBool>) {
    let mut connections: Vec<Connection<D::Stream, D::Peer>> = Vec::with_capacity(CONNECTIONS);
    let mut more = false;
    while !stop.load(Ordering::Relaxed) {
        let wait = if more {
            Duration::ZERO
        } else {
            patience(&connections, Instant::now())
        };
        wait_for_any(&door, &connections, wait);
        let now = Instant::now();
        enter(&door, &mut connections, now);
        more = false;
        for connection in &mut connections {
            more |= connection.step(&mut door, now);
        }
        connections.retain(|connection| !connection.is_closed());
    }
}

fn patience<S: Stream, P: Copy>(connections: &[Connection<S, P>], now: Instant) -> Duration {
    connections
        .iter()
        .map(|connection| connection.deadline().saturating_duration_since(now))
        .fold(STOP_SEEN_WITHIN, Duration::min)
}

fn wait_for_any<D: Door>(door: &D, connections: &[Connection<D::Stream, D::Peer>], wait: Duration) {
    let mut fds = Vec::with_capacity(connections.len() + 1);
    fds.push(PollFd::new(door.as_fd(), PollFlags::POLLIN));
    fds.extend(
        connections
            .iter()
            .map(|each| PollFd::new(each.fd(), each.interest())),
    );
    // Rounded up: a deadline less than a millisecond away must not spin.
    let millis = u16::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
    if poll(&mut fds, PollTimeout::from(millis)).is_err() {
        // Interrupted, or out of memory: not at once again.
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn enter<D: Door>(door: &D, connections: &mut Vec<Connection<D::Stream, D::Peer>>, now: Instant) {
    for _ in 0..CONNECTIONS {
        if connections.len() >= CONNECTIONS && !make_room(connections) {
            return;
        }
        match door.accept() {
            Ok(stream) => {
                let (peer, admitted) = door.admit(&stream);
                connections.push(match admitted {
                    Ok(()) => Connection::new(stream, peer, now),
                    Err(why) => Connection::refused(stream, peer, why, now),
                });
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) if is_the_peers(&error) => {}
            Err(_) => {
                // No descriptors or no memory: the connection stays in the kernel's queue and poll
                // returns at once, so a moment is waited here.
                std::thread::sleep(STOP_SEEN_WITHIN);
                return;
            }
        }
    }
}

/// Drops the connection that has waited longest for its request to come. False where all are being
/// answered: the next one waits in the kernel's queue.
fn make_room<S: Stream, P: Copy>(connections: &mut Vec<Connection<S, P>>) -> bool {
    let waiting = connections
        .iter()
        .enumerate()
        .filter(|(_, each)| each.is_waiting());
    let oldest = waiting
        .min_by_key(|(_, each)| each.deadline())
        .map(|(index, _)| index);
    oldest.map(|index| connections.swap_remove(index)).is_some()
}

fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Interrupted | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
    )
}
