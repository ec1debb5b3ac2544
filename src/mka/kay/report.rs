//! What the data plane and the port say.

use super::{Kay, sa::Stage};
use crate::{
    ieee::{Pn, Sci},
    mka::{Event, Report, SaId, Time},
};

impl Kay {
    /// Takes what the data plane, or the port, says.
    pub fn handle_report(&mut self, now: Time, report: Report) {
        let now = self.now.max(now);
        self.now = now;
        match report {
            Report::Link(up) => self.link_is(now, up),
            Report::TxInstalled(id) => self.tx_is(id, Stage::Installed),
            Report::TxInUse(id) => self.tx_in_use(id),
            Report::TxRetired(id) => self.tx_is(id, Stage::Gone),
            Report::RxInstalled(peer, id) => self.rx_is(peer, id, Stage::Installed),
            Report::RxRetired(peer, id) => self.rx_is(peer, id, Stage::Gone),
            Report::Failed(id) => self.failed(id),
            Report::TxProgress {
                sa,
                next_pn,
                octets,
            } => {
                self.tx_progress(now, sa, next_pn, octets);
                return self.settle_progress(now);
            }
            Report::RxProgress {
                peer,
                sa,
                next_pn,
                octets,
            } => {
                self.rx_progress(peer, sa, next_pn, octets);
                return self.settle_progress(now);
            }
            Report::Saved(generation) => self.identity_saved(generation),
        }
        self.settle(now);
    }

    fn link_is(&mut self, now: Time, up: bool) {
        if up && !self.link {
            for entry in &mut self.entries {
                entry.participant.link_up(now);
            }
        }
        self.link = up;
    }

    fn tx_is(&mut self, id: SaId, stage: Stage) {
        let Some(sa) = self.keys.sa_mut(id) else {
            return;
        };
        match (sa.tx, stage) {
            (Stage::Asked, Stage::Installed) => sa.tx = Stage::Installed,
            (_, Stage::Gone) => {
                sa.tx = Stage::Gone;
                sa.in_use = false;
            }
            _ => {}
        }
    }

    fn tx_in_use(&mut self, id: SaId) {
        let known = self.keys.sa(id).is_some_and(|sa| sa.use_asked);
        if !known {
            return;
        }
        for sa in self.keys.iter_mut() {
            sa.in_use = sa.id() == id && sa.tx != Stage::Gone;
            if sa.in_use && sa.tx == Stage::Asked {
                sa.tx = Stage::Installed;
            }
        }
        self.send_soon();
    }

    fn rx_is(&mut self, peer: Sci, id: SaId, stage: Stage) {
        let Some(rx) = self.keys.sa_mut(id).and_then(|sa| sa.rx_mut(peer)) else {
            return;
        };
        if stage == Stage::Gone || rx.stage == Stage::Asked {
            rx.stage = stage;
        }
    }

    /// Nothing of this key can be counted on.
    fn failed(&mut self, id: SaId) {
        self.counters.install_errors = self.counters.install_errors.saturating_add(1);
        self.events.push(Event::InstallFailed(id));
        if self.keys.latest == Some(id) && self.cp.awaits_latest() {
            self.failed = true;
            return;
        }
        let Some(sa) = self.keys.sa_mut(id) else {
            return;
        };
        // What was asked for and not yet reported is what failed. What was given back is still to be reported.
        if sa.tx == Stage::Asked {
            sa.tx = Stage::Gone;
        }
        for rx in &mut sa.rx {
            if rx.stage == Stage::Asked {
                rx.stage = Stage::Gone;
            }
        }
    }

    /// Progress is told all the time, and mostly nothing follows from it.
    fn settle_progress(&mut self, now: Time) {
        let ended = self.secured.is_some() && self.keys.in_use().is_some_and(|sa| sa.ended);
        if ended || self.worn_out(now).is_some() {
            self.settle(now);
        }
    }

    fn tx_progress(&mut self, now: Time, id: SaId, next_pn: Pn, octets: u64) {
        let window = self.delay_window();
        if let Some(sa) = self.keys.sa_mut(id) {
            sa.progress.report(now, next_pn, octets, window);
            sa.ended |= sa.progress.next_pn > sa.key.suite.pn_space().last();
        }
    }

    fn rx_progress(&mut self, peer: Sci, id: SaId, next_pn: Pn, octets: u64) {
        if let Some(rx) = self.keys.sa_mut(id).and_then(|sa| sa.rx_mut(peer)) {
            rx.next_pn = rx.next_pn.max(next_pn);
            rx.octets = rx.octets.max(octets);
        }
    }
}
