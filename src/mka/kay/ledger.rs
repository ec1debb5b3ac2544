//! What is kept over a restart, written before it is needed.

use alloc::boxed::Box;

use super::{
    Kay,
    entry::{Entry, Reserved},
};
use crate::{
    ieee::An,
    mka::{Action, Identity, Kn, Member, Mn, SaId},
};

/// Message numbers that one writing reserves: at the busiest some minutes' worth.
const MN_BLOCK: u32 = 4096;
/// Key numbers that one writing reserves.
const KN_BLOCK: u32 = 64;

/// The state of the writing.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Whether anyone writes.
    keeps: bool,
    generation: u64,
    /// The generation that is being written, with its latest key.
    writing: Option<(u64, Option<SaId>)>,
    /// The latest key that is on disk.
    saved: Option<SaId>,
    /// The latest key.
    pub(super) latest: Option<SaId>,
    /// The next association number to give.
    pub(super) next_an: An,
    /// Something changed that no number shows.
    dirty: bool,
}

impl Ledger {
    pub(super) fn new(keeps: bool, identity: Option<&Identity>) -> Self {
        Self {
            keeps,
            generation: identity.map_or(0, |identity| identity.generation),
            writing: None,
            saved: identity.and_then(|identity| identity.latest),
            latest: identity.and_then(|identity| identity.latest),
            next_an: identity.map_or(An::ALL[0], |identity| identity.next_an),
            dirty: false,
        }
    }

    /// Whether a restart would know that this key was there: it is used no sooner.
    pub(super) fn knows(&self, id: SaId) -> bool {
        !self.keeps || self.saved == Some(id)
    }

    /// The number from which on a participant's messages may not leave. What is on disk of a member
    /// identifier says nothing about the one that took its place.
    pub(super) fn mn_limit(&self, entry: &Entry) -> Option<Mn> {
        let known = entry.mi == entry.participant.mi();
        let limit = if known { entry.saved.mn } else { Mn(1) };
        self.keeps.then_some(limit)
    }

    /// Whether the participant's next key number may be used.
    pub(super) fn may_use_kn(&self, entry: &Entry) -> bool {
        !self.keeps || entry.kn < entry.saved.kn
    }

    /// Members changed.
    pub(super) const fn touch(&mut self) {
        self.dirty = true;
    }

    fn is_due(&self, entries: &[Entry]) -> bool {
        let low = |entry: &Entry| {
            let mn_left = entry
                .asked
                .mn
                .0
                .saturating_sub(entry.participant.next_mn().0);
            let kn_left = entry.asked.kn.0.saturating_sub(entry.kn.0);
            (mn_left < MN_BLOCK / 2 && entry.asked.mn.0 < u32::MAX)
                || (kn_left < KN_BLOCK / 2 && entry.asked.kn.0 < u32::MAX)
        };
        self.keeps
            && self.writing.is_none()
            && (self.dirty || self.latest != self.saved || entries.iter().any(low))
    }
}

impl Kay {
    /// Has the identity written, if that is due. One writing at a time.
    pub(super) fn keep_identity(&mut self) {
        if !self.ledger.is_due(&self.entries) {
            return;
        }
        for entry in &mut self.entries {
            entry.asked = Reserved {
                mn: Mn(entry.participant.next_mn().0.saturating_add(MN_BLOCK)),
                kn: Kn(entry.kn.0.saturating_add(KN_BLOCK)),
            };
        }
        let ledger = &mut self.ledger;
        ledger.generation = ledger.generation.saturating_add(1);
        ledger.writing = Some((ledger.generation, ledger.latest));
        ledger.dirty = false;
        let members = self.entries.iter().map(|entry| Member {
            ckn: entry.participant.ckn().clone(),
            mi: entry.mi,
            mn_reserved: entry.asked.mn,
            kn_reserved: entry.asked.kn,
        });
        // Members whose CAK is not there yet, shortly after a start.
        let to_come = self.remembered.iter().flat_map(|known| &known.members);
        let members = members.chain(to_come.cloned());
        self.actions.push_back(Action::Save(Box::new(Identity {
            generation: ledger.generation,
            sci: self.sci,
            members: members.collect(),
            latest: ledger.latest,
            next_an: ledger.next_an,
        })));
    }

    /// A generation is on disk.
    pub(super) fn identity_saved(&mut self, generation: u64) {
        let Some((_, latest)) = self
            .ledger
            .writing
            .take_if(|(writing, _)| *writing <= generation)
        else {
            return;
        };
        self.ledger.saved = latest;
        for entry in &mut self.entries {
            entry.saved = entry.asked;
        }
    }
}
