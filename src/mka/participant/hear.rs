//! Taking a MKPDU (802.1X-2020 9.4, 11.11.2).

use super::{
    Heard, Participant, Peer,
    lists::{self, Echo},
    peers::Place,
};
use crate::{
    crypto::KeyAgreement,
    ieee::MacAddr,
    mka::{
        Discard, Event, MAX_PEERS, NewMiWhy, Policy, Time,
        kay::Events,
        pdu::{Basic, DistributedSak, Mkpdu},
    },
};

impl Participant {
    /// Takes a MKPDU of this CA whose ICV is right, from this source address. [`Self::expire`] comes first.
    ///
    /// # Errors
    /// [`Discard`] says why it was not taken; that is counted here.
    pub(in crate::mka) fn hear(
        &mut self,
        now: Time,
        source: MacAddr,
        pdu: &Mkpdu,
        policy: &Policy,
        crypto: &mut dyn KeyAgreement,
        events: &mut Events,
    ) -> Result<Heard, Discard> {
        if let Err(why) = self.check_sender(&pdu.basic, crypto, events) {
            return Err(self.discard(why));
        }
        let echo = lists::echo(pdu, &self.numbers, now, policy.timers.life);
        if echo == Echo::Ahead {
            self.counters.peer_list_errors = self.counters.peer_list_errors.saturating_add(1);
            self.renew(NewMiWhy::Ahead, crypto, events);
        }
        match self.place(now, source, pdu, echo, policy, events) {
            Ok(heard) => {
                self.count(pdu);
                Ok(heard)
            }
            Err(why) => Err(self.discard(why)),
        }
    }

    /// Refuses reflections, replays and a known identifier at another SCI. A MKPDU that proves that our own
    /// identifier is in use elsewhere gives us another.
    fn check_sender(
        &mut self,
        basic: &Basic,
        crypto: &mut dyn KeyAgreement,
        events: &mut Events,
    ) -> Result<(), Discard> {
        let ours = basic.mi == self.mi();
        if basic.sci == self.sci {
            if ours && basic.mn >= self.next_mn() {
                // A recording of ourselves from a time that we do not remember.
                self.renew(NewMiWhy::Ahead, crypto, events);
            }
            return Err(Discard::Reflected);
        }
        if ours && !self.renew(NewMiWhy::Used, crypto, events) {
            return Err(Discard::Reflected);
        }
        match self.peers.known(basic.mi) {
            Some(peer) if peer.sci != basic.sci => Err(Discard::Unproven),
            Some(peer) if peer.mn >= basic.mn => Err(Discard::MessageNumber),
            _ => Ok(()),
        }
    }

    /// Gives the sender its place among the peers, and answers at once if it does not hear us, or if it
    /// is new. A peer of ours may be the one that lost its frame; the answer is bounded by the pace.
    fn place(
        &mut self,
        now: Time,
        source: MacAddr,
        pdu: &Mkpdu,
        echo: Echo,
        policy: &Policy,
        events: &mut Events,
    ) -> Result<Heard, Discard> {
        let fresh = match echo {
            Echo::Fresh(at) => Some(at),
            Echo::Ahead | Echo::None => None,
        };
        let peer = Peer::new(now, source, pdu);
        let room = policy.max_peers.clamp(1, MAX_PEERS);
        let place = self.peers.hear(peer, fresh, room);
        if place == Place::Full {
            self.tell_too_many(now, pdu, policy, events);
            return Err(Discard::TooManyPeers);
        }
        if place != Place::StillLive || fresh.is_none() {
            self.send_soon();
        }
        let live = !matches!(place, Place::New | Place::Potential);
        if !live && self.peers.has_live(pdu.basic.sci) {
            return Err(Discard::Unproven);
        }
        let heard = Heard {
            mi: pdu.basic.mi,
            sci: pdu.basic.sci,
            live,
            newly_live: live && place != Place::StillLive,
            list_changed: !matches!(place, Place::StillLive | Place::Potential),
            restarted: match place {
                Place::InPlaceOf(mi) => Some(mi),
                _ => None,
            },
        };
        if heard.newly_live {
            self.tell_live(heard, events);
        }
        Ok(heard)
    }

    fn tell_live(&mut self, heard: Heard, events: &mut Events) {
        let (ckn, sci, mi) = (self.cak.ckn.clone(), heard.sci, heard.mi);
        self.counters.peers_gained = self.counters.peers_gained.saturating_add(1);
        events.push(if heard.restarted.is_some() {
            self.counters.peers_lost = self.counters.peers_lost.saturating_add(1);
            Event::PeerRestarted { ckn, sci, mi }
        } else {
            Event::PeerLive { ckn, sci, mi }
        });
    }

    /// Tells the operator, once in a life time: such a peer sends all the time.
    fn tell_too_many(&mut self, now: Time, pdu: &Mkpdu, policy: &Policy, events: &mut Events) {
        let told = self.told_too_many;
        if told.is_none_or(|told| now.since(told) >= policy.timers.life) {
            self.told_too_many = Some(now);
            let (ckn, sci) = (self.cak.ckn.clone(), pdu.basic.sci);
            events.push(Event::TooManyPeers { ckn, sci });
        }
    }

    fn count(&mut self, pdu: &Mkpdu) {
        let count = |counter: &mut u64, so: bool| *counter = counter.saturating_add(u64::from(so));
        let sak = matches!(pdu.distributed_sak, Some(DistributedSak::Key(_)));
        count(&mut self.counters.in_mkpdus, true);
        count(&mut self.counters.in_sak_mkpdus, sak);
        count(&mut self.counters.in_cak_mkpdus, pdu.distributed_cak);
    }
}
