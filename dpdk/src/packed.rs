//! A burst that goes to another thread for its octets' sake.

use std::fmt;

use crate::burst::Burst;
use crate::mbuf::prefetch;

/// Where a frame lies.
#[derive(Clone, Copy)]
struct Place {
    start: *mut u8,
    /// Octets of the first segment, and of it and the room behind it.
    len: u32,
    whole: u32,
}

/// Lines of a frame that are asked for ahead: the rest of a long one the CPU asks for by itself.
const ASKED: usize = 3;

/// Octets of a cache line.
const LINE: usize = 64;

/// A burst, and where its frames' octets lie: so whoever works on those touches no mbuf's header, whose cache
/// line its owner writes before and after. [`Self::pack`] writes the places down; whatever may change a frame
/// forgets them.
pub struct PackedBurst {
    burst: Burst,
    places: [Place; Burst::CAPACITY],
    /// How many places are written down: as many as there are frames, or none.
    packed: usize,
}

// SAFETY: places point into buffers of the burst's own frames, which go with it, and an mbuf may be used by any
// thread that owns it.
unsafe impl Send for PackedBurst {}

/// A frame of a packed burst.
#[derive(Debug)]
pub struct PackedFrame<'burst> {
    octets: &'burst mut [u8],
    len: usize,
}

impl PackedBurst {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        const NOWHERE: Place = Place {
            start: std::ptr::null_mut(),
            len: 0,
            whole: 0,
        };
        Self {
            burst: Burst::new(),
            places: [NOWHERE; Burst::CAPACITY],
            packed: 0,
        }
    }

    /// The burst. What was packed is not any more.
    #[inline]
    pub fn unpacked(&mut self) -> &mut Burst {
        self.packed = 0;
        &mut self.burst
    }

    /// Writes down where the frames lie.
    pub fn pack(&mut self) {
        let frames = self.burst.as_mut_slice();
        for (frame, place) in frames.iter_mut().zip(&mut self.places) {
            let len = frame.len();
            let octets = frame.data_and_tailroom_mut();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "an mbuf's buffer is under 64 KiB"
            )]
            {
                *place = Place {
                    start: octets.as_mut_ptr(),
                    len: len.min(octets.len()) as u32,
                    whole: octets.len() as u32,
                };
            }
        }
        self.packed = self.burst.len();
    }

    /// The frames, first to last, each asked for ahead of its turn; none where nothing is packed.
    pub fn frames(&mut self) -> impl Iterator<Item = PackedFrame<'_>> {
        let places = self.places.get(..self.packed).unwrap_or_default();
        for place in places {
            for line in 0..ASKED {
                prefetch(place.start.wrapping_add(line * LINE));
            }
        }
        places.iter().map(|place| PackedFrame {
            // SAFETY: `pack` took start and length from this frame's own slice, exclusively borrowed. Since then
            // nobody had the burst but by `unpacked`, which forgets the places, so the frame is there, as it
            // was, and no other frame's. `self` is exclusively borrowed for as long as what is given here lives,
            // and each place is given once.
            octets: unsafe { std::slice::from_raw_parts_mut(place.start, place.whole as usize) },
            len: place.len as usize,
        })
    }

    /// Whether places are written down. A burst without frames has none.
    #[must_use]
    pub const fn is_packed(&self) -> bool {
        self.packed > 0
    }
}

impl PackedFrame<'_> {
    /// The octets of the first segment.
    #[must_use]
    #[inline]
    pub fn data(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }

    /// The same, to change.
    #[must_use]
    #[inline]
    pub fn data_mut(&mut self) -> &mut [u8] {
        self.octets.get_mut(..self.len).unwrap_or_default()
    }

    /// The same, and the free octets behind them, which hold anything.
    #[must_use]
    #[inline]
    pub fn data_and_tailroom_mut(&mut self) -> &mut [u8] {
        self.octets
    }
}

impl Default for PackedBurst {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PackedBurst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.burst.fmt(f)
    }
}
