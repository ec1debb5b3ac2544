//! A frame from the secure port, to the participant that it is for (802.1X-2020 11.11.2).

use core::time::Duration;

use super::Kay;
use crate::ieee::MacAddr;
use crate::mka::{
    Discard, Event, Time,
    participant::Heard,
    pdu::{Mkpdu, Received},
};

/// Discards that are told in one second.
const A_SECOND: u8 = 4;

/// Keeps a flood out of the queue of events.
#[derive(Debug, Default)]
pub(super) struct EventRate {
    since: Time,
    told: u8,
}

impl EventRate {
    /// Whether one more may be told.
    fn admit(&mut self, now: Time) -> bool {
        if now.since(self.since) >= Duration::from_secs(1) {
            *self = Self {
                since: now,
                told: 0,
            };
        }
        self.told = self.told.saturating_add(1);
        self.told <= A_SECOND
    }
}

impl Kay {
    /// Takes a frame that came from the secure port.
    ///
    /// # Errors
    /// [`Discard`] says why it was not taken; that is counted, here or with the participant.
    pub fn handle_mkpdu(&mut self, now: Time, frame: &[u8]) -> Result<(), Discard> {
        let now = self.now.max(now);
        self.now = now;
        let taken = self.receive(now, frame);
        if let Err(why) = taken
            && self.discards.admit(now)
        {
            self.events.push(Event::Discarded(why));
        }
        taken
    }

    fn receive(&mut self, now: Time, frame: &[u8]) -> Result<(), Discard> {
        let received = Received::parse(frame, self.policy.ethertype, self.policy.source)
            .map_err(|why| self.discard(why))?;
        let at = self
            .entry_at(received.ckn())
            .ok_or_else(|| self.discard(Discard::UnknownCkn))?;
        let Some(entry) = self.entries.get_mut(at) else {
            return Err(Discard::UnknownCkn);
        };
        let source = received.source();
        let ick = &entry.participant.keys().ick;
        let pdu = received
            .verify(&*self.crypto, ick, self.policy.icv_header)
            .map_err(|why| entry.participant.discard(why))?;
        self.expire(now);
        let heard = self.hear(now, at, source, &pdu);
        if let Ok(heard) = &heard
            && heard.live
        {
            self.follow(now, at, heard, &pdu);
        }
        // A MKPDU that was not taken may have cost us our member identifier.
        self.settle(now);
        heard.map(|_| ())
    }

    fn hear(
        &mut self,
        now: Time,
        at: usize,
        source: MacAddr,
        pdu: &Mkpdu,
    ) -> Result<Heard, Discard> {
        let entry = self.entries.get_mut(at).ok_or(Discard::UnknownCkn)?;
        entry.participant.hear(
            now,
            source,
            pdu,
            &self.policy,
            &mut *self.crypto,
            &mut self.events,
        )
    }

    /// What a live peer says of keys.
    fn follow(&mut self, now: Time, at: usize, heard: &Heard, pdu: &Mkpdu) {
        if let Some(mi) = heard.restarted {
            self.drop_member(mi);
        }
        self.note_served(now, at, heard, pdu);
        self.choose_principal(now);
        self.follow_use(at, heard, pdu);
        self.take_key(now, at, heard, pdu);
        self.end_stranding(now, at, heard, pdu);
    }

    fn discard(&mut self, why: Discard) -> Discard {
        if let Some((_, count)) = Discard::ALL
            .iter()
            .zip(&mut self.counters.discarded)
            .find(|(reason, _)| **reason == why)
        {
            *count = count.saturating_add(1);
        }
        why
    }
}
