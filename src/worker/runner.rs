//! One lane on its worker: the lane itself, the two queues that it owns, and its burst.

use std::sync::Arc;

use dpdk::{Burst, Mempool, RxQueue, TxQueue};

use super::{eapol::EapolSender, reports::Reports};
use crate::{
    bus::{
        DropReason, EapolOut, LaneCommand, LaneCounters, LaneIndex, LaneReport, PortSide,
        UnsentReason, WorkerCounters,
    },
    macsec::FrameSet,
    pipeline::{ProtectLane, ValidateLane},
};

/// How often a full transmit queue is tried again before the frames are dropped and counted.
const TX_RETRIES: u32 = 64;

/// A lane of either direction.
#[derive(Debug)]
pub enum Lane {
    /// Plain to secure.
    Protect(ProtectLane),
    /// Secure to plain.
    Validate(ValidateLane),
}

/// A lane and what it needs to run.
#[derive(Debug)]
pub struct Runner {
    index: LaneIndex,
    lane: Lane,
    counters: Arc<LaneCounters>,
    rx: RxQueue,
    tx: TxQueue,
    rx_in_use: bool,
    tx_in_use: bool,
    burst: Burst,
    eapol: Option<EapolSender>,
}

impl Runner {
    /// A lane between two queues. Neither is touched before control says that its port is started.
    pub fn new(
        index: LaneIndex,
        lane: Lane,
        counters: Arc<LaneCounters>,
        rx: RxQueue,
        tx: TxQueue,
    ) -> Self {
        Self {
            index,
            lane,
            counters,
            rx,
            tx,
            rx_in_use: false,
            tx_in_use: false,
            burst: Burst::new(),
            eapol: None,
        }
    }

    /// Has a protect lane send what control puts into `out`, in buffers of a pool that no data uses.
    #[must_use]
    pub fn with_eapol(mut self, out: Arc<EapolOut>, buffers: Mempool) -> Self {
        self.eapol = Some(EapolSender::new(out, buffers));
        self
    }

    /// Which lane this is.
    pub fn index(&self) -> LaneIndex {
        self.index
    }

    /// Carries a command out and reports.
    pub(super) fn command(&mut self, command: LaneCommand, reports: &mut Reports) {
        if let LaneCommand::UsePort(side, in_use) = command {
            self.use_port(side, in_use);
            reports.say(self.index, LaneReport::UsesPort(side, in_use));
            return;
        }
        let index = self.index;
        let mut say = |report| reports.say(index, report);
        let foreign = match &mut self.lane {
            Lane::Protect(lane) => lane.command(command, &mut say),
            Lane::Validate(lane) => lane.command(command, &mut say),
        };
        if let Some(command) = foreign {
            // Control sends no lane the other's commands. If it ever did, a key must not end here.
            reports.keep_away(command);
        }
    }

    /// A queue that is let go of is quiet from here on: control may stop its port.
    fn use_port(&mut self, side: PortSide, in_use: bool) {
        let receives = match self.lane {
            Lane::Protect(_) => PortSide::Plain,
            Lane::Validate(_) => PortSide::Secure,
        };
        if side == receives {
            self.rx_in_use = in_use;
            if in_use {
                self.rx.resume()
            } else {
                self.rx.quiesce()
            }
        } else {
            self.tx_in_use = in_use;
            if in_use {
                self.tx.resume()
            } else {
                self.tx.quiesce()
            }
        }
    }

    /// Moves one burst. Returns how many frames came in.
    pub(super) fn turn(&mut self, reports: &mut Reports, counters: &WorkerCounters) -> usize {
        self.send_eapol();
        if !self.rx_in_use {
            return 0;
        }
        counters.polls.add(1);
        let received = self.rx.rx_burst(&mut self.burst);
        if received == 0 {
            counters.empty_polls.add(1);
            return 0;
        }
        let index = self.index;
        let mut say = |report| reports.say(index, report);
        let onward = match &mut self.lane {
            Lane::Protect(lane) => lane.process(self.burst.as_mut_slice(), &mut say),
            Lane::Validate(lane) => lane.process(self.burst.as_mut_slice(), &mut say),
        };
        keep(&mut self.burst, onward);
        self.transmit();
        received
    }

    /// Sends what control has for the secure side, ahead of data and whether or not there is any.
    fn send_eapol(&mut self) {
        let Some(eapol) = &mut self.eapol else { return };
        let counters = &self.counters;
        let may = match &self.lane {
            Lane::Protect(lane) if lane.sends_eapol() => Ok(()),
            _ => Err(UnsentReason::Wire),
        };
        match may {
            Ok(()) if self.tx_in_use => eapol.send(&mut self.tx, counters),
            Ok(()) => eapol.give_up(UnsentReason::PortStopped, counters),
            Err(why) => eapol.give_up(why, counters),
        }
    }

    /// Sends what is in the burst. A full queue is tried again a bounded number of times.
    fn transmit(&mut self) {
        if self.burst.is_empty() {
            return;
        }
        if !self.tx_in_use {
            self.drop_rest(DropReason::PortStopped);
            return;
        }
        let mut octets = octets_of(&self.burst);
        let mut frames = 0;
        let mut tries = 0;
        loop {
            // Room that comes free is our own EAPOL's first: a lane that is always behind can't starve it.
            if tries != 0
                && let Some(eapol) = &mut self.eapol
            {
                eapol.retry(&mut self.tx, &self.counters);
            }
            frames += self.tx.tx_burst(&mut self.burst);
            if self.burst.is_empty() || tries == TX_RETRIES {
                break;
            }
            tries += 1;
            std::hint::spin_loop();
        }
        octets -= octets_of(&self.burst);
        self.counters.frames_out.add(frames as u64);
        self.counters.octets_out.add(octets);
        if tries != 0 {
            self.counters.tx_retries.add(u64::from(tries));
        }
        self.drop_rest(DropReason::TxFull);
    }

    fn drop_rest(&mut self, reason: DropReason) {
        if !self.burst.is_empty() {
            self.counters.dropped(reason).add(self.burst.len() as u64);
            self.burst.clear();
        }
    }
}

fn octets_of(burst: &Burst) -> u64 {
    burst.iter().map(|mbuf| mbuf.len() as u64).sum()
}

/// Frees the frames that are not in `onward`; the others keep their order.
fn keep(burst: &mut Burst, onward: FrameSet) {
    let mut kept = 0;
    for at in 0..burst.len() {
        if onward.contains(at) {
            if kept != at {
                burst.as_mut_slice().swap(kept, at);
            }
            kept += 1;
        }
    }
    while burst.len() > kept {
        drop(burst.pop());
    }
}
