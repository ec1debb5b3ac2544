//! SAKs that outlive the process, where the operator gave leave: written before they are used, and with
//! more packet numbers than are used until the next writing.
//!
//! A restart takes them once and goes on behind the numbers that may have been used. What can't be
//! written is removed instead, and the session goes on: it is then the restart that begins anew.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    sas::Sas,
    used_sa::{AgreedRx, AgreedTx, Stage},
};
use crate::{
    control::line_rate::Ahead,
    crypto::Sak,
    ieee::{Pn, PnSpace, Sci},
    mka::{AgreedKey, Policy, Protection, RememberedKey, SaId},
    state::{KeptKey, KeptKeys, KeptPeer, KeptProtection, SakStore, StateDir},
};

/// Between two writings when nothing changed: what lies there must be younger than MKA Life Time.
const REFRESH: Duration = Duration::from_secs(1);

/// The directories that links keep SAKs in, each opened once.
#[derive(Debug, Default)]
pub(in crate::control) struct SakStores(Vec<(PathBuf, Arc<SakStore>)>);

impl SakStores {
    /// The store at `path`.
    ///
    /// # Errors
    /// Why no SAK can be kept there.
    pub(in crate::control) fn open(
        &mut self,
        path: &Path,
        state: &StateDir,
    ) -> Result<Arc<SakStore>, String> {
        if let Some((_, store)) = self.0.iter().find(|(known, _)| known == path) {
            return Ok(Arc::clone(store));
        }
        let store = SakStore::open(path, state).map_err(|error| error.to_string())?;
        let store = Arc::new(store);
        self.0.push((path.to_path_buf(), Arc::clone(&store)));
        Ok(store)
    }

    /// Removes what links that are no more have left. Every link has taken its own.
    pub(in crate::control) fn sweep(&self) {
        for (_, store) in &self.0 {
            if let Err(error) = store.sweep() {
                tracing::warn!("{error}");
            }
        }
    }
}

/// The SAKs of one link on their shelf.
#[derive(Debug)]
pub(super) struct Saks {
    link: String,
    own_sci: Sci,
    store: Arc<SakStore>,
    /// What was last written: which SAs, in which stage.
    written: Vec<(SaId, Option<Sci>, Stage)>,
    written_at: Option<Instant>,
    trouble: Option<String>,
}

impl Saks {
    pub(super) fn new(link: &str, own_sci: Sci, store: Arc<SakStore>) -> Self {
        Self {
            link: link.to_owned(),
            own_sci,
            store,
            written: Vec::new(),
            written_at: None,
            trouble: None,
        }
    }

    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What the last process left, removed from where it lay.
    pub(super) fn take(&self, policy: &Policy) -> Vec<RememberedKey> {
        let (link, life) = (&*self.link, policy.timers.life);
        let kept = match self.store.take(link, self.own_sci, life) {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(link, "{error}; the session begins with a new SAK");
                None
            }
        };
        let keys = kept.into_iter().flat_map(|kept| kept.keys);
        let keys = keys.map(recall).filter(|key| {
            policy.suites.contains(&key.key.suite) && policy.protection == key.key.protection
        });
        let keys: Vec<_> = keys.collect();
        if !keys.is_empty() {
            tracing::info!(
                link,
                keys = keys.len(),
                "going on with the SAKs of before the restart"
            );
        }
        keys
    }

    /// Writes what changed, and further reservations, before any lane hears of them.
    pub(super) fn turn(&mut self, now: Instant, sas: &Sas, ahead: Ahead) {
        let standing = standing(sas);
        let is_old = |at| now.saturating_duration_since(at) >= REFRESH;
        let changed = standing != self.written;
        let runs_low = sas.tx.iter().filter(|used| used.held.stays()).any(|used| {
            let until = used.shared.reserved_until();
            let space = used.held.key.suite.pn_space();
            ahead.refill(used.shared.next_pn(), until, space).is_some()
        });
        let refresh = !standing.is_empty() && self.written_at.is_none_or(is_old);
        if !changed && !runs_low && !refresh {
            return;
        }
        self.written_at = Some(now);
        self.written = standing;
        let wanted = |used: &AgreedTx| {
            let first = ahead.first(used.shared.next_pn(), used.held.key.suite.pn_space());
            first.max(used.shared.reserved_until())
        };
        if self.write(sas, |used| numbers(wanted(used), used)) {
            let tx = sas.tx.iter().filter(|used| used.held.stays());
            tx.for_each(|used| used.shared.reserve_until(wanted(used)));
        }
    }

    /// The last writing: the lanes are closed, and where each SA stopped is known.
    pub(super) fn end(&mut self, sas: &Sas) {
        self.write(sas, |used| numbers(used.shared.next_pn(), used));
    }

    /// Removes what lies there: no key agreement runs any more.
    pub(super) fn forget(&mut self) {
        self.written.clear();
        if let Err(error) = self.store.forget(&self.link) {
            tracing::error!(link = self.link, "{error}");
        }
    }

    /// Writes the SAs that stay. Where that fails nothing is kept, and no number is held back for it.
    fn write(&mut self, sas: &Sas, next_pn: impl Fn(&AgreedTx) -> Option<Pn>) -> bool {
        let kept = KeptKeys {
            sci: self.own_sci,
            keys: keys(sas, next_pn),
        };
        let Err(error) = self.store.save(&self.link, &kept) else {
            self.trouble = None;
            return true;
        };
        let trouble = error.to_string();
        if self.trouble.as_ref() != Some(&trouble) {
            tracing::error!(link = self.link, "SAKs are not kept: {trouble}");
        }
        self.trouble = Some(trouble);
        if self.store.forget(&self.link).is_ok() {
            for used in sas.tx.iter().filter(|used| used.held.stays()) {
                let space = used.held.key.suite.pn_space();
                used.shared.reserve_until(end_of(space));
            }
        }
        false
    }
}

const fn end_of(space: PnSpace) -> Pn {
    space.last().saturating_add(1)
}

/// `None` where the numbers are no longer held to what was written: such a key is kept to receive alone.
fn numbers(next: Pn, used: &AgreedTx) -> Option<Pn> {
    (next <= used.held.key.suite.pn_space().last()).then_some(next)
}

/// Which SAs there are to be written.
fn standing(sas: &Sas) -> Vec<(SaId, Option<Sci>, Stage)> {
    let tx = sas.tx.iter().map(|used| (&used.held, None));
    let rx = sas.rx.iter().map(|used| (&used.held, Some(used.peer)));
    tx.chain(rx)
        .filter(|(held, _)| held.stays())
        .map(|(held, peer)| (held.id(), peer, held.stage))
        .collect()
}

/// The keys, the one in use last.
fn keys(sas: &Sas, next_pn: impl Fn(&AgreedTx) -> Option<Pn>) -> Vec<KeptKey<&Sak>> {
    let in_use = sas.encoding().map(|used| used.held.id());
    let tx = sas.tx.iter().filter(|used| used.held.stays());
    let rx = sas.rx.iter();
    let rx = rx.filter(|used| used.held.stays());
    let mut all: Vec<&Arc<AgreedKey>> = Vec::new();
    for key in (tx.clone().map(|used| &used.held.key)).chain(rx.clone().map(|used| &used.held.key))
    {
        if !all.iter().any(|known| known.id == key.id) {
            all.push(key);
        }
    }
    all.sort_by_key(|key| Some(key.id) == in_use);
    let keys = all.into_iter().map(|key| {
        let sent = tx.clone().find(|used| used.held.id() == key.id);
        let peers = rx.clone().filter(|used| used.held.id() == key.id);
        keep(key, sent.map(|used| (used, next_pn(used))), peers)
    });
    keys.collect()
}

fn keep<'a>(
    key: &'a AgreedKey,
    sent: Option<(&AgreedTx, Option<Pn>)>,
    peers: impl Iterator<Item = &'a AgreedRx>,
) -> KeptKey<&'a Sak> {
    KeptKey {
        ckn: key.ckn.clone(),
        an: key.id.an,
        ki: key.id.ki,
        suite: key.suite,
        protection: match key.protection {
            Protection::IntegrityOnly => KeptProtection::IntegrityOnly,
            Protection::Offset0 => KeptProtection::Offset0,
            Protection::Offset30 => KeptProtection::Offset30,
            Protection::Offset50 => KeptProtection::Offset50,
        },
        salt: key.salt,
        sak: &key.sak,
        own_ssci: sent.and_then(|(used, _)| used.held.ssci),
        next_pn: sent.and_then(|(_, next)| next),
        peers: peers
            .map(|used| KeptPeer {
                sci: used.peer,
                ssci: used.held.ssci,
                // Which numbers of the window were seen is not kept.
                lowest_pn: used.shared.next_pn().max(Pn::FIRST),
            })
            .collect(),
    }
}

fn recall(kept: KeptKey<Sak>) -> RememberedKey {
    let key = AgreedKey {
        id: SaId {
            an: kept.an,
            ki: kept.ki,
        },
        suite: kept.suite,
        protection: match kept.protection {
            KeptProtection::IntegrityOnly => Protection::IntegrityOnly,
            KeptProtection::Offset0 => Protection::Offset0,
            KeptProtection::Offset30 => Protection::Offset30,
            KeptProtection::Offset50 => Protection::Offset50,
        },
        salt: kept.salt,
        sak: kept.sak,
        ckn: kept.ckn,
    };
    let peers = kept.peers.into_iter();
    RememberedKey {
        key: Arc::new(key),
        own_ssci: kept.own_ssci,
        next_pn: kept.next_pn,
        peers: peers
            .map(|peer| (peer.sci, peer.ssci, peer.lowest_pn))
            .collect(),
    }
}
