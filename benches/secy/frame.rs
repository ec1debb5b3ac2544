//! Frames in vectors that stay where they are, for measurements.

use macsec_gateway::macsec::FrameBuf;

/// Room as in an mbuf: 128 octets ahead, and more than enough behind.
const ROOM: usize = 128;

/// Addresses and the EtherType of IPv4.
const HEADER: [u8; 14] = [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 8, 0];

/// A frame in a vector that stays where it is.
#[derive(Clone)]
pub(crate) struct VecFrame {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl VecFrame {
    pub(crate) fn new(size: usize) -> Self {
        let mut frame = Self {
            buffer: vec![0x5A; ROOM + size + ROOM],
            start: ROOM,
            end: ROOM + size,
        };
        frame.refill(size);
        frame
    }

    /// A plain frame again, with whatever user data the last one left.
    pub(crate) fn refill(&mut self, size: usize) {
        (self.start, self.end) = (ROOM, ROOM + size);
        self.buffer[ROOM..ROOM + HEADER.len()].copy_from_slice(&HEADER);
    }
}

impl FrameBuf for VecFrame {
    fn octets(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.end]
    }

    fn octets_and_room_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..]
    }

    fn is_contiguous(&self) -> bool {
        true
    }

    fn grow_front(&mut self, n: usize) -> bool {
        let room = n <= self.start;
        self.start -= if room { n } else { 0 };
        room
    }

    fn grow_back(&mut self, n: usize) -> bool {
        let room = self.end + n <= self.buffer.len();
        self.end += if room { n } else { 0 };
        room
    }

    fn cut_front(&mut self, n: usize) -> bool {
        let enough = n <= self.end - self.start;
        self.start += if enough { n } else { 0 };
        enough
    }

    fn cut_back(&mut self, n: usize) -> bool {
        let enough = n <= self.end - self.start;
        self.end -= if enough { n } else { 0 };
        enough
    }
}
