//! A whole Ethernet frame, as it is to be sent.

use arrayvec::ArrayVec;

/// Octets of the longest frame that carries a MKPDU, without its frame check sequence.
pub const FRAME_MAX: usize = 1514;

/// An Ethernet frame with a MKPDU in it, from the destination address to the ICV.
pub type Frame = ArrayVec<u8, FRAME_MAX>;
