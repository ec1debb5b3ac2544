//! How EAPOL from the secure side gets to control: filtered, by class, and only so much of it per burst.

use crate::{
    bus::{DropReason, EapolClass, EapolFilter, EapolSlots},
    ieee::EtherType,
};

/// Copies of one burst at the most. A flood with a live peer's address can't be told from the peer: of a full
/// burst all are copied, or the peer's own would be lost with the rest. Of others a few are enough.
const COPIES: [(EapolClass, u32); 2] = [(EapolClass::Live, 64), (EapolClass::Other, 4)];

/// What a burst may still copy.
#[derive(Debug)]
pub(super) struct Punt<'a> {
    filter: Option<&'a EapolFilter>,
    slots: &'a EapolSlots,
    left: [u32; COPIES.len()],
}

impl<'a> Punt<'a> {
    /// For a burst. Without a filter no KaY runs: EAPOL still belongs to control, which only counts it.
    pub(super) fn new(filter: Option<&'a EapolFilter>, slots: &'a EapolSlots) -> Self {
        Self {
            filter,
            slots,
            left: COPIES.map(|(_, copies)| copies),
        }
    }

    /// Whether frames of this EtherType are control's.
    pub(super) fn is_for(&self, ethertype: EtherType) -> bool {
        ethertype == EtherType::EAPOL
            || self
                .filter
                .is_some_and(|filter| filter.ethertype == ethertype)
    }

    /// Copies a frame for control.
    ///
    /// # Errors
    /// Why it isn't copied.
    pub(super) fn copy(&mut self, frame: &[u8]) -> Result<(), DropReason> {
        let class = match self.filter {
            Some(filter) => filter.judge(frame)?,
            None => EapolClass::Other,
        };
        let left = match class {
            EapolClass::Live => &mut self.left[0],
            EapolClass::Other => &mut self.left[1],
        };
        *left = left.checked_sub(1).ok_or(DropReason::EapolOverrun)?;
        if self.slots.offer(class, frame) {
            Ok(())
        } else {
            Err(DropReason::EapolOverrun)
        }
    }
}
