//! One lane on its worker: the lane itself, the two queues that it owns, and its bursts.

use std::sync::Arc;

use dpdk::{Burst, Mempool, RxQueue, TxQueue};

use super::{
    backlog::Backlog,
    eapol::EapolSender,
    helper::Helper,
    inlet::Inlet,
    outlet::Outlet,
    reports::Reports,
    sequencer::{Bench, Crew, Relay},
    stages::{Clock, Stage},
};
use crate::{
    bus::{EapolOut, LaneCommand, LaneCounters, LaneIndex, LaneReport, PortSide, WorkerCounters},
    macsec::FrameSet,
    pipeline::{ProtectLane, ValidateLane},
};

/// A lane of either direction.
#[derive(Debug)]
pub enum Lane {
    /// Plain to secure.
    Protect(ProtectLane),
    /// Secure to plain.
    Validate(ValidateLane),
}

impl Lane {
    /// The lane's counters.
    pub(super) fn counters(&self) -> &LaneCounters {
        match self {
            Self::Protect(lane) => lane.counters(),
            Self::Validate(lane) => lane.counters(),
        }
    }

    /// Whether nothing passes but what is protected.
    pub(super) fn is_secured(&self) -> bool {
        match self {
            Self::Protect(lane) => lane.is_secured(),
            Self::Validate(lane) => lane.is_secured(),
        }
    }
}

/// A lane and what it needs to run.
#[derive(Debug)]
pub struct Runner {
    index: LaneIndex,
    lane: Lane,
    inlet: Inlet,
    backlog: Backlog,
    relay: Option<Relay>,
    outlet: Outlet,
}

impl Runner {
    /// A lane between the receive queues of one port, one or several, and a transmit queue of the other.
    /// None is touched before control says that its port is started.
    pub fn new(
        index: LaneIndex,
        lane: Lane,
        counters: Arc<LaneCounters>,
        rx: Vec<RxQueue>,
        tx: TxQueue,
    ) -> Self {
        Self {
            index,
            backlog: Backlog::of(&lane),
            lane,
            inlet: Inlet::new(rx),
            relay: None,
            outlet: Outlet::new(tx, counters),
        }
    }

    /// Has a protect lane send what control puts into `out`, in buffers of a pool that no data uses.
    #[must_use]
    pub fn with_eapol(mut self, out: Arc<EapolOut>, buffers: Mempool) -> Self {
        self.outlet = self.outlet.with_eapol(EapolSender::new(out, buffers));
        self
    }

    /// Has crypto helpers do the engine's work. Returns them: each runs on an lcore of its own.
    #[must_use]
    pub fn with_helpers(mut self, crew: &Crew) -> (Self, Vec<Helper>) {
        let (relay, helpers) = crew.muster(&self.lane);
        self.relay = Some(relay);
        (self, helpers)
    }

    /// Which lane this is.
    pub fn index(&self) -> LaneIndex {
        self.index
    }

    /// Carries a command out and reports.
    pub(super) fn command(&mut self, command: LaneCommand, reports: &mut Reports) {
        self.drain(reports);
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
        if side != receives {
            self.outlet.use_port(in_use);
            return;
        }
        self.inlet.use_port(in_use);
    }

    /// Has every burst that is with helpers come home first: what follows must not overtake it, and an SA
    /// that goes home takes its key along.
    pub(super) fn drain(&mut self, reports: &mut Reports) {
        if let Some(relay) = &mut self.relay {
            let index = self.index;
            relay.drain(&mut Bench {
                lane: &mut self.lane,
                outlet: &mut self.outlet,
                say: |report| reports.say(index, report),
            });
        }
    }

    /// Moves one burst. Returns how many frames came in, or were moved.
    pub(super) fn turn(&mut self, reports: &mut Reports, counters: &WorkerCounters) -> usize {
        let sends_eapol = match &self.lane {
            Lane::Protect(lane) => lane.sends_eapol(),
            Lane::Validate(_) => false,
        };
        // Ahead of data, and whether or not there is any.
        self.outlet.send_eapol(sends_eapol);
        let mut clock = Clock::start();
        let received = self.receive(counters);
        if let Some(relay) = &mut self.relay {
            let index = self.index;
            let mut bench = Bench {
                lane: &mut self.lane,
                outlet: &mut self.outlet,
                say: |report| reports.say(index, report),
            };
            let moved = relay.turn(&mut self.backlog, received, &mut bench);
            return received.max(moved);
        }
        let Some(burst) = self.backlog.first() else {
            return received;
        };
        clock.mark(Stage::Receive);
        let moved = received.max(burst.len());
        let (frames, index) = (burst.len(), self.index);
        let mut say = |report| reports.say(index, report);
        let mut done = |piece| clock.mark(Stage::Lane(piece));
        let onward = match &mut self.lane {
            Lane::Protect(lane) => {
                lane.process_in_pieces(burst.as_mut_slice(), &mut say, &mut done)
            }
            Lane::Validate(lane) => {
                lane.process_in_pieces(burst.as_mut_slice(), &mut say, &mut done)
            }
        };
        keep(burst, onward);
        self.outlet.transmit(burst);
        clock.mark(Stage::Transmit);
        self.backlog.done();
        clock.end(index.direction, frames);
        moved
    }

    /// Receives, where the port may be used. What waits is dealt with all the same.
    fn receive(&mut self, counters: &WorkerCounters) -> usize {
        if !self.inlet.is_in_use() {
            return 0;
        }
        counters.polls.add(1);
        let received = self.backlog.receive(&mut self.lane, &mut self.inlet);
        if received == 0 {
            counters.empty_polls.add(1);
        }
        received
    }
}

/// Frees the frames that are not in `onward`; the others keep their order.
pub(super) fn keep(burst: &mut Burst, onward: FrameSet) {
    if onward == FrameSet::first(burst.len()) {
        return;
    }
    let mut kept = 0;
    for at in 0..burst.len() {
        if onward.contains(at) {
            if kept != at {
                burst.as_mut_slice().swap(kept, at);
            }
            kept += 1;
        }
    }
    burst.truncate(kept);
}
