//! The slots through which a lane's sequencer gives work to one helper thread and gets it back.
//!
//! One giver, one taker. A slot goes round: empty, given, taken, done, empty. Each step is one store or
//! one exchange of the slot's state, and whoever made the step is the only one who touches the work in
//! it; the work itself travels as a box, so a hand-over moves one cache line each way and allocates
//! nothing. What the taker has not begun the giver can take back; what it has begun it can't.

use alloc::{boxed::Box, sync::Arc};
use core::{
    fmt,
    sync::atomic::{AtomicU8, Ordering},
};

use crossbeam::atomic::AtomicCell;

/// Pieces of work that may be with one helper: enough that it finds the next one when it is done with
/// one, however long the sequencer is busy with a burst of its own.
pub const HAND_OVER_SLOTS: usize = 4;

/// Where the work of a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is none.
    Empty,
    /// The taker has not begun.
    Given,
    /// The taker has it.
    Taken,
    /// The taker is done.
    Done,
}

const EMPTY: u8 = 0;
const GIVEN: u8 = 1;
const TAKEN: u8 = 2;
const DONE: u8 = 3;

/// Two cache lines apart, since CPUs fetch them in pairs.
#[repr(align(128))]
struct Slot<T> {
    state: AtomicU8,
    work: AtomicCell<Option<Box<T>>>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            state: AtomicU8::new(EMPTY),
            work: AtomicCell::new(None),
        }
    }
}

type Slots<T> = Arc<[Slot<T>; HAND_OVER_SLOTS]>;

/// The sequencer's end.
pub struct Giver<T>(Slots<T>);

/// The helper's end.
pub struct Taker<T> {
    slots: Slots<T>,
    next: usize,
}

/// Work that a helper has taken, and the place that it goes back to.
pub struct Taken<T> {
    /// The work.
    pub work: Box<T>,
    slot: usize,
}

/// The two ends for one helper.
pub fn hand_over<T: Send>() -> (Giver<T>, Taker<T>) {
    let slots = Slots::<T>::default();
    let giver = Giver(Arc::clone(&slots));
    (giver, Taker { slots, next: 0 })
}

impl<T: Send> Giver<T> {
    /// Gives work to the helper.
    ///
    /// # Errors
    /// The work itself, where `slot` is not empty.
    pub fn give(&self, slot: usize, work: Box<T>) -> Result<(), Box<T>> {
        match self.0.get(slot) {
            Some(place) if place.state.load(Ordering::Relaxed) == EMPTY => {
                place.work.store(Some(work));
                place.state.store(GIVEN, Ordering::Release);
                Ok(())
            }
            _ => Err(work),
        }
    }

    /// Where the work of `slot` is; there is none in a slot that there is not.
    pub fn standing(&self, slot: usize) -> Standing {
        let place = self.0.get(slot);
        match place.map_or(EMPTY, |place| place.state.load(Ordering::Acquire)) {
            GIVEN => Standing::Given,
            TAKEN => Standing::Taken,
            DONE => Standing::Done,
            _ => Standing::Empty,
        }
    }

    /// Takes back what the helper has not begun. `None`: it has, or there is nothing.
    pub fn take_back(&self, slot: usize) -> Option<Box<T>> {
        let place = self.0.get(slot)?;
        place
            .state
            .compare_exchange(GIVEN, TAKEN, Ordering::Acquire, Ordering::Relaxed)
            .ok()?;
        let work = place.work.take();
        place.state.store(EMPTY, Ordering::Relaxed);
        work
    }

    /// Gets back what the helper is done with. `None`: it is not.
    pub fn collect(&self, slot: usize) -> Option<Box<T>> {
        let place = self.0.get(slot)?;
        if place.state.load(Ordering::Acquire) != DONE {
            return None;
        }
        let work = place.work.take();
        place.state.store(EMPTY, Ordering::Relaxed);
        work
    }
}

impl<T: Send> Taker<T> {
    /// Takes the next work. While there is none it costs one load for each slot, of lines that nobody
    /// else writes.
    pub fn take(&mut self) -> Option<Taken<T>> {
        for step in 0..HAND_OVER_SLOTS {
            let slot = (self.next + step) % HAND_OVER_SLOTS;
            let Some(place) = self.slots.get(slot) else {
                continue;
            };
            // Looked at first: an exchange would take the line from the giver each time.
            let given = place.state.load(Ordering::Relaxed) == GIVEN
                && place
                    .state
                    .compare_exchange(GIVEN, TAKEN, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok();
            if given && let Some(work) = place.work.take() {
                self.next = (slot + 1) % HAND_OVER_SLOTS;
                return Some(Taken { work, slot });
            }
        }
        None
    }

    /// Says that work is done, and gives it back.
    pub fn done(&mut self, taken: Taken<T>) {
        if let Some(place) = self.slots.get(taken.slot) {
            place.work.store(Some(taken.work));
            place.state.store(DONE, Ordering::Release);
        }
    }
}

impl<T> fmt::Debug for Giver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Giver").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Taker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taker").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Taken<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn work_goes_round_and_its_place_is_free_again() {
        let (giver, mut taker) = hand_over::<u32>();
        assert!(taker.take().is_none());
        giver.give(2, Box::new(7)).unwrap();
        assert_eq!(giver.standing(2), Standing::Given);
        assert_eq!(giver.give(2, Box::new(8)), Err(Box::new(8)));
        assert_eq!(giver.collect(2), None);
        let mut taken = taker.take().unwrap();
        assert_eq!(giver.standing(2), Standing::Taken);
        assert_eq!((giver.take_back(2), giver.collect(2)), (None, None));
        *taken.work += 1;
        taker.done(taken);
        assert_eq!(giver.standing(2), Standing::Done);
        assert!(giver.take_back(2).is_none(), "done is not given");
        assert_eq!(giver.collect(2), Some(Box::new(8)));
        assert_eq!(giver.standing(2), Standing::Empty);
        assert!(taker.take().is_none());
    }

    #[test]
    fn what_was_taken_back_is_nobody_elses_and_the_next_place_is_found() {
        let (giver, mut taker) = hand_over::<u32>();
        giver.give(0, Box::new(1)).unwrap();
        giver.give(1, Box::new(2)).unwrap();
        assert_eq!(giver.take_back(0), Some(Box::new(1)));
        assert_eq!(*taker.take().unwrap().work, 2);
        assert!(taker.take().is_none());
        // The place that was skipped is found in the next round.
        giver.give(0, Box::new(3)).unwrap();
        assert_eq!(*taker.take().unwrap().work, 3);
    }

    #[test]
    fn a_place_that_there_is_not_holds_nothing() {
        let (giver, _taker) = hand_over::<u32>();
        assert!(giver.give(HAND_OVER_SLOTS, Box::new(1)).is_err());
        assert_eq!(giver.standing(HAND_OVER_SLOTS), Standing::Empty);
        assert!(giver.take_back(HAND_OVER_SLOTS).is_none());
    }

    /// Every piece is worked once, by the helper or, taken back, by the giver, however they race.
    #[test]
    fn nothing_is_lost_or_worked_twice_while_both_reach_for_it() {
        const COUNT: u64 = 100_000;
        let (giver, mut taker) = hand_over::<(u64, u32)>();
        let stop = core::sync::atomic::AtomicBool::new(false);
        let (mut by_helper, mut by_giver) = (0_u64, 0_u64);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    match taker.take() {
                        Some(mut taken) => {
                            taken.work.1 += 1;
                            taker.done(taken);
                        }
                        None => thread::yield_now(),
                    }
                }
            });
            let (mut next, mut seen) = (0_u64, 0_u64);
            let mut places = [const { None::<u64> }; HAND_OVER_SLOTS];
            while seen < COUNT {
                for (slot, place) in places.iter_mut().enumerate() {
                    match *place {
                        None if next < COUNT => {
                            giver.give(slot, Box::new((next, 0))).unwrap();
                            *place = Some(next);
                            next += 1;
                        }
                        None => {}
                        Some(number) => {
                            let (back, mine) = match giver.collect(slot) {
                                Some(done) => (Some(done), false),
                                None if number % 3 == 0 => (giver.take_back(slot), true),
                                None => (None, false),
                            };
                            if let Some(work) = back {
                                assert_eq!(*work, (number, u32::from(!mine)));
                                if mine {
                                    by_giver += 1;
                                } else {
                                    by_helper += 1;
                                }
                                *place = None;
                                seen += 1;
                            } else {
                                thread::yield_now();
                            }
                        }
                    }
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(by_giver + by_helper, COUNT);
        assert!(by_helper > 0 && by_giver > 0, "{by_helper} {by_giver}");
    }
}
