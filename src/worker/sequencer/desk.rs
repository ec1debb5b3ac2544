//! One helper, as its sequencer sees it.

use std::sync::Arc;

use crate::bus::{Giver, HAND_OVER_SLOTS, HelperCounters};

/// What a sequencer needs of one helper.
#[derive(Debug)]
pub(in crate::worker) struct HelperLink<T> {
    /// The way to it.
    pub(in crate::worker) giver: Giver<T>,
    /// What is counted about it here; the sequencer is the only writer.
    pub(in crate::worker) counters: Arc<HelperCounters>,
}

/// Whether the helper gets work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Works,
    /// Work of these slots, a bit each, was given up and is not home.
    Stalled(u8),
    /// All of it is; the helper gets work again at this time.
    Rests(u64),
}

/// One helper's slots and standing.
#[derive(Debug)]
pub(super) struct Desk<T> {
    link: HelperLink<T>,
    state: State,
    /// The slot that is filled next.
    next: usize,
}

impl<T: Send> Desk<T> {
    pub(super) fn new(link: HelperLink<T>) -> Self {
        Self {
            link,
            state: State::Works,
            next: 0,
        }
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.state != State::Works
    }

    /// Gives work, if the helper gets any and has room.
    pub(super) fn give(&mut self, work: Box<T>, now: u64) -> Result<usize, Box<T>> {
        self.rested(now);
        if self.is_stalled() {
            return Err(work);
        }
        let slot = self.next;
        self.link.giver.give(slot, work)?;
        self.next = (slot + 1) % HAND_OVER_SLOTS;
        self.link.counters.bursts.add(1);
        Ok(slot)
    }

    pub(super) fn collect(&mut self, slot: usize) -> Option<Box<T>> {
        self.link.giver.collect(slot)
    }

    pub(super) fn take_back(&mut self, slot: usize) -> Option<Box<T>> {
        let work = self.link.giver.take_back(slot);
        if work.is_some() {
            self.link.counters.taken_back.add(1);
        }
        work
    }

    /// The work of `slot` has taken too long: nobody waits for it any more.
    pub(super) fn give_up(&mut self, slot: usize) {
        let others = match self.state {
            State::Stalled(slots) => slots,
            State::Works | State::Rests(_) => 0,
        };
        self.state = State::Stalled(others | 1 << slot);
        self.link.counters.stalls.add(1);
        self.link.counters.set_stalled(true);
    }

    /// Late work, once it is home.
    pub(super) fn look_after(&mut self, now: u64, rest: u64) -> Option<Box<T>> {
        match self.state {
            State::Works => None,
            State::Stalled(slots) => {
                let given_up = (0..HAND_OVER_SLOTS).filter(|slot| slots >> slot & 1 == 1);
                let (slot, late) = given_up
                    .into_iter()
                    .find_map(|slot| Some((slot, self.collect(slot)?)))?;
                self.state = match slots & !(1 << slot) {
                    0 => State::Rests(now.saturating_add(rest)),
                    left => State::Stalled(left),
                };
                Some(late)
            }
            State::Rests(_) => {
                self.rested(now);
                None
            }
        }
    }

    /// Ends the rest, once it is over.
    fn rested(&mut self, now: u64) {
        if let State::Rests(until) = self.state
            && now >= until
        {
            self.state = State::Works;
            self.link.counters.set_stalled(false);
        }
    }
}
