//! Which CAKs of a link run now: a pure schedule by windows of UTC.
//!
//! A window says when a CAK may be used. The clock that it is held against can be wrong and can step,
//! so a window alone never ends a live session: a CAK whose time is over, or has not come again after a
//! step back, is kept for as long as a session hangs on it and no other usable CAK has one. The operator
//! can have it otherwise (`hard_expiry`).

use core::time::Duration;

use crate::{
    bus::CakState,
    config::{ChainKey, Utc},
    ieee::Ckn,
};

/// One CKN/CAK pair, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::control) struct Pair {
    pub(in crate::control) ckn: Ckn,
    /// Used only while no other one has live peers.
    pub(in crate::control) fallback: bool,
    /// First second of its window; `None`: from ever.
    pub(in crate::control) start: Option<Utc>,
    /// First second behind its window; `None`: for ever.
    pub(in crate::control) end: Option<Utc>,
}

impl From<&ChainKey> for Pair {
    fn from(key: &ChainKey) -> Self {
        Self {
            ckn: key.ckn.clone(),
            fallback: key.fallback,
            start: key.start,
            end: key.end,
        }
    }
}

impl Pair {
    fn place(&self, utc: Utc) -> CakState {
        if self.start.is_some_and(|start| utc < start) {
            CakState::Waiting
        } else if self.end.is_some_and(|end| utc >= end) {
            CakState::Expired
        } else {
            CakState::Usable
        }
    }

    /// Until the window begins; `None` once it has.
    pub(in crate::control) fn starts_in(&self, utc: Utc) -> Option<Duration> {
        self.start
            .filter(|start| utc < *start)
            .map(|at| until(utc, at))
    }

    /// Until the window ends; zero once it has, `None` if it never does.
    pub(in crate::control) fn expires_in(&self, utc: Utc) -> Option<Duration> {
        self.end.map(|end| until(utc, end))
    }
}

fn until(now: Utc, then: Utc) -> Duration {
    Duration::from_secs(u64::try_from(then.0.saturating_sub(now.0)).unwrap_or(0))
}

/// Whether a participant is to run for a pair.
pub(in crate::control) const fn runs(state: CakState) -> bool {
    matches!(state, CakState::Usable | CakState::Kept)
}

/// The pairs of one link, in the order of the config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::control) struct Keychain {
    pub(in crate::control) pairs: Vec<Pair>,
    /// A window's end ends the session, too.
    pub(in crate::control) hard_expiry: bool,
}

impl Keychain {
    /// What becomes of each pair at `utc`. `is_live` says whether a pair has a live peer now.
    pub(in crate::control) fn states(
        &self,
        utc: Utc,
        is_live: impl Fn(&Ckn) -> bool,
    ) -> impl Iterator<Item = CakState> {
        let has_successor = self
            .pairs
            .iter()
            .any(|pair| pair.place(utc) == CakState::Usable && is_live(&pair.ckn));
        let may_keep = !self.hard_expiry && !has_successor;
        self.pairs.iter().map(move |pair| match pair.place(utc) {
            CakState::Waiting | CakState::Expired if may_keep && is_live(&pair.ckn) => {
                CakState::Kept
            }
            place => place,
        })
    }

    /// Until no pair but the fallback is in its window any more, by what is configured now; zero if
    /// that is so already, `None` if it never comes to that.
    pub(in crate::control) fn runs_out_in(&self, utc: Utc) -> Option<Duration> {
        let mut covered = utc;
        loop {
            let ends = self
                .pairs
                .iter()
                .filter(|pair| !pair.fallback && pair.place(covered) == CakState::Usable)
                .map(|pair| pair.end);
            // `None`, the pair without an end, is no maximum of its kind: it is looked for first.
            let ends: Vec<_> = ends.collect();
            if ends.contains(&None) {
                return None;
            }
            match ends.into_iter().flatten().max() {
                Some(end) => covered = end,
                None => return Some(until(utc, covered)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
