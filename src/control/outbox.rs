//! Commands on their way to the workers.

use std::collections::VecDeque;

use crate::bus::{Command, CommandSender, LaneIndex, WorkerIndex};

/// The workers' rings, and what did not fit into them yet, in order.
#[derive(Debug)]
pub(super) struct Outbox {
    rings: Vec<CommandSender>,
    worker_of: Vec<(LaneIndex, WorkerIndex)>,
    waiting: Vec<VecDeque<Command>>,
}

impl Outbox {
    pub(super) fn new(rings: Vec<CommandSender>, worker_of: Vec<(LaneIndex, WorkerIndex)>) -> Self {
        let waiting = rings.iter().map(|_| VecDeque::new()).collect();
        Self {
            rings,
            worker_of,
            waiting,
        }
    }

    /// Sends what it can, behind what waits.
    pub(super) fn send(&mut self, commands: &mut Vec<Command>) {
        for command in commands.drain(..) {
            let worker = self
                .worker_of
                .iter()
                .find(|(lane, _)| *lane == command.lane);
            if let Some((_, worker)) = worker
                && let Some(waiting) = self.waiting.get_mut(worker.0)
            {
                waiting.push_back(command);
            }
        }
        for (ring, waiting) in self.rings.iter().zip(&mut self.waiting) {
            while let Some(command) = waiting.pop_front() {
                if let Err(command) = ring.send(command) {
                    waiting.push_front(command);
                    break;
                }
            }
        }
    }
}
