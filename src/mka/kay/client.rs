//! The client's part: taking, or refusing, the key server's SAK (802.1X-2020 9.8, 9.9).

use alloc::sync::Arc;

use super::{
    Kay,
    drive::{Incoming, uses},
    history::Known,
    ssci::salt,
};
use crate::{
    crypto::Sak,
    ieee::{CipherSuite, KeyIdentifier, Sci},
    mka::{
        AgreedKey, Event, Mi, Protection, SaId, SakRefusal, Time,
        participant::{Election, Heard},
        pdu::{DistributedKey, DistributedSak, Mkpdu, SuiteField},
    },
};

/// What was refused last: a key is repeated in each MKPDU, and is refused, and told, once.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    pub(super) last: Option<(Option<KeyIdentifier>, SakRefusal)>,
    /// Since when the key server thinks that we have a key that we don't have.
    pub(super) stranded: Option<Time>,
    /// When we last picked a new member identifier for that.
    pub(super) renewed: Option<Time>,
    /// A key whose members are not all live yet, and since when.
    pub(super) waiting: Option<(KeyIdentifier, Time)>,
}

/// A key that was not taken.
pub(super) enum NotTaken {
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
            Known::Same if self.is_known(id) => return self.complete(now, at, pdu, id),
            Known::Same if self.may_retry(now, id)? => {}
            Known::Same | Known::Other => return Err(SakRefusal::Reused.into()),
        }
        if self.suspicious && uses(pdu.sak_use.as_ref(), id).1 {
            return Err(SakRefusal::Reused.into());
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
        self.suspicious = false;
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
    pub(super) fn is_known(&self, id: SaId) -> bool {
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
}

/// Whether the sender counts this member among its live peers.
fn names(pdu: &Mkpdu, mi: Mi) -> bool {
    pdu.live
        .as_ref()
        .is_some_and(|list| list.peers.iter().any(|(member, _)| *member == mi))
}
