//! Which participant is the principal (802.1X-2020 9.5, 12.2): the one whose keys are used.

use alloc::vec::Vec;
use core::cmp::Reverse;

use super::{Kay, entry::Entry};
use crate::{
    ieee::{Ckn, Sci},
    mka::{Event, Time, participant::Election},
};

/// Who serves a participant's CA, in the order of preference: priority, then SCI.
type Rank = (u8, Sci);

impl Kay {
    pub(super) fn principal_entry(&self) -> Option<&Entry> {
        self.principal.as_ref().and_then(|ckn| self.entry(ckn))
    }

    pub(super) fn principal_entry_mut(&mut self) -> Option<&mut Entry> {
        let at = self.principal.as_ref().and_then(|ckn| self.entry_at(ckn))?;
        self.entries.get_mut(at)
    }

    /// The key server of a participant with live peers.
    fn server_of(&self, entry: &Entry) -> Option<Rank> {
        match entry.participant.elect(&self.policy) {
            Election::Us => Some((self.policy.priority, self.sci)),
            Election::Peer(mi) => entry
                .participant
                .live_peer(mi)
                .map(|peer| (peer.priority, peer.sci)),
            Election::Nobody => None,
        }
    }

    /// Chooses the principal, and tells of it and of the key server if they are other ones now.
    pub(super) fn choose_principal(&mut self, now: Time) {
        let chosen = self.best(now).cloned();
        if chosen.is_some() {
            self.hold = None;
        }
        if chosen != self.principal {
            self.principal = chosen;
            self.events.push(Event::Principal(self.principal.clone()));
            self.send_soon();
        }
        let server = self
            .principal_entry()
            .and_then(|entry| self.server_of(entry))
            .map(|(_, sci)| sci);
        if server != self.key_server {
            self.key_server = server;
            self.no_macsec = false;
            self.events.push(Event::KeyServer(server));
            self.send_soon();
        }
    }

    /// The fallback only if nothing else is live; then the best key server; then, where that is a peer, the CAK
    /// that it distributed by last; then, as far as it reaches every peer that the one in force reaches, the newest.
    fn best(&self, now: Time) -> Option<&Ckn> {
        let live: Vec<(&Entry, Rank)> = self
            .entries
            .iter()
            .filter_map(|entry| Some((entry, self.server_of(entry)?)))
            .collect();
        let newest = |entry: &Entry| Reverse(entry.participant.rank());
        let (first, server) = live
            .iter()
            .min_by_key(|(entry, server)| (entry.participant.fallback(), *server, newest(entry)))?;
        let of_server = || live.iter().filter(|(_, other)| other == server);
        if server.1 != self.sci {
            // The key server's choice counts, whatever ours would be: it may know of peers that we don't hear.
            let served = of_server().filter(|(entry, _)| entry.served.is_some());
            let last = served.max_by_key(|(entry, _)| (entry.served, entry.participant.rank()));
            return Some(last.map_or(first, |(entry, _)| entry).participant.ckn());
        }
        let in_force = of_server()
            .find(|(entry, _)| Some(entry.participant.ckn()) == self.principal.as_ref())
            .filter(|(entry, _)| entry.participant.fallback() == first.participant.fallback());
        let Some((in_force, _)) = in_force else {
            return Some(first.participant.ckn());
        };
        let better = of_server()
            .filter(|(entry, _)| entry.participant.fallback() == first.participant.fallback())
            .filter(|(entry, _)| self.may_replace(now, in_force, entry))
            .min_by_key(|(entry, _)| newest(entry));
        Some(
            better
                .map_or(in_force, |(entry, _)| entry)
                .participant
                .ckn(),
        )
    }

    /// Whether one CAK may take over from another under the same key server: it leaves nobody behind, and it is
    /// newer or reaches someone more, who was not only heard a while ago.
    fn may_replace(&self, now: Time, in_force: &Entry, other: &Entry) -> bool {
        let reaches =
            |entry: &Entry, sci: Sci| entry.participant.live().any(|peer| peer.sci == sci);
        let everyone = in_force
            .participant
            .live()
            .all(|peer| reaches(other, peer.sci));
        let recent = self.policy.timers.life / 2;
        let more = other
            .participant
            .live()
            .any(|peer| !reaches(in_force, peer.sci) && now.since(peer.heard) < recent);
        everyone && (more || other.participant.rank() > in_force.participant.rank())
    }
}
