//! One link as control drives it: keys, ports and lanes, brought in line with the encryption mode.
//!
//! Desired state goes out as commands; what is true comes back as reports. Nothing here waits: a turn
//! looks at what is known now and sends what is missing.

use std::{sync::Arc, time::Instant};

use super::{
    agreement::Agreement,
    books::Books,
    line_rate::Ahead,
    port::Port,
    stance::{Facts, Stance, Why, stance},
};
use crate::{
    bus::{
        Command, Direction, EapolOut, EapolSlots, LaneCommand, LaneCounters, LaneIndex, LaneMode,
        LaneReport, LinkIndex, PortOps, PortSide,
    },
    config::{EncryptionMode, Link},
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
    pub(super) agreement: Agreement,
    pub(super) protect: Mode,
    pub(super) validate: Mode,
    pub(super) stance: Option<Stance>,
    was_secured: bool,
    secured_from_clear: Option<Instant>,
    peer_protects: bool,
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
            protect: Mode::default(),
            validate: Mode::default(),
            stance: None,
            was_secured: false,
            secured_from_clear: None,
            peer_protects: false,
            too_long: None,
            ending: false,
            keys_asked_back: false,
        }
    }

    pub(super) fn ahead(&self) -> Ahead {
        Ahead::of_speed(self.secure.speed_mbps())
    }

    /// One look at everything. `out` takes the commands for the lanes.
    pub(super) fn turn(&mut self, now: Instant, books: &mut Books, out: &mut Vec<Command>) {
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
        self.agreement.turn(now, ahead, books, &mut send);
        while self.parts.eapol.take().is_some() {
            // Without a KaY there is nobody to read them.
        }
        self.settle(now, &mut send);
        self.ask_keys_back(&mut send);
    }

    /// Brings lanes and plain port in line. Opening goes keys, lanes, port; closing the other way.
    fn settle(&mut self, now: Instant, send: &mut impl FnMut(Direction, LaneCommand)) {
        let secured = self.agreement.is_secured();
        self.note_secured(now, secured);
        let facts = Facts {
            encryption: self.config.encryption,
            after_secured: self.config.after_secured,
            clear_wait: self.config.clear_wait,
            secured,
            tx_end: self.agreement.tx_end(),
            was_secured: self.was_secured,
            secure_link_up_for: self
                .secure
                .link_up_for(now)
                .filter(|_| self.secure.in_use()),
            secured_from_clear_for: self
                .secured_from_clear
                .map(|since| now.saturating_duration_since(since)),
            peer_protects: self.peer_protects,
        };
        let mut wanted = stance(&facts);
        if self.ending {
            wanted = Stance {
                protect: LaneMode::Closed,
                validate: LaneMode::Closed,
                plain_up: false,
                why: wanted.why,
            };
        }
        if self.stance.map(|stance| stance.why) != Some(wanted.why) {
            tracing::info!(link = self.config.name, "{}", wanted.why.sentence());
        }
        self.stance = Some(wanted);
        ask(&mut self.protect, wanted.protect, Direction::Protect, send);
        ask(
            &mut self.validate,
            wanted.validate,
            Direction::Validate,
            send,
        );
        let open = self.protect.now != LaneMode::Closed && self.validate.now != LaneMode::Closed;
        self.plain.show(wanted.plain_up && open, now, send);
    }

    fn note_secured(&mut self, now: Instant, secured: bool) {
        if secured {
            if self.secured_from_clear.is_none() && self.protect.now == LaneMode::Clear {
                self.secured_from_clear = Some(now);
            }
            self.was_secured = true;
        } else {
            self.secured_from_clear = None;
            self.peer_protects = false;
        }
    }

    /// Takes a lane's word.
    pub(super) fn report(
        &mut self,
        direction: Direction,
        what: LaneReport,
        books: &mut Books,
        out: &mut Vec<Command>,
    ) {
        let mut send = sender(self.index, out);
        match what {
            LaneReport::Mode(mode) => self.mode_of(direction).now = mode,
            LaneReport::UsesPort(side, in_use) => self.port_of(side).used(direction, in_use),
            LaneReport::TxSaInstalled(an, ki) => self.agreement.tx_installed(an, ki),
            LaneReport::Encoding(an, ki) => self.agreement.encodes(an, ki, &mut send),
            LaneReport::TxSaRetired(sa) => self.agreement.tx_home(sa, books),
            LaneReport::RxSaInstalled(sci, an, ki) => self.agreement.rx_installed(sci, an, ki),
            LaneReport::RxSaRetired(sci, sa) | LaneReport::NoSuchSc(sci, sa) => {
                self.agreement.rx_home(sci, sa, books);
            }
            LaneReport::NoSuchTxSa(an, ki) => {
                tracing::debug!(link = self.config.name, %an, %ki, "no such transmit SA");
            }
            LaneReport::NoSuchRxSa(sci, an, ki) => {
                tracing::debug!(link = self.config.name, %sci, %an, %ki, "no such receive SA");
            }
            // A link with static keys asks for none of these.
            LaneReport::RxScAdded(_)
            | LaneReport::RxScRefused(..)
            | LaneReport::RxScRemoved(_)
            | LaneReport::NoSuchRxSc(_)
            | LaneReport::LowestPnRaised(..)
            | LaneReport::EapolFilterReplaced(_) => {}
            LaneReport::BypassReplaced(old) => drop(old),
            LaneReport::TooLong(octets) => self.note_too_long(octets),
            LaneReport::PeerProtects => {
                self.peer_protects = true;
                self.validate = Mode {
                    asked: LaneMode::Secured,
                    now: LaneMode::Secured,
                };
            }
        }
    }

    fn note_too_long(&mut self, octets: usize) {
        self.too_long = Some(octets);
        tracing::warn!(
            link = self.config.name,
            octets,
            mtu = self.config.mtu,
            "a frame from the plain side is too long for the link; it and all others like it are \
             dropped and counted (said once)"
        );
    }

    fn mode_of(&mut self, direction: Direction) -> &mut Mode {
        match direction {
            Direction::Protect => &mut self.protect,
            Direction::Validate => &mut self.validate,
        }
    }

    const fn port_of(&mut self, side: PortSide) -> &mut Port {
        match side {
            PortSide::Plain => &mut self.plain,
            PortSide::Secure => &mut self.secure,
        }
    }

    /// Has key agreement make a new SAK.
    #[expect(clippy::unused_self, reason = "no link has a KaY yet")]
    pub(super) fn rekey(&self) -> Result<String, String> {
        Err(String::from(
            "its keys are not agreed by MKA; a static key changes by a reload",
        ))
    }

    /// The end: plain link down, lanes closed, then keys home. Turns go on until
    /// [`Self::keys_are_home`].
    pub(super) const fn end(&mut self) {
        self.ending = true;
    }

    /// Asks for the keys once the lanes said that nothing passes any more.
    fn ask_keys_back(&mut self, send: &mut impl FnMut(Direction, LaneCommand)) {
        let closed = self.protect.now == LaneMode::Closed && self.validate.now == LaneMode::Closed;
        if self.ending && closed && !self.keys_asked_back {
            self.keys_asked_back = true;
            self.agreement.retire_all(send);
        }
    }

    /// The last step: both ports stop once the lanes let go.
    pub(super) fn stop_ports(&mut self, now: Instant, out: &mut Vec<Command>) {
        let mut send = sender(self.index, out);
        self.plain.let_go(now, &mut send);
        self.secure.let_go(now, &mut send);
    }

    pub(super) fn keys_are_home(&self) -> bool {
        self.agreement.is_empty()
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

/// Asks a lane for a mode, once.
fn ask(
    mode: &mut Mode,
    wanted: LaneMode,
    direction: Direction,
    send: &mut impl FnMut(Direction, LaneCommand),
) {
    if mode.asked != wanted {
        mode.asked = wanted;
        send(direction, LaneCommand::Mode(wanted));
    }
}

fn sender(link: LinkIndex, out: &mut Vec<Command>) -> impl FnMut(Direction, LaneCommand) {
    move |direction, what| {
        out.push(Command {
            lane: LaneIndex { link, direction },
            what,
        })
    }
}
