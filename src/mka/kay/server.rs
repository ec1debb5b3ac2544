//! The key server's part: making SAKs and giving them out (802.1X-2020 9.8).

use alloc::sync::Arc;
use core::time::Duration;

use arrayvec::ArrayVec;

use super::{
    Kay, RekeyAnswer, RekeyRefusal,
    distribution::Distribution,
    drive::{Incoming, is_over},
    entry::Entry,
    ssci::{Sscis, salt},
};
use crate::{
    crypto::WrappedSak,
    ieee::{An, CipherSuite, Ckn, Sci},
    mka::{
        AgreedKey, Event, Kn, MAX_PEERS, Mi, RekeyWhy, SaId, SsciRule, Time, cp::State,
        participant::Election, pdu::SakUse,
    },
};

/// Keys in a row that nobody took, as far as they are counted.
const MOST_UNTAKEN: u32 = 10;

/// After a key could not be made.
const RETRY: Duration = Duration::from_secs(1);

/// What a key server keeps.
#[derive(Debug, Default)]
pub(super) struct Server {
    /// A new key was asked for: by the operator, or for a peer that was lost.
    pub(super) asked: Option<RekeyWhy>,
    pub(super) distribution: Option<Distribution>,
    /// When the last key was made.
    pub(super) last: Option<Time>,
    /// Keys made inside the gap, and when the last of them was.
    pub(super) early: (u32, Time),
    /// Keys in a row that nobody took.
    pub(super) untaken: u32,
    /// Not before this after a failure.
    pub(super) retry: Option<Time>,
}

impl Server {
    /// The key is given out no more.
    pub(super) fn forget(&mut self) {
        self.distribution = None;
        self.asked = None;
    }

    pub(super) fn distributes(&self, id: SaId) -> bool {
        self.distribution
            .as_ref()
            .is_some_and(|distribution| distribution.id == id)
    }
}

impl Kay {
    /// Makes a new SAK, now or as soon as it may be.
    ///
    /// # Errors
    /// [`RekeyRefusal`] where that is not ours to do.
    pub fn rekey(&mut self, now: Time) -> Result<RekeyAnswer, RekeyRefusal> {
        self.settle(now);
        let entry = self.principal_entry().ok_or(RekeyRefusal::NoPeer)?;
        match entry.participant.elect(&self.policy) {
            Election::Us => {}
            Election::Peer(_) => {
                let server = self.key_server.ok_or(RekeyRefusal::NoKeyServer)?;
                return Err(RekeyRefusal::NotKeyServer(server));
            }
            Election::Nobody => return Err(RekeyRefusal::NoPeer),
        }
        let made = self.counters.saks_generated;
        self.server.asked.get_or_insert(RekeyWhy::Operator);
        self.settle(now);
        Ok(if self.counters.saks_generated != made {
            RekeyAnswer::Now
        } else {
            RekeyAnswer::Queued(self.next_rekey(now).unwrap_or_default())
        })
    }

    /// Makes a key if we are the key server and one is wanted; says whether it did.
    pub(super) fn serve(&mut self, now: Time) -> bool {
        if !self.is_key_server() {
            self.server.forget();
            return false;
        }
        let Some(why) = self.wanted(now) else {
            return false;
        };
        let in_time =
            self.allowed_at(now, why) <= now && self.server.retry.is_none_or(|at| at <= now);
        if !in_time || self.pending.is_some() || !self.takes_a_key(now) {
            return false;
        }
        self.make_key(now, why)
    }

    /// Whether the CP machine would act on a new key: while an old one retires, it would not.
    fn takes_a_key(&self, now: Time) -> bool {
        match self.cp.state() {
            State::Secured
            | State::Receive
            | State::Receiving
            | State::Ready
            | State::Abandon
            | State::Retire => true,
            State::Init
            | State::Change
            | State::Allowed
            | State::Authenticated
            | State::Transmit => false,
            State::Transmitting => is_over(self.deadlines.retire, now),
        }
    }

    fn make_key(&mut self, now: Time, why: RekeyWhy) -> bool {
        let Some(entry) = self.principal_entry() else {
            return false;
        };
        let (Some(an), Some(next_kn)) = (self.free_an(), self.stride(entry)) else {
            return false;
        };
        let Some(suite) = self.policy.suites.first().copied() else {
            return false;
        };
        if !self.ledger.may_use_kn(entry) {
            return false;
        }
        let (mi, kn) = (entry.mi, entry.kn);
        let ckn = entry.participant.ckn().clone();
        let mut members: ArrayVec<(Sci, Mi), MAX_PEERS> = entry
            .participant
            .live()
            .map(|peer| (peer.sci, peer.mi))
            .take(MAX_PEERS)
            .collect();
        members.sort_unstable_by(|a, b| b.cmp(a));
        let peers: ArrayVec<Sci, MAX_PEERS> = members.iter().map(|(sci, _)| *sci).collect();
        let sscis = match (suite.is_xpn(), self.policy.ssci) {
            (false, _) => Some(Sscis::default()),
            (true, SsciRule::Forced { own, peer }) => Sscis::forced(own, peer, &peers),
            (true, _) => Some(Sscis::by_sci(self.sci, &peers)),
        };
        let (Some(sscis), Some((sak, wrapped))) = (sscis, self.fresh_sak(suite, &ckn)) else {
            self.counters.sak_generation_errors =
                self.counters.sak_generation_errors.saturating_add(1);
            self.server.retry = Some(now + RETRY);
            return false;
        };
        let id = SaId { an, ki: mi.key(kn) };
        let protection = self.policy.protection;
        if let Some(entry) = self.principal_entry_mut() {
            entry.kn = Kn(next_kn);
        }
        self.note_made(now);
        self.ledger.next_an = an.next();
        self.history.note(id.ki, Some(wrapped.clone()));
        self.server.distribution = Some(Distribution {
            ckn: ckn.clone(),
            id,
            suite,
            protection,
            wrapped,
            made: now,
            made_for: members.iter().map(|(_, mi)| *mi).collect(),
            numbered: members.len(),
            holders: ArrayVec::new(),
        });
        let key = AgreedKey {
            id,
            suite,
            protection,
            salt: suite.is_xpn().then(|| salt(mi, kn)),
            sak,
            ckn,
        };
        self.pending = Some(Incoming {
            key: Arc::new(key),
            sscis,
        });
        self.counters.saks_generated = self.counters.saks_generated.saturating_add(1);
        self.events
            .push(Event::SakDistributed { sa: id, suite, why });
        true
    }

    /// The key number after the next one. Where nobody takes our keys we may count from an old copy of our memory,
    /// and give out names that are used up: then ever further ahead.
    fn stride(&self, entry: &Entry) -> Option<u32> {
        let untaken = self.server.untaken.min(MOST_UNTAKEN);
        entry.kn.0.checked_add(1 << untaken)
    }

    fn fresh_sak(
        &mut self,
        suite: CipherSuite,
        ckn: &Ckn,
    ) -> Option<(crate::crypto::Sak, WrappedSak)> {
        let sak = self.crypto.generate_sak(suite).ok()?;
        let kek = &self.entry(ckn)?.participant.keys().kek;
        let wrapped = self.crypto.wrap_sak(kek, &sak);
        if wrapped.len() == suite.sak_len() + 8 {
            return Some((sak, wrapped));
        }
        self.counters.sak_wrap_errors = self.counters.sak_wrap_errors.saturating_add(1);
        None
    }

    /// The next association number under which nothing stands, here or at a live peer.
    fn free_an(&self) -> Option<An> {
        let claimed = |an: An| {
            self.entries
                .iter()
                .flat_map(|entry| entry.participant.live())
                .filter_map(|peer| peer.sak_use.as_ref())
                .flat_map(SakUse::keys)
                .any(|key| key.an == an && (key.rx || key.tx))
        };
        let mut next = self.ledger.next_an;
        let order = [(); An::COUNT].map(|()| {
            let an = next;
            next = an.next();
            an
        });
        let free = |an: &An| self.keys.by_an(*an).is_none();
        order
            .into_iter()
            .find(|an| free(an) && !claimed(*an))
            .or_else(|| order.into_iter().find(free))
    }
}
