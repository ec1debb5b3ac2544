//! EAPOL of our own on its way out: in buffers that no data uses, ahead of data, and never waited for.

use std::sync::Arc;

use dpdk::{Burst, Mbuf, Mempool, TxQueue};

use crate::bus::{EapolOut, LaneCounters, UnsentReason};

/// Frames that wait for a full transmit queue. More push the oldest out: the newest say what is true now.
const WAITING: usize = 32;

/// The sender of one link.
#[derive(Debug)]
pub(super) struct EapolSender {
    out: Arc<EapolOut>,
    buffers: Mempool,
    waiting: Burst,
}

impl EapolSender {
    pub(super) fn new(out: Arc<EapolOut>, buffers: Mempool) -> Self {
        Self {
            out,
            buffers,
            waiting: Burst::new(),
        }
    }

    /// Takes what control has and tries the queue once.
    pub(super) fn send(&mut self, tx: &mut TxQueue, counters: &LaneCounters) {
        // At most as many as there are slots, or control could keep a worker here.
        for _ in 0..EapolOut::SLOTS {
            let Some(frame) = self.out.take() else { break };
            match self.buffer(frame.octets()) {
                Some(mbuf) => self.wait(mbuf, counters),
                None => counters.eapol_unsent(UnsentReason::NoBuffer).add(1),
            }
        }
        self.retry(tx, counters);
    }

    /// Tries the queue with what waits.
    pub(super) fn retry(&mut self, tx: &mut TxQueue, counters: &LaneCounters) {
        if !self.waiting.is_empty() {
            counters
                .eapol_sent
                .add(tx.tx_burst(&mut self.waiting) as u64);
        }
    }

    /// Lets go of all that waits, and of what control has put in.
    pub(super) fn give_up(&mut self, why: UnsentReason, counters: &LaneCounters) {
        let unsent = counters.eapol_unsent(why);
        if !self.waiting.is_empty() {
            unsent.add(self.waiting.len() as u64);
            self.waiting.clear();
        }
        for _ in 0..EapolOut::SLOTS {
            if self.out.take().is_none() {
                break;
            }
            unsent.add(1);
        }
    }

    fn buffer(&self, octets: &[u8]) -> Option<Mbuf> {
        let mut mbuf = self.buffers.alloc()?;
        mbuf.append(octets.len())?.copy_from_slice(octets);
        Some(mbuf)
    }

    /// Puts a frame behind those that wait.
    fn wait(&mut self, mbuf: Mbuf, counters: &LaneCounters) {
        if self.waiting.len() == WAITING {
            self.waiting.as_mut_slice().rotate_left(1);
            drop(self.waiting.pop());
            counters.eapol_unsent(UnsentReason::TxFull).add(1);
        }
        if self.waiting.push(mbuf).is_err() {
            counters.eapol_unsent(UnsentReason::TxFull).add(1);
        }
    }
}
