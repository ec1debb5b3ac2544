//! The replay window of a receive SA (802.1AE-2018 10.6.2, 10.6.5, 10.7.8), and duplicates within it.
//!
//! ```text
//!                 lowest                          next
//!                 |<----------- window ---------->|
//!                 |               |<--- depth --->|
//!  ...............|???????????????|##.###.##.#####|.................
//!      Below      |   Forgotten   |  # Seen       |      Ahead
//!                                    . Missing
//! ```
//!
//! The standard keeps `next` (the highest number accepted, plus 1) and `lowest`, and accepts all
//! from `lowest` on, the same number twice too. We also remember which of the newest `depth` numbers
//! were accepted, in a ring of that many bits: bit `pn mod depth`. Where the window is wider than
//! that, the standard's rule alone holds for the rest of it. Whatever the jump from one number to
//! the next, at most the ring's words are cleared.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use alloc::{boxed::Box, vec};
use core::fmt;

use super::{ParamError, Reject, Replay, params::check_duplicate_depth};
use crate::ieee::Pn;

const WORD_BITS: u64 = u64::BITS as u64;

/// Where a packet number lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Not below the next expected number.
    Ahead,
    /// Among the newest numbers, and not yet received.
    Missing,
    /// Among the newest numbers, and received before.
    Seen,
    /// In the window, and older than what is remembered.
    Forgotten,
    /// Below the lowest acceptable number.
    Below,
}

/// How an acceptable frame is counted once it proves valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeliness {
    /// As OK.
    InTime,
    /// As delayed: below the lowest acceptable number, replay protection being off.
    Delayed,
}

/// The replay state of one receive SA.
pub struct ReplayWindow {
    replay: Replay,
    next: u64,
    lowest: u64,
    /// One bit per number of the newest `depth`; those of numbers from `next` on are 0.
    seen: Box<[u64]>,
    depth: u64,
}

impl ReplayWindow {
    /// A window whose lowest acceptable number is `first`; nothing was received yet.
    ///
    /// # Errors
    /// [`ParamError::DuplicateDepth`] unless `depth` is a power of two from 64 to 65,536.
    pub fn new(first: Pn, replay: Replay, depth: usize) -> Result<Self, ParamError> {
        check_duplicate_depth(depth)?;
        let words = depth.div_ceil(u64::BITS as usize);
        Ok(Self {
            replay,
            next: first.0,
            lowest: first.0,
            seen: vec![0; words].into_boxed_slice(),
            depth: depth as u64,
        })
    }

    /// The highest number accepted, plus 1.
    #[must_use]
    pub const fn next_pn(&self) -> Pn {
        Pn(self.next)
    }

    /// The lowest acceptable number. It never goes down.
    #[must_use]
    pub const fn lowest_pn(&self) -> Pn {
        Pn(self.lowest)
    }

    /// How many of the newest numbers are remembered.
    #[must_use]
    pub const fn depth(&self) -> u64 {
        self.depth
    }

    /// Changes the rule. A narrower window raises the lowest acceptable number at once; a wider one
    /// widens as numbers go on.
    pub fn set_replay(&mut self, replay: Replay) {
        self.replay = replay;
        self.follow();
    }

    /// Raises the lowest acceptable number, as MKA's delay protection asks for; a lower one changes
    /// nothing (802.1AE-2018 10.7.14).
    pub fn raise_lowest(&mut self, lowest: Pn) {
        self.lowest = self.lowest.max(lowest.0);
        self.advance_to(self.lowest);
    }

    /// Where `pn` lies.
    #[must_use]
    pub fn position(&self, pn: Pn) -> Position {
        if pn.0 < self.lowest {
            return Position::Below;
        }
        match self.next.checked_sub(pn.0) {
            None | Some(0) => Position::Ahead,
            Some(age) if age > self.depth => Position::Forgotten,
            Some(_) if self.was_seen(pn.0) => Position::Seen,
            Some(_) => Position::Missing,
        }
    }

    /// Whether a frame of this number may go on, by the rule in force.
    ///
    /// # Errors
    /// [`Reject::Late`] and [`Reject::Duplicate`].
    pub fn admit(&self, pn: Pn) -> Result<Timeliness, Reject> {
        match (self.position(pn), self.replay.protects()) {
            (Position::Below, true) => Err(Reject::Late),
            (Position::Below, false) => Ok(Timeliness::Delayed),
            (Position::Seen, true) => Err(Reject::Duplicate),
            _ => Ok(Timeliness::InTime),
        }
    }

    /// Notes that a frame of this number proved valid. Only then: a forged number must move nothing.
    pub fn record(&mut self, pn: Pn) {
        if pn.0 >= self.next {
            self.advance_to(pn.0.saturating_add(1));
            self.follow();
        }
        let age = self.next.saturating_sub(pn.0);
        if (1..=self.depth).contains(&age) {
            let (word, bit) = self.place(pn.0);
            if let Some(word) = self.seen.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Notes that `count` numbers from `first` on, none of them below the next expected one, proved valid:
    /// as [`Self::record`] of each, in one go.
    pub(super) fn record_ahead(&mut self, first: Pn, count: u64) {
        let end = first.0.saturating_add(count);
        if first.0 < self.next || count == 0 {
            return;
        }
        // Only the numbers that were left out: the bits of the others are set below.
        if first.0 > self.next {
            self.advance_to(first.0);
        }
        self.next = end;
        self.follow();
        let bit = first.0 % WORD_BITS;
        if count <= WORD_BITS.saturating_sub(bit) {
            // All in one word, of which no ring has less: as nearly always.
            let ones = u64::MAX.wrapping_shr(shift(WORD_BITS.saturating_sub(count)));
            let (word, _) = self.place(first.0);
            if let Some(word) = self.seen.get_mut(word) {
                *word |= ones.wrapping_shl(shift(bit));
            }
            return;
        }
        // Of more numbers than are remembered, the last ones.
        let remembered = count.min(self.depth);
        self.each_word(end.saturating_sub(remembered), remembered, |word, ones| {
            *word |= ones
        });
    }

    fn follow(&mut self) {
        let floor = self.next.saturating_sub(u64::from(self.replay.window()));
        self.lowest = self.lowest.max(floor);
    }

    /// Moves `next` up and clears the bits of the numbers that it passes.
    fn advance_to(&mut self, next: u64) {
        let Some(passed) = next.checked_sub(self.next) else {
            return;
        };
        if passed >= self.depth {
            self.seen.fill(0);
        } else {
            self.forget(self.next, passed);
        }
        self.next = next;
    }

    /// Clears the bits of `count` numbers from `first` on.
    fn forget(&mut self, first: u64, count: u64) {
        self.each_word(first, count, |word, ones| *word &= !ones);
    }

    /// Goes through the bits of `count` numbers from `first` on, a word at a time.
    #[inline]
    fn each_word(&mut self, first: u64, count: u64, change: impl Fn(&mut u64, u64)) {
        let mut at = first;
        let mut left = count;
        while left > 0 {
            let bit = at % WORD_BITS;
            let step = left.min(WORD_BITS.saturating_sub(bit));
            let ones = u64::MAX.wrapping_shr(shift(WORD_BITS.saturating_sub(step)));
            let (word, _) = self.place(at);
            if let Some(word) = self.seen.get_mut(word) {
                change(word, ones.wrapping_shl(shift(bit)));
            }
            at = at.wrapping_add(step);
            left = left.saturating_sub(step);
        }
    }

    fn was_seen(&self, pn: u64) -> bool {
        let (word, bit) = self.place(pn);
        self.seen.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The word and the bit of a number.
    const fn place(&self, pn: u64) -> (usize, u64) {
        let slot = pn & self.depth.saturating_sub(1);
        ((slot / WORD_BITS) as usize, 1 << (slot % WORD_BITS))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most 64")]
const fn shift(bits: u64) -> u32 {
    bits as u32
}

impl fmt::Debug for ReplayWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayWindow")
            .field("replay", &self.replay)
            .field("next", &self.next)
            .field("lowest", &self.lowest)
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
