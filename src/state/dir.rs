//! The state directory: what may be asked of it, and the order in which files change.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use nix::fcntl::Flock;

use super::StateError;
use super::disk::{self, ASIDE, Disk, Filesystem};
use super::lock;
use super::record::{Direction, Record, Status};
use crate::crypto::Fingerprint;
use crate::ieee::{An, CipherSuite, Pn, Sci};

/// The end of a state file's name.
const SUFFIX: &str = ".pn";

/// What a static key is used for. Each part is bound to the key for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The link's name.
    pub link: String,
    /// The key.
    pub fingerprint: Fingerprint,
    /// Its suite.
    pub suite: CipherSuite,
    /// Its association number.
    pub an: An,
}

/// The packet numbers of a transmit key that this process may use, as the disk knows them.
///
/// Not `Clone`: what one holder reserves, another does not know of.
#[derive(Debug, PartialEq, Eq)]
pub struct Reservation {
    key: KeyUse,
    sci: Sci,
    first: Pn,
    reserved_until: Pn,
}

impl Reservation {
    /// What the key is used for.
    pub const fn key(&self) -> &KeyUse {
        &self.key
    }

    /// The SC that the key serves.
    pub const fn sci(&self) -> Sci {
        self.sci
    }

    /// The first packet number that this process may use.
    pub const fn first(&self) -> Pn {
        self.first
    }

    /// The last packet number that may be used; below [`Self::first`] before the first
    /// [`StateDir::extend`].
    pub const fn reserved_until(&self) -> Pn {
        self.reserved_until
    }
}

/// The state directory of a running gateway, which no other one may use.
#[derive(Debug)]
pub struct StateDir {
    pub(super) files: Files<Filesystem>,
    /// Transmit keys whose reservation is with someone in this process.
    reserved: RefCell<BTreeSet<Fingerprint>>,
    _lock: Flock<File>,
}

impl StateDir {
    /// Takes the directory at `path` for this process, and makes it if it isn't there.
    ///
    /// # Errors
    /// [`StateError::Locked`] while another gateway has it; [`StateError::Unsafe`] and
    /// [`StateError::Io`].
    pub fn open(path: &Path) -> Result<Self, StateError> {
        lock::prepare(path)?;
        let gateway = lock::lock_gateway(path)?;
        let files = Files::new(path, Filesystem);
        let fresh = lock::lock_fresh(path)?;
        files.clear_aside()?;
        drop(fresh);
        Ok(Self {
            files,
            reserved: RefCell::default(),
            _lock: gateway,
        })
    }

    /// The reservation of `key`, which serves `sci`. Nothing may be sent before
    /// [`Self::extend`] has returned. Until it is settled or retired there is no second one.
    ///
    /// # Errors
    /// [`StateError::Missing`] for a key that was never said to be fresh; any other one where the
    /// state does not say clearly which numbers are left, or speaks of another use of the key.
    pub fn reservation(&self, key: &KeyUse, sci: Sci) -> Result<Reservation, StateError> {
        let fingerprint = key.fingerprint;
        if self.reserved.borrow().contains(&fingerprint) {
            return Err(StateError::Reserved { fingerprint });
        }
        let reservation = self.files.reservation(key, sci)?;
        self.reserved.borrow_mut().insert(fingerprint);
        Ok(reservation)
    }

    /// Reserves the packet numbers up to and with `until`. They may be used once this has returned.
    ///
    /// # Errors
    /// [`StateError::Range`] where `until` is not past the present end, or past the space;
    /// [`StateError::Io`], after which the present end still holds.
    pub fn extend(&self, reservation: &mut Reservation, until: Pn) -> Result<(), StateError> {
        self.files.extend(reservation, until)
    }

    /// Gives back what was reserved and not used: the last number that was, at a stop in order.
    /// Whoever transmits must have stopped. The reservation ends with it.
    ///
    /// # Errors
    /// [`StateError::Range`] where `last_used` lies outside of the reservation; [`StateError::Io`],
    /// after which the numbers stay reserved.
    pub fn settle(&self, reservation: Reservation, last_used: Pn) -> Result<(), StateError> {
        let fingerprint = reservation.key.fingerprint;
        let settled = self.files.settle(reservation, last_used);
        self.reserved.borrow_mut().remove(&fingerprint);
        settled
    }

    /// Marks the key as used up for good. It is never fresh again, nor used.
    ///
    /// # Errors
    /// [`StateError::Io`], after which the key stays as it was.
    pub fn retire(&self, reservation: Reservation) -> Result<(), StateError> {
        let fingerprint = reservation.key.fingerprint;
        let retired = self.files.retire(reservation);
        self.reserved.borrow_mut().remove(&fingerprint);
        retired
    }

    /// The lowest packet number that may be accepted with a receive key: what
    /// [`Self::save_rx_floor`] has last left, or the first one of all.
    ///
    /// # Errors
    /// Where a file is there and can't be trusted, or speaks of another use of the key.
    pub fn rx_floor(&self, key: &KeyUse, sci: Sci) -> Result<Pn, StateError> {
        self.files.rx_floor(key, sci)
    }

    /// Saves the lowest packet number that may be accepted with a receive key. A floor below the
    /// saved one changes nothing.
    ///
    /// # Errors
    /// As [`Self::rx_floor`].
    pub fn save_rx_floor(&self, key: &KeyUse, sci: Sci, floor: Pn) -> Result<(), StateError> {
        self.files.save_rx_floor(key, sci, floor)
    }

    /// Says that `key` was never used: see [`declare_fresh`].
    ///
    /// # Errors
    /// As [`declare_fresh`].
    pub fn fresh_key(&self, key: &KeyUse, sci: Option<Sci>) -> Result<(), StateError> {
        let _fresh = lock::lock_fresh(&self.files.path)?;
        self.files.fresh_key(key, sci)
    }
}

/// Says, in the state directory at `path`, that the transmit key `key` was never used. Once only:
/// any state of that key, on whichever link, refuses it. A gateway may be running on the directory.
///
/// `sci` is the SC that the key will serve, if it is known; otherwise the first start says it.
///
/// # Errors
/// [`StateError::Known`] where there is state for the key; [`StateError::Unsafe`] and
/// [`StateError::Io`].
pub fn declare_fresh(path: &Path, key: &KeyUse, sci: Option<Sci>) -> Result<(), StateError> {
    lock::prepare(path)?;
    let _fresh = lock::lock_fresh(path)?;
    Files::new(path, Filesystem).fresh_key(key, sci)
}

/// The files themselves, without the locks.
#[derive(Debug)]
pub(super) struct Files<D> {
    pub(super) path: PathBuf,
    pub(super) disk: D,
}

impl<D: Disk> Files<D> {
    pub(super) fn new(path: &Path, disk: D) -> Self {
        Self {
            path: path.to_path_buf(),
            disk,
        }
    }

    /// Removes what a crash left aside: such a file was never in its place, so nothing relies on it.
    pub(super) fn clear_aside(&self) -> Result<(), StateError> {
        for name in self.names()? {
            if name.ends_with(ASIDE) {
                let path = self.path.join(name);
                self.disk
                    .remove(&path)
                    .map_err(|error| StateError::io("remove", &path, &error))?;
            }
        }
        Ok(())
    }

    pub(super) fn fresh_key(&self, key: &KeyUse, sci: Option<Sci>) -> Result<(), StateError> {
        if let Some(link) = self.link_of(key.fingerprint)? {
            return Err(StateError::Known {
                link,
                fingerprint: key.fingerprint,
            });
        }
        self.save(&record(Direction::Transmit, key, sci, Pn(0)))
    }

    pub(super) fn reservation(&self, key: &KeyUse, sci: Sci) -> Result<Reservation, StateError> {
        let Some(found) = self.load(Direction::Transmit, key, sci)? else {
            return Err(match self.link_of(key.fingerprint)? {
                Some(link) => StateError::OtherLink {
                    link,
                    fingerprint: key.fingerprint,
                },
                None => StateError::Missing {
                    link: key.link.clone(),
                    fingerprint: key.fingerprint,
                },
            });
        };
        if found.status == Status::Retired {
            return Err(StateError::Retired {
                fingerprint: key.fingerprint,
            });
        }
        if found.pn >= key.suite.pn_space().last() {
            return Err(StateError::Exhausted {
                fingerprint: key.fingerprint,
            });
        }
        Ok(Reservation {
            key: key.clone(),
            sci,
            first: found.pn.saturating_add(1),
            reserved_until: found.pn,
        })
    }

    pub(super) fn extend(
        &self,
        reservation: &mut Reservation,
        until: Pn,
    ) -> Result<(), StateError> {
        let last = reservation.key.suite.pn_space().last();
        if until <= reservation.reserved_until || until > last {
            return Err(StateError::Range {
                until,
                reserved: reservation.reserved_until,
            });
        }
        let sci = Some(reservation.sci);
        self.save(&record(Direction::Transmit, &reservation.key, sci, until))?;
        reservation.reserved_until = until;
        Ok(())
    }

    pub(super) fn settle(&self, reservation: Reservation, last_used: Pn) -> Result<(), StateError> {
        let before_first = reservation.first.saturating_sub(1);
        if last_used < before_first || last_used > reservation.reserved_until {
            return Err(StateError::Range {
                until: last_used,
                reserved: reservation.reserved_until,
            });
        }
        let sci = Some(reservation.sci);
        self.save(&record(
            Direction::Transmit,
            &reservation.key,
            sci,
            last_used,
        ))
    }

    pub(super) fn retire(&self, reservation: Reservation) -> Result<(), StateError> {
        let Reservation {
            key,
            sci,
            reserved_until,
            ..
        } = reservation;
        self.save(&Record {
            status: Status::Retired,
            ..record(Direction::Transmit, &key, Some(sci), reserved_until)
        })
    }

    pub(super) fn rx_floor(&self, key: &KeyUse, sci: Sci) -> Result<Pn, StateError> {
        let found = self.load(Direction::Receive, key, sci)?;
        Ok(found.map_or(Pn::FIRST, |record| record.pn.max(Pn::FIRST)))
    }

    pub(super) fn save_rx_floor(
        &self,
        key: &KeyUse,
        sci: Sci,
        floor: Pn,
    ) -> Result<(), StateError> {
        if floor <= self.rx_floor(key, sci)? {
            return Ok(());
        }
        self.save(&record(Direction::Receive, key, Some(sci), floor))
    }

    /// The record of `key`, checked to speak of the same use of it.
    fn load(
        &self,
        direction: Direction,
        key: &KeyUse,
        sci: Sci,
    ) -> Result<Option<Record>, StateError> {
        let path = self.file(direction, &key.link, key.fingerprint);
        let content = self
            .disk
            .read(&path)
            .map_err(|error| StateError::io("read", &path, &error))?;
        let Some(content) = content else {
            return Ok(None);
        };
        let found = Record::decode(&path, &content)?;
        let wanted = record(direction, key, found.sci.map(|_| sci), found.pn);
        let checks = [
            (
                "direction",
                wanted.direction.name().to_owned(),
                found.direction.name().to_owned(),
            ),
            ("link", wanted.link, found.link.clone()),
            (
                "fingerprint",
                wanted.fingerprint.to_string(),
                found.fingerprint.to_string(),
            ),
            (
                "cipher suite",
                wanted.suite.to_string(),
                found.suite.to_string(),
            ),
            (
                "association number",
                wanted.an.to_string(),
                found.an.to_string(),
            ),
            ("SCI", shown(wanted.sci), shown(found.sci)),
        ];
        for (what, wanted, found) in checks {
            if wanted != found {
                return Err(StateError::Mismatch {
                    path,
                    what,
                    wanted,
                    found,
                });
            }
        }
        Ok(Some(found))
    }

    /// Puts `record` in its file's place. When this returns, a crash can't undo it any more.
    fn save(&self, record: &Record) -> Result<(), StateError> {
        let path = self.file(record.direction, &record.link, record.fingerprint);
        Ok(disk::replace(
            &self.disk,
            &path,
            record.encode().as_bytes(),
        )?)
    }

    /// The link that has transmit state for a key, whatever that state says.
    fn link_of(&self, fingerprint: Fingerprint) -> Result<Option<String>, StateError> {
        let end = format!(".{fingerprint}{SUFFIX}");
        let start = format!("{}.", Direction::Transmit.name());
        Ok(self.names()?.into_iter().find_map(|name| {
            let link = name.strip_suffix(&end)?.strip_prefix(&start)?;
            Some(link.to_owned())
        }))
    }

    fn names(&self) -> Result<Vec<String>, StateError> {
        self.disk
            .names(&self.path)
            .map_err(|error| StateError::io("list", &self.path, &error))
    }

    fn file(&self, direction: Direction, link: &str, fingerprint: Fingerprint) -> PathBuf {
        let direction = direction.name();
        self.path
            .join(format!("{direction}.{link}.{fingerprint}{SUFFIX}"))
    }
}

fn record(direction: Direction, key: &KeyUse, sci: Option<Sci>, pn: Pn) -> Record {
    Record {
        direction,
        link: key.link.clone(),
        fingerprint: key.fingerprint,
        suite: key.suite,
        sci,
        an: key.an,
        status: Status::Active,
        pn,
    }
}

fn shown(sci: Option<Sci>) -> String {
    sci.map_or_else(|| "unbound".to_owned(), |sci| sci.to_string())
}
