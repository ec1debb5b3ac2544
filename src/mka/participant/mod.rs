//! One CAK's participant (802.1X-2020 9.4): its members, who of them is live, who is elected, and what
//! it sends when.
//!
//! It knows nothing of SAKs in use, of the CP machine or of other participants: the KaY owns these, and
//! gives what is to be said of them as a [`KeyPart`].

mod compose;
mod election;
mod heard;
mod peer;

pub(super) use compose::KeyPart;
pub(super) use election::Election;
pub(super) use heard::{Expired, Heard};
pub(super) use peer::Peer;

use alloc::vec::Vec;

use super::{
    Discard, Mi, Mn, NewCak, ParticipantCounters, ParticipantStatus, Policy, Time,
    kay::Events,
    pdu::{Frame, Mkpdu},
};
use crate::{
    crypto::{CakKeys, KeyAgreement},
    ieee::{Ckn, Sci},
};

/// A participant of one CA.
#[derive(Debug)]
pub(super) struct Participant {
    cak: NewCak,
    sci: Sci,
    mi: Mi,
    next: Mn,
    peers: Vec<Peer>,
    counters: ParticipantCounters,
}

impl Participant {
    /// A participant under this member identifier whose next MKPDU has the number `mn`. Its ramp starts
    /// now, so its first MKPDU is due.
    pub(super) fn new(now: Time, cak: NewCak, sci: Sci, mi: Mi, mn: Mn) -> Self {
        let _ = now;
        Self {
            cak,
            sci,
            mi,
            next: mn,
            peers: Vec::new(),
            counters: ParticipantCounters::default(),
        }
    }

    /// The name of its CAK.
    pub(super) const fn ckn(&self) -> &Ckn {
        &self.cak.ckn
    }

    /// ICK and KEK of its CAK.
    pub(super) const fn keys(&self) -> &CakKeys {
        &self.cak.keys
    }

    /// Whether its CAK is the fallback.
    pub(super) const fn fallback(&self) -> bool {
        self.cak.fallback
    }

    /// Which of two CAKs is the newer: the higher one.
    pub(super) const fn rank(&self) -> u64 {
        self.cak.rank
    }

    /// Its member identifier. May change in [`Self::hear`] and [`Self::compose`], never elsewhere; its
    /// message numbers then start over at 1.
    pub(super) const fn mi(&self) -> Mi {
        self.mi
    }

    /// The number of its next MKPDU.
    pub(super) const fn next_mn(&self) -> Mn {
        self.next
    }

    /// Takes a MKPDU of this CA whose ICV is right (802.1X-2020 9.4, 11.11.2). [`Self::expire`] comes first.
    ///
    /// # Errors
    /// [`Discard`] says why it was not taken; that is counted here.
    pub(super) fn hear(
        &mut self,
        now: Time,
        pdu: &Mkpdu,
        policy: &Policy,
        crypto: &mut dyn KeyAgreement,
        events: &mut Events,
    ) -> Result<Heard, Discard> {
        let _ = (now, pdu, policy, crypto, events);
        Err(self.discard(Discard::Unproven))
    }

    /// Counts a MKPDU of this CA that was not taken, and gives the reason back.
    pub(super) fn discard(&mut self, why: Discard) -> Discard {
        if let Some((_, count)) = Discard::ALL
            .iter()
            .zip(&mut self.counters.discarded)
            .find(|(reason, _)| **reason == why)
        {
            *count = count.saturating_add(1);
        }
        why
    }

    /// Drops peers that were silent for MKA Life Time, and those that did not hear us for so long.
    pub(super) fn expire(&mut self, now: Time, policy: &Policy, events: &mut Events) -> Expired {
        let _ = (now, policy, events);
        Expired::default()
    }

    /// Live peers: those that hear us, and that we hear.
    pub(super) fn live(&self) -> impl Iterator<Item = &Peer> {
        self.peers.iter()
    }

    /// The live peer of this identifier.
    pub(super) fn live_peer(&self, mi: Mi) -> Option<&Peer> {
        self.live().find(|peer| peer.mi == mi)
    }

    /// The key server (802.1X-2020 9.5).
    pub(super) fn elect(&self, policy: &Policy) -> Election {
        election::elect((policy.priority, self.sci), self.live())
    }

    /// The port has a link again: sends at once, and then by the ramp.
    pub(super) fn link_up(&mut self, now: Time, policy: &Policy) {
        let _ = (now, policy);
    }

    /// Something changed that peers are to know now: sends as soon as the storm bound allows.
    pub(super) fn send_soon(&mut self) {}

    /// When to send next. `bounded`: at MKA Bounded Hello Time. To be ignored while the port has no link.
    pub(super) fn next_send(&self, policy: &Policy, bounded: bool) -> Time {
        let _ = (policy, bounded);
        Time(core::time::Duration::MAX)
    }

    /// When the next peer expires.
    pub(super) fn next_expiry(&self, policy: &Policy) -> Option<Time> {
        let _ = policy;
        None
    }

    /// Whether a MKPDU is due.
    pub(super) fn due(&self, now: Time, policy: &Policy, bounded: bool) -> bool {
        self.next_send(policy, bounded) <= now
    }

    /// The next MKPDU. `mn_limit` belongs to [`Self::mi`]: no number from there on may leave yet.
    ///
    /// `None` where the limit is reached, or where there is no randomness for a new member identifier, or
    /// where the MKPDU does not fit (both counted); it is then due again a little later.
    /// Numbers that are used up give a new member identifier: with a limit, `None` is returned that once,
    /// so that the caller can find the limit of the new one.
    pub(super) fn compose(
        &mut self,
        now: Time,
        policy: &Policy,
        key: &KeyPart,
        crypto: &mut dyn KeyAgreement,
        events: &mut Events,
        mn_limit: Option<Mn>,
    ) -> Option<Frame> {
        let _ = (now, policy, key, crypto, events, mn_limit);
        self.counters.out_errors = self.counters.out_errors.saturating_add(1);
        None
    }

    /// As an operator sees it.
    pub(super) fn status(&self, principal: bool) -> ParticipantStatus {
        ParticipantStatus {
            ckn: self.cak.ckn.clone(),
            fallback: self.cak.fallback,
            principal,
            mi: self.mi,
            mn: Mn(self.next.0.saturating_sub(1)),
            peers: Vec::new(),
            counters: self.counters,
        }
    }
}
