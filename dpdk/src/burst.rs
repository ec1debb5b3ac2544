//! Up to 64 owned mbufs, in order, without allocation.

use std::fmt;
use std::mem::MaybeUninit;

use dpdk_sys::rte_mbuf;

use crate::mbuf::Mbuf;

/// A burst of frames. What is inside is owned; dropping the burst frees it.
///
/// Receive appends to it, transmit takes from its front.
pub struct Burst {
    /// The first `len` are initialised. `Mbuf` is a transparent pointer, so DPDK fills and reads this as its
    /// array of mbuf pointers.
    mbufs: [MaybeUninit<Mbuf>; Self::CAPACITY],
    len: usize,
}

impl Burst {
    /// The most frames that a burst holds.
    pub const CAPACITY: usize = 64;

    /// An empty burst.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self {
            mbufs: [const { MaybeUninit::uninit() }; Self::CAPACITY],
            len: 0,
        }
    }

    /// How many frames are inside.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether none is inside.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many more fit.
    #[must_use]
    #[inline]
    pub const fn room(&self) -> usize {
        Self::CAPACITY - self.len
    }

    /// Appends a frame.
    ///
    /// # Errors
    /// The frame itself, when the burst is full.
    #[inline]
    pub fn push(&mut self, mbuf: Mbuf) -> Result<(), Mbuf> {
        match self.mbufs.get_mut(self.len) {
            Some(slot) => {
                slot.write(mbuf);
                self.len += 1;
                Ok(())
            }
            None => Err(mbuf),
        }
    }

    /// Takes the last frame.
    #[inline]
    pub fn pop(&mut self) -> Option<Mbuf> {
        let last = self.len.checked_sub(1)?;
        self.len = last;
        // SAFETY: slot `last` was initialised, and with the new length nobody reads it again.
        self.mbufs
            .get(last)
            .map(|slot| unsafe { slot.assume_init_read() })
    }

    /// The frames, first to last.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[Mbuf] {
        let start = self.mbufs.as_ptr().cast::<Mbuf>();
        // SAFETY: the first `len` slots are initialised, and MaybeUninit<Mbuf> has Mbuf's layout.
        unsafe { std::slice::from_raw_parts(start, self.len) }
    }

    /// The frames, to change or reorder.
    #[must_use]
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [Mbuf] {
        let start = self.mbufs.as_mut_ptr().cast::<Mbuf>();
        // SAFETY: as above, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(start, self.len) }
    }

    /// The frames, first to last.
    #[inline]
    pub fn iter(&self) -> std::slice::Iter<'_, Mbuf> {
        self.as_slice().iter()
    }

    /// The frames, first to last, to change.
    #[inline]
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Mbuf> {
        self.as_mut_slice().iter_mut()
    }

    /// Takes all frames out, first to last. What the iterator does not give is freed with it.
    #[inline]
    pub fn drain(&mut self) -> Drain<'_> {
        let end = self.len;
        // The burst is empty at once, so that even a leaked iterator leaves nothing to be freed twice.
        self.len = 0;
        Drain {
            burst: self,
            next: 0,
            end,
        }
    }

    /// Frees all frames.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Keeps the first `kept` frames and frees those behind them, in one go.
    pub fn truncate(&mut self, kept: usize) {
        let Some(slots) = self.mbufs.get_mut(kept..self.len) else {
            return;
        };
        self.len = kept;
        if slots.is_empty() {
            return;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
        let count = slots.len() as u32;
        // SAFETY: these slots hold owned mbufs; the length leaves them out already, so nobody frees or reads
        // them again.
        unsafe { dpdk_sys::rte_pktmbuf_free_bulk(slots.as_mut_ptr().cast(), count) };
    }

    /// Where received mbufs go, and how many fit.
    #[inline]
    pub(crate) fn spare(&mut self) -> (*mut *mut rte_mbuf, u16) {
        let spare = &mut self.mbufs[self.len..];
        #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
        (spare.as_mut_ptr().cast(), spare.len() as u16)
    }

    /// Counts in `received` mbufs behind the present ones.
    ///
    /// # Safety
    /// The first `received` slots of what `spare` gave have been filled with mbufs that are now owned here.
    #[inline]
    pub(crate) unsafe fn received(&mut self, received: u16) {
        self.len = (self.len + usize::from(received)).min(Self::CAPACITY);
    }

    /// The mbufs to transmit, and how many.
    #[inline]
    pub(crate) fn filled(&mut self) -> (*mut *mut rte_mbuf, u16) {
        #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
        (self.mbufs.as_mut_ptr().cast(), self.len as u16)
    }

    /// Forgets the first `taken` mbufs and moves the others to the front, in order.
    ///
    /// # Safety
    /// The first `taken` mbufs of what `filled` gave have a new owner.
    #[inline]
    pub(crate) unsafe fn forget_front(&mut self, taken: u16) {
        let taken = usize::from(taken).min(self.len);
        let left = self.len - taken;
        if taken != 0 && left != 0 {
            let start = self.mbufs.as_mut_ptr();
            // SAFETY: `taken` is within the array.
            let from = unsafe { start.add(taken) };
            // SAFETY: `left` initialised slots follow `from`; the ranges may overlap, which `copy` allows; the
            // length below makes the copies the only owners.
            unsafe { std::ptr::copy(from, start, left) };
        }
        self.len = left;
    }
}

impl Default for Burst {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Burst {
    #[inline]
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl<'burst> IntoIterator for &'burst Burst {
    type Item = &'burst Mbuf;
    type IntoIter = std::slice::Iter<'burst, Mbuf>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'burst> IntoIterator for &'burst mut Burst {
    type Item = &'burst mut Mbuf;
    type IntoIter = std::slice::IterMut<'burst, Mbuf>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

/// The frames of a burst, taken out one by one. See [`Burst::drain`].
#[derive(Debug)]
pub struct Drain<'burst> {
    burst: &'burst mut Burst,
    next: usize,
    end: usize,
}

impl Iterator for Drain<'_> {
    type Item = Mbuf;

    #[inline]
    fn next(&mut self) -> Option<Mbuf> {
        if self.next == self.end {
            return None;
        }
        let slot = self.burst.mbufs.get(self.next)?;
        self.next += 1;
        // SAFETY: slots `next..end` were initialised when the burst was emptied, and each is read once.
        Some(unsafe { slot.assume_init_read() })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.end - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Drain<'_> {}

impl Drop for Drain<'_> {
    #[inline]
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
