//! The buffers that all engines work on: a ring of frames as they lie in a packet pool.

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayVec;
use macsec_gateway::crypto::{AeadFrame, BURST_CAPACITY, NONCE_LEN, TAG_LEN};
use memmap2::{Advice, MmapMut};

use crate::clock;

/// Frames in the ring.
pub(crate) const FRAMES: usize = 512;

/// Octets of the check sequence, which no engine sees.
const FCS: usize = 4;
/// Destination and source, which stay in clear.
const ADDRESSES: usize = 12;
/// Where a frame begins in its buffer, as in a packet buffer with the usual headroom.
const HEADROOM: usize = 256;
/// What is free behind the longest frame, at least.
const TAILROOM: usize = 128;

/// A frame size as tables name it: octets on the plain wire, with FCS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Fixed(usize),
    /// Seven of 64, four of 576, one of 1,500.
    Imix,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Imix => f.write_str("imix"),
        }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("imix") {
            return Ok(Self::Imix);
        }
        match text.parse() {
            Ok(size @ 64..=9216) => Ok(Self::Fixed(size)),
            _ => Err(format!("{text}: not a frame size of 64 to 9216, nor imix")),
        }
    }
}

impl Size {
    /// The sizes of the ring's frames, in an order that no branch predictor learns from one pass.
    pub(crate) fn each(self) -> Vec<usize> {
        const IMIX: [usize; 12] = [64, 64, 64, 64, 64, 64, 64, 576, 576, 576, 576, 1500];
        let Self::Fixed(size) = self else {
            let mut sizes: Vec<usize> = IMIX.iter().copied().cycle().take(FRAMES).collect();
            let mut state = 0x2545_f491_4f6c_dd1d_u64;
            for last in (1..sizes.len()).rev() {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                sizes.swap(last, (state >> 33) as usize % (last + 1));
            }
            return sizes;
        };
        vec![size; FRAMES]
    }
}

/// Octets that are encrypted of a frame of `size`.
pub(crate) const fn text_len(size: usize) -> usize {
    size - FCS - ADDRESSES
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Seal,
    Open,
}

impl Direction {
    /// What the gateway calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Seal => "protect",
            Self::Open => "validate",
        }
    }
}

/// The ring, and what it holds before each pass.
pub(crate) struct Ring {
    memory: MmapMut,
    stride: usize,
    start: usize,
    aad_len: usize,
    /// Octets of additional data, text and tag of each frame.
    lens: Vec<usize>,
    /// Those octets of all frames, end to end: put back before each pass.
    fresh: Vec<u8>,
}

impl Ring {
    pub(crate) fn new(size: Size, direction: Direction, aad_len: usize) -> Self {
        let lens: Vec<usize> = size
            .each()
            .iter()
            .map(|size| aad_len + text_len(*size) + TAG_LEN)
            .collect();
        let longest = lens.iter().copied().max().unwrap_or(0);
        // A pool's usual buffer, or one for jumbo frames; both are whole cache lines.
        let stride = if longest + HEADROOM + TAILROOM > 2304 {
            9728
        } else {
            2304
        };
        let start = match direction {
            // The SecTAG went into the headroom.
            Direction::Seal => HEADROOM - (aad_len - ADDRESSES),
            Direction::Open => HEADROOM,
        };
        let mut memory = MmapMut::map_anon(stride * FRAMES).expect("memory for the ring");
        // Large pages, as DPDK has, where the system gives them.
        let _ = memory.advise(Advice::HugePage);
        memory.fill(0);
        let fresh = (0..lens.iter().sum::<usize>()).map(|n| (n * 131 % 251) as u8);
        Self {
            memory,
            stride,
            start,
            aad_len,
            fresh: fresh.collect(),
            lens,
        }
    }

    /// Makes what the ring holds now what it holds before each pass.
    pub(crate) fn keep(&mut self) {
        self.fresh = self.octets();
    }

    /// Additional data, text and tag of all frames, end to end.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let slots = self.memory.chunks_exact(self.stride).zip(&self.lens);
        slots
            .flat_map(|(slot, len)| &slot[self.start..self.start + len])
            .copied()
            .collect()
    }

    /// Puts back what was kept; only the frames' own octets are touched.
    pub(crate) fn restore(&mut self) {
        let mut rest = &self.fresh[..];
        for (slot, len) in self.memory.chunks_exact_mut(self.stride).zip(&self.lens) {
            let (frame, behind) = rest.split_at(*len);
            slot[self.start..self.start + len].copy_from_slice(frame);
            rest = behind;
        }
    }

    /// Flips a bit of every frame, at another place in each.
    pub(crate) fn tamper(&mut self) {
        for (n, (slot, len)) in self
            .memory
            .chunks_exact_mut(self.stride)
            .zip(&self.lens)
            .enumerate()
        {
            slot[self.start + n * 37 % len] ^= 1 << (n % 8);
        }
    }

    /// Hands all frames to `work` in bursts, as a lane would: described anew, numbered on. Gives the
    /// ticks that it took.
    pub(crate) fn pass(&mut self, burst: usize, mut work: impl FnMut(&mut [AeadFrame<'_>])) -> u64 {
        let (start, aad_len) = (self.start, self.aad_len);
        let mut slots = self.memory.chunks_exact_mut(self.stride).zip(&self.lens);
        let mut pn = 1_000_u32;
        let begun = clock::ticks();
        loop {
            let mut frames: ArrayVec<AeadFrame<'_>, BURST_CAPACITY> = ArrayVec::new();
            for (slot, len) in slots.by_ref().take(burst) {
                let mut nonce = [0x12; NONCE_LEN];
                nonce[8..].copy_from_slice(&pn.to_be_bytes());
                pn += 1;
                frames.push(AeadFrame {
                    nonce,
                    aad_len,
                    len: *len,
                    buffer: &mut slot[start..],
                });
            }
            if frames.is_empty() {
                break;
            }
            work(&mut frames);
        }
        clock::ticks() - begun
    }
}
