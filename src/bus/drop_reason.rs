//! Why a lane dropped a frame: `macsec`'s reasons, and the path's own.

use crate::macsec::Reject;

/// Why a frame ended inside the gateway. Every reason is a counter of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// MACsec refused it.
    Macsec(Reject),
    /// The lane is closed: not secured in `must_encrypt`, or not yet open.
    Closed,
    /// EtherType 0x8808: pause and priority flow control end at every hop.
    MacControl,
    /// EAPOL from the plain side while the link's own key agreement runs.
    EapolFromPlain,
    /// EAPOL that came too fast for control, or is longer than a slot.
    EapolOverrun,
    /// Shorter than an Ethernet header.
    Runt,
    /// Longer than the link's largest frame, on a path where MACsec does not look.
    TooLong,
    /// In more than one buffer.
    Chained,
    /// The transmit queue stayed full through its retries.
    TxFull,
    /// The port that it would leave by is stopped.
    PortStopped,
}

/// Those that carry no reason of `macsec`, in the order of their indices.
const OWN: [(DropReason, &str); 9] = [
    (DropReason::Closed, "closed"),
    (DropReason::MacControl, "mac_control"),
    (DropReason::EapolFromPlain, "eapol_from_plain"),
    (DropReason::EapolOverrun, "eapol_overrun"),
    (DropReason::Runt, "short_frame"),
    (DropReason::TooLong, "long_frame"),
    (DropReason::Chained, "chained_frame"),
    (DropReason::TxFull, "tx_full"),
    (DropReason::PortStopped, "port_stopped"),
];

impl DropReason {
    /// How many there are.
    pub const COUNT: usize = OWN.len() + Reject::COUNT;

    /// The place in a table of [`Self::COUNT`].
    pub const fn index(self) -> usize {
        match self {
            Self::Closed => 0,
            Self::MacControl => 1,
            Self::EapolFromPlain => 2,
            Self::EapolOverrun => 3,
            Self::Runt => 4,
            Self::TooLong => 5,
            Self::Chained => 6,
            Self::TxFull => 7,
            Self::PortStopped => 8,
            Self::Macsec(reject) => OWN.len() + reject.index(),
        }
    }

    /// The label in metrics and `counters`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Macsec(reject) => reject.name(),
            own => OWN.get(own.index()).map_or("", |(_, name)| name),
        }
    }

    /// All of them, in the order of [`Self::index`].
    pub fn all() -> impl Iterator<Item = Self> {
        OWN.iter()
            .map(|(reason, _)| *reason)
            .chain(Reject::ALL.into_iter().map(Self::Macsec))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_place_and_a_name_of_its_own() {
        let names: alloc::collections::BTreeSet<_> =
            DropReason::all().map(DropReason::name).collect();
        assert_eq!(names.len(), DropReason::COUNT);
        for (place, reason) in DropReason::all().enumerate() {
            assert_eq!(reason.index(), place);
        }
    }
}
