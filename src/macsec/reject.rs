//! Every reason for which a SecY drops a frame.

use core::fmt;

/// Why a frame is dropped. Each has a counter of its own; those that the IEEE MIB knows are counted
/// there as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reject {
    /// Fewer than 14 octets: no Ethernet header.
    Runt,
    /// The frame lies in more than one piece.
    Chained,
    /// Longer than the link's MTU allows.
    TooLong,
    /// No room in the buffer for SecTAG, ICV or pad.
    NoRoom,
    /// Transmit: no SA is in use.
    NoTxSa,
    /// Transmit: the SA's packet numbers are used up (802.1AE-2018 10.5.2).
    PnExhausted,
    /// Transmit: the packet numbers that control reserved are used up.
    ReservationEnded,
    /// Transmit: the SCI is not sent and the source address is not the SCI's, so that no receiver
    /// could know the channel (802.1AE-2018 9.5).
    ForeignSource,
    /// Receive: no SecTAG where one is demanded.
    NoTag,
    /// Receive: a malformed SecTAG or a frame too short for what its SecTAG says (802.1AE-2018 9.12).
    BadTag,
    /// Receive: an unknown SCI.
    NoSci,
    /// Receive: a known SCI and an AN without an SA.
    NotUsingSa,
    /// Receive: the ICV is wrong.
    NotValid,
    /// Receive: the packet number is below the lowest acceptable one.
    Late,
    /// Receive: the packet number was received before.
    Duplicate,
    /// Receive: E set and C clear, which is the KaY's and never a user's (802.1AE-2018 9.5).
    KayOnly,
}

impl Reject {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All reasons, each at its own index.
    pub const ALL: [Self; 16] = [
        Self::Runt,
        Self::Chained,
        Self::TooLong,
        Self::NoRoom,
        Self::NoTxSa,
        Self::PnExhausted,
        Self::ReservationEnded,
        Self::ForeignSource,
        Self::NoTag,
        Self::BadTag,
        Self::NoSci,
        Self::NotUsingSa,
        Self::NotValid,
        Self::Late,
        Self::Duplicate,
        Self::KayOnly,
    ];

    /// The reason's place in [`Self::ALL`] and in tables of counters.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name in metrics: lower case, words joined by `_`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runt => "runt",
            Self::Chained => "chained",
            Self::TooLong => "too_long",
            Self::NoRoom => "no_room",
            Self::NoTxSa => "no_tx_sa",
            Self::PnExhausted => "pn_exhausted",
            Self::ReservationEnded => "reservation_ended",
            Self::ForeignSource => "foreign_source",
            Self::NoTag => "no_tag",
            Self::BadTag => "bad_tag",
            Self::NoSci => "no_sci",
            Self::NotUsingSa => "not_using_sa",
            Self::NotValid => "not_valid",
            Self::Late => "late",
            Self::Duplicate => "duplicate",
            Self::KayOnly => "kay_only",
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_stands_at_its_index_under_a_name_of_its_own() {
        for (i, reason) in Reject::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), i);
            assert!(Reject::ALL[..i].iter().all(|r| r.name() != reason.name()));
            assert!(
                reason
                    .name()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_')
            );
        }
    }
}
