//! What control writes to the state directory: reservations of packet numbers, and receive floors.

use std::collections::HashMap;

use crate::{
    config::Fingerprint,
    ieee::{An, CipherSuite, Pn, Sci},
    state::{KeyUse, Reservation, StateDir, StateError},
};

/// The SA that a key serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyOwner {
    pub(super) link: String,
    pub(super) fingerprint: Fingerprint,
    pub(super) suite: CipherSuite,
    pub(super) an: An,
    pub(super) sci: Sci,
}

impl KeyOwner {
    fn key_use(&self) -> KeyUse {
        KeyUse {
            link: self.link.clone(),
            fingerprint: self.fingerprint,
            suite: self.suite,
            an: self.an,
        }
    }
}

/// The state directory, with what is open in it.
#[derive(Debug)]
pub struct Books {
    dir: StateDir,
    reservations: HashMap<Fingerprint, Reservation>,
    floors: HashMap<Fingerprint, (KeyUse, Sci)>,
}

impl Books {
    /// Books in a directory that is this process's alone.
    pub fn new(dir: StateDir) -> Self {
        Self {
            dir,
            reservations: HashMap::new(),
            floors: HashMap::new(),
        }
    }

    /// The directory itself.
    pub(super) const fn dir(&self) -> &StateDir {
        &self.dir
    }

    /// Opens the reservation of a transmit key. Returns the first packet number that it may use.
    pub(super) fn open_tx(&mut self, owner: &KeyOwner) -> Result<Pn, StateError> {
        let reservation = self.dir.reservation(&owner.key_use(), owner.sci)?;
        let first = reservation.first();
        self.reservations.insert(owner.fingerprint, reservation);
        Ok(first)
    }

    /// Whether this transmit key is in use now.
    pub(super) fn is_open(&self, fingerprint: Fingerprint) -> bool {
        self.reservations.contains_key(&fingerprint)
    }

    /// Reserves every number below `until`, on disk when this returns.
    pub(super) fn extend(&mut self, key: Fingerprint, until: Pn) -> Result<(), StateError> {
        match self.reservations.get_mut(&key) {
            Some(reservation) => self.dir.extend(reservation, until.saturating_sub(1)),
            None => Err(StateError::NotOpen { fingerprint: key }),
        }
    }

    /// Ends a reservation: numbers from `next` on were not used.
    pub(super) fn settle(&mut self, key: Fingerprint, next: Pn) -> Result<(), StateError> {
        match self.reservations.remove(&key) {
            Some(reservation) => self.dir.settle(reservation, next.saturating_sub(1)),
            None => Ok(()),
        }
    }

    /// The lowest packet number that may be accepted with a receive key.
    pub(super) fn open_rx(&mut self, owner: &KeyOwner) -> Result<Pn, StateError> {
        let key = owner.key_use();
        let floor = self.dir.rx_floor(&key, owner.sci)?;
        self.floors.insert(owner.fingerprint, (key, owner.sci));
        Ok(floor)
    }

    /// Saves the lowest packet number that may be accepted with a receive key.
    pub(super) fn save_floor(&self, key: Fingerprint, floor: Pn) -> Result<(), StateError> {
        match self.floors.get(&key) {
            Some((key, sci)) => self.dir.save_rx_floor(key, *sci, floor),
            None => Ok(()),
        }
    }
}
