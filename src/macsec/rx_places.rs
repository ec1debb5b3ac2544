//! Where a channel is among a SecY's, by its SCI: found in a step where bisection takes eight, each of which
//! waits for the one before.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use alloc::boxed::Box;
use core::fmt;

use super::{MAX_RX_SCS, RxSc};
use crate::ieee::Sci;

/// Four for each channel, so that most channels stand in the slot where they are looked for.
const SLOTS: usize = 4 * MAX_RX_SCS;

/// The number of a slot has so many bits less than a word.
const SHIFT: u32 = u64::BITS - SLOTS.trailing_zeros();

/// Any odd number with ones and zeros everywhere: 2^64 over the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Places by SCI. Made once and written again: it allocates nothing more.
pub(super) struct Places {
    /// A place plus 1, in the slot that its SCI says or in the first free one behind; 0 is free. There are
    /// none while there are more channels than [`MAX_RX_SCS`].
    slots: Box<[u16; SLOTS]>,
}

impl Places {
    pub(super) fn new() -> Self {
        const { assert!(SLOTS.is_power_of_two() && MAX_RX_SCS < u16::MAX as usize) };
        Self {
            slots: Box::new([0; SLOTS]),
        }
    }

    /// Notes where `channels` are now.
    pub(super) fn set(&mut self, channels: &[RxSc]) {
        self.slots.fill(0);
        if channels.len() > MAX_RX_SCS {
            return;
        }
        for (channel, number) in channels.iter().zip(1..) {
            let free = probe(channel.sci()).find(|&slot| self.slot(slot) == 0);
            if let Some(place) = free.and_then(|slot| self.slots.get_mut(slot)) {
                *place = number;
            }
        }
    }

    /// The place of channel `sci` among `channels`, which are those of the last [`Self::set`].
    #[inline]
    pub(super) fn find(&self, channels: &[RxSc], sci: Sci) -> Option<usize> {
        if channels.len() > MAX_RX_SCS {
            return channels.binary_search_by_key(&sci, RxSc::sci).ok();
        }
        for slot in probe(sci) {
            let place = usize::from(self.slot(slot).checked_sub(1)?);
            if channels
                .get(place)
                .is_some_and(|channel| channel.sci() == sci)
            {
                return Some(place);
            }
        }
        None
    }

    #[inline]
    fn slot(&self, slot: usize) -> u16 {
        self.slots.get(slot).copied().unwrap_or(0)
    }
}

/// The slots in which a channel may stand, in the order in which they are asked.
#[inline]
fn probe(sci: Sci) -> impl Iterator<Item = usize> {
    let first = (sci.0.wrapping_mul(SPREAD) >> SHIFT) as usize;
    (0..SLOTS).map(move |step| first.wrapping_add(step) % SLOTS)
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::{sync::Arc, vec::Vec};

    use super::*;

    /// As bisection has it, whatever came and went, and where there are more channels than slots are for.
    #[test]
    fn channels_are_found_where_they_are_and_others_are_not() {
        let mut places = Places::new();
        let mut channels: Vec<RxSc> = Vec::new();
        // Numbers as they are given out: one after the other, and all over.
        let scis = (0..400_u64).map(|nth| {
            Sci(if nth % 2 == 0 {
                nth << 16 | 1
            } else {
                nth.wrapping_mul(SPREAD)
            })
        });
        let scis: Vec<_> = scis.collect();
        for (step, &sci) in scis.iter().chain(&scis).enumerate() {
            match channels.binary_search_by_key(&sci, RxSc::sci) {
                Ok(at) => drop(channels.remove(at)),
                Err(at) => channels.insert(at, RxSc::new(sci, Arc::default())),
            }
            places.set(&channels);
            for &sci in scis.iter().step_by(1 + step % 7) {
                let place = channels.binary_search_by_key(&sci, RxSc::sci).ok();
                assert_eq!(
                    places.find(&channels, sci),
                    place,
                    "{sci:?} of {}",
                    channels.len()
                );
            }
        }
        assert!(channels.is_empty());
    }
}
