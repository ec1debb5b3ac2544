//! How many packet numbers to reserve: enough for the time that control or a disk may be away.

use crate::ieee::{Pn, PnSpace};

/// Bits that a frame of 64 octets takes on the wire: preamble, FCS and gap with it.
const SHORTEST_ON_WIRE_BITS: u64 = 672;

/// Taken where a driver does not know its speed.
const UNKNOWN_MBPS: u32 = 10_000;

/// Seconds of line rate that are always reserved ahead; so many again are added at each refill.
const SECONDS: u64 = 10;

/// How far ahead a link reserves, in packet numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ahead(u64);

impl Ahead {
    /// For a port of this speed, 0 where unknown.
    pub(super) const fn of_speed(mbps: u32) -> Self {
        let mbps = if mbps == 0 { UNKNOWN_MBPS } else { mbps };
        Self(mbps as u64 * 1_000_000 / SHORTEST_ON_WIRE_BITS * SECONDS)
    }

    /// A number that tests can count to.
    #[cfg(test)]
    pub(super) const fn of_numbers(count: u64) -> Self {
        Self(count)
    }

    /// The first reservation's end, from `next` on.
    pub(super) fn first(self, next: Pn, space: PnSpace) -> Pn {
        let past_last = space.last().saturating_add(1);
        next.saturating_add(2 * self.0).min(past_last)
    }

    /// The new end, where it is time to refill: half or less of the reservation is left.
    pub(super) fn refill(self, next: Pn, until: Pn, space: PnSpace) -> Option<Pn> {
        let wanted = self.first(next, space);
        let left = until.0.saturating_sub(next.0);
        (left <= self.0 && wanted > until).then_some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_of_line_rate_are_always_ahead() {
        let ahead = Ahead::of_speed(10_000);
        assert_eq!(ahead, Ahead(148_809_520));
        let until = ahead.first(Pn(1), PnSpace::Extended);
        assert_eq!(until, Pn(1 + 2 * 148_809_520));
        assert_eq!(ahead.refill(Pn(2), until, PnSpace::Extended), None);
        let half = Pn(1 + 148_809_520);
        assert_eq!(
            ahead.refill(half, until, PnSpace::Extended),
            Some(Pn(half.0 + 2 * 148_809_520))
        );
    }

    #[test]
    fn a_reservation_ends_with_the_space() {
        let ahead = Ahead::of_speed(100_000);
        let near_end = Pn(u64::from(u32::MAX) - 5);
        let until = ahead.first(near_end, PnSpace::Short);
        assert_eq!(until, Pn(u64::from(u32::MAX) + 1));
        assert_eq!(ahead.refill(near_end, until, PnSpace::Short), None);
    }
}
