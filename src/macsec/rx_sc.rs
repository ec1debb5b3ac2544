//! A receive SC (802.1AE-2018 10.7.11): one peer's channel, and an SA for each of its four ANs.

use alloc::{boxed::Box, sync::Arc};

use super::{RxSa, RxScCounters};
use crate::ieee::{An, KeyIdentifier, Sci};

/// The SAs of a channel that was removed: they go home.
pub type RetiredRxSas = [Option<Box<RxSa>>; An::COUNT];

/// A receive SC of a SecY.
#[derive(Debug)]
pub struct RxSc {
    sci: Sci,
    pub(super) sas: [Option<Box<RxSa>>; An::COUNT],
    pub(super) counters: Arc<RxScCounters>,
}

impl RxSc {
    pub(super) const fn new(sci: Sci, counters: Arc<RxScCounters>) -> Self {
        Self {
            sci,
            sas: [const { None }; An::COUNT],
            counters,
        }
    }

    /// The channel.
    #[must_use]
    pub const fn sci(&self) -> Sci {
        self.sci
    }

    /// The counters, for any thread to read.
    #[must_use]
    pub fn counters(&self) -> Arc<RxScCounters> {
        Arc::clone(&self.counters)
    }

    /// The SAs, of a channel that was removed: they go home.
    #[must_use]
    pub fn into_sas(self) -> RetiredRxSas {
        self.sas
    }

    /// The SA of `an`.
    #[must_use]
    pub fn sa(&self, an: An) -> Option<&RxSa> {
        self.sas[an.index()].as_deref()
    }

    /// Takes the SA of `an` out, if its key is `ki`.
    pub(super) fn retire_sa(&mut self, an: An, ki: KeyIdentifier) -> Option<Box<RxSa>> {
        self.sas[an.index()].take_if(|sa| sa.ki() == ki)
    }
}
