//! One EAPOL frame in a slot.

use core::fmt;

use arrayvec::ArrayVec;

/// Octets of one slot: the longest EAPOL frame that is taken, and sent.
pub const EAPOL_SLOT_LEN: usize = 1514;

/// A copy of one EAPOL frame, without FCS.
pub struct EapolFrame(ArrayVec<u8, EAPOL_SLOT_LEN>);

impl EapolFrame {
    /// A copy of `frame`, or `None` if it is longer than a slot.
    pub fn copy_of(frame: &[u8]) -> Option<Self> {
        let mut octets = ArrayVec::new();
        octets.try_extend_from_slice(frame).ok()?;
        Some(Self(octets))
    }

    /// The frame from its destination address on.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for EapolFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EapolFrame({} octets)", self.0.len())
    }
}
