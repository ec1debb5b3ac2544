//! The transmit queue of one lane: its data, and ahead of it EAPOL of our own.

use std::sync::Arc;

use dpdk::{Burst, TxQueue};

use super::eapol::EapolSender;
use crate::bus::{DropReason, LaneCounters, UnsentReason};

/// How often a full transmit queue is tried again before the frames are dropped and counted.
const TX_RETRIES: u32 = 64;

/// Where a lane's frames leave.
#[derive(Debug)]
pub(super) struct Outlet {
    tx: TxQueue,
    in_use: bool,
    eapol: Option<EapolSender>,
    counters: Arc<LaneCounters>,
}

impl Outlet {
    pub(super) fn new(tx: TxQueue, counters: Arc<LaneCounters>) -> Self {
        Self {
            tx,
            in_use: false,
            eapol: None,
            counters,
        }
    }

    /// Has this queue send EAPOL of our own, too.
    pub(super) fn with_eapol(mut self, sender: EapolSender) -> Self {
        self.eapol = Some(sender);
        self
    }

    /// A queue that is let go of is quiet from here on: control may stop its port.
    pub(super) fn use_port(&mut self, in_use: bool) {
        self.in_use = in_use;
        if in_use {
            self.tx.resume()
        } else {
            self.tx.quiesce()
        }
    }

    /// Sends what control has for the secure side, where the lane lets it.
    pub(super) fn send_eapol(&mut self, may: bool) {
        let Some(eapol) = &mut self.eapol else { return };
        if !may {
            eapol.give_up(UnsentReason::Wire, &self.counters);
        } else if !self.in_use {
            eapol.give_up(UnsentReason::PortStopped, &self.counters);
        } else {
            eapol.send(&mut self.tx, &self.counters);
        }
    }

    /// Sends what is in the burst, and leaves it empty. A full queue is tried again a bounded number of
    /// times.
    pub(super) fn transmit(&mut self, burst: &mut Burst) {
        if burst.is_empty() {
            return;
        }
        if !self.in_use {
            self.drop_rest(burst, DropReason::PortStopped);
            return;
        }
        let mut octets = octets_of(burst);
        let mut frames = 0;
        let mut tries = 0;
        loop {
            // Room that comes free is our own EAPOL's first: a lane that is always behind can't starve it.
            if tries != 0
                && let Some(eapol) = &mut self.eapol
            {
                eapol.retry(&mut self.tx, &self.counters);
            }
            frames += self.tx.tx_burst(burst);
            if burst.is_empty() || tries == TX_RETRIES {
                break;
            }
            tries += 1;
            std::hint::spin_loop();
        }
        octets -= octets_of(burst);
        self.counters.frames_out.add(frames as u64);
        self.counters.octets_out.add(octets);
        if tries != 0 {
            self.counters.tx_retries.add(u64::from(tries));
        }
        self.drop_rest(burst, DropReason::TxFull);
    }

    fn drop_rest(&self, burst: &mut Burst, reason: DropReason) {
        if !burst.is_empty() {
            self.counters.dropped(reason).add(burst.len() as u64);
            burst.clear();
        }
    }
}

fn octets_of(burst: &Burst) -> u64 {
    burst.iter().map(|mbuf| mbuf.len() as u64).sum()
}
