//! A turn of a session: everything that is new goes to the KaY, and then all that it wants is done.
//!
//! An action may bring a report at once, and a report an MKPDU, so it is asked until it wants nothing
//! more. All of it is bounded, whatever a wire brings.

use std::time::{Duration, Instant};

use super::Session;
use crate::{
    bus::{Direction, EapolOut, EapolSlots, LaneCommand},
    config::Utc,
    control::{
        line_rate::Ahead,
        mka::{
            sas::{Making, Sas},
            trap::Frames,
        },
        tx_use::TxEnd,
    },
    crypto::KeyFactory,
    ieee::EtherType,
    mka::{Action, Kay, LostWhy, Report, Time},
    state::StateDir,
};

/// Frames that a turn takes out of the slots: all that there are, and some that come meanwhile.
const FRAMES: usize = 1200;

/// More than so many in one turn are a flood: it may fill the slots before a turn of ordinary length is over.
const FLOOD: usize = 100;

/// Rounds of a turn: of actions and the reports that follow from them, and then of MKPDUs.
const ROUNDS: usize = 16;

/// Actions of one round, and MKPDUs of one round.
const ACTIONS: usize = 256;
const MKPDUS: usize = 64;

/// Between two looks at the schedule, the peers and the counters.
const LOOK: Duration = Duration::from_millis(100);

/// What a session needs of its link and of control, in each turn.
#[derive(Debug)]
pub(in crate::control) struct Surroundings<'a> {
    pub(in crate::control) now: Instant,
    pub(in crate::control) utc: Utc,
    /// Whether the secure port has a link and both lanes use it.
    pub(in crate::control) link_up: bool,
    pub(in crate::control) slots: &'a EapolSlots,
    pub(in crate::control) wire: &'a EapolOut,
    pub(in crate::control) factory: &'a dyn KeyFactory,
    pub(in crate::control) duplicate_depth: usize,
    /// Frames of our own address that the lane did not let through.
    pub(in crate::control) reflected: u64,
    pub(in crate::control) state: &'a StateDir,
    /// How many packet numbers to reserve where SAKs are kept.
    pub(in crate::control) ahead: Ahead,
}

impl Session {
    /// One look at everything that is new, and all that follows from it.
    pub(in crate::control) fn turn(
        &mut self,
        around: &Surroundings<'_>,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        let now = around.now;
        self.sas.progress(now);
        let Some(mut kay) = self.kay.take() else {
            // Whoever wants no key agreement has nobody to read what comes.
            while self.sas.take_report().is_some() {}
            around.slots.discard();
            return;
        };
        let time = self.time(now);
        if self.link_up != around.link_up {
            self.link_up = around.link_up;
            kay.handle_report(time, Report::Link(around.link_up));
        }
        self.look(&mut kay, around, out);
        self.flooded = hear(&mut kay, time, around.slots) > FLOOD;
        if kay.poll_timeout().is_some_and(|due| due <= time) {
            kay.handle_timeout(time);
        }
        tell_saved(&mut kay, time, self.keeper.look(now, around.state));
        self.pump(&mut kay, around, out);
        while let Some(event) = kay.poll_event() {
            self.chronicle.note(now, &event);
        }
        self.note_secured(now);
        if let Some(saks) = &mut self.saks {
            saks.turn(now, &self.sas, around.ahead);
        }
        self.kay = Some(kay);
    }

    /// Schedule, filter and counters, each 100 ms.
    fn look(
        &mut self,
        kay: &mut Kay,
        around: &Surroundings<'_>,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        let now = around.now;
        let recently = |looked| now.saturating_duration_since(looked) < LOOK;
        if self.looked.is_some_and(recently) {
            return;
        }
        self.looked = Some(now);
        let time = self.time(now);
        let mut status = kay.status(time);
        let is_live = |ckn: &_| {
            let mut all = status.participants.iter();
            all.any(|one| one.ckn == *ckn && one.peers.iter().any(|peer| peer.live))
        };
        let clocks = (now, around.utc);
        if (self.caks).look(clocks, (kay, time), &*self.crypto, is_live) {
            status = kay.status(time);
        }
        if self.filter.ethertype().unwrap_or(EtherType::EAPOL) != self.policy.ethertype {
            let command = LaneCommand::KayEtherType(self.policy.ethertype);
            out(Direction::Protect, command);
        }
        if let Some(filter) = self.filter.renew(now, &self.policy, &status) {
            out(Direction::Validate, LaneCommand::EapolFilter(Some(filter)));
        }
        let sas = &self.sas;
        self.trap.look(now, sas.is_secured(), || frames(sas));
        self.watch.look(now, &status, around.reflected);
        self.status = Some(status);
    }

    /// Carries out what the KaY wants until it wants nothing more.
    fn pump(
        &mut self,
        kay: &mut Kay,
        around: &Surroundings<'_>,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        let time = self.time(around.now);
        let mut quiet = false;
        for _ in 0..ROUNDS {
            let mut said = false;
            while let Some(report) = self.sas.take_report() {
                kay.handle_report(time, report);
                said = true;
            }
            for _ in 0..ACTIONS {
                let Some(action) = kay.poll_action() else {
                    break;
                };
                said = true;
                if let Action::Save(identity) = action {
                    let saved = self.keeper.save(around.now, identity, around.state);
                    tell_saved(kay, time, saved);
                } else {
                    self.carry_out(action, around, out);
                }
            }
            if !said {
                if quiet {
                    return;
                }
                // Nothing is on its way: now what is sent is true.
                quiet = !self.transmit(kay, time, around.wire);
            } else {
                quiet = false;
            }
        }
    }

    /// Sends what is to be sent. Says whether anything was.
    fn transmit(&mut self, kay: &mut Kay, time: Time, wire: &EapolOut) -> bool {
        for sent in 0..MKPDUS {
            let Some(frame) = kay.poll_transmit(time) else {
                return sent > 0;
            };
            if !wire.offer(&frame) {
                self.out_overrun += 1;
            }
        }
        true
    }

    fn carry_out(
        &mut self,
        action: Action,
        around: &Surroundings<'_>,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        let making = Making {
            factory: around.factory,
            duplicate_depth: around.duplicate_depth,
            policy: &self.policy,
        };
        match action {
            Action::AddPeer(sci) => self.sas.add_peer(sci, out),
            Action::RemovePeer(sci) => self.sas.remove_peer(sci, out),
            Action::CreateRx {
                key,
                peer,
                ssci,
                lowest_pn,
            } => self
                .sas
                .create_rx(&making, (key, peer, ssci), lowest_pn, out),
            Action::CreateTx { key, ssci, next_pn } => {
                let space = key.suite.pn_space();
                let until = match &self.saks {
                    // Written before a lane hears of it, at the end of this turn.
                    Some(_) => around.ahead.first(next_pn, space),
                    None => space.last().saturating_add(1),
                };
                self.sas
                    .create_tx(&making, (key, ssci), (next_pn, until), out);
            }
            Action::UseTx(id) => self.sas.use_tx(id, out),
            Action::RetireTx(id) => self.sas.retire_tx(id, out),
            Action::RetireRx(peer, id) => self.sas.retire_rx(peer, id, out),
            Action::RaiseLowestPn { peer, sa, lowest } => {
                let command = LaneCommand::RaiseLowestPn(peer, sa.an, sa.ki, lowest);
                out(Direction::Validate, command);
            }
            // Answered where it is taken.
            Action::Save(_) => {}
        }
    }

    /// Notes when the link became secured, and how it ceased to be so.
    fn note_secured(&mut self, now: Instant) {
        let secured = self.sas.is_secured();
        if self.secured && !secured {
            self.losses += 1;
            let ended = self.sas.tx_end() != TxEnd::Running;
            let why = if ended {
                LostWhy::SaEnded
            } else {
                LostWhy::DataPlane
            };
            self.loss = Some((now, why));
        }
        // The KaY's reason comes with, before or after what the workers say.
        if !secured
            && let (Some((_, why)), Some((_, told))) = (&mut self.loss, self.chronicle.lost())
        {
            *why = told;
        }
        self.secured = secured;
    }
}

fn tell_saved(kay: &mut Kay, time: Time, saved: Option<u64>) {
    if let Some(generation) = saved {
        kay.handle_report(time, Report::Saved(generation));
    }
}

/// Gives the KaY what came from the wire, up to a bound. Returns how many frames that were.
fn hear(kay: &mut Kay, time: Time, slots: &EapolSlots) -> usize {
    for heard in 0..FRAMES {
        let Some(frame) = slots.take() else {
            return heard;
        };
        // Counted by the KaY, by reason; told as an event now and then.
        let _ = kay.handle_mkpdu(time, frame.octets());
    }
    FRAMES
}

/// What all receive channels counted together.
fn frames(sas: &Sas) -> Frames {
    let mut frames = Frames::default();
    for (_, counters) in sas.channels.iter() {
        frames.ok += counters.in_pkts_ok.value();
        frames.not_valid += counters.in_pkts_not_valid.value();
    }
    frames
}
