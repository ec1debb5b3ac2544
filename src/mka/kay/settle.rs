//! After anything that came in: everything that follows from it.

use super::Kay;
use crate::mka::{Event, LostWhy, Mi, RekeyWhy, Time};

/// Rounds that one settling may take; each but the last moved something on.
const MAX_ROUNDS: usize = 8;

impl Kay {
    /// Acts on what changed, and on what time brought.
    pub(super) fn settle(&mut self, now: Time) {
        let now = self.now.max(now);
        self.now = now;
        self.remembered
            .take_if(|_| now.since(self.started) >= self.policy.timers.life);
        self.expire(now);
        for _ in 0..MAX_ROUNDS {
            self.follow_identifiers();
            self.choose_principal(now);
            let receiving = self.note_receiving();
            if receiving {
                self.send_soon();
            }
            let made = self.serve(now);
            let moved = self.drive(now);
            self.keep_channels(now);
            if !(receiving || made || moved) {
                break;
            }
        }
        self.keep_identity();
        self.tell_secured();
    }

    /// Drops peers that were silent for too long.
    pub(super) fn expire(&mut self, now: Time) {
        for at in 0..self.entries.len() {
            let Some(entry) = self.entries.get_mut(at) else {
                break;
            };
            let expired = entry
                .participant
                .expire(now, &self.policy, &mut self.events);
            if !expired.live_lost() {
                continue;
            }
            let principal = self.principal.as_ref() == Some(entry.participant.ckn());
            let remain = entry.is_live();
            for (mi, _) in &expired.lost {
                self.drop_member(*mi);
            }
            if principal {
                self.blame(LostWhy::PeersGone);
                if remain && self.policy.rekey.on_live_peer_loss && self.is_key_server() {
                    self.server.asked.get_or_insert(RekeyWhy::LostPeer);
                }
            }
        }
    }

    /// A member that comes back gets a new key: nobody knows what it still has.
    pub(super) fn drop_member(&mut self, mi: Mi) {
        if let Some(distribution) = &mut self.server.distribution {
            distribution.forget(mi);
        }
    }

    /// Participants that picked a new member identifier start their numbers over.
    fn follow_identifiers(&mut self) {
        for entry in &mut self.entries {
            if entry.follow_mi() {
                self.ledger.touch();
            }
        }
    }

    /// Says when the link becomes secured, by which key, and when it is no longer.
    fn tell_secured(&mut self) {
        let in_use = self
            .keys
            .in_use()
            .filter(|sa| sa.is_secured() && self.keys.is_kept(sa.id()))
            .filter(|sa| self.secured.is_some() || sa.receiving)
            .map(super::sa::Sa::id);
        if in_use == self.secured {
            return;
        }
        if let Some(id) = in_use {
            self.events.push(Event::Secured(id));
        } else {
            let ended = self.keys.in_use().is_some_and(|sa| sa.ended);
            let kept = self.secured.is_some_and(|id| self.keys.is_kept(id));
            let why = match (ended, kept) {
                (true, _) => LostWhy::SaEnded,
                (false, true) => LostWhy::DataPlane,
                (false, false) => self.lost_why,
            };
            self.events.push(Event::Lost(why));
        }
        self.secured = in_use;
    }
}
