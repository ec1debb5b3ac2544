//! What our MKPDUs say (802.1X-2020 9.10, 11.11), and when the next one, or anything else, is due.

use core::time::Duration;

use super::{Kay, sa::Sa};
use crate::{
    ieee::Pn,
    mka::{
        Mi, Protection, SsciRule, Time, XpnSet,
        cp::State,
        participant::{Election, KeyPart},
        pdu::{Capability, Frame, KeyUse, SakUse, Xpn},
    },
};

impl Kay {
    /// The next MKPDU that is due.
    pub(super) fn say(&mut self, now: Time) -> Option<Frame> {
        if !self.link {
            return None;
        }
        let bounded = self.bounded();
        for at in 0..self.entries.len() {
            let entry = self.entries.get(at)?;
            if !entry.participant.due(now, &self.policy, bounded) {
                continue;
            }
            let part = self.key_part(now, at)?;
            let limit = self.ledger.mn_limit(entry);
            let entry = self.entries.get_mut(at)?;
            let frame = entry.participant.compose(
                now,
                &self.policy,
                &part,
                &mut *self.crypto,
                &mut self.events,
                limit,
            );
            if frame.is_some() {
                if part.distributed.is_some() {
                    self.note_given(now);
                }
                return frame;
            }
        }
        None
    }

    /// The key goes out: from the first time on, peers have the transmit delay to receive with it.
    fn note_given(&mut self, now: Time) {
        if self.cp.state() == State::Receiving {
            let until = now + self.policy.timers.transmit_delay;
            self.deadlines.transmit.get_or_insert(until);
        }
    }

    /// Whether MKPDUs go at the bounded interval: we or a peer want delay to be bounded.
    pub(super) fn bounded(&self) -> bool {
        self.policy.delay_protection
            || self
                .principal_entry()
                .into_iter()
                .flat_map(|entry| entry.participant.live())
                .any(|peer| peer.sak_use.is_some_and(|said| said.delay_protect))
    }

    /// How long a frame may be under way before its packet number is no longer told.
    pub(super) fn delay_window(&self) -> Duration {
        if self.bounded() {
            self.policy.timers.bounded_hello
        } else {
            self.policy.timers.hello
        }
    }

    fn key_part(&self, now: Time, at: usize) -> Option<KeyPart> {
        let entry = self.entries.get(at)?;
        let principal = self.principal.as_ref() == Some(entry.participant.ckn());
        let distributed = if principal { self.distributed() } else { None };
        let ssci_order = distributed.as_ref().and_then(|(distribution, _)| {
            let own = self.keys.sa(distribution.id)?.own_ssci?;
            let [.., low] = own.0.to_be_bytes();
            let told = self.policy.version >= 3 || self.policy.ssci == SsciRule::ByLiveList;
            told.then(|| (low, distribution.made_for.clone()))
        });
        let (sak_use, xpn) = self.sak_use(now, at, principal);
        Some(KeyPart {
            key_server: !matches!(entry.participant.elect(&self.policy), Election::Peer(_)),
            macsec_desired: true,
            capability: match self.policy.protection {
                Protection::IntegrityOnly | Protection::Offset0 => Capability::Offset0,
                Protection::Offset30 | Protection::Offset50 => Capability::Offsets,
            },
            sak_use,
            distributed: distributed.map(|(_, field)| field),
            xpn,
            ssci_order,
        })
    }

    /// The SAK Use of one participant: its own CAK's keys, and for the principal the old key whatever CAK it came
    /// by. None before the first key, and none to peers that may not count us as live: wpa_supplicant would take
    /// it for an error.
    fn sak_use(&self, now: Time, at: usize, principal: bool) -> (Option<SakUse>, Option<Xpn>) {
        let Some(entry) = self.entries.get(at) else {
            return (None, None);
        };
        let own = |sa: &&Sa| sa.key.ckn == *entry.participant.ckn();
        let (mut latest, mut old) = (self.keys.latest(), self.keys.old());
        let settling = self.deadlines.settled.is_some_and(|until| now < until);
        if settling && latest.is_none() {
            (latest, old) = (old, None);
        }
        latest = latest.filter(own);
        old = old.filter(|sa| principal || own(sa));
        if (latest.is_none() && old.is_none()) || !(entry.is_live() || self.held(now)) {
            return (None, None);
        }
        let last_moments = self
            .deadlines
            .retire
            .is_some_and(|until| until.since(now) <= self.policy.timers.retire / 6);
        let old_use = old.map(|sa| {
            let said = self.key_use(now, sa);
            KeyUse {
                rx: said.rx && !last_moments,
                ..said
            }
        });
        let sak_use = SakUse {
            latest: latest.map(|sa| self.key_use(now, sa)),
            old: old_use,
            plain_tx: false,
            plain_rx: false,
            // Our own wish: an echo of the peer's would keep both at it for ever.
            delay_protect: self.policy.delay_protection,
        };
        (Some(sak_use), self.xpn_set(now, at, latest, old))
    }

    fn key_use(&self, now: Time, sa: &Sa) -> KeyUse {
        let (mi, kn) = Mi::of_key(sa.id().ki);
        let lowest = self.told_pn(now, sa);
        KeyUse {
            an: sa.id().an,
            mi,
            kn,
            tx: sa.in_use,
            rx: sa.receiving,
            lowest_pn: lowest.wire(),
        }
    }

    /// The lowest packet number under way. A low half of 0 can't be told, so the one before it is.
    fn told_pn(&self, now: Time, sa: &Sa) -> Pn {
        let lowest = sa.progress.lowest(now, self.delay_window());
        if lowest.wire() == 0 {
            lowest.saturating_sub(1)
        } else {
            lowest
        }
    }

    fn xpn_set(&self, now: Time, at: usize, latest: Option<&Sa>, old: Option<&Sa>) -> Option<Xpn> {
        let is_xpn = |sa: Option<&Sa>| sa.is_some_and(Sa::is_xpn);
        if !is_xpn(latest) && !is_xpn(old) {
            return None;
        }
        let wanted = match self.policy.xpn_set {
            XpnSet::Always => true,
            XpnSet::Never => false,
            XpnSet::Auto => self
                .entries
                .get(at)
                .is_some_and(|entry| entry.participant.live().any(|peer| peer.version >= 2)),
        };
        let high = |sa: Option<&Sa>| {
            sa.filter(|sa| sa.is_xpn()).map_or(0, |sa| {
                u32::try_from(self.told_pn(now, sa).0 >> 32).unwrap_or(u32::MAX)
            })
        };
        wanted.then(|| Xpn {
            suspension: 0,
            latest: high(latest),
            old: high(old),
        })
    }

    /// When [`Self::handle_timeout`] is to be called at the latest; `None`: not before something happens.
    pub fn poll_timeout(&self) -> Option<Time> {
        let bounded = self.bounded();
        let sending = self
            .entries
            .iter()
            .filter(|_| self.link)
            .map(|entry| entry.participant.next_send(&self.policy, bounded));
        let expiring = self
            .entries
            .iter()
            .filter_map(|entry| entry.participant.next_expiry(&self.policy));
        // What is past was looked at when it came, and waits for something else.
        let later = |at: &Time| *at > self.now;
        let ours = self
            .deadlines
            .iter()
            .chain(self.hold)
            .chain(self.keys.deadline())
            .chain(self.server_deadline())
            .filter(later);
        sending.chain(expiring).chain(ours).min()
    }

    fn server_deadline(&self) -> Option<Time> {
        if !self.is_key_server() {
            return None;
        }
        match self.wanted(self.now) {
            Some(why) => Some(
                self.allowed_at(self.now, why)
                    .max(self.server.retry.unwrap_or_default()),
            ),
            None => self.rekey_at(),
        }
    }
}
