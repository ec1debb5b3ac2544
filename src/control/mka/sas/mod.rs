//! The SAs that agreed keys become: a KaY's actions turned into commands for the lanes, and the lanes'
//! words into reports for the KaY.
//!
//! A raw SAK goes no further than this thread: lanes get SAs with key objects, one object a key. What a
//! lane has not said is not reported, and an SA that was asked back counts as gone at once.

mod asked;
mod told;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    channels::Channels,
    used_sa::{AgreedRx, AgreedTx},
};
use crate::{
    control::tx_use::TxEnd,
    ieee::{CipherSuite, KeyIdentifier, Pn, Sci},
    mka::{Report, SaId},
};

pub(in crate::control) use asked::Making;

/// Between two words on how far the SAs are. A KaY wants one every 100 ms.
const PROGRESS: Duration = Duration::from_millis(50);

/// All SAs of one link.
#[derive(Debug)]
pub(in crate::control) struct Sas {
    /// The link's name, for the log.
    link: String,
    own_sci: Sci,
    pub(in crate::control) tx: Vec<AgreedTx>,
    pub(in crate::control) rx: Vec<AgreedRx>,
    pub(in crate::control) channels: Channels,
    encoding: Option<SaId>,
    /// Keys that transmitted, and the number where each stopped: below it nothing is sent again.
    spent: VecDeque<(KeyIdentifier, Pn)>,
    reports: VecDeque<Report>,
    progress_told: Option<Instant>,
    changes: u64,
}

impl Sas {
    pub(in crate::control) fn new(link: &str, own_sci: Sci) -> Self {
        Self {
            link: link.to_owned(),
            own_sci,
            tx: Vec::new(),
            rx: Vec::new(),
            channels: Channels::default(),
            encoding: None,
            spent: VecDeque::new(),
            reports: VecDeque::new(),
            progress_told: None,
            changes: 0,
        }
    }

    /// The oldest report that the KaY has not got yet.
    pub(super) fn take_report(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    /// SAs put in use since the start.
    pub(in crate::control) const fn changes(&self) -> u64 {
        self.changes
    }

    /// The transmit SA in use, as its worker said.
    pub(in crate::control) fn encoding(&self) -> Option<&AgreedTx> {
        let id = self.encoding?;
        self.tx.iter().find(|used| used.held.id() == id)
    }

    /// A transmit SA in use that can go on, and a receive SA installed.
    pub(in crate::control) fn is_secured(&self) -> bool {
        self.encoding()
            .is_some_and(|used| used.held.stands() && used.end() == TxEnd::Running)
            && self.rx.iter().any(|used| used.held.stands())
    }

    pub(in crate::control) fn tx_end(&self) -> TxEnd {
        self.encoding().map_or(TxEnd::Running, AgreedTx::end)
    }

    /// The suites of all SAs that were not asked back.
    pub(in crate::control) fn suites(&self) -> impl Iterator<Item = CipherSuite> {
        let tx = self.tx.iter().map(|used| &used.held);
        let all = tx.chain(self.rx.iter().map(|used| &used.held));
        all.filter(|held| held.stays()).map(|held| held.key.suite)
    }

    /// Whether all SAs came home.
    pub(in crate::control) const fn is_empty(&self) -> bool {
        self.tx.is_empty() && self.rx.is_empty()
    }

    /// Says how far the SAs are, when it is time.
    pub(super) fn progress(&mut self, now: Instant) {
        let due = self
            .progress_told
            .is_none_or(|told| now.saturating_duration_since(told) >= PROGRESS);
        if !due {
            return;
        }
        self.progress_told = Some(now);
        let reports = &mut self.reports;
        let tx = self.tx.iter().filter(|used| used.held.stands());
        let rx = self.rx.iter().filter(|used| used.held.stands());
        reports.extend(tx.map(tx_progress));
        reports.extend(rx.map(rx_progress));
    }
}

fn tx_progress(used: &AgreedTx) -> Report {
    Report::TxProgress {
        sa: used.held.id(),
        next_pn: used.shared.next_pn(),
        octets: used.shared.octets(),
    }
}

fn rx_progress(used: &AgreedRx) -> Report {
    Report::RxProgress {
        peer: used.peer,
        sa: used.held.id(),
        next_pn: used.shared.next_pn(),
        octets: used.shared.octets(),
    }
}

#[cfg(test)]
mod tests;
