//! New static keys, made ready before anything is changed: either all of it can be applied, or none.

use std::sync::Arc;

use super::{
    books::{Books, KeyOwner},
    line_rate::Ahead,
    rx_use::RxUse,
    tx_use::TxUse,
};
use crate::{
    config::{Fingerprint, KeyFileError, Link, StaticSa},
    crypto::{KeyError, KeyFactory, Sak, static_key_identifier},
    ieee::Sci,
    macsec::{ParamError, RxSa, RxSaParams, RxSaShared, TxSa, TxSaParams, TxSaShared},
    state::StateError,
};

/// A transmit SA for a worker, and what control keeps of it.
#[derive(Debug)]
pub(super) struct PreparedTx {
    pub(super) sa: Box<TxSa>,
    pub(super) used: TxUse,
}

/// A receive SA for a worker, and what control keeps of it.
#[derive(Debug)]
pub(super) struct PreparedRx {
    pub(super) sa: Box<RxSa>,
    pub(super) used: RxUse,
}

/// Why keys can't be used.
#[derive(Debug)]
pub(super) enum KeyTrouble {
    File(KeyFileError),
    Engine(KeyError),
    Params(ParamError),
    State(StateError),
    InUse(Fingerprint),
}

impl std::fmt::Display for KeyTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Engine(error) => error.fmt(f),
            Self::Params(error) => error.fmt(f),
            Self::State(error) => error.fmt(f),
            Self::InUse(key) => write!(
                f,
                "the key {key} is in use on another SA; a transmit key serves one SA: give this one a new key"
            ),
        }
    }
}

/// Reads the transmit key, writes a first reservation, and builds the SA on it.
pub(super) fn prepare_tx(
    link: &Link,
    key: &StaticSa,
    own_sci: Sci,
    factory: &dyn KeyFactory,
    books: &mut Books,
    ahead: Ahead,
) -> Result<PreparedTx, KeyTrouble> {
    let sak = key.key.read().map_err(KeyTrouble::File)?;
    let ki = static_key_identifier(&sak);
    let space = link.cipher_suite.pn_space();
    let sa_key = factory.make_key(&sak).map_err(KeyTrouble::Engine)?;
    drop(sak);
    let next_pn = books
        .open_tx(&owner(link, key, own_sci))
        .map_err(KeyTrouble::State)?;
    let until = ahead.first(next_pn, space);
    let shared = TxSaShared::new(until);
    let params = TxSaParams {
        an: key.an,
        ki,
        suite: link.cipher_suite,
        key: Arc::clone(&sa_key),
        sci: own_sci,
        xpn: key.xpn,
        confidentiality: link.confidentiality,
        next_pn,
        shared: Arc::clone(&shared),
    };
    let sa = books
        .extend(key.key.fingerprint, until)
        .map_err(KeyTrouble::State)
        .and_then(|()| TxSa::new(params).map_err(KeyTrouble::Params))
        .inspect_err(|_| {
            // Nothing was sent: the next try begins where this one did.
            let _ = books.settle(key.key.fingerprint, next_pn);
        })?;
    Ok(PreparedTx {
        sa: Box::new(sa),
        used: TxUse {
            an: key.an,
            ki,
            fingerprint: key.key.fingerprint,
            ssci: key.xpn.map(|xpn| xpn.ssci),
            space,
            soft_at: link.pn_soft_threshold.of(space),
            shared,
            _key: sa_key,
            installed: false,
        },
    })
}

/// Reads the receive key and builds the SA from the lowest packet number that was saved for it.
pub(super) fn prepare_rx(
    link: &Link,
    key: &StaticSa,
    peer_sci: Sci,
    factory: &dyn KeyFactory,
    books: &mut Books,
) -> Result<PreparedRx, KeyTrouble> {
    let sak: Sak = key.key.read().map_err(KeyTrouble::File)?;
    let ki = static_key_identifier(&sak);
    let lowest_pn = books
        .open_rx(&owner(link, key, peer_sci))
        .map_err(KeyTrouble::State)?;
    let sa_key = factory.make_key(&sak).map_err(KeyTrouble::Engine)?;
    drop(sak);
    let shared = RxSaShared::new();
    let sa = RxSa::new(RxSaParams {
        an: key.an,
        ki,
        suite: link.cipher_suite,
        key: Arc::clone(&sa_key),
        sci: peer_sci,
        xpn: key.xpn,
        confidentiality: link.confidentiality,
        lowest_pn,
        duplicate_depth: link.duplicate_depth as usize,
        shared: Arc::clone(&shared),
    })
    .map_err(KeyTrouble::Params)?;
    Ok(PreparedRx {
        sa: Box::new(sa),
        used: RxUse {
            sci: peer_sci,
            an: key.an,
            ki,
            fingerprint: key.key.fingerprint,
            ssci: key.xpn.map(|xpn| xpn.ssci),
            first_pn: lowest_pn,
            saved_floor: lowest_pn,
            shared,
            _key: sa_key,
            installed: false,
            outlived: None,
            retiring: false,
        },
    })
}

/// What state files know a key by.
pub(super) fn owner(link: &Link, key: &StaticSa, sci: Sci) -> KeyOwner {
    KeyOwner {
        link: link.name.clone(),
        fingerprint: key.key.fingerprint,
        suite: link.cipher_suite,
        an: key.an,
        sci,
    }
}
