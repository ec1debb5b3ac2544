//! The slots through which a lane's sequencer gives work to one helper thread and gets it back.
//!
//! One giver, one taker. Work goes out by one side of a slot and comes back by the other, and each side is
//! a pair of cache lines of its own: while the taker works, the giver can look for the work to be done as
//! often as it likes, in a line that it has. Work travels as a box, so a hand-over moves one such line each
//! way and allocates nothing; an exchange of the box is all that decides who has it. What the taker has not
//! begun the giver can take back; what it has begun it can't.

use alloc::{boxed::Box, sync::Arc};
use core::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

use crossbeam::atomic::AtomicCell;

/// Pieces of work that may be with one helper: enough that it finds the next one when it is done with
/// one, however long the sequencer is busy with a burst of its own.
pub const HAND_OVER_SLOTS: usize = 4;

/// One way of a slot. Two cache lines, since CPUs fetch them in pairs.
#[repr(align(128))]
struct Way<T> {
    /// Worth an exchange: that would take the line from the other side each time.
    full: AtomicBool,
    work: AtomicCell<Option<Box<T>>>,
}

impl<T> Default for Way<T> {
    fn default() -> Self {
        Self {
            full: AtomicBool::new(false),
            work: AtomicCell::new(None),
        }
    }
}

impl<T> Way<T> {
    fn put(&self, work: Box<T>) {
        self.work.store(Some(work));
        self.full.store(true, Ordering::Release);
    }

    /// Whoever gets the work marks the way empty, and gives nothing back before: so a mark never hides work
    /// that comes later. One that is left standing by a race costs exchanges, until the next work.
    fn take(&self) -> Option<Box<T>> {
        if !self.full.load(Ordering::Acquire) {
            return None;
        }
        let work = self.work.take();
        if work.is_some() {
            self.full.store(false, Ordering::Relaxed);
        }
        work
    }
}

struct Slot<T> {
    out: Way<T>,
    back: Way<T>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            out: Way::default(),
            back: Way::default(),
        }
    }
}

type Slots<T> = Arc<[Slot<T>; HAND_OVER_SLOTS]>;

/// The sequencer's end.
pub struct Giver<T> {
    slots: Slots<T>,
    /// Which are out: with the taker, or on one of the ways.
    given: [bool; HAND_OVER_SLOTS],
}

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
    let giver = Giver {
        slots: Arc::clone(&slots),
        given: [false; HAND_OVER_SLOTS],
    };
    (giver, Taker { slots, next: 0 })
}

impl<T: Send> Giver<T> {
    /// Gives work to the helper.
    ///
    /// # Errors
    /// The work itself, where `slot` is not empty.
    pub fn give(&mut self, slot: usize, work: Box<T>) -> Result<(), Box<T>> {
        match (self.slots.get(slot), self.given.get_mut(slot)) {
            (Some(place), Some(given)) if !*given => {
                *given = true;
                place.out.put(work);
                Ok(())
            }
            _ => Err(work),
        }
    }

    /// Takes back what the helper has not begun. `None`: it has, or there is nothing.
    pub fn take_back(&mut self, slot: usize) -> Option<Box<T>> {
        self.get(slot, |place| &place.out)
    }

    /// Gets back what the helper is done with. `None`: it is not.
    pub fn collect(&mut self, slot: usize) -> Option<Box<T>> {
        self.get(slot, |place| &place.back)
    }

    fn get(&mut self, slot: usize, way: impl FnOnce(&Slot<T>) -> &Way<T>) -> Option<Box<T>> {
        let given = self.given.get_mut(slot).filter(|given| **given)?;
        let work = way(self.slots.get(slot)?).take()?;
        *given = false;
        Some(work)
    }
}

impl<T: Send> Taker<T> {
    /// Takes the next work. While there is none it costs one load for each slot, of lines that nobody
    /// else writes.
    pub fn take(&mut self) -> Option<Taken<T>> {
        for step in 0..HAND_OVER_SLOTS {
            let slot = (self.next + step) % HAND_OVER_SLOTS;
            if let Some(work) = self.slots.get(slot).and_then(|place| place.out.take()) {
                self.next = (slot + 1) % HAND_OVER_SLOTS;
                return Some(Taken { work, slot });
            }
        }
        None
    }

    /// Says that work is done, and gives it back.
    pub fn done(&mut self, taken: Taken<T>) {
        if let Some(place) = self.slots.get(taken.slot) {
            place.back.put(taken.work);
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
        let (mut giver, mut taker) = hand_over::<u32>();
        assert!(taker.take().is_none());
        for round in 0..2 {
            giver.give(2, Box::new(7)).unwrap();
            assert_eq!(giver.give(2, Box::new(8)), Err(Box::new(8)), "{round}");
            assert_eq!(giver.collect(2), None);
            let mut taken = taker.take().unwrap();
            assert_eq!((giver.take_back(2), giver.collect(2)), (None, None));
            assert_eq!(giver.give(2, Box::new(8)), Err(Box::new(8)), "it is out");
            *taken.work += 1;
            taker.done(taken);
            assert!(giver.take_back(2).is_none(), "done is not given");
            assert_eq!(
                giver.give(2, Box::new(8)),
                Err(Box::new(8)),
                "it is not home"
            );
            assert_eq!(giver.collect(2), Some(Box::new(8)));
            assert_eq!((giver.take_back(2), giver.collect(2)), (None, None));
            assert!(taker.take().is_none());
        }
    }

    #[test]
    fn what_was_taken_back_is_nobody_elses_and_the_next_place_is_found() {
        let (mut giver, mut taker) = hand_over::<u32>();
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
        let (mut giver, _taker) = hand_over::<u32>();
        assert!(giver.give(HAND_OVER_SLOTS, Box::new(1)).is_err());
        assert!(giver.take_back(HAND_OVER_SLOTS).is_none());
        assert!(giver.collect(HAND_OVER_SLOTS).is_none());
    }

    /// Every piece is worked once, by the helper or, taken back, by the giver, however they race.
    #[test]
    fn nothing_is_lost_or_worked_twice_while_both_reach_for_it() {
        const COUNT: u64 = 100_000;
        let (mut giver, mut taker) = hand_over::<(u64, u32)>();
        let stop = AtomicBool::new(false);
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
