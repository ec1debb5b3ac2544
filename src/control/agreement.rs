//! Static keys of one link: which SAs there are, on their way in, in use, and on their way out.
//!
//! A change of keys is hitless by order. A new receive SA stands beside the old one until frames have
//! come by the new one, and then for SAK Retire Time. A new transmit SA is installed, used from the
//! next burst on, and only then the old one is retired.

use std::time::{Duration, Instant};

use super::{
    books::Books,
    line_rate::Ahead,
    prepared::{PreparedRx, PreparedTx},
    rx_use::RxUse,
    tx_use::{TxEnd, TxUse},
};
use crate::{
    bus::{Direction, LaneCommand},
    ieee::{An, KeyIdentifier, Sci},
    macsec::{RxSa, TxSa},
    state::StateError,
};

/// How long an outlived receive SA is kept (SAK Retire Time, 802.1X-2020 table 9-3).
const SAK_RETIRE_TIME: Duration = Duration::from_secs(3);

/// Between two savings of the lowest acceptable packet numbers.
const SAVE_FLOORS: Duration = Duration::from_secs(1);

/// The SAs of one link.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    pub(super) tx: Vec<TxUse>,
    pub(super) rx: Vec<RxUse>,
    encoding: Option<(An, KeyIdentifier)>,
    changes: u64,
    floors_saved: Option<Instant>,
    /// What is wrong with the reservations on disk, until it is right again.
    trouble: Option<String>,
    /// The same of the receive floors.
    floor_trouble: Option<String>,
}

impl Agreement {
    /// Sends a new transmit SA to its lane and has it used at once.
    pub(super) fn use_tx(&mut self, new: PreparedTx, out: &mut impl FnMut(Direction, LaneCommand)) {
        let (an, ki) = (new.used.an, new.used.ki);
        self.tx.push(new.used);
        out(Direction::Protect, LaneCommand::InstallTxSa(new.sa));
        out(Direction::Protect, LaneCommand::EncodeWith(an, ki));
    }

    /// Sends a new receive SA to its lane.
    pub(super) fn use_rx(&mut self, new: PreparedRx, out: &mut impl FnMut(Direction, LaneCommand)) {
        let sci = new.used.sci;
        self.rx.push(new.used);
        out(Direction::Validate, LaneCommand::InstallRxSa(sci, new.sa));
    }

    /// The transmit SA in use, as its worker reported.
    pub(super) fn encoding(&self) -> Option<&TxUse> {
        let (an, ki) = self.encoding?;
        self.tx.iter().find(|used| used.is(an, ki))
    }

    /// A transmit SA in use that can go on, and a receive SA installed.
    pub(super) fn is_secured(&self) -> bool {
        self.encoding()
            .is_some_and(|used| used.end() == TxEnd::Running)
            && self.rx.iter().any(|used| used.installed && !used.retiring)
    }

    /// Why the transmit SA in use can't go on, if it can't.
    pub(super) fn tx_end(&self) -> TxEnd {
        self.encoding().map_or(TxEnd::Running, TxUse::end)
    }

    /// SAs put in use since the start.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref().or(self.floor_trouble.as_deref())
    }

    pub(super) fn tx_installed(&mut self, an: An, ki: KeyIdentifier) {
        for used in self.tx.iter_mut().filter(|used| used.is(an, ki)) {
            used.installed = true;
        }
    }

    /// The lane protects with this SA now: every other one goes.
    pub(super) fn encodes(
        &mut self,
        an: An,
        ki: KeyIdentifier,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        self.encoding = Some((an, ki));
        self.changes += 1;
        for old in self
            .tx
            .iter()
            .filter(|used| !used.is(an, ki) && used.installed)
        {
            out(Direction::Protect, LaneCommand::RetireTxSa(old.an, old.ki));
        }
    }

    /// A transmit SA came home: where it stopped goes to disk, its key is wiped.
    pub(super) fn tx_home(&mut self, sa: Box<TxSa>, books: &mut Books) {
        let (an, ki) = (sa.an(), sa.ki());
        drop(sa);
        let Some(at) = self.tx.iter().position(|used| used.is(an, ki)) else {
            return;
        };
        // In order: the last one is the newest.
        let used = self.tx.remove(at);
        if self.encoding == Some((an, ki)) {
            self.encoding = None;
        }
        if let Err(error) = books.settle(used.fingerprint, used.next_pn()) {
            tracing::error!("{error}");
        }
    }

    pub(super) fn rx_installed(&mut self, sci: Sci, an: An, ki: KeyIdentifier) {
        for used in self.rx.iter_mut().filter(|used| used.is(sci, an, ki)) {
            used.installed = true;
        }
        self.changes += 1;
    }

    /// A receive SA came home.
    pub(super) fn rx_home(&mut self, sci: Sci, sa: Box<RxSa>, books: &mut Books) {
        let (an, ki) = (sa.an(), sa.ki());
        drop(sa);
        let Some(at) = self.rx.iter().position(|used| used.is(sci, an, ki)) else {
            return;
        };
        let used = self.rx.remove(at);
        if let Err(error) = books.save_floor(used.fingerprint, used.shared.next_pn()) {
            tracing::error!("{error}");
        }
    }

    /// Refills reservations, saves floors, retires what was outlived.
    pub(super) fn turn(
        &mut self,
        now: Instant,
        ahead: Ahead,
        books: &mut Books,
        out: &mut impl FnMut(Direction, LaneCommand),
    ) {
        self.refill(ahead, books);
        self.retire_outlived(now, out);
        let due = self
            .floors_saved
            .is_none_or(|saved| now.saturating_duration_since(saved) >= SAVE_FLOORS);
        if due {
            self.floors_saved = Some(now);
            self.save_floors(books);
        }
    }

    /// Writes further reservations before the workers get to know of them.
    fn refill(&mut self, ahead: Ahead, books: &mut Books) {
        let mut trouble = None;
        for used in &mut self.tx {
            let until = used.shared.reserved_until();
            let Some(further) = ahead.refill(used.next_pn(), until, used.space) else {
                continue;
            };
            match books.extend(used.fingerprint, further) {
                Ok(()) => used.shared.reserve_until(further),
                Err(error) => trouble = Some(error),
            }
        }
        note(&mut self.trouble, trouble);
    }

    fn save_floors(&mut self, books: &mut Books) {
        let mut trouble = None;
        for used in self.rx.iter_mut().filter(|used| used.installed) {
            // Not the lowest acceptable one: which numbers of the window were seen is not kept.
            let floor = used.shared.next_pn();
            if floor == used.saved_floor {
                continue;
            }
            match books.save_floor(used.fingerprint, floor) {
                Ok(()) => used.saved_floor = floor,
                Err(error) => trouble = Some(error),
            }
        }
        note(&mut self.floor_trouble, trouble);
    }

    /// The newest receive SA outlives the others once a frame came by it.
    fn retire_outlived(&mut self, now: Instant, out: &mut impl FnMut(Direction, LaneCommand)) {
        let Some((newest, older)) = self.rx.split_last_mut() else {
            return;
        };
        if !newest.was_used() {
            return;
        }
        for old in older {
            let since = *old.outlived.get_or_insert(now);
            let over = now.saturating_duration_since(since) >= SAK_RETIRE_TIME;
            if over && old.installed && !old.retiring {
                old.retiring = true;
                out(
                    Direction::Validate,
                    LaneCommand::RetireRxSa(old.sci, old.an, old.ki),
                );
            }
        }
    }

    /// Asks for every SA back, for the end.
    pub(super) fn retire_all(&self, out: &mut impl FnMut(Direction, LaneCommand)) {
        for used in &self.tx {
            out(
                Direction::Protect,
                LaneCommand::RetireTxSa(used.an, used.ki),
            );
        }
        for used in &self.rx {
            out(
                Direction::Validate,
                LaneCommand::RetireRxSa(used.sci, used.an, used.ki),
            );
        }
    }

    /// Whether all SAs came home.
    pub(super) fn is_empty(&self) -> bool {
        self.tx.is_empty() && self.rx.is_empty()
    }
}

/// Keeps what is wrong now, and says it once.
fn note(kept: &mut Option<String>, found: Option<StateError>) {
    let found = found.map(|error| error.to_string());
    if let Some(trouble) = found.as_ref().filter(|_| *kept != found) {
        tracing::error!("{trouble}");
    }
    *kept = found;
}
