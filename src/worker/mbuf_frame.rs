//! An mbuf as the frame that `macsec` and `pipeline` work on: grown and cut in place, never copied.

use dpdk::{Mbuf, PackedFrame};

use crate::macsec::FrameBuf;

impl FrameBuf for Mbuf {
    #[inline]
    fn octets(&self) -> &[u8] {
        self.data()
    }

    #[inline]
    fn octets_mut(&mut self) -> &mut [u8] {
        self.data_mut()
    }

    #[inline]
    fn octets_and_room_mut(&mut self) -> &mut [u8] {
        self.data_and_tailroom_mut()
    }

    #[inline]
    fn is_contiguous(&self) -> bool {
        Self::is_contiguous(self)
    }

    #[inline]
    fn grow_front(&mut self, n: usize) -> bool {
        self.prepend(n).is_some()
    }

    #[inline]
    fn grow_back(&mut self, n: usize) -> bool {
        self.append(n).is_some()
    }

    #[inline]
    fn cut_front(&mut self, n: usize) -> bool {
        self.adj(n)
    }

    #[inline]
    fn cut_back(&mut self, n: usize) -> bool {
        self.trim(n)
    }

    #[inline]
    fn grow(&mut self, front: usize, back: usize) -> Option<&mut [u8]> {
        Self::grow(self, front, back)
    }

    #[inline]
    fn grow_in_room(&mut self, front: usize, back: usize) -> Result<&mut [u8], &mut Self> {
        Self::grow_in_room(self, front, back)
    }

    #[inline]
    fn recut(&mut self, front: usize, len: usize) -> Option<&mut [u8]> {
        Self::recut(self, front, len)
    }

    #[inline]
    fn prefetch(&self) {
        Self::prefetch(self);
    }
}

/// A frame that is to be worked on elsewhere, where it is and as long as it is: it can't grow or shrink.
impl FrameBuf for PackedFrame<'_> {
    #[inline]
    fn octets(&self) -> &[u8] {
        self.data()
    }

    #[inline]
    fn octets_mut(&mut self) -> &mut [u8] {
        self.data_mut()
    }

    #[inline]
    fn octets_and_room_mut(&mut self) -> &mut [u8] {
        self.data_and_tailroom_mut()
    }

    /// Frames that are not are refused before.
    #[inline]
    fn is_contiguous(&self) -> bool {
        true
    }

    fn grow_front(&mut self, n: usize) -> bool {
        n == 0
    }

    fn grow_back(&mut self, n: usize) -> bool {
        n == 0
    }

    fn cut_front(&mut self, n: usize) -> bool {
        n == 0
    }

    fn cut_back(&mut self, n: usize) -> bool {
        n == 0
    }
}
