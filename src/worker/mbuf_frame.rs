//! An mbuf as the frame that `macsec` and `pipeline` work on: grown and cut in place, never copied.

use dpdk::Mbuf;

use crate::macsec::FrameBuf;

impl FrameBuf for Mbuf {
    fn octets(&self) -> &[u8] {
        self.data()
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        self.data_mut()
    }

    fn octets_and_room_mut(&mut self) -> &mut [u8] {
        self.data_and_tailroom_mut()
    }

    fn is_contiguous(&self) -> bool {
        Self::is_contiguous(self)
    }

    fn grow_front(&mut self, n: usize) -> bool {
        self.prepend(n).is_some()
    }

    fn grow_back(&mut self, n: usize) -> bool {
        self.append(n).is_some()
    }

    fn cut_front(&mut self, n: usize) -> bool {
        self.adj(n)
    }

    fn cut_back(&mut self, n: usize) -> bool {
        self.trim(n)
    }
}
