//! What a KaY tells its operator: for the log, alarms and counters. Nothing depends on it.

use super::{Discard, Mi, SaId};
use crate::{
    crypto::UnwrapError,
    ieee::{CipherSuite, Ckn, Sci},
};

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A peer proved that it hears us.
    PeerLive {
        /// By which CAK.
        ckn: Ckn,
        /// Who.
        sci: Sci,
        /// Its identifier.
        mi: Mi,
    },
    /// A live peer was not heard for MKA Life Time.
    PeerLost {
        /// By which CAK.
        ckn: Ckn,
        /// Who.
        sci: Sci,
        /// Its identifier.
        mi: Mi,
    },
    /// A live peer goes on under a new member identifier.
    PeerRestarted {
        /// By which CAK.
        ckn: Ckn,
        /// Who.
        sci: Sci,
        /// Its new identifier.
        mi: Mi,
    },
    /// A peer is not taken: there are as many as the policy allows.
    TooManyPeers {
        /// By which CAK.
        ckn: Ckn,
        /// Who.
        sci: Sci,
    },
    /// We picked a new member identifier.
    NewMemberIdentifier {
        /// For which CAK.
        ckn: Ckn,
        /// It.
        mi: Mi,
        /// Why.
        why: NewMiWhy,
    },
    /// The principal participant is this one now; `None`: there is none.
    Principal(Option<Ckn>),
    /// This is the key server now; `None`: nobody is.
    KeyServer(Option<Sci>),
    /// We made and distribute a SAK.
    SakDistributed {
        /// Its AN and KI.
        sa: SaId,
        /// Its suite.
        suite: CipherSuite,
        /// Why.
        why: RekeyWhy,
    },
    /// We got a SAK from the key server.
    SakReceived {
        /// Its AN and KI.
        sa: SaId,
        /// Its suite.
        suite: CipherSuite,
    },
    /// A distributed SAK was not taken.
    SakRefused {
        /// From whom.
        from: Sci,
        /// Why.
        why: SakRefusal,
    },
    /// The key server says that no MACsec is to be used, and the policy takes its word.
    NoMacsec {
        /// Who says so.
        from: Sci,
    },
    /// A transmit SA is in use and receive SAs are installed for this key.
    Secured(SaId),
    /// No longer secured.
    Lost(LostWhy),
    /// An SA could not be made or installed.
    InstallFailed(SaId),
    /// A MKPDU was discarded; also counted. At most a few a second are reported.
    Discarded(Discard),
}

/// Why a member identifier was changed (802.1X-2020 9.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewMiWhy {
    /// Another member uses it, or our own frames come back.
    Used,
    /// A peer has seen a message number of it that we never sent: our memory is an old copy.
    Ahead,
    /// Its message numbers are used up.
    Exhausted,
    /// The key server counts it among those who have a key that we don't have, or may not take again.
    KeyLost,
}

/// Why a SAK was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RekeyWhy {
    /// The first one of this CA.
    First,
    /// A peer became live.
    NewPeer,
    /// A peer was lost.
    LostPeer,
    /// Packet numbers ran low.
    PacketNumbers,
    /// Its time was over.
    Time,
    /// Its volume was over.
    Volume,
    /// The operator asked.
    Operator,
    /// Another CAK's participant became the principal.
    Principal,
    /// We went on after a restart with a remembered key.
    Restart,
    /// Two peers became live to each other only after they had the key.
    PeersMet,
    /// We became the key server, and the key in use is another member's.
    NewServer,
    /// The last one was given up before it came into use.
    GivenUp,
}

/// Why a distributed SAK was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SakRefusal {
    /// It says that no MACsec is to be used.
    NoMacsec,
    /// Its suite is not allowed, or not known.
    Suite,
    /// Integrity only, where encryption is wanted.
    IntegrityOnly,
    /// Another confidentiality offset, or encryption where integrity only is wanted.
    Protection,
    /// The sender is not the key server that we elected.
    NotKeyServer,
    /// The wrapped key does not open.
    Unwrap(UnwrapError),
    /// The key is not as long as its suite wants.
    Length,
    /// Its key identifier was used before with another key, or its AN stands under another key.
    Reused,
    /// Own SSCI or a peer's can't be told: no list, or a member is missing from it.
    Ssci,
}

/// Why a link is no longer secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostWhy {
    /// No live peer for MKA Life Time.
    PeersGone,
    /// The key server ended MACsec.
    NoMacsec,
    /// The SA ended without a successor.
    SaEnded,
    /// The CAK was taken away.
    CakRemoved,
    /// The data plane let go of the SA.
    DataPlane,
}
