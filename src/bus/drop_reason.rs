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
    /// EAPOL of another kind than MKA, or of another EtherType than the link's, while a KaY runs.
    EapolNotMka,
    /// An MKPDU whose lengths don't hold together.
    EapolLength,
    /// An MKPDU of a CKN that is not in use.
    EapolUnknownCkn,
    /// EAPOL from our own address: our frames come back.
    EapolReflected,
    /// Shorter than an Ethernet header.
    Runt,
    /// Longer than the link's largest frame, on a path where MACsec does not look.
    TooLong,
    /// In more than one buffer.
    Chained,
    /// Frames come faster than the lane takes them, and as many as it keeps wait already.
    Overload,
    /// The transmit queue stayed full through its retries.
    TxFull,
    /// The port that it would leave by is stopped.
    PortStopped,
    /// A crypto helper had it for longer than the lane waits.
    HelperStalled,
}

/// Those that carry no reason of `macsec`, in the order of their indices.
const OWN: [(DropReason, &str); 15] = [
    (DropReason::Closed, "closed"),
    (DropReason::MacControl, "mac_control"),
    (DropReason::EapolFromPlain, "eapol_from_plain"),
    (DropReason::EapolOverrun, "eapol_overrun"),
    (DropReason::EapolNotMka, "eapol_not_mka"),
    (DropReason::EapolLength, "eapol_length"),
    (DropReason::EapolUnknownCkn, "eapol_unknown_ckn"),
    (DropReason::EapolReflected, "eapol_reflected"),
    (DropReason::Runt, "short_frame"),
    (DropReason::TooLong, "long_frame"),
    (DropReason::Chained, "chained_frame"),
    (DropReason::Overload, "overload"),
    (DropReason::TxFull, "tx_full"),
    (DropReason::PortStopped, "port_stopped"),
    (DropReason::HelperStalled, "helper_stalled"),
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
            Self::EapolNotMka => 4,
            Self::EapolLength => 5,
            Self::EapolUnknownCkn => 6,
            Self::EapolReflected => 7,
            Self::Runt => 8,
            Self::TooLong => 9,
            Self::Chained => 10,
            Self::Overload => 11,
            Self::TxFull => 12,
            Self::PortStopped => 13,
            Self::HelperStalled => 14,
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

/// Why an EAPOL frame of our own did not leave by the secure port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnsentReason {
    /// None of the buffers that are set aside for it is free.
    NoBuffer,
    /// The transmit queue stayed full until newer ones pushed it out.
    TxFull,
    /// The port is stopped.
    PortStopped,
    /// The link is a wire: no key agreement runs.
    Wire,
}

impl UnsentReason {
    /// Every reason, in the order of [`Self::index`].
    pub const ALL: [Self; 4] = [Self::NoBuffer, Self::TxFull, Self::PortStopped, Self::Wire];

    /// The place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::NoBuffer => 0,
            Self::TxFull => 1,
            Self::PortStopped => 2,
            Self::Wire => 3,
        }
    }

    /// The label in metrics and `counters`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoBuffer => "no_buffer",
            Self::TxFull => "tx_full",
            Self::PortStopped => "port_stopped",
            Self::Wire => "wire",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_for_not_sending_has_a_place_of_its_own() {
        for (place, reason) in UnsentReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), place);
        }
    }

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
