//! One link as control drives it: keys, ports and lanes, brought in line with the encryption mode.
//!
//! Desired state goes out as commands; what is true comes back as reports. Nothing here waits: a turn
//! looks at what is known now and sends what is missing.

mod reports;
mod settle;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    agreement::Agreement,
    books::Books,
    line_rate::Ahead,
    mka::{Clock, Session, Surroundings},
    port::Port,
    stance::{Stance, Why},
    tx_use::TxEnd,
};
use crate::{
    bus::{
        Command, Direction, DropReason, EapolOut, EapolSlots, LaneCommand, LaneCounters, LaneIndex,
        LaneMode, LinkIndex, PortOps, PortSide,
    },
    config::{EncryptionMode, Link},
    crypto::KeyFactory,
    ieee::Sci,
    macsec::{RxScCounters, RxSecyCounters, TxCounters},
};

/// What a link is made of, besides its config.
#[derive(Debug)]
pub struct LinkParts {
    /// The plain port.
    pub plain: Arc<dyn PortOps>,
    /// The secure port.
    pub secure: Arc<dyn PortOps>,
    /// Own SCI, frozen at start.
    pub own_sci: Sci,
    /// The protect lane's counters.
    pub protect: Arc<LaneCounters>,
    /// The validate lane's counters.
    pub validate: Arc<LaneCounters>,
    /// The transmit half's counters.
    pub tx_counters: Arc<TxCounters>,
    /// The receive half's counters.
    pub rx_counters: Arc<RxSecyCounters>,
    /// The receive channels and their counters.
    pub rx_scs: Vec<(Sci, Arc<RxScCounters>)>,
    /// EAPOL from the secure side.
    pub eapol: Arc<EapolSlots>,
    /// EAPOL to the secure side.
    pub eapol_out: Arc<EapolOut>,
}

/// What all links share on control's thread.
#[derive(Debug)]
pub(super) struct Shared<'a> {
    pub(super) books: &'a mut Books,
    pub(super) factory: &'a dyn KeyFactory,
    pub(super) clock: &'a Clock,
}

/// A lane's mode: what was asked, and what its worker last said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mode {
    asked: LaneMode,
    pub(super) now: LaneMode,
}

/// One link.
#[derive(Debug)]
pub(super) struct LinkControl {
    pub(super) index: LinkIndex,
    pub(super) config: Link,
    pub(super) parts: LinkParts,
    pub(super) plain: Port,
    pub(super) secure: Port,
    /// Static keys, where it has those.
    pub(super) agreement: Agreement,
    /// Key agreement, where it has that.
    pub(super) mka: Option<Box<Session>>,
    pub(super) protect: Mode,
    pub(super) validate: Mode,
    pub(super) stance: Option<Stance>,
    was_secured: bool,
    secured_from_clear: Option<Instant>,
    peer_protects: bool,
    /// It was secured since clear passed last.
    may_fall: bool,
    pub(super) falls_to_clear: u64,
    pub(super) too_long: Option<usize>,
    /// The end has come: everything closes and nothing opens again.
    ending: bool,
    /// The SAs were asked back.
    keys_asked_back: bool,
}

impl LinkControl {
    pub(super) fn new(index: LinkIndex, config: Link, parts: LinkParts) -> Self {
        Self {
            index,
            plain: Port::new(PortSide::Plain, Arc::clone(&parts.plain)),
            secure: Port::new(PortSide::Secure, Arc::clone(&parts.secure)),
            config,
            parts,
            agreement: Agreement::default(),
            mka: None,
            protect: Mode::default(),
            validate: Mode::default(),
            stance: None,
            was_secured: false,
            secured_from_clear: None,
            peer_protects: false,
            may_fall: false,
            falls_to_clear: 0,
            too_long: None,
            ending: false,
            keys_asked_back: false,
        }
    }

    pub(super) fn ahead(&self) -> Ahead {
        Ahead::of_speed(self.secure.speed_mbps())
    }

    /// One look at everything. `out` takes the commands for the lanes.
    pub(super) fn turn(&mut self, now: Instant, shared: &mut Shared<'_>, out: &mut Vec<Command>) {
        let index = self.index;
        let mut send = sender(index, out);
        self.plain.turn(now);
        self.secure.turn(now);
        if !self.ending {
            self.secure.show(true, now, &mut send);
        }
        self.plain.look(now);
        self.secure.look(now);
        let ahead = self.ahead();
        self.agreement.turn(now, ahead, shared.books, &mut send);
        self.agree(now, shared, &mut send);
        self.settle(now, &mut send);
        self.ask_keys_back(&mut send);
    }

    /// Lets key agreement do its work.
    fn agree(
        &mut self,
        now: Instant,
        shared: &Shared<'_>,
        send: &mut impl FnMut(Direction, LaneCommand),
    ) {
        let link_up = self.secure_link_up_for(now).is_some();
        let ahead = self.ahead();
        let Some(session) = &mut self.mka else {
            // Without a KaY there is nobody to read it.
            self.parts.eapol.discard();
            return;
        };
        let reflected = self.parts.validate.dropped(DropReason::EapolReflected);
        let around = Surroundings {
            now,
            utc: shared.clock.utc(),
            link_up,
            slots: &self.parts.eapol,
            wire: &self.parts.eapol_out,
            factory: shared.factory,
            duplicate_depth: self.config.duplicate_depth as usize,
            reflected: reflected.value(),
            state: shared.books.dir(),
            ahead,
        };
        session.turn(&around, send);
        if self.validate.now == LaneMode::SecuredAcceptClear && session.peers_protect() {
            self.peer_protects = true;
        }
    }

    /// Whether MKPDUs come so fast that the next turn must be soon, or their slots overflow.
    pub(super) fn is_flooded(&self) -> bool {
        self.mka.as_ref().is_some_and(|session| session.flooded)
    }

    /// How long the secure port has had a link that the lanes use.
    fn secure_link_up_for(&self, now: Instant) -> Option<Duration> {
        self.secure
            .link_up_for(now)
            .filter(|_| self.secure.in_use())
    }

    /// A transmit SA in use that can go on, and a receive SA installed, as workers said.
    pub(super) fn is_secured(&self) -> bool {
        match &self.mka {
            Some(session) => session.sas.is_secured(),
            None => self.agreement.is_secured(),
        }
    }

    /// Why the transmit SA in use can't go on, if it can't.
    pub(super) fn tx_end(&self) -> TxEnd {
        match &self.mka {
            Some(session) => session.sas.tx_end(),
            None => self.agreement.tx_end(),
        }
    }

    const fn port_of(&mut self, side: PortSide) -> &mut Port {
        match side {
            PortSide::Plain => &mut self.plain,
            PortSide::Secure => &mut self.secure,
        }
    }

    /// Has key agreement make a new SAK.
    pub(super) fn rekey(&mut self, now: Instant) -> Result<String, String> {
        match &mut self.mka {
            Some(session) => session.rekey(now),
            None => Err(String::from(
                "its keys are not agreed by MKA; a static key changes by a reload",
            )),
        }
    }

    /// The end: plain link down, lanes closed, then keys home. Turns go on until
    /// [`Self::keys_are_home`].
    pub(super) const fn end(&mut self) {
        self.ending = true;
    }

    /// Asks for the keys once the lanes said that nothing passes by them any more.
    fn ask_keys_back(&mut self, send: &mut impl FnMut(Direction, LaneCommand)) {
        let idle = |mode: &Mode| matches!(mode.now, LaneMode::Closed | LaneMode::Wire);
        if !idle(&self.protect) || !idle(&self.validate) {
            return;
        }
        if self.ending && !self.keys_asked_back {
            self.keys_asked_back = true;
            self.agreement.retire_all(send);
        }
        if let Some(session) = &mut self.mka {
            if self.ending {
                session.close(send);
            }
            session.ask_back(send);
        }
    }

    /// The last step: both ports stop once the lanes let go.
    pub(super) fn stop_ports(&mut self, now: Instant, out: &mut Vec<Command>) {
        let mut send = sender(self.index, out);
        self.plain.let_go(now, &mut send);
        self.secure.let_go(now, &mut send);
    }

    pub(super) fn keys_are_home(&self) -> bool {
        let agreed = self.mka.as_ref();
        self.agreement.is_empty() && agreed.is_none_or(|session| session.sas.is_empty())
    }

    pub(super) fn ports_are_stopped(&self) -> bool {
        self.plain.is_stopped() && self.secure.is_stopped()
    }

    pub(super) fn is_open(&self) -> bool {
        self.protect.now != LaneMode::Closed && self.plain.in_use()
    }

    pub(super) fn in_clear(&self) -> bool {
        self.config.encryption != EncryptionMode::NoEncrypt
            && self.stance.is_some_and(|stance| stance.why == Why::Clear)
    }
}

/// Puts commands for a link's lanes in line.
pub(super) fn sender(
    link: LinkIndex,
    out: &mut Vec<Command>,
) -> impl FnMut(Direction, LaneCommand) {
    move |direction, what| {
        out.push(Command {
            lane: LaneIndex { link, direction },
            what,
        })
    }
}
