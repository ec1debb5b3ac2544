//! What is watched over time, because one look does not show it: for alarms.

use std::time::{Duration, Instant};

use super::view::uses;
use crate::{
    ieee::{Ckn, Sci},
    mka::{Discard, KayStatus, PeerStatus, Policy},
};

/// How long something that frames brought about is told after the last of them.
const TOLD_FOR: Duration = Duration::from_secs(60);

/// A count that should stand still, and when it last did not.
#[derive(Clone, Copy, Debug, Default)]
struct Rising {
    count: u64,
    rose: Option<Instant>,
}

impl Rising {
    fn look(&mut self, now: Instant, count: u64) {
        if count > self.count {
            self.rose = Some(now);
        }
        self.count = count;
    }

    fn recently(&self, now: Instant) -> bool {
        self.rose.is_some_and(|rose| is_told(now, rose))
    }
}

/// Whether what happened `then` is still told.
pub(super) fn is_told(now: Instant, then: Instant) -> bool {
    now.saturating_duration_since(then) < TOLD_FOR
}

/// What a look at the status can't say alone.
#[derive(Debug, Default)]
pub(super) struct Watch {
    reflected: Rising,
    bad_icv: Rising,
    /// The CAK whose MKPDUs had a wrong ICV last.
    bad_cak: Option<Ckn>,
    deaf: Option<(Sci, Instant)>,
}

impl Watch {
    /// `reflected_at_lane`: frames of our own address that the lane did not let through.
    pub(super) fn look(&mut self, now: Instant, status: &KayStatus, reflected_at_lane: u64) {
        let all = status.participants.iter();
        let sum = |reason| {
            let own: u64 = all
                .clone()
                .map(|one| count(&one.counters.discarded, reason))
                .sum();
            own + count(&status.counters.discarded, reason)
        };
        self.reflected
            .look(now, reflected_at_lane + sum(Discard::Reflected));
        let before = self.bad_icv.rose;
        self.bad_icv.look(now, sum(Discard::Icv));
        if self.bad_icv.rose != before {
            let most = all
                .clone()
                .max_by_key(|one| count(&one.counters.discarded, Discard::Icv));
            self.bad_cak = most.map(|one| one.ckn.clone());
        }
        self.look_for_deaf(now, status);
    }

    /// Our frames come back, or someone else goes by our name.
    pub(super) fn is_reflected(&self, now: Instant) -> bool {
        self.reflected.recently(now)
    }

    /// The CAK that someone has another key for.
    pub(super) fn other_cak(&self, now: Instant) -> Option<&Ckn> {
        self.bad_cak.as_ref().filter(|_| self.bad_icv.recently(now))
    }

    /// A live peer that does not receive with the key that we transmit with.
    pub(super) fn deaf(&self, now: Instant, policy: &Policy) -> Option<Sci> {
        let long = |since| now.saturating_duration_since(since) > policy.timers.transmit_delay;
        self.deaf
            .filter(|(_, since)| long(*since))
            .map(|(sci, _)| sci)
    }

    fn look_for_deaf(&mut self, now: Instant, status: &KayStatus) {
        let keys = [&status.latest, &status.old].into_iter().flatten();
        let used = keys.filter(|key| key.tx).map(|key| key.sa).next();
        let principal = status.principal.as_ref();
        let mut peers = status
            .participants
            .iter()
            .filter(|one| Some(&one.ckn) == principal)
            .flat_map(|one| &one.peers);
        let is_deaf = |peer: &&PeerStatus| peer.live && !uses(peer, used).1;
        let deaf = used.and_then(|_| peers.find(is_deaf)?.sci);
        self.deaf = deaf.map(|sci| match self.deaf {
            Some((last, since)) if last == sci => (sci, since),
            _ => (sci, now),
        });
    }
}

fn count(counts: &[u64], reason: Discard) -> u64 {
    let mut all = Discard::ALL.into_iter().zip(counts);
    all.find(|(of, _)| *of == reason)
        .map_or(0, |(_, count)| *count)
}
