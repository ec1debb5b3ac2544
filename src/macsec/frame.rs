//! What a SecY needs of a frame's buffer, and what it says about the frames of a burst.

use core::fmt;

use crate::crypto::BURST_CAPACITY;

use super::Reject;

/// A frame in a contiguous buffer that can grow and shrink at both ends.
///
/// The frame starts at its destination address and has no FCS. Octets that `grow_front` and
/// `grow_back` add are unspecified: whoever grows writes them.
pub trait FrameBuf {
    /// The frame.
    fn octets(&self) -> &[u8];

    /// The frame, to be changed in place.
    fn octets_mut(&mut self) -> &mut [u8];

    /// The frame and all room behind its last octet, for an engine that writes ahead of what it knows.
    /// What is written behind the frame is lost.
    fn octets_and_room_mut(&mut self) -> &mut [u8];

    /// Whether `octets` is the whole frame. A frame that is not is refused as [`Reject::Chained`]
    /// and never touched.
    fn is_contiguous(&self) -> bool;

    /// Adds `n` octets before the first. `false`: no room, the frame is unchanged.
    #[must_use]
    fn grow_front(&mut self, n: usize) -> bool;

    /// Adds `n` octets behind the last. `false`: no room, the frame is unchanged.
    #[must_use]
    fn grow_back(&mut self, n: usize) -> bool;

    /// Takes the first `n` octets off. `false`: there are fewer, the frame is unchanged.
    #[must_use]
    fn cut_front(&mut self, n: usize) -> bool;

    /// Takes the last `n` octets off. `false`: there are fewer, the frame is unchanged.
    #[must_use]
    fn cut_back(&mut self, n: usize) -> bool;

    /// Adds `front` octets before the first and `back` behind the last, and gives the frame that it is
    /// then. `None`: no room at one end; the frame is unchanged.
    #[must_use]
    fn grow(&mut self, front: usize, back: usize) -> Option<&mut [u8]> {
        if !self.grow_back(back) {
            return None;
        }
        if !self.grow_front(front) {
            let _restored = self.cut_back(back);
            return None;
        }
        Some(self.octets_mut())
    }

    /// As [`Self::grow`], and gives all room behind the frame with it.
    ///
    /// # Errors
    /// The frame itself, unchanged, where there is no room at one end.
    fn grow_in_room(&mut self, front: usize, back: usize) -> Result<&mut [u8], &mut Self> {
        if self.grow(front, back).is_some() {
            Ok(self.octets_and_room_mut())
        } else {
            Err(self)
        }
    }

    /// Takes the first `front` octets off, makes the rest `len` octets long by cutting or adding at its
    /// end, and gives it. `None`: there are fewer octets, or there is no room; the frame is then
    /// unspecified.
    #[must_use]
    fn recut(&mut self, front: usize, len: usize) -> Option<&mut [u8]> {
        if !self.cut_front(front) {
            return None;
        }
        let now = self.octets().len();
        let done = match now.checked_sub(len) {
            Some(beyond) => self.cut_back(beyond),
            None => self.grow_back(len - now),
        };
        if done { Some(self.octets_mut()) } else { None }
    }

    /// Says that the frame's header and the room ahead of it will be touched soon.
    fn prefetch(&self) {}
}

/// A set of frames of one burst: bit `i` stands for frame `i`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameSet(pub u64);

impl FrameSet {
    /// No frame.
    pub const EMPTY: Self = Self(0);

    /// The first `count` frames; all 64 where `count` is more.
    #[must_use]
    #[inline]
    pub const fn first(count: usize) -> Self {
        if count >= BURST_CAPACITY {
            Self(u64::MAX)
        } else {
            Self((1 << count) - 1)
        }
    }

    /// As many frames as there are in a row in this set from `from` on: where the first of them is, and how
    /// many. `None`: there is no more.
    #[must_use]
    #[inline]
    pub(super) const fn row_from(self, from: usize) -> Option<(usize, usize)> {
        if from >= BURST_CAPACITY {
            return None;
        }
        let ahead = self.0 >> from;
        if ahead == 0 {
            return None;
        }
        let skipped = ahead.trailing_zeros();
        let count = (ahead >> skipped).trailing_ones();
        Some((from + skipped as usize, count as usize))
    }

    /// Puts `count` frames from `first` on in.
    #[inline]
    pub(super) const fn insert_row(&mut self, first: usize, count: usize) {
        if first < BURST_CAPACITY {
            self.0 |= Self::first(count).0 << first;
        }
    }

    /// Whether frame `index` is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(self, index: usize) -> bool {
        index < BURST_CAPACITY && self.0 >> index & 1 == 1
    }

    /// Puts frame `index` in; an index past the capacity is no frame of a burst.
    #[inline]
    pub const fn insert(&mut self, index: usize) {
        if index < BURST_CAPACITY {
            self.0 |= 1 << index;
        }
    }

    /// Takes frame `index` out.
    #[inline]
    pub const fn remove(&mut self, index: usize) {
        if index < BURST_CAPACITY {
            self.0 &= !(1 << index);
        }
    }

    /// How many frames.
    #[must_use]
    #[inline]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The frames in both.
    #[must_use]
    #[inline]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The frames in either.
    #[must_use]
    #[inline]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The frames in this one and not in `other`.
    #[must_use]
    #[inline]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The indices, ascending.
    #[must_use]
    #[inline]
    pub const fn iter(self) -> FrameSetIter {
        FrameSetIter(self.0)
    }
}

impl IntoIterator for FrameSet {
    type Item = usize;
    type IntoIter = FrameSetIter;

    #[inline]
    fn into_iter(self) -> FrameSetIter {
        self.iter()
    }
}

impl fmt::Debug for FrameSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The indices of a [`FrameSet`], ascending.
#[derive(Clone, Debug)]
pub struct FrameSetIter(u64);

impl Iterator for FrameSetIter {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let index = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(index)
    }
}

/// The frames of `set`, each with its place, to be borrowed all at once. Places behind the last frame are
/// left out.
#[inline]
pub(super) fn pick<B>(frames: &mut [B], set: FrameSet) -> impl Iterator<Item = (usize, &mut B)> {
    let mut indices = set.iter();
    let (mut rest, mut passed) = (frames, 0);
    core::iter::from_fn(move || {
        let index = indices.next()?;
        let ahead = core::mem::take(&mut rest).get_mut(index - passed..)?;
        let (frame, behind) = ahead.split_first_mut()?;
        (rest, passed) = (behind, index + 1);
        Some((index, frame))
    })
}

/// The frames of `set` in rows of those that follow each other, each with the place of its first one, to be
/// borrowed all at once. A row that reaches behind the last frame is left out, and what follows it.
#[inline]
pub(super) fn rows<B>(frames: &mut [B], set: FrameSet) -> impl Iterator<Item = (usize, &mut [B])> {
    let (mut rest, mut passed) = (frames, 0);
    core::iter::from_fn(move || {
        let (first, count) = set.row_from(passed)?;
        let ahead = core::mem::take(&mut rest).get_mut(first - passed..)?;
        let (row, behind) = ahead.split_at_mut_checked(count)?;
        (rest, passed) = (behind, first + count);
        Some((first, row))
    })
}

/// What became of each frame of a burst. Made once and used again: it allocates nothing.
///
/// A SecY decides the frames that it is given and leaves the others as they are, so that stages of a
/// lane can share one. Whoever starts a new burst clears it.
#[derive(Clone)]
pub struct Verdicts {
    passed: FrameSet,
    rejected: FrameSet,
    why: [Reject; BURST_CAPACITY],
}

impl Verdicts {
    /// Nothing said about any frame.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            passed: FrameSet::EMPTY,
            rejected: FrameSet::EMPTY,
            why: [Reject::Runt; BURST_CAPACITY],
        }
    }

    /// Forgets everything.
    pub const fn clear(&mut self) {
        self.forget(FrameSet(u64::MAX));
    }

    /// Forgets what was said about `frames`.
    pub const fn forget(&mut self, frames: FrameSet) {
        self.passed = self.passed.minus(frames);
        self.rejected = self.rejected.minus(frames);
    }

    /// Frame `index` goes on.
    pub const fn pass(&mut self, index: usize) {
        self.passed.insert(index);
        self.rejected.remove(index);
    }

    /// Each of `frames` goes on.
    pub const fn pass_all(&mut self, frames: FrameSet) {
        self.passed = self.passed.union(frames);
        self.rejected = self.rejected.minus(frames);
    }

    /// Frame `index` is to be dropped.
    pub const fn reject(&mut self, index: usize, why: Reject) {
        if index < BURST_CAPACITY {
            self.why[index] = why;
            self.passed.remove(index);
            self.rejected.insert(index);
        }
    }

    /// The frames that go on.
    #[must_use]
    pub const fn passed(&self) -> FrameSet {
        self.passed
    }

    /// The frames that are to be dropped.
    #[must_use]
    pub const fn rejected(&self) -> FrameSet {
        self.rejected
    }

    /// Why frame `index` is to be dropped; `None` where it is not.
    #[must_use]
    pub fn reject_of(&self, index: usize) -> Option<Reject> {
        self.why
            .get(index)
            .copied()
            .filter(|_| self.rejected.contains(index))
    }
}

impl Default for Verdicts {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verdicts")
            .field("passed", &self.passed)
            .field("rejected", &self.rejected)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_set_is_iterated_in_frame_order() {
        let mut set = FrameSet::first(3);
        set.insert(63);
        set.insert(64);
        set.remove(1);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 2, 63]);
        assert_eq!(set.len(), 3);
        assert!(!set.contains(64));
        assert_eq!(FrameSet::first(64), FrameSet(u64::MAX));
        assert_eq!(FrameSet::first(0), FrameSet::EMPTY);
    }

    #[test]
    fn rows_of_a_set_are_found_and_put_in() {
        let set = FrameSet(0b1110_0110 | 1 << 63);
        assert_eq!(set.row_from(0), Some((1, 2)));
        assert_eq!(set.row_from(2), Some((2, 1)));
        assert_eq!(set.row_from(3), Some((5, 3)));
        assert_eq!(set.row_from(8), Some((63, 1)));
        assert_eq!(set.row_from(64), None);
        assert_eq!(FrameSet::EMPTY.row_from(0), None);
        assert_eq!(FrameSet(u64::MAX).row_from(0), Some((0, 64)));
        assert_eq!(FrameSet(u64::MAX).row_from(60), Some((60, 4)));
        let mut again = FrameSet::EMPTY;
        again.insert_row(1, 2);
        again.insert_row(5, 3);
        again.insert_row(63, 64);
        again.insert_row(64, 1);
        again.insert_row(10, 0);
        assert_eq!(again, set);
    }

    #[test]
    fn rows_of_frames_are_borrowed_one_after_the_other() {
        let mut frames = [10, 11, 12, 13, 14];
        let all: Vec<_> = rows(&mut frames, FrameSet(0b11011)).collect();
        assert_eq!(all, [(0, &mut [10, 11][..]), (3, &mut [13, 14])]);
        assert_eq!(rows(&mut frames, FrameSet(0b11_0011)).count(), 1);
        assert_eq!(rows(&mut frames, FrameSet::EMPTY).count(), 0);
    }

    #[test]
    fn frames_are_picked_by_their_places() {
        let mut frames = [10, 11, 12, 13, 14];
        let picked: Vec<_> = pick(&mut frames, FrameSet(0b100_1010)).collect();
        assert_eq!(picked, [(1, &mut 11), (3, &mut 13)]);
        assert_eq!(pick(&mut frames, FrameSet::first(64)).count(), 5);
        assert_eq!(pick(&mut frames, FrameSet::EMPTY).count(), 0);
        assert_eq!(pick(&mut [0; 0], FrameSet::first(64)).count(), 0);
    }

    #[test]
    fn the_last_word_on_a_frame_counts() {
        let mut verdicts = Verdicts::new();
        verdicts.pass(3);
        verdicts.reject(3, Reject::Late);
        assert_eq!(verdicts.reject_of(3), Some(Reject::Late));
        assert!(verdicts.passed().is_empty());
        verdicts.pass(3);
        assert_eq!(verdicts.reject_of(3), None);
        verdicts.reject(4, Reject::Runt);
        verdicts.forget(FrameSet(1 << 3));
        assert!(verdicts.passed().is_empty());
        assert_eq!(verdicts.rejected(), FrameSet(1 << 4));
    }
}
