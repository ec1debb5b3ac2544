//! The peers of a participant, live and potential (802.1X-2020 9.4.3).
//!
//! A peer is live once it lists us with a number that we sent within MKA Life Time. It stays live while it
//! is heard at least once in MKA Life Time, and while it hears us: the newest number of ours that it ever
//! listed was sent no longer than MKA Life Time and one MKA Hello Time ago. Hence both ends of a
//! path that is dead in one direction find out.
//!
//! An identifier that is new for the SCI of a live peer is a potential peer like any other. It takes the live
//! one's place by listing a number of ours that is newer than every one that the live one listed. Only what
//! runs later can: a recording does not know it, and what an earlier life of the peer sent and the
//! network, or somebody, held back does not either.

use alloc::vec::Vec;

use super::{Expired, Peer};
use crate::{
    ieee::Sci,
    mka::{MAX_PEERS, Mi, Time, Timers},
};

/// Potential peers: as many as a list holds. Beyond, the one that was not heard for the longest goes; its
/// next MKPDU brings it back, and a proof needs no earlier MKPDU.
const MAX_POTENTIAL: usize = MAX_PEERS;

/// Potential peers of the same SCI: the identifiers of a peer that restarts again and again, or of
/// recordings of its past lives, must not drive out potential peers of other SCIs.
const MAX_POTENTIAL_OF_SCI: usize = 4;

/// All members that a participant knows besides itself.
#[derive(Debug, Default)]
pub(super) struct Peers {
    live: Vec<Live>,
    potential: Vec<Peer>,
}

#[derive(Debug)]
struct Live {
    peer: Peer,
    /// When we sent the newest of our numbers that it listed.
    echoed: Time,
}

impl Live {
    fn end(&self, timers: &Timers) -> Time {
        let silent = self.peer.heard + timers.life;
        let deaf = self.echoed + timers.life + timers.hello;
        silent.min(deaf)
    }
}

/// What became of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is live, as before.
    StillLive,
    /// It is live now.
    Live,
    /// It is live now, and this one of the same SCI no longer.
    InPlaceOf(Mi),
    /// It is a potential peer, and was none before.
    New,
    /// It is a potential peer, as before.
    Potential,
    /// There is no room for it: it is not even a potential peer.
    Full,
}

impl Peers {
    pub(super) fn live(&self) -> impl Iterator<Item = &Peer> {
        self.live.iter().map(|live| &live.peer)
    }

    pub(super) fn potential(&self) -> impl Iterator<Item = &Peer> {
        self.potential.iter()
    }

    /// The peer of this identifier, live or potential.
    pub(super) fn known(&self, mi: Mi) -> Option<&Peer> {
        self.live().chain(&self.potential).find(|p| p.mi == mi)
    }

    /// Whether a live peer has this SCI.
    pub(super) fn has_live(&self, sci: Sci) -> bool {
        self.live().any(|peer| peer.sci == sci)
    }

    /// Takes a sender as its MKPDU shows it. `echoed`: it lists us with a number that we sent then, less than
    /// MKA Life Time ago. `room`: live peers that there may be.
    pub(super) fn hear(&mut self, peer: Peer, echoed: Option<Time>, room: usize) -> Place {
        if let Some(live) = self.live.iter_mut().find(|l| l.peer.mi == peer.mi) {
            live.peer.update(peer);
            live.echoed = echoed.map_or(live.echoed, |at| at.max(live.echoed));
            return Place::StillLive;
        }
        let full = self.live.len() >= room;
        let of_sci = self.live.iter_mut().find(|l| l.peer.sci == peer.sci);
        match (of_sci, echoed) {
            (Some(live), Some(echoed)) if live.echoed < echoed => {
                let peer = with_past(&mut self.potential, peer);
                let before = core::mem::replace(live, Live { peer, echoed });
                Place::InPlaceOf(before.peer.mi)
            }
            (Some(_), _) => self.stand_by(peer),
            (None, _) if full => {
                self.potential.retain(|other| other.mi != peer.mi);
                Place::Full
            }
            (None, Some(echoed)) => {
                let peer = with_past(&mut self.potential, peer);
                self.live.push(Live { peer, echoed });
                Place::Live
            }
            (None, None) => self.stand_by(peer),
        }
    }

    fn stand_by(&mut self, peer: Peer) -> Place {
        if let Some(before) = self.potential.iter_mut().find(|p| p.mi == peer.mi) {
            before.update(peer);
            return Place::Potential;
        }
        let of_sci = self.potential.iter().filter(|p| p.sci == peer.sci);
        if of_sci.count() >= MAX_POTENTIAL_OF_SCI {
            self.drop_oldest(|other| other.sci == peer.sci);
        } else if self.potential.len() >= MAX_POTENTIAL {
            self.drop_oldest(|_| true);
        }
        self.potential.push(peer);
        Place::New
    }

    fn drop_oldest(&mut self, of: impl Fn(&Peer) -> bool) {
        let among = self.potential.iter().enumerate().filter(|(_, p)| of(p));
        if let Some((oldest, _)) = among.min_by_key(|(_, peer)| peer.heard) {
            self.potential.remove(oldest);
        }
    }

    /// Drops whoever's time is over at `now`.
    pub(super) fn expire(&mut self, now: Time, timers: &Timers) -> Expired {
        let potential = self.potential.len();
        self.potential.retain(|peer| peer.heard + timers.life > now);
        let lost = self.live.extract_if(.., |live| live.end(timers) <= now);
        let lost: Vec<_> = lost.map(|live| (live.peer.mi, live.peer.sci)).collect();
        Expired {
            list_changed: !lost.is_empty() || self.potential.len() < potential,
            lost,
        }
    }

    /// When [`Self::expire`] has something to drop next.
    pub(super) fn next_expiry(&self, timers: &Timers) -> Option<Time> {
        let potential = self.potential.iter().map(|peer| peer.heard + timers.life);
        let live = self.live.iter().map(|live| live.end(timers));
        live.chain(potential).min()
    }
}

/// The sender, with what is left of its earlier MKPDUs; it is no longer among `potential`.
fn with_past(potential: &mut Vec<Peer>, peer: Peer) -> Peer {
    let Some(place) = potential.iter().position(|other| other.mi == peer.mi) else {
        return peer;
    };
    let mut before = potential.remove(place);
    before.update(peer);
    before
}
