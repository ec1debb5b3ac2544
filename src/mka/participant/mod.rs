//! One CAK's participant (802.1X-2020 9.4): its members, who of them is live, who is elected, and what
//! it sends when.
//!
//! It knows nothing of SAKs in use, of the CP machine or of other participants: the KaY owns these, and
//! gives what is to be said of them as a [`KeyPart`]. Memory and time are bounded, whatever is heard:
//! each table has its constant, with the reason beside it.

mod compose;
mod election;
mod hear;
mod heard;
mod identity;
mod lists;
mod numbers;
mod pace;
mod peer;
mod peers;
mod status;

#[cfg(test)]
mod tests;

pub(super) use compose::KeyPart;
pub(super) use election::Election;
pub(super) use heard::{Expired, Heard};
pub(super) use identity::random_mi;
pub(super) use peer::Peer;

use numbers::Numbers;
use pace::Pace;
use peers::Peers;

use super::{
    Discard, Event, Mi, Mn, NewCak, NewMiWhy, ParticipantCounters, Policy, Time, kay::Events,
};
use crate::{
    crypto::CakKeys,
    ieee::{Ckn, Sci},
};

/// A participant of one CA.
#[derive(Debug)]
pub(super) struct Participant {
    cak: NewCak,
    sci: Sci,
    numbers: Numbers,
    /// The member identifier must not be used any more, and there was no randomness for another.
    renewal: Option<NewMiWhy>,
    peers: Peers,
    pace: Pace,
    /// When the operator was last told of a peer too many.
    told_too_many: Option<Time>,
    counters: ParticipantCounters,
}

impl Participant {
    /// A participant under this member identifier whose next MKPDU has the number `mn`. Its ramp starts
    /// now, so its first MKPDU is due.
    pub(super) fn new(now: Time, cak: NewCak, sci: Sci, mi: Mi, mn: Mn) -> Self {
        Self {
            cak,
            sci,
            numbers: Numbers::new(mi, mn),
            renewal: None,
            peers: Peers::default(),
            pace: Pace::new(now),
            told_too_many: None,
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

    /// Another place among the CAKs.
    pub(super) const fn set_rank(&mut self, rank: u64) {
        self.cak.rank = rank;
    }

    /// Its member identifier. May change in [`Self::hear`], [`Self::compose`] and [`Self::renew`], never
    /// elsewhere; its message numbers then start over at 1.
    pub(super) const fn mi(&self) -> Mi {
        self.numbers.mi()
    }

    /// The number of its next MKPDU.
    pub(super) const fn next_mn(&self) -> Mn {
        self.numbers.next()
    }

    /// Counts a MKPDU of this CA that was not taken, and gives the reason back. For those that
    /// [`Self::hear`] never sees: a wrong ICV, say.
    pub(super) fn discard(&mut self, why: Discard) -> Discard {
        let counted = Discard::ALL.iter().zip(&mut self.counters.discarded);
        for (_, count) in counted.filter(|(reason, _)| **reason == why) {
            *count = count.saturating_add(1);
        }
        why
    }

    /// Drops peers that were silent for MKA Life Time, and those that did not hear us for so long.
    pub(super) fn expire(&mut self, now: Time, policy: &Policy, events: &mut Events) -> Expired {
        let expired = self.peers.expire(now, &policy.timers);
        for &(mi, sci) in &expired.lost {
            self.counters.peers_lost = self.counters.peers_lost.saturating_add(1);
            let ckn = self.cak.ckn.clone();
            events.push(Event::PeerLost { ckn, sci, mi });
        }
        if expired.live_lost() {
            self.send_soon();
        }
        expired
    }

    /// Live peers: those that hear us, and that we hear. In the order in which they became live.
    pub(super) fn live(&self) -> impl Iterator<Item = &Peer> {
        self.peers.live()
    }

    /// The live peer of this identifier.
    pub(super) fn live_peer(&self, mi: Mi) -> Option<&Peer> {
        self.live().find(|peer| peer.mi == mi)
    }

    /// Whether someone is about to become a live peer.
    pub(super) fn has_potential(&self) -> bool {
        self.peers.potential().next().is_some()
    }

    /// The key server (802.1X-2020 9.5).
    pub(super) fn elect(&self, policy: &Policy) -> Election {
        election::elect((policy.priority, self.sci), self.live())
    }

    /// The port has a link again: sends at once, and then by the ramp.
    pub(super) fn link_up(&mut self, now: Time) {
        self.pace.restart(now);
    }

    /// Something changed that peers are to know now: sends as soon as the storm bound allows.
    pub(super) const fn send_soon(&mut self) {
        self.pace.want();
    }

    /// When to send next. `bounded`: at MKA Bounded Hello Time. To be ignored while the port has no link.
    pub(super) fn next_send(&self, policy: &Policy, bounded: bool) -> Time {
        self.pace.next(&policy.timers, bounded)
    }

    /// When the next peer expires.
    pub(super) fn next_expiry(&self, policy: &Policy) -> Option<Time> {
        self.peers.next_expiry(&policy.timers)
    }

    /// Whether a MKPDU is due.
    pub(super) fn due(&self, now: Time, policy: &Policy, bounded: bool) -> bool {
        self.next_send(policy, bounded) <= now
    }
}
