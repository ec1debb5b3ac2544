//! The upper half of an extended packet number, which is not sent (802.1AE-2018 10.6.2).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::ieee::Pn;

/// The packet number that `wire` is the low half of, judged from the lowest acceptable one.
///
/// The upper half is that of `lowest`, or the next one where the low half of `lowest` lies in the
/// upper half of its range and `wire` in the lower: the number has then crossed a multiple of 2^32.
/// At the very end of the space there is no next one; the number is then far below `lowest`.
#[must_use]
#[inline]
pub const fn recover_pn(lowest: Pn, wire: u32) -> Pn {
    const TOP: u32 = 1 << 31;
    let high = lowest.0 >> 32;
    let crossed = lowest.wire() & TOP != 0 && wire & TOP == 0;
    let high = if crossed && high < u32::MAX as u64 {
        high.saturating_add(1)
    } else {
        high
    };
    Pn(high << 32 | wire as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGE: u64 = 1 << 32;
    const HALF: u64 = 1 << 31;

    #[test]
    fn numbers_within_half_the_range_are_recovered() {
        // Every number from `lowest` to 2^31 - 1 beyond it is found, whatever edge lies between.
        for lowest in [
            1,
            HALF - 1,
            HALF,
            EDGE - 1,
            EDGE,
            EDGE + 1,
            5 * EDGE - 3,
            7 * EDGE + HALF,
        ] {
            for ahead in [0, 1, 2, 5, 1000, HALF - 1] {
                let pn = Pn(lowest + ahead);
                assert_eq!(recover_pn(Pn(lowest), pn.wire()), pn, "{lowest} + {ahead}");
            }
        }
    }

    #[test]
    fn a_late_number_before_an_edge_stays_before_it() {
        assert_eq!(recover_pn(Pn(EDGE - 5), 0xffff_fff0), Pn(0xffff_fff0));
    }

    #[test]
    fn there_is_nothing_past_the_end() {
        assert_eq!(
            recover_pn(Pn(u64::MAX - 2), 3),
            Pn(u64::MAX << 32 | 3),
            "far below, so late"
        );
    }
}
