//! The client's part: taking, or refusing, the key server's SAK (802.1X-2020 9.8, 9.9).

use alloc::{sync::Arc, vec::Vec};

use super::{
    Kay,
    drive::Incoming,
    history::Known,
    ssci::{Sscis, salt},
};
use crate::{
    crypto::Sak,
    ieee::{CipherSuite, KeyIdentifier, Sci},
    mka::{
        AgreedKey, Event, Mi, NewMiWhy, Protection, SaId, SakRefusal, SsciRule, Time,
        participant::{Election, Heard},
        pdu::{DistributedKey, DistributedSak, Mkpdu, SakUse, SuiteField},
    },
};

/// What was refused last: a key is repeated in each MKPDU, and is refused, and told, once.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    last: Option<(Option<KeyIdentifier>, SakRefusal)>,
    /// Since when the key server thinks that we have a key that we don't have.
    stranded: Option<Time>,
    /// When we last picked a new member identifier for that.
    renewed: Option<Time>,
    /// A key whose members are not all live yet, and since when.
    waiting: Option<(KeyIdentifier, Time)>,
}

/// A key that was not taken.
enum NotTaken {
    /// For good.
    Refused(SakRefusal),
    /// Its repetition may be taken.
    Later,
}

impl From<SakRefusal> for NotTaken {
    fn from(why: SakRefusal) -> Self {
        Self::Refused(why)
    }
}

impl Kay {
    /// Notes that a live peer that is its CA's key server distributes, so that the principal follows it. Repetitions
    /// count: MKPDUs of two CAKs may overtake each other.
    pub(super) fn note_served(&mut self, now: Time, at: usize, heard: &Heard, pdu: &Mkpdu) {
        if !matches!(pdu.distributed_sak, Some(DistributedSak::Key(_))) {
            return;
        }
        if let Some(entry) = self.entries.get_mut(at)
            && entry.participant.elect(&self.policy) == Election::Peer(heard.mi)
            && names(pdu, entry.mi)
        {
            entry.served = Some(now);
        }
    }

    /// Acts on a Distributed SAK from a live peer.
    pub(super) fn take_key(&mut self, now: Time, at: usize, heard: &Heard, pdu: &Mkpdu) {
        let Some(distributed) = &pdu.distributed_sak else {
            return;
        };
        let Some(entry) = self.entries.get(at) else {
            return;
        };
        // Not for us: the sender does not count us among its live peers, or another CAK is in force.
        if !names(pdu, entry.mi) || self.principal.as_ref() != Some(entry.participant.ckn()) {
            return;
        }
        let ki = match distributed {
            DistributedSak::NoMacsec => None,
            DistributedSak::Key(key) => Some(heard.mi.key(key.kn)),
        };
        let taken = if entry.participant.elect(&self.policy) == Election::Peer(heard.mi) {
            match distributed {
                DistributedSak::NoMacsec => self.end_macsec(heard.sci),
                DistributedSak::Key(key) => self.take(now, at, heard, pdu, key),
            }
        } else {
            Err(SakRefusal::NotKeyServer.into())
        };
        match taken {
            Ok(()) | Err(NotTaken::Later) => {}
            Err(NotTaken::Refused(why)) => self.refuse(heard.sci, ki, why),
        }
    }

    /// A key server that transmits with a key which we don't have, and does not give it to us or gives one that we
    /// may not take twice, does not know that we lost it. A new member is owed a new key, so we become one.
    pub(super) fn end_stranding(&mut self, now: Time, at: usize, heard: &Heard, pdu: &Mkpdu) {
        let Some(entry) = self.entries.get(at) else {
            return;
        };
        let from_server = self.principal.as_ref() == Some(entry.participant.ckn())
            && entry.participant.elect(&self.policy) == Election::Peer(heard.mi);
        if !from_server {
            return;
        }
        let timers = &self.policy.timers;
        let (stranded, patience) = match &pdu.distributed_sak {
            Some(DistributedSak::Key(key)) => {
                let reused = (Some(heard.mi.key(key.kn)), SakRefusal::Reused);
                (self.refusals.last == Some(reused), timers.hello)
            }
            Some(DistributedSak::NoMacsec) => (false, timers.hello),
            // It may be about to give us one: the gap between two keys comes first, and an old one's retirement.
            None => (
                self.lacks_key_of(pdu.sak_use.as_ref()),
                timers.sak_gap + timers.life,
            ),
        };
        if !stranded {
            self.refusals.stranded = None;
            return;
        }
        let since = *self.refusals.stranded.get_or_insert(now);
        let lately = |at: Time| now.since(at) < timers.life;
        if now.since(since) < patience || self.refusals.renewed.is_some_and(lately) {
            return;
        }
        self.refusals.stranded = None;
        self.refusals.renewed = Some(now);
        if let Some(entry) = self.entries.get_mut(at) {
            let _ = entry
                .participant
                .renew(NewMiWhy::KeyLost, &mut *self.crypto, &mut self.events);
        }
    }

    /// Whether the sender transmits with a key that we don't have.
    fn lacks_key_of(&self, said: Option<&SakUse>) -> bool {
        said.into_iter()
            .flat_map(|said| [said.latest, said.old])
            .flatten()
            .filter(|key| key.tx)
            .any(|key| {
                !self.is_known(SaId {
                    an: key.an,
                    ki: key.mi.key(key.kn),
                })
            })
    }

    fn refuse(&mut self, from: Sci, ki: Option<KeyIdentifier>, why: SakRefusal) {
        if self.refusals.last.replace((ki, why)) == Some((ki, why)) {
            return;
        }
        let counter = match why {
            SakRefusal::Unwrap(_) => &mut self.counters.sak_unwrap_errors,
            SakRefusal::Suite => &mut self.counters.sak_suite_errors,
            _ => &mut self.counters.saks_refused,
        };
        *counter = counter.saturating_add(1);
        self.events.push(Event::SakRefused { from, why });
    }

    fn end_macsec(&mut self, from: Sci) -> Result<(), NotTaken> {
        if !self.policy.accept_no_macsec {
            return Err(SakRefusal::NoMacsec.into());
        }
        if !self.no_macsec {
            self.no_macsec = true;
            self.blame(crate::mka::LostWhy::NoMacsec);
            self.events.push(Event::NoMacsec { from });
        }
        Ok(())
    }

    fn take(
        &mut self,
        now: Time,
        at: usize,
        heard: &Heard,
        pdu: &Mkpdu,
        key: &DistributedKey,
    ) -> Result<(), NotTaken> {
        let id = SaId {
            an: key.an,
            ki: heard.mi.key(key.kn),
        };
        match self.history.find(id.ki, &key.wrapped) {
            Known::No => {}
            Known::Same if self.is_known(id) => return Ok(()),
            Known::Same if self.may_retry(now, id)? => {}
            Known::Same | Known::Other => return Err(SakRefusal::Reused.into()),
        }
        let suite = self.acceptable(key)?;
        self.may_stand(id)?;
        let sscis = self.sscis(now, at, pdu, suite, id)?;
        let sak = self.unwrap(at, key, suite)?;
        let Some(entry) = self.entries.get(at) else {
            return Err(NotTaken::Later);
        };
        let agreed = AgreedKey {
            id,
            suite,
            protection: key.protection,
            salt: suite.is_xpn().then(|| salt(heard.mi, key.kn)),
            sak,
            ckn: entry.participant.ckn().clone(),
        };
        self.history.note(id.ki, Some(key.wrapped.clone()));
        self.refusals = Refusals {
            renewed: self.refusals.renewed,
            ..Refusals::default()
        };
        self.no_macsec = false;
        self.ledger.next_an = id.an.next();
        self.pending = Some(Incoming {
            key: Arc::new(agreed),
            sscis,
        });
        self.counters.saks_received = self.counters.saks_received.saturating_add(1);
        self.events.push(Event::SakReceived { sa: id, suite });
        Ok(())
    }

    /// Whether this is the repetition of a key that we have.
    fn is_known(&self, id: SaId) -> bool {
        let waits = [&self.pending, &self.placing]
            .into_iter()
            .flatten()
            .any(|incoming| incoming.key.id == id);
        waits || self.keys.is_kept(id)
    }

    /// A key that the data plane could not install is tried again with a later repetition, if nothing ever went over
    /// it.
    fn may_retry(&self, now: Time, id: SaId) -> Result<bool, NotTaken> {
        match self.retry {
            Some((failed, at)) if failed == id && now < at => Err(NotTaken::Later),
            Some((failed, _)) => Ok(failed == id),
            None => Ok(false),
        }
    }

    fn acceptable(&self, key: &DistributedKey) -> Result<CipherSuite, SakRefusal> {
        let suite = match key.suite {
            SuiteField::Known(suite) if self.policy.suites.contains(&suite) => suite,
            SuiteField::Known(_) | SuiteField::Unknown(_) => return Err(SakRefusal::Suite),
        };
        if key.protection == self.policy.protection {
            Ok(suite)
        } else if key.protection == Protection::IntegrityOnly {
            Err(SakRefusal::IntegrityOnly)
        } else {
            Err(SakRefusal::Protection)
        }
    }

    /// A key server that goes on under the same member identifier knows which numbers it has in use.
    fn may_stand(&self, id: SaId) -> Result<(), SakRefusal> {
        let (server, _) = Mi::of_key(id.ki);
        let in_use = self
            .keys
            .by_an(id.an)
            .filter(|sa| sa.in_use && sa.retiring.is_none() && self.keys.is_kept(sa.id()));
        match in_use {
            Some(sa) if Mi::of_key(sa.id().ki).0 == server => Err(SakRefusal::Reused),
            _ => Ok(()),
        }
    }

    fn unwrap(&self, at: usize, key: &DistributedKey, suite: CipherSuite) -> Result<Sak, NotTaken> {
        let entry = self.entries.get(at).ok_or(NotTaken::Later)?;
        let kek = &entry.participant.keys().kek;
        let sak = self
            .crypto
            .unwrap_sak(kek, &key.wrapped)
            .map_err(SakRefusal::Unwrap)?;
        if sak.expose().len() == suite.sak_len() {
            Ok(sak)
        } else {
            Err(SakRefusal::Length.into())
        }
    }

    /// Who has which SSCI under this key: by the members that the key server counts (802.1X-2020 9.10).
    fn sscis(
        &mut self,
        now: Time,
        at: usize,
        pdu: &Mkpdu,
        suite: CipherSuite,
        id: SaId,
    ) -> Result<Sscis, NotTaken> {
        if !suite.is_xpn() {
            return Ok(Sscis::default());
        }
        let (Some(entry), Some(list)) = (self.entries.get(at), &pdu.live) else {
            return Err(SakRefusal::Ssci.into());
        };
        let server = pdu.basic.sci;
        let members: Option<Vec<Sci>> = list
            .peers
            .iter()
            .map(|(mi, _)| {
                if *mi == entry.mi {
                    Some(self.sci)
                } else {
                    entry.participant.live_peer(*mi).map(|peer| peer.sci)
                }
            })
            .collect();
        let Some(members) = members else {
            return Err(self.wait_for_members(now, id.ki));
        };
        let peers: Vec<Sci> = members
            .iter()
            .copied()
            .filter(|sci| *sci != self.sci)
            .chain([server])
            .collect();
        let by_list = || Sscis::by_list(self.sci, server, list.key_server_ssci, &members);
        let both_know =
            pdu.basic.version >= 3 && self.policy.version >= 3 && list.key_server_ssci != 0;
        let sscis = match self.policy.ssci {
            SsciRule::Forced { own, peer } => Sscis::forced(own, peer, &peers),
            SsciRule::ByLiveList => by_list(),
            SsciRule::Auto if both_know => by_list(),
            SsciRule::Auto | SsciRule::BySci => Some(Sscis::by_sci(self.sci, &peers)),
        };
        sscis.ok_or(NotTaken::Refused(SakRefusal::Ssci))
    }

    /// A member that the key server has and we don't will mostly be live in a moment.
    fn wait_for_members(&mut self, now: Time, ki: KeyIdentifier) -> NotTaken {
        match self.refusals.waiting {
            Some((waiting, since)) if waiting == ki => {
                if now.since(since) < self.policy.timers.hello {
                    NotTaken::Later
                } else {
                    SakRefusal::Ssci.into()
                }
            }
            _ => {
                self.refusals.waiting = Some((ki, now));
                NotTaken::Later
            }
        }
    }
}

/// Whether the sender counts this member among its live peers.
fn names(pdu: &Mkpdu, mi: Mi) -> bool {
    pdu.live
        .as_ref()
        .is_some_and(|list| list.peers.iter().any(|(member, _)| *member == mi))
}
