//! EAPOL copies in fixed slots, from a validate lane to control.

use core::fmt;

use crossbeam::queue::ArrayQueue;

/// Octets of one slot: the longest EAPOL frame that is taken.
pub const EAPOL_SLOT_LEN: usize = 1514;

const SLOTS: usize = 64;

/// A copy of one EAPOL frame, without FCS.
pub struct EapolFrame {
    len: u16,
    octets: [u8; EAPOL_SLOT_LEN],
}

impl EapolFrame {
    /// A copy of `frame`, or `None` if it is longer than a slot.
    pub fn copy_of(frame: &[u8]) -> Option<Self> {
        let mut octets = [0; EAPOL_SLOT_LEN];
        octets.get_mut(..frame.len())?.copy_from_slice(frame);
        Some(Self {
            len: u16::try_from(frame.len()).ok()?,
            octets,
        })
    }

    /// The frame from its destination address on.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

impl fmt::Debug for EapolFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EapolFrame({} octets)", self.len)
    }
}

/// The slots of one link, filled by its validate lane and emptied by control.
#[derive(Debug)]
pub struct EapolSlots(ArrayQueue<EapolFrame>);

impl EapolSlots {
    /// Copies `frame` into a free slot. False, and nothing kept, where none is free or it does not fit.
    #[must_use]
    pub fn offer(&self, frame: &[u8]) -> bool {
        // Full is found before the copy is made: a flood must not buy memory bandwidth.
        !self.0.is_full()
            && EapolFrame::copy_of(frame).is_some_and(|copy| self.0.push(copy).is_ok())
    }

    /// The oldest frame.
    pub fn take(&self) -> Option<EapolFrame> {
        self.0.pop()
    }
}

impl Default for EapolSlots {
    fn default() -> Self {
        Self(ArrayQueue::new(SLOTS))
    }
}
