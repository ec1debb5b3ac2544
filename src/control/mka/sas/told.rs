//! What the lanes said of the SAs, and what a KaY gets to hear of it.

use super::{
    super::used_sa::{AgreedRx, AgreedTx, Stage},
    Sas, rx_progress, tx_progress,
};
use crate::{
    bus::LaneReport,
    ieee::Sci,
    macsec::{RxSa, RxSc, TxSa},
    mka::{Report, SaId},
};

/// Keys that were transmitted with and are gone, whose packet numbers are still known.
const SPENT: usize = 64;

impl Sas {
    /// Takes a lane's word about SAs and channels.
    pub(in crate::control) fn told(&mut self, what: LaneReport) {
        match what {
            LaneReport::TxSaInstalled(an, ki) => self.tx_installed(SaId { an, ki }),
            LaneReport::Encoding(an, ki) => self.encodes(SaId { an, ki }),
            LaneReport::NoSuchTxSa(an, ki) => self.no_such_tx(SaId { an, ki }),
            LaneReport::TxSaRetired(sa) => self.tx_home(sa),
            LaneReport::RxSaInstalled(peer, an, ki) => self.rx_installed(peer, SaId { an, ki }),
            LaneReport::NoSuchRxSa(peer, an, ki) => self.no_such_rx(peer, SaId { an, ki }),
            LaneReport::RxSaRetired(peer, sa) => self.rx_home(peer, sa),
            LaneReport::NoSuchSc(peer, sa) => self.rx_unused(peer, sa),
            LaneReport::RxScRemoved(channel) => self.channel_home(channel),
            LaneReport::NoSuchRxSc(peer) => self.no_such_channel(peer),
            LaneReport::RxScRefused(peer, counters) => {
                drop(counters);
                tracing::error!(
                    link = self.link,
                    sci = %peer,
                    "the lane has no room for another receive channel, or has this one already"
                );
            }
            // What is left is no word about keys, or only says yes.
            _ => {}
        }
    }

    fn tx_installed(&mut self, id: SaId) {
        if self.tx_sent(id) {
            self.reports.push_back(Report::TxInstalled(id));
        }
    }

    fn tx_sent(&mut self, id: SaId) -> bool {
        let sent = |used: &&mut AgreedTx| used.held.id() == id && used.held.stage == Stage::Sent;
        let found = self.tx.iter_mut().find(sent);
        found
            .map(|used| used.held.stage = Stage::Installed)
            .is_some()
    }

    /// The lane protects with this SA now.
    fn encodes(&mut self, id: SaId) {
        self.encoding = Some(id);
        self.changes += 1;
        self.reports.push_back(Report::TxInUse(id));
    }

    /// There is no such transmit SA to use or to give back.
    fn no_such_tx(&mut self, id: SaId) {
        let Some(at) = self.tx.iter().position(|used| used.held.id() == id) else {
            return;
        };
        if self
            .tx
            .get(at)
            .is_some_and(|used| used.held.stage == Stage::Retiring)
        {
            self.tx_gone(at);
        } else {
            self.reports.push_back(Report::Failed(id));
        }
    }

    /// A transmit SA came home.
    fn tx_home(&mut self, sa: Box<TxSa>) {
        let (an, ki) = (sa.an(), sa.ki());
        drop(sa);
        let id = SaId { an, ki };
        if let Some(at) = self.tx.iter().position(|used| used.held.id() == id) {
            self.tx_gone(at);
        }
    }

    fn tx_gone(&mut self, at: usize) {
        let used = self.tx.remove(at);
        let id = used.held.id();
        self.tell_tx(&used);
        if self.spent.len() >= SPENT {
            self.spent.pop_front();
        }
        self.spent.push_back((id.ki, used.shared.next_pn()));
        if self.encoding == Some(id) {
            self.encoding = None;
        }
        let never_stood = used.held.stage == Stage::Sent;
        self.reports.push_back(if never_stood {
            Report::Failed(id)
        } else {
            Report::TxRetired(id)
        });
    }

    fn rx_installed(&mut self, peer: Sci, id: SaId) {
        let sent = |used: &&mut AgreedRx| used.is(peer, id) && used.held.stage == Stage::Sent;
        if let Some(used) = self.rx.iter_mut().find(sent) {
            used.held.stage = Stage::Installed;
            self.changes += 1;
            self.reports.push_back(Report::RxInstalled(peer, id));
        }
    }

    /// There is no such receive SA to give back, or to raise a packet number of.
    fn no_such_rx(&mut self, peer: Sci, id: SaId) {
        let retiring = |used: &AgreedRx| used.is(peer, id) && used.held.stage == Stage::Retiring;
        if let Some(at) = self.rx.iter().position(retiring) {
            self.rx.remove(at);
            self.reports.push_back(Report::RxRetired(peer, id));
        }
    }

    /// There was no channel for it: a receive SA came home unused.
    fn rx_unused(&mut self, peer: Sci, sa: Box<RxSa>) {
        let id = SaId {
            an: sa.an(),
            ki: sa.ki(),
        };
        drop(sa);
        if let Some(at) = self.rx.iter().position(|used| used.is(peer, id)) {
            let retiring = self.rx.remove(at).held.stage == Stage::Retiring;
            self.reports.push_back(if retiring {
                Report::RxRetired(peer, id)
            } else {
                Report::Failed(id)
            });
        }
    }

    /// A receive SA came home.
    fn rx_home(&mut self, peer: Sci, sa: Box<RxSa>) {
        let id = SaId {
            an: sa.an(),
            ki: sa.ki(),
        };
        drop(sa);
        // The oldest of this name: a younger one may be on its way already.
        if let Some(at) = self.rx.iter().position(|used| used.is(peer, id)) {
            let used = self.rx.remove(at);
            self.tell_rx(&used);
            self.reports.push_back(Report::RxRetired(peer, id));
        }
    }

    /// A channel came home, and its SAs in it.
    fn channel_home(&mut self, channel: RxSc) {
        let peer = channel.sci();
        for sa in channel.into_sas().into_iter().flatten() {
            self.rx_home(peer, sa);
        }
    }

    /// There was no such channel to remove: its SAs can't be anywhere either.
    fn no_such_channel(&mut self, peer: Sci) {
        let retiring = |used: &AgreedRx| used.peer == peer && used.held.stage == Stage::Retiring;
        while let Some(at) = self.rx.iter().position(retiring) {
            let id = self.rx.remove(at).held.id();
            self.reports.push_back(Report::RxRetired(peer, id));
        }
    }

    fn tell_tx(&mut self, used: &AgreedTx) {
        if used.held.stage != Stage::Sent {
            self.reports.push_back(tx_progress(used));
        }
    }

    fn tell_rx(&mut self, used: &AgreedRx) {
        if used.held.stage != Stage::Sent {
            self.reports.push_back(rx_progress(used));
        }
    }
}
