//! Frames that were received and wait for their turn, so that EAPOL among them doesn't have to.
//!
//! A NIC whose queue is full drops whatever comes, MKPDUs too. So a validate lane that finds full bursts
//! empties the queue faster than it validates: it looks at each frame once for EAPOL and keeps the rest
//! here, in order. What it can't keep it drops, which costs far less than validation and hits data alone.
//! The frames that wait here would else wait in the NIC's queue, so none is later or lost that was not.

use dpdk::Burst;

use super::{
    inlet::Inlet,
    runner::{Lane, keep},
};
use crate::pipeline::ValidateLane;

/// Bursts that may wait: as many frames as a receive queue holds.
const BURSTS: usize = 16;

/// Bursts that are taken from the queue for each one that is validated: so much faster than a lane's
/// capacity may frames come. More would take too much of the worker's time from its other lanes.
const LOOK_AHEAD: u32 = 4;

/// The bursts of one lane: the one whose turn it is, and those behind it. A protect lane has one.
#[derive(Debug)]
pub(super) struct Backlog {
    slots: Vec<Burst>,
    first: usize,
    waiting: usize,
    /// For frames that can't be kept.
    beyond: Burst,
}

impl Backlog {
    pub(super) fn of(lane: &Lane) -> Self {
        let slots = match lane {
            Lane::Protect(_) => 1,
            Lane::Validate(_) => BURSTS,
        };
        Self {
            slots: (0..slots).map(|_| Burst::new()).collect(),
            first: 0,
            waiting: 0,
            beyond: Burst::new(),
        }
    }

    /// The burst whose turn it is.
    pub(super) fn first(&mut self) -> Option<&mut Burst> {
        if self.waiting == 0 {
            return None;
        }
        self.slots.get_mut(self.first)
    }

    /// The first burst was dealt with.
    pub(super) fn done(&mut self) {
        self.first = (self.first + 1) % self.slots.len();
        self.waiting -= 1;
    }

    /// Receives behind what waits. Returns how many frames came in.
    pub(super) fn receive(&mut self, lane: &mut Lane, rx: &mut Inlet) -> usize {
        match lane {
            Lane::Validate(lane) => self.look_ahead(lane, rx),
            Lane::Protect(_) => {
                // A burst that waits for a task keeps the one place that there is.
                if self.waiting > 0 {
                    return 0;
                }
                let received = self.slots.first_mut().map_or(0, |slot| rx.rx_burst(slot));
                self.waiting = usize::from(received > 0);
                received
            }
        }
    }

    /// One burst, and more while they are full.
    fn look_ahead(&mut self, lane: &mut ValidateLane, rx: &mut Inlet) -> usize {
        let direct = self.waiting == 0;
        let mut all = 0;
        for nth in 0..LOOK_AHEAD {
            let keeps = self.waiting < self.slots.len();
            let at = (self.first + self.waiting) % self.slots.len();
            let slot = self.slots.get_mut(at).filter(|_| keeps);
            let burst = slot.unwrap_or(&mut self.beyond);
            let received = rx.rx_burst(burst);
            all += received;
            let full = received == Burst::CAPACITY;
            // The turn of a burst that does not wait is at once: it is looked at then.
            if !direct || nth > 0 || full {
                take_eapol_out(lane, burst);
            }
            if keeps {
                self.waiting += usize::from(!burst.is_empty());
            } else {
                lane.overload(burst.as_slice());
                burst.clear();
            }
            if !full {
                break;
            }
        }
        all
    }
}

fn take_eapol_out(lane: &mut ValidateLane, burst: &mut Burst) {
    let stay = lane.look_ahead(burst.as_slice());
    if stay.len() as usize != burst.len() {
        keep(burst, stay);
    }
}
