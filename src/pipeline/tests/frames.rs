//! Frames in vectors, with room at both ends.

use crate::macsec::FrameBuf;

/// What stands in octets that nobody wrote.
const JUNK: u8 = 0xa5;

const HEAD: usize = 64;
const TAIL: usize = 128;

pub(super) const SOURCE: [u8; 6] = [0x02, 0, 0x5e, 0x10, 0, 0x07];

#[derive(Clone, Debug)]
pub(super) struct VecFrame {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    contiguous: bool,
}

impl VecFrame {
    pub(super) fn new(octets: &[u8]) -> Self {
        let mut buffer = vec![JUNK; HEAD];
        buffer.extend_from_slice(octets);
        buffer.resize(HEAD + octets.len() + TAIL, JUNK);
        Self {
            buffer,
            start: HEAD,
            end: HEAD + octets.len(),
            contiguous: true,
        }
    }

    pub(super) fn chained(octets: &[u8]) -> Self {
        Self {
            contiguous: false,
            ..Self::new(octets)
        }
    }
}

impl FrameBuf for VecFrame {
    fn octets(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        assert!(self.contiguous, "a chained frame is never touched");
        &mut self.buffer[self.start..self.end]
    }

    fn octets_and_room_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..]
    }

    fn is_contiguous(&self) -> bool {
        self.contiguous
    }

    fn grow_front(&mut self, n: usize) -> bool {
        let start = self.start.checked_sub(n);
        self.start = start.unwrap_or(self.start);
        start.is_some()
    }

    fn grow_back(&mut self, n: usize) -> bool {
        let fits = self.end + n <= self.buffer.len();
        self.end += if fits { n } else { 0 };
        fits
    }

    fn cut_front(&mut self, n: usize) -> bool {
        let fits = n <= self.end - self.start;
        self.start += if fits { n } else { 0 };
        fits
    }

    fn cut_back(&mut self, n: usize) -> bool {
        let fits = n <= self.end - self.start;
        self.end -= if fits { n } else { 0 };
        fits
    }
}

/// A frame of `len` octets behind `types`, of which a VLAN type takes its tag's octets with it.
pub(super) fn frame(types: &[u16], len: usize) -> Vec<u8> {
    let mut octets = vec![0x02, 0, 0x5e, 0x20, 0, 0x09];
    octets.extend(SOURCE);
    for ethertype in types {
        octets.extend(ethertype.to_be_bytes());
        if matches!(ethertype, 0x8100 | 0x88a8) {
            octets.extend([0, 7]);
        }
    }
    let mut next = 0u8;
    octets.resize_with(len.max(octets.len()), || {
        next = next.wrapping_add(1);
        next
    });
    octets
}
