//! A burst's frames by what is to be done with them.
//!
//! Frames of a kind go through the kernel together: as they come where they follow each other, and what is
//! mixed afterwards, so that no branch has to guess what a frame is like.

use core::{
    arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_load_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
    },
    marker::PhantomData,
    mem::MaybeUninit,
};

use super::place::{Place, ROOM, SIDE_BY_SIDE};
use crate::crypto::{AeadFrame, BURST_CAPACITY, engine::burst::Left};

/// Frames that have to follow each other to be taken as they come. Bursts of fewer are not worth looking at.
pub(super) const ROW: usize = 4;

/// Each frame's kind.
#[repr(C, align(64))]
pub(super) struct Keys([u8; BURST_CAPACITY]);

/// Memory of them.
pub(super) type Memory = MaybeUninit<Keys>;

/// A burst, and which of its frames wait.
pub(super) struct Kinds<'a, 'f> {
    frames: *mut AeadFrame<'f>,
    len: usize,
    /// Frames before this one were looked at.
    at: usize,
    keys: &'a mut Keys,
    /// Of those, the ones that were not taken yet.
    waiting: u64,
    left: Left,
    /// What is taken now: frames in a row that have these lengths, of all and of additional data, or these frames.
    row: bool,
    like: usize,
    like_aad: usize,
    alike: u64,
    /// The burst.
    borrow: PhantomData<&'a mut [AeadFrame<'f>]>,
}

impl<'a, 'f> Kinds<'a, 'f> {
    /// Nothing was looked at.
    pub(super) fn new(memory: &'a mut Memory, burst: &'a mut [AeadFrame<'f>]) -> Self {
        Self {
            len: burst.len().min(BURST_CAPACITY),
            frames: burst.as_mut_ptr(),
            at: 0,
            keys: memory.write(Keys([0; BURST_CAPACITY])),
            waiting: 0,
            left: Left::default(),
            row: false,
            like: 0,
            like_aad: 0,
            alike: 0,
            borrow: PhantomData,
        }
    }

    /// The frames that have no place.
    pub(super) const fn left(&self) -> Left {
        self.left
    }

    /// The kind of frame `index`; 0 where it is left.
    ///
    /// # Safety
    /// The burst has so many.
    #[inline(always)]
    unsafe fn key(&self, index: usize) -> u8 {
        // SAFETY: by the caller; the burst is borrowed, and nothing else refers to its frame.
        let frame = unsafe { &mut *self.frames.add(index) };
        Place::of(frame).map_or(0, |place| place.key())
    }

    /// Looks for frames that are alike and were not taken; gives their kind.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn next(&mut self) -> Option<u8> {
        while self.at + ROW <= self.len {
            // SAFETY: there are `ROW` more.
            let first = unsafe {
                self.like = (*self.frames.add(self.at)).len;
                self.like_aad = (*self.frames.add(self.at)).aad_len;
                self.key(self.at)
            };
            if (first != 0) & self.are_alike::<ROW>() {
                self.row = first <= SIDE_BY_SIDE;
                if !self.row {
                    self.alike = ((1 << ROW) - 1) << self.at;
                    self.at += ROW;
                }
                return Some(first);
            }
            self.wait(first);
            for _ in 1..ROW {
                // SAFETY: as above.
                let key = unsafe { self.key(self.at) };
                self.wait(key);
            }
        }
        while self.at < self.len {
            // SAFETY: there is one more.
            let key = unsafe { self.key(self.at) };
            self.wait(key);
        }
        self.row = false;
        if self.waiting == 0 {
            return None;
        }
        let first = self.waiting.trailing_zeros() as usize;
        let key = self.keys.0[first % BURST_CAPACITY];
        let all = _mm256_set1_epi8(key.cast_signed());
        let keys = self.keys.0.as_ptr().cast::<__m256i>();
        // SAFETY: the keys are 64 octets, aligned to their length.
        let (low, high) = unsafe { (_mm256_load_si256(keys), _mm256_load_si256(keys.add(1))) };
        let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, all)).cast_unsigned();
        let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, all)).cast_unsigned();
        self.alike = (u64::from(high) << 32 | u64::from(low)) & self.waiting;
        self.waiting &= !self.alike;
        Some(key)
    }

    /// Whether the next `F` frames have the same lengths, and room. There are as many.
    #[inline(always)]
    fn are_alike<const F: usize>(&self) -> bool {
        // One branch, which is seldom taken wrong.
        (0..F).fold(true, |alike, n| {
            // SAFETY: a frame of the burst.
            let frame = unsafe { &*self.frames.add(self.at + n) };
            alike
                & (frame.len == self.like)
                & (frame.aad_len == self.like_aad)
                & (frame.buffer.len() >= self.like.wrapping_add(ROOM))
        })
    }

    /// Notes the next frame's kind.
    #[inline(always)]
    fn wait(&mut self, key: u8) {
        if let Some(place) = self.keys.0.get_mut(self.at) {
            *place = key;
            if key == 0 {
                self.left.add(self.at);
            } else {
                self.waiting |= 1 << self.at;
            }
        }
        self.at += 1;
    }

    /// Takes one of them, if there is one and they are not in a row.
    #[inline(always)]
    pub(super) fn take_one(&mut self) -> Option<(usize, *mut AeadFrame<'f>)> {
        let index = self.alike.trailing_zeros() as usize;
        self.alike &= self.alike.checked_sub(1)?;
        Some((index, self.frames.wrapping_add(index)))
    }

    /// Takes `F` of them, if there are as many.
    #[inline(always)]
    pub(super) fn take<const F: usize>(&mut self) -> Option<[*mut AeadFrame<'f>; F]> {
        if self.row {
            let first = self.at;
            if first + F > self.len || !self.are_alike::<F>() {
                return None;
            }
            self.at += F;
            let frames = self.frames.wrapping_add(first);
            return Some(core::array::from_fn(|n| frames.wrapping_add(n)));
        }
        let mut rest = self.alike;
        let mut last = 0;
        let taken = core::array::from_fn(|_| {
            last = rest.trailing_zeros() as usize;
            // Past the last one it is 64.
            rest &= rest.wrapping_sub(1);
            self.frames.wrapping_add(last)
        });
        if last == 64 {
            return None;
        }
        self.alike = rest;
        Some(taken)
    }

    /// The number of a frame that was taken.
    #[inline(always)]
    pub(super) fn index(&self, frame: *const AeadFrame<'f>) -> usize {
        (frame.addr() - self.frames.addr()) / size_of::<AeadFrame<'f>>()
    }
}
