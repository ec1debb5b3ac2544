//! EAPOL from control to the secure port.

use crossbeam::queue::ArrayQueue;

use super::EapolFrame;

/// The slots of one link, filled by control and emptied by the worker that owns the secure port's transmit
/// queue, ahead of the data of each turn and in every mode but [`Wire`](crate::bus::LaneMode::Wire).
#[derive(Debug)]
pub struct EapolOut(ArrayQueue<EapolFrame>);

impl EapolOut {
    /// Frames that may wait for the worker: some of each participant of a link.
    pub const SLOTS: usize = 64;

    /// Queues a whole Ethernet frame, from its destination address on and without FCS. False, and nothing
    /// kept, where it is longer than a slot or no slot is free: the worker has stopped.
    #[must_use]
    pub fn offer(&self, frame: &[u8]) -> bool {
        EapolFrame::copy_of(frame).is_some_and(|copy| self.0.push(copy).is_ok())
    }

    /// The oldest frame. Costs two loads while none waits.
    pub fn take(&self) -> Option<EapolFrame> {
        if self.0.is_empty() {
            return None;
        }
        self.0.pop()
    }
}

impl Default for EapolOut {
    fn default() -> Self {
        Self(ArrayQueue::new(Self::SLOTS))
    }
}
