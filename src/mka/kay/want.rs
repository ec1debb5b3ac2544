//! Reasons to make a new SAK (802.1X-2020 9.8), and the gap between two.

use core::time::Duration;

use super::{Kay, distribution::Distribution, drive::uses};
use crate::mka::{Mi, RekeyWhy, Time, pdu::Mkpdu};

/// SAKs inside a gap, for changes of members, that may come in a row.
const EARLY: u32 = 4;
/// After so many gaps there may be one more of them: a member that flaps costs a key per gap, not one per flap.
const EARLY_EVERY: u32 = 10;

/// Whether the reason is a change of members: they can't be kept waiting by the gap.
const fn is_membership(why: RekeyWhy) -> bool {
    match why {
        RekeyWhy::First
        | RekeyWhy::NewPeer
        | RekeyWhy::LostPeer
        | RekeyWhy::Principal
        | RekeyWhy::Restart
        | RekeyWhy::NewServer
        | RekeyWhy::GivenUp => true,
        // Most members need no new key for that, and the others find each other one by one: one key for all of them.
        RekeyWhy::PeersMet
        | RekeyWhy::PacketNumbers
        | RekeyWhy::Time
        | RekeyWhy::Volume
        | RekeyWhy::Operator => false,
    }
}

impl Kay {
    /// Why a new key is wanted. A reason that is no longer there counts no more, but for what was asked.
    pub(super) fn wanted(&self, now: Time) -> Option<RekeyWhy> {
        self.misfit()
            .or(self.server.asked)
            .or_else(|| self.worn_out(now))
    }

    /// The key that we distribute is not the one that the CA of now should have.
    fn misfit(&self) -> Option<RekeyWhy> {
        let entry = self.principal_entry()?;
        let Some(distribution) = &self.server.distribution else {
            let standing = self.keys.in_use().filter(|sa| self.keys.is_kept(sa.id()));
            return Some(match standing {
                None => RekeyWhy::First,
                Some(sa) if sa.key.ckn != *entry.participant.ckn() => RekeyWhy::Principal,
                Some(sa) if Mi::of_key(sa.id().ki).0 != entry.mi => RekeyWhy::NewServer,
                Some(_) if self.server.last.is_none() => RekeyWhy::Restart,
                Some(_) => RekeyWhy::GivenUp,
            });
        };
        if distribution.ckn != *entry.participant.ckn() {
            return Some(RekeyWhy::Principal);
        }
        if distribution.server() != entry.mi {
            return Some(RekeyWhy::Restart);
        }
        if !self.is_for_all(distribution) {
            return Some(RekeyWhy::NewPeer);
        }
        if !distribution.counts_alike() && self.is_missed(distribution) {
            return Some(RekeyWhy::LostPeer);
        }
        let fits = self.policy.suites.first() == Some(&distribution.suite)
            && self.policy.protection == distribution.protection;
        if !fits {
            return Some(RekeyWhy::Operator);
        }
        distribution.have_met().then_some(RekeyWhy::PeersMet)
    }

    /// Whether every live peer was there when the key was made. One that came later may be one that lost it: its
    /// packet numbers would start over.
    pub(super) fn is_for_all(&self, distribution: &Distribution) -> bool {
        self.principal_entry().is_some_and(|entry| {
            entry
                .participant
                .live()
                .all(|peer| distribution.made_for.contains(&peer.mi))
        })
    }

    /// The key that we distributed was used for long enough.
    pub(super) fn worn_out(&self, now: Time) -> Option<RekeyWhy> {
        let distribution = self.server.distribution.as_ref()?;
        let sa = self.keys.sa(distribution.id)?;
        let rekey = &self.policy.rekey;
        let threshold = rekey.pn_threshold(sa.key.suite.pn_space());
        let received = sa.rx.iter().map(|rx| rx.next_pn);
        if received
            .chain([sa.progress.highest])
            .any(|pn| pn.0 >= threshold)
        {
            return Some(RekeyWhy::PacketNumbers);
        }
        if self.time_is_up(now) {
            return Some(RekeyWhy::Time);
        }
        let octets = sa
            .rx
            .iter()
            .fold(sa.progress.octets, |sum, rx| sum.saturating_add(rx.octets));
        rekey
            .after_octets
            .is_some_and(|most| octets >= most)
            .then_some(RekeyWhy::Volume)
    }

    fn time_is_up(&self, now: Time) -> bool {
        self.rekey_at().is_some_and(|at| at <= now)
    }

    /// When the key's time is over.
    pub(super) fn rekey_at(&self) -> Option<Time> {
        let distribution = self.server.distribution.as_ref()?;
        Some(distribution.made + self.policy.rekey.every?)
    }

    /// When a key for this reason may be distributed (802.1X-2020 9.8): MKA Life Time after the one before it;
    /// for a change of members at once, as long as nobody is about to join whom it would leave out.
    pub(super) fn allowed_at(&self, now: Time, why: RekeyWhy) -> Time {
        let Some(last) = self.server.last else {
            return now;
        };
        let waits_for_more = self
            .principal_entry()
            .is_some_and(|entry| entry.participant.has_potential());
        if is_membership(why) && !waits_for_more && self.early_keys_since(now) < EARLY {
            return now;
        }
        last + self.policy.timers.sak_gap
    }

    fn early_keys_since(&self, now: Time) -> u32 {
        let (count, since) = self.server.early;
        let every = self.policy.timers.sak_gap * EARLY_EVERY;
        let over = now.since(since).as_millis() / every.as_millis().max(1);
        count.saturating_sub(u32::try_from(over).unwrap_or(u32::MAX))
    }

    /// A key was made.
    pub(super) fn note_made(&mut self, now: Time) {
        let gap = self.policy.timers.sak_gap;
        if self.server.last.is_some_and(|last| now.since(last) < gap) {
            self.server.early = (self.early_keys_since(now) + 1, now);
        }
        self.server.last = Some(now);
        self.server.untaken = self.server.untaken.saturating_add(1);
        self.server.asked = None;
        self.server.retry = None;
    }

    /// Until the next key that is known by now.
    pub(super) fn next_rekey(&self, now: Time) -> Option<Duration> {
        if !self.is_key_server() {
            return None;
        }
        let at = match self.wanted(now) {
            Some(why) => Some(self.allowed_at(now, why)),
            None => self.rekey_at(),
        };
        at.map(|at| at.since(now))
    }

    /// A live peer of the principal told which keys it uses: one that had our key and has it no more can't go on.
    pub(super) fn follow_holder(&mut self, mi: Mi, pdu: &Mkpdu) {
        let Some(distribution) = &mut self.server.distribution else {
            return;
        };
        let (rx, _) = uses(pdu.sak_use.as_ref(), distribution.id);
        if rx {
            if distribution.follow(mi, pdu.live.as_ref()) {
                self.server.untaken = 0;
            }
        } else if distribution.is_held_by(mi) {
            distribution.forget(mi);
        }
    }
}
