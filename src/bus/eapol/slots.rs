//! EAPOL from a validate lane to control.

use crossbeam::queue::ArrayQueue;

use super::{EapolClass, EapolFrame};

/// Slots for live peers: what 100,000 frames a second bring between two looks of control.
const LIVE: usize = 1024;

/// Slots for everyone else, so that strangers cost little.
const OTHERS: usize = 64;

/// The slots of one link, filled by its validate lane and emptied by control.
#[derive(Debug)]
pub struct EapolSlots {
    live: ArrayQueue<EapolFrame>,
    others: ArrayQueue<EapolFrame>,
}

impl EapolSlots {
    /// Copies `frame` into a free slot of its class. False, and nothing kept, where none is free or it
    /// does not fit.
    #[must_use]
    pub fn offer(&self, class: EapolClass, frame: &[u8]) -> bool {
        let slots = match class {
            EapolClass::Live => &self.live,
            EapolClass::Other => &self.others,
        };
        // Full is found before the copy is made: a flood must not buy memory bandwidth.
        !slots.is_full() && EapolFrame::copy_of(frame).is_some_and(|copy| slots.push(copy).is_ok())
    }

    /// The oldest frame of a live peer, or else the oldest of anyone. More can come while control takes:
    /// it bounds how many it takes in one turn.
    pub fn take(&self) -> Option<EapolFrame> {
        self.live.pop().or_else(|| self.others.pop())
    }

    /// Drops what there is now, where nobody wants it.
    pub fn discard(&self) {
        for _ in 0..LIVE + OTHERS {
            if self.take().is_none() {
                return;
            }
        }
    }
}

impl Default for EapolSlots {
    fn default() -> Self {
        Self {
            live: ArrayQueue::new(LIVE),
            others: ArrayQueue::new(OTHERS),
        }
    }
}
