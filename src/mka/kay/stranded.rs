//! A client whose key server thinks that it has a key which it has not.

use super::Kay;
use crate::mka::{
    NewMiWhy, SakRefusal, Time,
    participant::{Election, Heard},
    pdu::{DistributedSak, Mkpdu, SakUse},
};

impl Kay {
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
            .flat_map(SakUse::keys)
            .filter(|key| key.tx)
            .any(|key| !self.is_known(key.id()))
    }
}
