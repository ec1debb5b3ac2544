//! Why a received MKPDU was not taken (802.1X-2020 11.11.2): each reason has a counter.

/// A reason; the order is that of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Discard {
    /// Not EAPOL-MKA of this link's EtherType, EAPOL version below 3, or to an individual address that is not ours.
    NotMka,
    /// Body length below 32, no multiple of 4, or longer than the frame.
    Length,
    /// The basic parameter set does not fit, or its CKN has no 1 to 32 octets.
    Basic,
    /// No CAK of this name is in use.
    UnknownCkn,
    /// Another algorithm agility than the standard's.
    Agility,
    /// The ICV is wrong.
    Icv,
    /// A parameter set does not fit into the MKPDU or contradicts its own length.
    Malformed,
    /// Our own source address and member identifier: a reflection.
    Reflected,
    /// The message number is not greater than the last one of this member.
    MessageNumber,
    /// There is no room for another peer.
    TooManyPeers,
    /// The member identifier of a known SCI changed and has not proven itself yet.
    Unproven,
}

impl Discard {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::NotMka,
        Self::Length,
        Self::Basic,
        Self::UnknownCkn,
        Self::Agility,
        Self::Icv,
        Self::Malformed,
        Self::Reflected,
        Self::MessageNumber,
        Self::TooManyPeers,
        Self::Unproven,
    ];

    /// The word in metrics and `status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotMka => "not_mka",
            Self::Length => "length",
            Self::Basic => "basic",
            Self::UnknownCkn => "unknown_ckn",
            Self::Agility => "agility",
            Self::Icv => "icv",
            Self::Malformed => "malformed",
            Self::Reflected => "reflected",
            Self::MessageNumber => "message_number",
            Self::TooManyPeers => "too_many_peers",
            Self::Unproven => "unproven",
        }
    }
}
