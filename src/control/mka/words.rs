//! The reasons of `mka` in words for people.

use crate::mka::{LostWhy, NewMiWhy, RekeyWhy, SakRefusal};

/// Why a link is not secured any more: a word for metrics, and a sentence.
pub(super) const fn lost(why: LostWhy) -> (&'static str, &'static str) {
    match why {
        LostWhy::PeersGone => ("peers_gone", "no peer was heard for MKA Life Time"),
        LostWhy::NoMacsec => (
            "no_macsec",
            "the key server ended MACsec: its last CAK may have been removed there",
        ),
        LostWhy::SaEnded => ("sa_ended", "the SA ended and there was no next one"),
        LostWhy::CakRemoved => ("cak_removed", "the CAK was taken away at this end"),
        LostWhy::DataPlane => ("data_plane", "the data plane let go of the SA"),
    }
}

/// Why we have a new member identifier.
pub(super) const fn mi_changed(why: NewMiWhy) -> &'static str {
    match why {
        NewMiWhy::Used => "another member used the last one",
        NewMiWhy::Ahead => {
            "a peer has seen numbers of the last one that were not sent since this start"
        }
        NewMiWhy::Exhausted => "the message numbers of the last one are used up",
        NewMiWhy::KeyLost => "the key server counts the last one as having a key that is lost here",
    }
}

/// Why a SAK was made.
pub(super) const fn rekeyed(why: RekeyWhy) -> &'static str {
    match why {
        RekeyWhy::First => "the first of this session",
        RekeyWhy::NewPeer => "a peer became live",
        RekeyWhy::LostPeer => "a peer was lost",
        RekeyWhy::PacketNumbers => "packet numbers ran low",
        RekeyWhy::Time => "its time was over",
        RekeyWhy::Volume => "its volume was over",
        RekeyWhy::Operator => "the operator asked",
        RekeyWhy::Principal => "another CAK became the principal",
        RekeyWhy::Restart => "after a restart",
        RekeyWhy::NewServer => "this end became the key server",
        RekeyWhy::GivenUp => "the last one was given up",
        RekeyWhy::PeersMet => {
            "two peers became live to each other only after they had the last one"
        }
    }
}

/// Why a SAK was not taken, and what would be right.
pub(super) const fn sak_refused(why: SakRefusal) -> &'static str {
    match why {
        SakRefusal::NoMacsec => {
            "the key server wants no MACsec at all, and this link must not take its word; look at the \
             other end's mode and keys"
        }
        SakRefusal::Suite => {
            "its cipher suite is not one of this link's; set the same cipher_suite at both ends"
        }
        SakRefusal::IntegrityOnly => {
            "it would authenticate frames and not encrypt them; switch encryption on at the key server"
        }
        SakRefusal::Protection => {
            "its confidentiality offset is another one; set the same confidentiality_offset at both ends"
        }
        SakRefusal::NotKeyServer => "its sender is not the key server that was elected here",
        SakRefusal::Unwrap(_) => "it does not open with the KEK of its CAK",
        SakRefusal::Length => "it is not as long as the keys of its cipher suite",
        SakRefusal::Reused => "its key identifier or AN was used before with another key",
        SakRefusal::Ssci => {
            "the SSCIs can't be told from its member list; set ssci = \"by-sci\" at both ends"
        }
    }
}
