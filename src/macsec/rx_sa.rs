//! A receive SA (802.1AE-2018 10.7.14): one SAK, one nonce base, and a replay window.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use super::nonce::NonceBase;
use super::params::check_suite;
use super::{
    Confidentiality, Counter, MAX_WINDOW_XPN, ParamError, Replay, ReplayWindow, XpnParams,
    recover_pn,
};
use crate::crypto::{NONCE_LEN, SaKey};
use crate::ieee::{An, CipherSuite, KeyIdentifier, Pn, PnSpace, Sci};

/// What the worker tells control of a receive SA, once per burst.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct RxSaShared {
    next_pn: AtomicU64,
    lowest_pn: AtomicU64,
    octets: Counter,
}

impl RxSaShared {
    /// For a new SA.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The highest number accepted, plus 1; 0 before an SA was built on this.
    #[must_use]
    pub fn next_pn(&self) -> Pn {
        Pn(self.next_pn.load(Ordering::Relaxed))
    }

    /// The lowest acceptable number; 0 before an SA was built on this.
    #[must_use]
    pub fn lowest_pn(&self) -> Pn {
        Pn(self.lowest_pn.load(Ordering::Relaxed))
    }

    /// Octets of user data in frames that were found valid under this SA.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets.value()
    }
}

/// What a receive SA is made of.
pub struct RxSaParams {
    /// Its association number.
    pub an: An,
    /// Its key's name.
    pub ki: KeyIdentifier,
    /// The suite.
    pub suite: CipherSuite,
    /// The key.
    pub key: SaKey,
    /// The channel; in the nonce where there is no XPN.
    pub sci: Sci,
    /// The transmitter's SSCI and the salt: exactly with an XPN suite.
    pub xpn: Option<XpnParams>,
    /// From where on the user data of encrypted frames is encrypted.
    pub confidentiality: Confidentiality,
    /// The lowest acceptable number: 1 for a fresh key.
    pub lowest_pn: Pn,
    /// How many of the newest numbers are remembered, as in [`RxParams`](super::RxParams).
    pub duplicate_depth: usize,
    /// Shared with control.
    pub shared: Arc<RxSaShared>,
}

/// A receive SA. Made and dropped by control, used by one worker.
pub struct RxSa {
    an: An,
    ki: KeyIdentifier,
    suite: CipherSuite,
    pub(super) key: SaKey,
    sci: Sci,
    pub(super) nonce: NonceBase,
    confidentiality: Confidentiality,
    pub(super) window: ReplayWindow,
    shared: Arc<RxSaShared>,
    /// Its place among the SAs of the burst that was prepared last.
    pub(super) run: usize,
}

impl RxSa {
    /// Builds an SA. Its replay rule becomes the SecY's when it is installed.
    ///
    /// # Errors
    /// [`ParamError`] where suite, XPN parameters and offset don't go together, the lowest number
    /// can't be one, or the depth is no ring.
    pub fn new(params: RxSaParams) -> Result<Self, ParamError> {
        check_suite(params.suite, params.xpn, params.confidentiality)?;
        let last = params.suite.pn_space().last();
        if params.lowest_pn < Pn::FIRST || params.lowest_pn > last {
            return Err(ParamError::FirstPn {
                found: params.lowest_pn.0,
                last: last.0,
            });
        }
        let window = ReplayWindow::new(params.lowest_pn, Replay::Strict, params.duplicate_depth)?;
        let sa = Self {
            an: params.an,
            ki: params.ki,
            suite: params.suite,
            key: params.key,
            sci: params.sci,
            nonce: NonceBase::new(params.sci, params.xpn),
            confidentiality: params.confidentiality,
            window,
            shared: params.shared,
            run: 0,
        };
        sa.publish();
        Ok(sa)
    }

    /// The association number.
    #[must_use]
    pub const fn an(&self) -> An {
        self.an
    }

    /// The key's name.
    #[must_use]
    pub const fn ki(&self) -> KeyIdentifier {
        self.ki
    }

    /// The suite.
    #[must_use]
    pub const fn suite(&self) -> CipherSuite {
        self.suite
    }

    /// The channel.
    #[must_use]
    pub const fn sci(&self) -> Sci {
        self.sci
    }

    /// What encrypted frames leave in the clear.
    #[must_use]
    pub const fn confidentiality(&self) -> Confidentiality {
        self.confidentiality
    }

    /// The replay state.
    #[must_use]
    pub const fn replay_window(&self) -> &ReplayWindow {
        &self.window
    }

    /// Puts the SecY's rule in force; with XPN no window is wider than the standard allows.
    pub(super) fn set_replay(&mut self, replay: Replay) {
        let replay = match (replay, self.suite.pn_space()) {
            (Replay::Window(window), PnSpace::Extended) => {
                Replay::Window(window.min(MAX_WINDOW_XPN))
            }
            _ => replay,
        };
        self.window.set_replay(replay);
    }

    /// The full number of a frame that carries `wire`.
    pub(super) const fn full_pn(&self, wire: u32) -> Pn {
        match self.suite.pn_space() {
            PnSpace::Short => Pn(wire as u64),
            PnSpace::Extended => recover_pn(self.window.lowest_pn(), wire),
        }
    }

    pub(super) fn nonce(&self, pn: Pn) -> [u8; NONCE_LEN] {
        self.nonce.nonce(pn)
    }

    /// Counts octets of user data that were found valid.
    pub(super) fn count_octets(&self, octets: u64) {
        self.shared.octets.add(octets);
    }

    /// Tells control how far the SA is.
    pub(super) fn publish(&self) {
        let next = self.window.next_pn().0;
        let lowest = self.window.lowest_pn().0;
        self.shared.next_pn.store(next, Ordering::Relaxed);
        self.shared.lowest_pn.store(lowest, Ordering::Relaxed);
    }
}

impl fmt::Debug for RxSa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RxSa")
            .field("an", &self.an)
            .field("ki", &self.ki)
            .field("suite", &self.suite)
            .field("key", &"secret")
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RxSaParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RxSaParams")
            .field("an", &self.an)
            .field("ki", &self.ki)
            .field("suite", &self.suite)
            .field("key", &"secret")
            .field("lowest_pn", &self.lowest_pn)
            .finish_non_exhaustive()
    }
}
