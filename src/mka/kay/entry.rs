//! A participant as the KaY has it: with its key numbers, and with what of its numbers is on disk.

use crate::mka::{Kn, Mi, Mn, Time, participant::Participant};

/// Message and key numbers from which on nothing may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reserved {
    pub(super) mn: Mn,
    pub(super) kn: Kn,
}

impl Reserved {
    /// Nothing is reserved: both count from 1.
    pub(super) const NONE: Self = Self {
        mn: Mn(1),
        kn: Kn(1),
    };
}

/// One CAK's participant and what the KaY keeps beside it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) participant: Participant,
    /// The member identifier that the numbers below belong to.
    pub(super) mi: Mi,
    /// The number of the next key that we make.
    pub(super) kn: Kn,
    /// On disk.
    pub(super) saved: Reserved,
    /// Asked to be written.
    pub(super) asked: Reserved,
    /// When its key server distributed a key last.
    pub(super) served: Option<Time>,
}

impl Entry {
    pub(super) fn new(participant: Participant, kn: Kn, saved: Reserved) -> Self {
        Self {
            mi: participant.mi(),
            participant,
            kn,
            saved,
            asked: saved,
            served: None,
        }
    }

    /// A new member identifier has numbers of its own; says whether there is one.
    pub(super) fn follow_mi(&mut self) -> bool {
        let changed = self.mi != self.participant.mi();
        if changed {
            self.mi = self.participant.mi();
            self.kn = Kn(1);
            self.saved = Reserved::NONE;
            self.asked = Reserved::NONE;
        }
        changed
    }

    /// Whether there is a live peer.
    pub(super) fn is_live(&self) -> bool {
        self.participant.live().next().is_some()
    }
}
