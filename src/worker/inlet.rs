//! The receive queues of one lane, which it polls in turn.

use dpdk::{Burst, RxQueue};

/// Where a lane's frames come from: one queue, or several over which the NIC spreads flows. Each flow
/// stays in one queue, so its order is kept; between flows there is none to keep.
#[derive(Debug)]
pub(super) struct Inlet {
    queues: Vec<RxQueue>,
    next: usize,
    in_use: bool,
}

impl Inlet {
    pub(super) fn new(queues: Vec<RxQueue>) -> Self {
        Self {
            queues,
            next: 0,
            in_use: false,
        }
    }

    /// Whether the port may be used.
    pub(super) fn is_in_use(&self) -> bool {
        self.in_use
    }

    /// Queues that are let go of are quiet from here on: control may stop their port.
    pub(super) fn use_port(&mut self, in_use: bool) {
        self.in_use = in_use;
        for queue in &mut self.queues {
            if in_use {
                queue.resume();
            } else {
                queue.quiesce();
            }
        }
    }

    /// Receives from the next queue that has frames, into an empty burst. Says how many.
    pub(super) fn rx_burst(&mut self, burst: &mut Burst) -> usize {
        for _ in 0..self.queues.len() {
            let at = self.next;
            self.next = if at + 1 < self.queues.len() {
                at + 1
            } else {
                0
            };
            let received = self.queues.get_mut(at).map_or(0, |rx| rx.rx_burst(burst));
            if received > 0 {
                return received;
            }
        }
        0
    }
}
