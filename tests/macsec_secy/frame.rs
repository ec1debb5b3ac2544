//! A frame in a vector, with room at both ends, and octets that grew left as junk.

use macsec_gateway::macsec::FrameBuf;

/// What stands in octets that nobody wrote: a caller that relies on them shows.
const JUNK: u8 = 0xa5;

#[derive(Clone, Debug)]
pub(crate) struct VecFrame {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    contiguous: bool,
}

impl VecFrame {
    pub(crate) fn new(octets: &[u8]) -> Self {
        Self::with_room(octets, 64, 128)
    }

    pub(crate) fn with_room(octets: &[u8], head: usize, tail: usize) -> Self {
        let mut buffer = vec![JUNK; head];
        buffer.extend_from_slice(octets);
        buffer.resize(head + octets.len() + tail, JUNK);
        Self {
            buffer,
            start: head,
            end: head + octets.len(),
            contiguous: true,
        }
    }

    pub(crate) fn chained(octets: &[u8]) -> Self {
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
        let Some(start) = self.start.checked_sub(n) else {
            return false;
        };
        self.buffer[start..self.start].fill(JUNK);
        self.start = start;
        true
    }

    fn grow_back(&mut self, n: usize) -> bool {
        if self.end + n > self.buffer.len() {
            return false;
        }
        self.buffer[self.end..self.end + n].fill(JUNK);
        self.end += n;
        true
    }

    fn cut_front(&mut self, n: usize) -> bool {
        if n > self.end - self.start {
            return false;
        }
        self.start += n;
        true
    }

    fn cut_back(&mut self, n: usize) -> bool {
        if n > self.end - self.start {
            return false;
        }
        self.end -= n;
        true
    }
}
