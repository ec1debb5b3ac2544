//! The CAKs of a link: the keychain's schedule, the keys themselves, and what runs of them.

use std::time::{Duration, Instant};

use super::keychain::{Keychain, Pair, runs};
use crate::{
    bus::CakState,
    config::{ChainKey, Fingerprint, Mka, Utc},
    crypto::{Cak, KeyAgreement},
    ieee::Ckn,
    mka::{Kay, NewCak, Time},
};

/// Between two tries to start a CAK that could not be started.
const TRY_AGAIN: Duration = Duration::from_secs(10);

/// One CAK, read once: its window may begin when its file is long gone.
#[derive(Debug)]
pub(in crate::control) struct HeldCak {
    ckn: Ckn,
    fingerprint: Fingerprint,
    rank: u64,
    cak: Cak,
    /// As of the last look.
    state: CakState,
    /// When it could not be started last.
    failed: Option<Instant>,
}

/// All CAKs of a link, in the order of the config.
#[derive(Debug)]
pub(in crate::control) struct Caks {
    /// The link's name, for the log.
    link: String,
    pub(super) keychain: Keychain,
    held: Vec<HeldCak>,
}

/// CAKs that were read and are not in use yet.
#[derive(Debug)]
pub(in crate::control) struct PreparedCaks(Vec<(Ckn, Cak)>);

impl PreparedCaks {
    /// Reads what `held` does not have already.
    ///
    /// # Errors
    /// What is wrong with which key file.
    pub(in crate::control) fn read(mka: &Mka, held: Option<&Caks>) -> Result<Self, String> {
        let has = |key: &ChainKey| {
            held.is_some_and(|caks| {
                let mut held = caks.held.iter();
                held.any(|held| held.ckn == key.ckn && held.fingerprint == key.cak.fingerprint)
            })
        };
        let wanted = mka.keychain.iter().filter(|key| !has(key));
        let read = wanted.map(|key| match key.cak.read() {
            Ok(cak) => Ok((key.ckn.clone(), cak)),
            Err(error) => Err(format!(
                "the CAK {} in {}: {error}",
                key.ckn,
                key.cak.source.path().display()
            )),
        });
        read.collect::<Result<_, _>>().map(Self)
    }
}

impl Caks {
    /// Those of `mka`, of which `prepared` has the keys.
    pub(in crate::control) fn new(link: &str, mka: &Mka, prepared: PreparedCaks) -> Self {
        let mut caks = Self {
            link: link.to_owned(),
            keychain: Keychain::default(),
            held: Vec::new(),
        };
        caks.replace(mka, prepared);
        caks
    }

    /// Takes over the keychain of `mka`. A CAK that is still in it keeps its key; one that is gone, or is
    /// another key now, is wiped here. The next look starts and ends participants.
    pub(super) fn replace(&mut self, mka: &Mka, prepared: PreparedCaks) {
        let PreparedCaks(mut read) = prepared;
        let mut old = core::mem::take(&mut self.held);
        for key in &mka.keychain {
            let new = read.iter().position(|(ckn, _)| *ckn == key.ckn);
            let kept = old.iter().position(|held| held.ckn == key.ckn);
            if let Some(at) = new {
                self.held.push(HeldCak {
                    ckn: key.ckn.clone(),
                    fingerprint: key.cak.fingerprint,
                    rank: key.rank,
                    cak: read.swap_remove(at).1,
                    state: CakState::Waiting,
                    failed: None,
                });
            } else if let Some(at) = kept {
                let mut held = old.swap_remove(at);
                held.rank = key.rank;
                self.held.push(held);
            }
        }
        self.keychain = Keychain {
            pairs: mka.keychain.iter().map(Pair::from).collect(),
            hard_expiry: mka.hard_expiry,
        };
    }

    /// The names whose key is another one in `mka` than here.
    pub(super) fn rekeyed<'a>(&'a self, mka: &'a Mka) -> impl Iterator<Item = &'a Ckn> {
        self.held.iter().filter_map(|held| {
            let key = mka.keychain.iter().find(|key| key.ckn == held.ckn)?;
            (key.cak.fingerprint != held.fingerprint).then_some(&held.ckn)
        })
    }

    /// Pairs with where their windows are, as of the last look.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Pair, CakState)> {
        let states = self.held.iter().map(|held| held.state);
        self.keychain.pairs.iter().zip(states)
    }

    /// Whether any may be used now.
    pub(super) fn any_runs(&self) -> bool {
        self.held.iter().any(|held| runs(held.state))
    }

    /// Those that are wanted and could not be started.
    pub(super) fn failed(&self) -> impl Iterator<Item = &Ckn> {
        let wanted = self.held.iter().filter(|held| runs(held.state));
        let failed = wanted.filter(|held| held.failed.is_some());
        failed.map(|held| &held.ckn)
    }

    /// Brings the KaY's participants in line with the schedule. Says whether any came or went.
    pub(super) fn look(
        &mut self,
        (now, utc): (Instant, Utc),
        (kay, time): (&mut Kay, Time),
        crypto: &dyn KeyAgreement,
        is_live: impl Fn(&Ckn) -> bool,
    ) -> bool {
        let mut changed = false;
        let link = &*self.link;
        let gone: Vec<Ckn> = kay
            .ckns()
            .filter(|ckn| !self.held.iter().any(|held| held.ckn == **ckn))
            .cloned()
            .collect();
        for ckn in gone {
            tracing::info!(link, %ckn, "the CAK is in the config no more: its participant ends");
            changed |= kay.remove_cak(time, &ckn);
        }
        let states: Vec<_> = self.keychain.states(utc, is_live).collect();
        let fallbacks = self.keychain.pairs.iter().map(|pair| pair.fallback);
        for ((held, state), fallback) in self.held.iter_mut().zip(states).zip(fallbacks) {
            held.note(link, state);
            let is_running = kay.ckns().any(|ckn| *ckn == held.ckn);
            match (runs(state), is_running) {
                (true, false) => changed |= held.start(link, now, (kay, time), (crypto, fallback)),
                (false, true) => changed |= kay.remove_cak(time, &held.ckn),
                _ => {}
            }
        }
        changed
    }
}

impl HeldCak {
    fn note(&mut self, link: &str, state: CakState) {
        if self.state == state {
            return;
        }
        let ckn = &self.ckn;
        match state {
            CakState::Waiting => tracing::warn!(link, %ckn, "the CAK's window has not begun"),
            CakState::Usable => tracing::info!(link, %ckn, "the CAK may be used"),
            CakState::Kept => tracing::warn!(
                link, %ckn,
                "the CAK's window is over, and it is kept: a live session hangs on it and no other CAK \
                 has a live peer"
            ),
            CakState::Expired => tracing::warn!(link, %ckn, "the CAK's window is over"),
        }
        self.state = state;
    }

    fn start(
        &mut self,
        link: &str,
        now: Instant,
        (kay, time): (&mut Kay, Time),
        (crypto, fallback): (&dyn KeyAgreement, bool),
    ) -> bool {
        let waits = |failed| now.saturating_duration_since(failed) < TRY_AGAIN;
        if self.failed.is_some_and(waits) {
            return false;
        }
        let derived = crypto.derive(&self.cak, &self.ckn);
        let started = derived.map_err(|error| error.to_string()).and_then(|keys| {
            let cak = NewCak {
                ckn: self.ckn.clone(),
                keys,
                fallback,
                rank: self.rank,
            };
            kay.add_cak(time, cak).map_err(|error| error.to_string())
        });
        match &started {
            Ok(()) => self.failed = None,
            Err(why) => {
                self.failed = Some(now);
                tracing::error!(link, ckn = %self.ckn, "the CAK can't be used: {why}");
            }
        }
        started.is_ok()
    }
}
