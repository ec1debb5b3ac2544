//! The KaY (802.1X-2020 clauses 9 and 12): all participants of a link, its CP machine and its keys.

mod events;
mod setup;

pub(in crate::mka) use events::Events;
pub use setup::{AddCakError, KaySetup, NewCak, RekeyAnswer, RekeyRefusal};

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use super::{
    Action, Discard, Event, KayCounters, KayStatus, Policy, Remembered, Report, Time, pdu::Frame,
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
    caks: Vec<NewCak>,
    actions: VecDeque<Action>,
    events: Events,
    counters: KayCounters,
}

impl Kay {
    /// A KaY without a CAK: it does nothing until there is one and the port has a link.
    ///
    /// # Errors
    /// [`KeyError`] where the system gives no randomness.
    pub fn new(now: Time, setup: KaySetup) -> Result<Self, KeyError> {
        let _ = now;
        let KaySetup {
            sci,
            policy,
            crypto,
            remembered: Remembered { .. },
            keeps_identity: _,
        } = setup;
        Ok(Self {
            sci,
            policy,
            crypto,
            caks: Vec::new(),
            actions: VecDeque::new(),
            events: Events::default(),
            counters: KayCounters::default(),
        })
    }

    /// Starts a participant for `cak`.
    ///
    /// # Errors
    /// [`AddCakError`] says why there is none; nothing changed.
    pub fn add_cak(&mut self, now: Time, cak: NewCak) -> Result<(), AddCakError> {
        let _ = now;
        if self.ckns().any(|ckn| *ckn == cak.ckn) {
            return Err(AddCakError::Duplicate);
        }
        if self.caks.len() >= MAX_CAKS {
            return Err(AddCakError::TooMany);
        }
        self.caks.push(cak);
        Ok(())
    }

    /// Ends the participant of this CAK; `false` if there is none.
    pub fn remove_cak(&mut self, now: Time, ckn: &Ckn) -> bool {
        let _ = now;
        let before = self.caks.len();
        self.caks.retain(|cak| cak.ckn != *ckn);
        self.caks.len() < before
    }

    /// The names of the CAKs in use.
    pub fn ckns(&self) -> impl Iterator<Item = &Ckn> {
        self.caks.iter().map(|cak| &cak.ckn)
    }

    /// Goes on under another policy; a live session is rekeyed, without loss, where it has to be.
    pub fn set_policy(&mut self, now: Time, policy: Policy) {
        let _ = now;
        self.policy = policy;
    }

    /// Makes a new SAK, now or as soon as it may be.
    ///
    /// # Errors
    /// [`RekeyRefusal`] where that is not ours to do.
    pub fn rekey(&mut self, now: Time) -> Result<RekeyAnswer, RekeyRefusal> {
        let _ = now;
        Err(RekeyRefusal::NoPeer)
    }

    /// Takes a frame that came from the secure port.
    ///
    /// # Errors
    /// [`Discard`] says why it was not taken; that is counted.
    pub fn handle_mkpdu(&mut self, now: Time, frame: &[u8]) -> Result<(), Discard> {
        let _ = (now, frame);
        Err(Discard::UnknownCkn)
    }

    /// Takes what the data plane, or the port, says.
    pub fn handle_report(&mut self, now: Time, report: Report) {
        let _ = (now, report);
    }

    /// Does what is due; to be called at [`Self::poll_timeout`], and harmless at any other time.
    pub fn handle_timeout(&mut self, now: Time) {
        let _ = now;
    }

    /// The next thing that the data plane is to do. To be drained before [`Self::poll_transmit`].
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next MKPDU to send: a whole Ethernet frame.
    pub fn poll_transmit(&mut self, now: Time) -> Option<Frame> {
        let _ = now;
        None
    }

    /// The next event. Those that nobody reads are dropped, the oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// When [`Self::handle_timeout`] is to be called at the latest; `None`: not before something happens.
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// How things are.
    pub fn status(&self, now: Time) -> KayStatus {
        let _ = now;
        KayStatus {
            sci: self.sci,
            participants: Vec::new(),
            principal: None,
            key_server: None,
            secured: false,
            latest: None,
            old: None,
            rekeys: 0,
            last_rekey: None,
            next_rekey: None,
            cp_state: "INIT",
            counters: KayCounters {
                events_dropped: self.events.dropped(),
                ..self.counters
            },
        }
    }
}
