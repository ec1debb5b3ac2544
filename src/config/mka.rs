//! `[link.mka]` and `[[link.cak]]`: what a link's KaY is told, and the keys that it may use. Types
//! only.

use std::path::PathBuf;

use super::keys::CakReference;
use super::profile::Profile;
use super::utc::Utc;
use crate::ieee::Ckn;
use crate::mka::Policy;

/// Key agreement of one link, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Mka {
    /// What the other end demands.
    pub profile: Profile,
    /// What the KaY does and accepts. The `source` in it is all zeros: whoever knows the secure port
    /// puts its address there.
    pub policy: Policy,
    /// The CAKs, in the order of the file; at least one of them is no fallback.
    pub keychain: Vec<ChainKey>,
    /// Whether a key is taken away at the end of its window even if it leaves the link with none.
    pub hard_expiry: bool,
    /// Where SAKs outlive a restart, in RAM: the operator's leave to keep them.
    pub keep_saks: Option<PathBuf>,
}

/// One entry of the keychain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainKey {
    /// Its name, the same at both ends.
    pub ckn: Ckn,
    /// The key.
    pub cak: CakReference,
    /// From when on it may be used; `None`: always was.
    pub start: Option<Utc>,
    /// From when on it may not be used any more; `None`: never.
    pub end: Option<Utc>,
    /// Used only where no other one finds a peer. Has no window. At most one of a link.
    pub fallback: bool,
    /// The greater, the newer: by `start`, then by the order of the file; the fallback has 0. Ranks
    /// of one keychain differ, and change when it does.
    pub rank: u64,
}

impl ChainKey {
    /// Whether `now` is within its window.
    pub fn is_usable(&self, now: Utc) -> bool {
        self.start.is_none_or(|start| start <= now) && self.end.is_none_or(|end| now < end)
    }
}

impl Mka {
    /// The keys whose window `now` is in, the fallback among them.
    pub fn usable(&self, now: Utc) -> impl Iterator<Item = &ChainKey> {
        self.keychain.iter().filter(move |key| key.is_usable(now))
    }

    /// When, after `now`, a window opens or closes next.
    pub fn next_change(&self, now: Utc) -> Option<Utc> {
        let edges = self.keychain.iter().flat_map(|key| [key.start, key.end]);
        edges.flatten().filter(|&edge| edge > now).min()
    }
}
