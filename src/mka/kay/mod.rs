//! The KaY (802.1X-2020 clauses 9 and 12): all participants of a link, its CP machine and its keys.
//!
//! What comes in is noted where it belongs, and then everything is settled in one place ([`settle`]):
//! the principal is chosen, a key server makes a key if one is wanted, the CP machine runs until it
//! rests, and what follows for the data plane is asked for.

mod channels;
mod client;
mod distribution;
mod drive;
mod entry;
mod events;
mod history;
mod keys;
mod ledger;
mod numbered;
mod peers;
mod principal;
mod progress;
mod receive;
mod report;
mod resume;
mod sa;
mod say;
mod server;
mod settle;
mod setup;
mod ssci;
mod status;
mod stranded;
mod want;

pub(in crate::mka) use events::Events;
pub use setup::{AddCakError, KaySetup, NewCak, RekeyAnswer, RekeyRefusal};

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use client::Refusals;
use drive::{Deadlines, Incoming};
use entry::{Entry, Reserved};
use history::History;
use keys::Keys;
use ledger::Ledger;
use server::Server;

use super::{
    Action, Event, Identity, KayCounters, Kn, LostWhy, Mi, Mn, Policy, SaId, Time,
    cp::Cp,
    participant::{Participant, random_mi},
    pdu::Frame,
};
use crate::{
    crypto::{KeyAgreement, KeyError},
    ieee::{Ckn, Sci},
};

/// CAKs that one KaY takes at the same time.
pub const MAX_CAKS: usize = 16;

/// The MACsec key agreement entity of one link.
#[derive(Debug)]
pub struct Kay {
    sci: Sci,
    policy: Policy,
    crypto: Box<dyn KeyAgreement>,
    /// The last time that we were told.
    now: Time,
    /// The secure port has a link.
    link: bool,
    entries: Vec<Entry>,
    started: Time,
    /// What is on disk of members whose CAK was not added yet; for MKA Life Time after the start.
    remembered: Option<Identity>,
    principal: Option<Ckn>,
    /// The key server that was told.
    key_server: Option<Sci>,
    /// The key server ended MACsec, and the policy took its word.
    no_macsec: bool,
    /// Until then the keys stay without a live peer: after a restart, or while one CAK takes over from another.
    hold: Option<Time>,
    cp: Cp,
    deadlines: Deadlines,
    keys: Keys,
    /// A key that the CP machine has not taken yet.
    pending: Option<Incoming>,
    /// A key that it took, whose association number is not free yet.
    placing: Option<Incoming>,
    /// The data plane failed for the latest key.
    failed: bool,
    /// A key that was given up before anything went over it, and when it may be taken again.
    retry: Option<(SaId, Time)>,
    server: Server,
    history: History,
    /// We had keys before a restart, and know the name of the last one only: a key that its server transmits with
    /// already may be one of them.
    suspicious: bool,
    refusals: Refusals,
    ledger: Ledger,
    /// Peers that the data plane has a receive SC for.
    channels: Vec<Sci>,
    /// The key that we said to be secured by.
    secured: Option<SaId>,
    lost_why: LostWhy,
    rekeys: u64,
    last_rekey: Option<Time>,
    actions: VecDeque<Action>,
    events: Events,
    counters: KayCounters,
    discards: receive::EventRate,
}

impl Kay {
    /// A KaY without a CAK: it does nothing until there is one and the port has a link
    /// ([`super::Report::Link`]). Remembered keys are put in use at once.
    ///
    /// # Errors
    /// [`KeyError`] where the system gives no randomness.
    pub fn new(now: Time, setup: KaySetup) -> Result<Self, KeyError> {
        let KaySetup {
            sci,
            policy,
            mut crypto,
            remembered,
            keeps_identity,
        } = setup;
        crypto.random(&mut [0; 12])?;
        let identity = remembered.identity.filter(|identity| identity.sci == sci);
        let mut kay = Self {
            sci,
            policy,
            crypto,
            now,
            started: now,
            link: false,
            entries: Vec::new(),
            ledger: Ledger::new(keeps_identity, identity.as_ref()),
            remembered: identity,
            principal: None,
            key_server: None,
            no_macsec: false,
            hold: None,
            cp: Cp::default(),
            deadlines: Deadlines::default(),
            keys: Keys::default(),
            pending: None,
            placing: None,
            failed: false,
            retry: None,
            server: Server::default(),
            history: History::default(),
            suspicious: false,
            refusals: Refusals::default(),
            channels: Vec::new(),
            secured: None,
            lost_why: LostWhy::PeersGone,
            rekeys: 0,
            last_rekey: None,
            actions: VecDeque::new(),
            events: Events::default(),
            counters: KayCounters::default(),
            discards: receive::EventRate::default(),
        };
        kay.resume(remembered.keys);
        kay.settle(now);
        Ok(kay)
    }

    /// Starts a participant for `cak`, under the member identifier that it had before a restart, if it is
    /// remembered.
    ///
    /// # Errors
    /// [`AddCakError`] says why there is none; nothing changed.
    pub fn add_cak(&mut self, now: Time, cak: NewCak) -> Result<(), AddCakError> {
        if self.ckns().any(|ckn| *ckn == cak.ckn) {
            return Err(AddCakError::Duplicate);
        }
        if self.entries.len() >= MAX_CAKS {
            return Err(AddCakError::TooMany);
        }
        let known = self
            .remembered
            .as_mut()
            .and_then(|identity| {
                let at = identity
                    .members
                    .iter()
                    .position(|member| member.ckn == cak.ckn)?;
                Some(identity.members.swap_remove(at))
            })
            .map(|member| {
                let from = Reserved {
                    mn: member.mn_reserved.max(Mn(1)),
                    kn: member.kn_reserved.max(Kn(1)),
                };
                (member.mi, from)
            });
        let (mi, from) = match known {
            Some(known) => known,
            None => (self.fresh_mi()?, Reserved::NONE),
        };
        let participant = Participant::new(now, cak, self.sci, mi, from.mn);
        self.entries.push(Entry::new(participant, from.kn, from));
        self.ledger.touch();
        self.settle(now);
        Ok(())
    }

    fn fresh_mi(&mut self) -> Result<Mi, AddCakError> {
        random_mi(&mut *self.crypto).ok_or(AddCakError::Random)
    }

    /// Ends the participant of this CAK; `false` if there is none. The keys that came by it stay until
    /// another CAK brought new ones, if there is one, for MKA Life Time at the most.
    pub fn remove_cak(&mut self, now: Time, ckn: &Ckn) -> bool {
        let Some(at) = self.entry_at(ckn) else {
            return false;
        };
        self.entries.remove(at);
        self.ledger.touch();
        self.lost_why = LostWhy::CakRemoved;
        self.hold = (!self.entries.is_empty()).then(|| now + self.policy.timers.life);
        self.settle(now);
        true
    }

    /// Gives a CAK another rank; `false` if there is no such CAK.
    pub fn set_rank(&mut self, now: Time, ckn: &Ckn, rank: u64) -> bool {
        let Some(at) = self.entry_at(ckn) else {
            return false;
        };
        if let Some(entry) = self.entries.get_mut(at) {
            entry.participant.set_rank(rank);
        }
        self.settle(now);
        true
    }

    /// The names of the CAKs in use.
    pub fn ckns(&self) -> impl Iterator<Item = &Ckn> {
        self.entries.iter().map(|entry| entry.participant.ckn())
    }

    fn entry_at(&self, ckn: &Ckn) -> Option<usize> {
        self.ckns().position(|other| other == ckn)
    }

    fn entry(&self, ckn: &Ckn) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.participant.ckn() == ckn)
    }

    /// Goes on under another policy; a key server replaces a key that no longer fits, without loss.
    pub fn set_policy(&mut self, now: Time, policy: Policy) {
        if policy == self.policy {
            return;
        }
        self.policy = policy;
        self.no_macsec &= self.policy.accept_no_macsec;
        for entry in &mut self.entries {
            entry.participant.send_soon();
        }
        self.settle(now);
    }

    /// Does what is due; to be called at [`Self::poll_timeout`], and harmless at any other time.
    pub fn handle_timeout(&mut self, now: Time) {
        self.settle(now);
    }

    /// The next thing that the data plane is to do. To be drained before [`Self::poll_transmit`].
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next MKPDU to send: a whole Ethernet frame.
    pub fn poll_transmit(&mut self, now: Time) -> Option<Frame> {
        self.say(now)
    }

    /// The next event. Those that nobody reads are dropped, the oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }
}

#[cfg(test)]
mod tests;
