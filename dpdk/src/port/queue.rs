//! Receive and transmit queues: one owner each, who polls.

use std::fmt;
use std::sync::Arc;

use super::shared::PortShared;
use crate::burst::Burst;

/// Where a queue stands with its port's gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Outside; the next burst tries to get in.
    Outside,
    /// Inside: polled.
    Inside,
    /// Outside, until its owner resumes it.
    Quiesced,
}

/// What receive and transmit queues have in common.
struct Queue {
    port: Arc<PortShared>,
    id: u16,
    queue: u16,
    standing: Standing,
}

impl Queue {
    fn new(port: Arc<PortShared>, queue: u16) -> Self {
        Self {
            id: port.id,
            port,
            queue,
            standing: Standing::Outside,
        }
    }

    /// Whether the queue may be polled now.
    #[inline]
    fn is_ready(&mut self) -> bool {
        self.standing == Standing::Inside || self.try_enter()
    }

    #[cold]
    fn try_enter(&mut self) -> bool {
        if self.standing == Standing::Outside && self.port.gate.enter() {
            self.standing = Standing::Inside;
        }
        self.standing == Standing::Inside
    }

    fn quiesce(&mut self) {
        if self.standing == Standing::Inside {
            self.port.gate.leave();
        }
        self.standing = Standing::Quiesced;
    }

    fn resume(&mut self) {
        if self.standing == Standing::Quiesced {
            self.standing = Standing::Outside;
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.quiesce();
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} queue {} ({:?})",
            self.port.info.name, self.queue, self.standing
        )
    }
}

/// A receive queue. Its owner is the only one who polls it; it can move to another thread, not be copied.
///
/// While the port is not started, or the queue is quiesced, a burst receives nothing.
/// Before [`PortControl::stop`](super::PortControl::stop) the owner has to [`quiesce`](Self::quiesce) it:
/// control asks the worker, the worker quiesces and confirms.
#[derive(Debug)]
pub struct RxQueue {
    queue: Queue,
    most: u16,
}

impl RxQueue {
    pub(super) fn new(port: Arc<PortShared>, queue: u16) -> Self {
        Self {
            queue: Queue::new(port, queue),
            most: u16::MAX,
        }
    }

    /// Receives at most `frames` at once, whatever room a burst has.
    #[must_use]
    pub const fn with_burst(mut self, frames: u16) -> Self {
        self.most = frames;
        self
    }

    /// Receives up to `burst.room()` frames, appended to `burst`, and says how many.
    ///
    /// Give it an empty burst: some drivers take fours or eights, and receive nothing into less room.
    #[inline]
    pub fn rx_burst(&mut self, burst: &mut Burst) -> usize {
        if !self.queue.is_ready() {
            return 0;
        }
        let (spare, room) = burst.spare();
        let room = room.min(self.most);
        // SAFETY: the port is started and stays so while this queue is inside of its gate; the queue was set
        // up and has one owner; the array has room for `room` pointers.
        let received =
            unsafe { dpdk_sys::dpdk_shim_rx_burst(self.queue.id, self.queue.queue, spare, room) };
        // SAFETY: the driver filled the first `received` pointers with mbufs that it gave up.
        unsafe { burst.received(received) };
        usize::from(received)
    }

    /// Leaves the queue alone until [`resume`](Self::resume).
    pub fn quiesce(&mut self) {
        self.queue.quiesce();
    }

    /// Lets bursts receive again, as soon as the port is started.
    pub fn resume(&mut self) {
        self.queue.resume();
    }

    /// The port's name.
    #[must_use]
    pub fn port_name(&self) -> &str {
        &self.queue.port.info.name
    }

    /// The queue's number on its port.
    #[must_use]
    pub fn index(&self) -> u16 {
        self.queue.queue
    }
}

/// A transmit queue. As with [`RxQueue`], one owner, who has to quiesce it before the port is stopped.
#[derive(Debug)]
pub struct TxQueue(Queue);

impl TxQueue {
    pub(super) fn new(port: Arc<PortShared>, queue: u16) -> Self {
        Self(Queue::new(port, queue))
    }

    /// Sends from the front of `burst` and says how many frames the driver took. Those have left the burst;
    /// what it refused is still there, in order. Nothing is taken while the port is not started or the queue
    /// is quiesced.
    #[inline]
    pub fn tx_burst(&mut self, burst: &mut Burst) -> usize {
        if burst.is_empty() || !self.0.is_ready() {
            return 0;
        }
        let (filled, count) = burst.filled();
        // SAFETY: the port is started and stays so while this queue is inside of its gate; the queue was set
        // up and has one owner; the first `count` pointers are owned mbufs.
        let taken = unsafe { dpdk_sys::dpdk_shim_tx_burst(self.0.id, self.0.queue, filled, count) };
        // SAFETY: the driver owns the first `taken` mbufs from here on.
        unsafe { burst.forget_front(taken) };
        usize::from(taken)
    }

    /// Leaves the queue alone until [`resume`](Self::resume).
    pub fn quiesce(&mut self) {
        self.0.quiesce();
    }

    /// Lets bursts be sent again, as soon as the port is started.
    pub fn resume(&mut self) {
        self.0.resume();
    }

    /// The port's name.
    #[must_use]
    pub fn port_name(&self) -> &str {
        &self.0.port.info.name
    }

    /// The queue's number on its port.
    #[must_use]
    pub fn index(&self) -> u16 {
        self.0.queue
    }
}
