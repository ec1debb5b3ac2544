//! A transmit SA (802.1AE-2018 10.7.22): one SAK, one nonce base, and packet numbers that are each
//! used once.
//!
//! A (key, PN) pair must never be sent twice. Of that, this type answers for: the next number only
//! ever goes up and does so before a frame is sealed; an SA can't be cloned; and the shared part that
//! an SA was built on can't be built on again. That no other SA holds the same key, under another AN
//! or on another link, is for control to see to: a key object does not say which key it holds.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use super::nonce::NonceBase;
use super::params::check_suite;
use super::{Confidentiality, Counter, ParamError, Reject, XpnParams};
use crate::crypto::{NONCE_LEN, SaKey};
use crate::ieee::{An, CipherSuite, KeyIdentifier, Pn, PnSpace, Sci};

/// What the worker writes, on cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct OfWorker {
    /// 0 until an SA is built on this.
    next_pn: AtomicU64,
    octets: Counter,
}

/// What control writes, on cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct OfControl(AtomicU64);

/// What the worker and control share of a transmit SA: how far it is, and how far it may go.
#[derive(Debug)]
pub struct TxSaShared {
    worker: OfWorker,
    reserved_until: OfControl,
}

impl TxSaShared {
    /// For a new SA that may use the numbers below `reserved_until`.
    #[must_use]
    pub fn new(reserved_until: Pn) -> Arc<Self> {
        Arc::new(Self {
            worker: OfWorker {
                next_pn: AtomicU64::new(0),
                octets: Counter::new(),
            },
            reserved_until: OfControl(AtomicU64::new(reserved_until.0)),
        })
    }

    /// For a new SA that may use every number of its key's space: for an agreed key, which no other
    /// process ever had.
    #[must_use]
    pub fn whole(space: PnSpace) -> Arc<Self> {
        Self::new(space.last().saturating_add(1))
    }

    /// The next number that the worker will use; 0 before an SA was built on this.
    #[must_use]
    pub fn next_pn(&self) -> Pn {
        Pn(self.worker.next_pn.load(Ordering::Acquire))
    }

    /// Octets of user data that this SA protected.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.worker.octets.value()
    }

    /// The first number that must not be used.
    #[must_use]
    pub fn reserved_until(&self) -> Pn {
        Pn(self.reserved_until.0.load(Ordering::Acquire))
    }

    /// Raises the reservation; a lower one than that in force is ignored. For control alone, once
    /// the reservation is on disk.
    pub fn reserve_until(&self, pn: Pn) {
        self.reserved_until.0.fetch_max(pn.0, Ordering::AcqRel);
    }
}

/// What a transmit SA is made of.
pub struct TxSaParams {
    /// Its association number.
    pub an: An,
    /// Its key's name.
    pub ki: KeyIdentifier,
    /// The suite.
    pub suite: CipherSuite,
    /// The key.
    pub key: SaKey,
    /// The channel; in the nonce where there is no XPN, in the SecTAG where it is sent.
    pub sci: Sci,
    /// SSCI and salt: exactly with an XPN suite.
    pub xpn: Option<XpnParams>,
    /// Whether and from where on user data is encrypted.
    pub confidentiality: Confidentiality,
    /// The first number to use: 1 for a fresh key.
    pub next_pn: Pn,
    /// Shared with control; never the one of another SA.
    pub shared: Arc<TxSaShared>,
}

/// A transmit SA. Made and dropped by control, used by one worker.
pub struct TxSa {
    an: An,
    ki: KeyIdentifier,
    suite: CipherSuite,
    pub(super) key: SaKey,
    sci: Sci,
    nonce: NonceBase,
    confidentiality: Confidentiality,
    next_pn: u64,
    shared: Arc<TxSaShared>,
}

/// How many more frames an SA can number, and why no more than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    pub(super) frames: u64,
    pub(super) beyond: Reject,
}

impl TxSa {
    /// Builds an SA.
    ///
    /// # Errors
    /// [`ParamError`] where suite, XPN parameters and offset don't go together, the first number
    /// can't be used, or `shared` served an SA before.
    pub fn new(params: TxSaParams) -> Result<Self, ParamError> {
        let TxSaParams {
            an,
            ki,
            suite,
            key,
            sci,
            xpn,
            confidentiality,
            next_pn,
            shared,
        } = params;
        check_suite(suite, xpn, confidentiality)?;
        let last = suite.pn_space().last();
        if next_pn < Pn::FIRST || next_pn > last {
            return Err(ParamError::FirstPn {
                found: next_pn.0,
                last: last.0,
            });
        }
        // 0 is no packet number, so it marks a shared part that no SA was built on.
        shared
            .worker
            .next_pn
            .compare_exchange(0, next_pn.0, Ordering::AcqRel, Ordering::Acquire)
            .map_err(|_| ParamError::SharedInUse)?;
        Ok(Self {
            an,
            ki,
            suite,
            key,
            sci,
            nonce: NonceBase::new(sci, xpn),
            confidentiality,
            next_pn: next_pn.0,
            shared,
        })
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

    /// What is done to user data.
    #[must_use]
    pub const fn confidentiality(&self) -> Confidentiality {
        self.confidentiality
    }

    /// The next number that will be used.
    #[must_use]
    pub const fn next_pn(&self) -> Pn {
        Pn(self.next_pn)
    }

    /// What is shared with control.
    #[must_use]
    pub const fn shared(&self) -> &Arc<TxSaShared> {
        &self.shared
    }

    /// How many numbers may still be used, by the suite's space and control's reservation.
    pub(super) fn allowance(&self) -> Allowance {
        // `last` leaves room for one more, in both spaces.
        let end = self.suite.pn_space().last().saturating_add(1);
        let reserved = self.shared.reserved_until();
        Allowance {
            frames: end.min(reserved).0.saturating_sub(self.next_pn),
            beyond: if end <= reserved {
                Reject::PnExhausted
            } else {
                Reject::ReservationEnded
            },
        }
    }

    /// The number of the `nth` frame from now.
    pub(super) const fn pn(&self, nth: u64) -> Pn {
        Pn(self.next_pn).saturating_add(nth)
    }

    /// What nonces are made of.
    pub(super) const fn nonce_base(&self) -> NonceBase {
        self.nonce
    }

    /// The nonce of a frame.
    pub(super) fn nonce(&self, pn: Pn) -> [u8; NONCE_LEN] {
        self.nonce.nonce(pn)
    }

    /// Uses `count` numbers up: called before the frames that bear them are sealed.
    pub(super) fn advance(&mut self, count: u64) {
        self.next_pn = self.next_pn.saturating_add(count);
        self.shared
            .worker
            .next_pn
            .store(self.next_pn, Ordering::Release);
    }

    /// Counts octets of user data that were protected.
    pub(super) fn count_octets(&self, octets: u64) {
        self.shared.worker.octets.add(octets);
    }
}

impl fmt::Debug for TxSa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxSa")
            .field("an", &self.an)
            .field("ki", &self.ki)
            .field("suite", &self.suite)
            .field("key", &"secret")
            .field("next_pn", &self.next_pn)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TxSaParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxSaParams")
            .field("an", &self.an)
            .field("ki", &self.ki)
            .field("suite", &self.suite)
            .field("key", &"secret")
            .field("next_pn", &self.next_pn)
            .finish_non_exhaustive()
    }
}
