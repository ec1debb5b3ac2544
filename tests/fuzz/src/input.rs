//! Octets of the fuzzer taken apart: choices first, then frames.

/// Bursts of one input that are looked at: more only cost time.
pub(crate) const BURSTS: usize = 4;

/// What is left of an input. An input that has ended goes on with zeros.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn octet(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    /// One of `choices`.
    pub(crate) fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.octet()) % choices.len()]
    }

    /// A frame: an octet says how long it is, and 255 that it is all that is left.
    pub(crate) fn frame(&mut self) -> &'a [u8] {
        let len = match self.octet() {
            255 => self.0.len(),
            len => usize::from(len).min(self.0.len()),
        };
        let (frame, rest) = self.0.split_at(len);
        self.0 = rest;
        frame
    }

    /// The frames of a burst, at most 8.
    pub(crate) fn burst(&mut self) -> Vec<&'a [u8]> {
        let mut frames = Vec::with_capacity(8);
        while !self.is_empty() && frames.len() < 8 {
            frames.push(self.frame());
        }
        frames
    }
}
