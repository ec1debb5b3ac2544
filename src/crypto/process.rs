//! What the process gives up at start so that keys stay in it: core dumps, and being read by others.
//!
//! `mlockall` is left alone on purpose. EAL reserves many GiB of address space without access; locked
//! as a whole, each reservation would count against RLIMIT_MEMLOCK (a process without CAP_IPC_LOCK
//! could not start), and `MADV_DONTNEED`, which allocators and drivers use, would fail. Keys don't need
//! it: each lies in pages that are locked one by one, and the stack that touched it is overwritten.

use core::{error, fmt};
use std::fs;

use nix::{
    errno::Errno,
    sys::{
        prctl,
        resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit},
    },
    unistd::{SysconfVar, sysconf},
};

use super::{KeyError, Locked, locked::SLOTS_PER_CHUNK};

/// `CAP_IPC_LOCK` in `/proc/self/status`: with it no limit on locked memory holds.
const CAP_IPC_LOCK: u32 = 14;

/// Pages of a key object of the engine that keeps most: our own, with its powers of the hash key.
const PAGES_PER_KEY_OBJECT: u64 = 2;

/// What was done, for the log and `status`. It exists only where core dumps and tracing by the same
/// user are off, which was read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardening {
    /// Memory that may be locked.
    pub lock_limit: LockLimit,
}

impl fmt::Display for Hardening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "core dumps off, not dumpable, {} of memory may be locked",
            self.lock_limit
        )
    }
}

/// How much memory the process may lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockLimit {
    /// As much as there is: no limit set, or CAP_IPC_LOCK.
    Unlimited,
    /// So many octets.
    Octets(u64),
}

impl LockLimit {
    /// Checks that so many engines' key objects and so many raw keys fit, before the first is made.
    /// Both SAs of a key change count. A key object takes two pages at most; raw keys (SAK,
    /// CAK, ICK, KEK) share.
    ///
    /// # Errors
    /// [`HardenError::LimitTooLow`].
    pub fn check(self, key_objects: u64, raw_keys: u64) -> Result<(), HardenError> {
        let page = page_size()?;
        let chunks = raw_keys.div_ceil(SLOTS_PER_CHUNK as u64);
        let needed = key_objects
            .saturating_mul(PAGES_PER_KEY_OBJECT)
            .saturating_add(chunks)
            .saturating_mul(page);
        match self {
            Self::Octets(limit) if limit < needed => {
                Err(HardenError::LimitTooLow { limit, needed })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for LockLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("any amount"),
            Self::Octets(limit) => write!(f, "{} KiB", limit / 1024),
        }
    }
}

/// Hardens this process. To be called before any key is read, and before threads and EAL start.
///
/// Not dumpable means, for a process that isn't root's, that its files under `/proc/self` belong to
/// root: EAL can then not read physical addresses, and needs IOVA as VA (its default with an IOMMU).
///
/// # Errors
/// [`HardenError`] where the system refuses, or where not even one page can be locked.
pub fn harden() -> Result<Hardening, HardenError> {
    forbid_core_dumps()?;
    forbid_tracing()?;
    let lock_limit = raise_lock_limit()?;
    match Locked::new(|| Ok([0u8; 1])) {
        Ok(_) => Ok(Hardening { lock_limit }),
        Err(KeyError::Memory | KeyError::Refused | KeyError::Randomness) => {
            Err(HardenError::NothingLockable)
        }
    }
}

fn forbid_core_dumps() -> Result<(), HardenError> {
    let refused = |errno| HardenError::CoreDumps { errno };
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(refused)?;
    match getrlimit(Resource::RLIMIT_CORE).map_err(refused)? {
        (0, 0) => Ok(()),
        _ => Err(refused(Errno::EPERM)),
    }
}

/// Also what keeps a core from a `core_pattern` that is a pipe, which no limit of 0 stops.
fn forbid_tracing() -> Result<(), HardenError> {
    let refused = |errno| HardenError::Dumpable { errno };
    prctl::set_dumpable(false).map_err(refused)?;
    match prctl::get_dumpable().map_err(refused)? {
        false => Ok(()),
        true => Err(refused(Errno::EPERM)),
    }
}

fn raise_lock_limit() -> Result<LockLimit, HardenError> {
    let refused = |errno| HardenError::LockLimit { errno };
    let (soft, hard) = getrlimit(Resource::RLIMIT_MEMLOCK).map_err(refused)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_MEMLOCK, hard, hard).map_err(refused)?;
    }
    if hard == RLIM_INFINITY || may_lock_without_limit() {
        Ok(LockLimit::Unlimited)
    } else {
        Ok(LockLimit::Octets(hard))
    }
}

/// Whether CAP_IPC_LOCK is effective. Where that can't be read, the limit is taken to hold.
fn may_lock_without_limit() -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else {
        return false;
    };
    effective_capabilities(&status).is_some_and(|set| set >> CAP_IPC_LOCK & 1 == 1)
}

fn effective_capabilities(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn page_size() -> Result<u64, HardenError> {
    sysconf(SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|page| u64::try_from(page).ok())
        .ok_or(HardenError::NothingLockable)
}

/// Why keys would not be safe in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HardenError {
    /// Core dumps could not be switched off.
    CoreDumps {
        /// The system's reason.
        errno: Errno,
    },
    /// The process could not be made undumpable.
    Dumpable {
        /// The system's reason.
        errno: Errno,
    },
    /// The limit on locked memory could not be read or raised to its hard value.
    LockLimit {
        /// The system's reason.
        errno: Errno,
    },
    /// Not one page can be locked.
    NothingLockable,
    /// Not all keys fit under the limit.
    LimitTooLow {
        /// The limit in octets.
        limit: u64,
        /// What the keys need, in octets.
        needed: u64,
    },
}

impl fmt::Display for HardenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CoreDumps { errno } => write!(
                f,
                "core dumps can't be switched off (RLIMIT_CORE): {}; allow setrlimit",
                errno.desc()
            ),
            Self::Dumpable { errno } => write!(
                f,
                "the process can't be made undumpable (PR_SET_DUMPABLE): {}; allow prctl",
                errno.desc()
            ),
            Self::LockLimit { errno } => write!(
                f,
                "the limit on locked memory can't be used (RLIMIT_MEMLOCK): {}; allow setrlimit",
                errno.desc()
            ),
            Self::NothingLockable => f.write_str(
                "no memory can be locked for keys; raise the limit (LimitMEMLOCK=infinity, or ulimit -l)",
            ),
            Self::LimitTooLow { limit, needed } => write!(
                f,
                "{} KiB of memory may be locked and the keys need {} KiB; raise the limit \
                 (LimitMEMLOCK=infinity, or ulimit -l)",
                limit / 1024,
                needed.div_ceil(1024)
            ),
        }
    }
}

impl error::Error for HardenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_do_not_fit_are_found_before_the_first() {
        let page = page_size().unwrap();
        let limit = LockLimit::Octets(10 * page);
        assert_eq!(limit.check(4, 256), Ok(()));
        assert_eq!(limit.check(5, 0), Ok(()));
        let error = limit.check(4, 257).unwrap_err();
        assert_eq!(
            error,
            HardenError::LimitTooLow {
                limit: 10 * page,
                needed: 11 * page
            }
        );
        assert!(limit.check(6, 0).is_err());
        assert!(error.to_string().contains("LimitMEMLOCK=infinity"));
        assert_eq!(LockLimit::Unlimited.check(u64::MAX, u64::MAX), Ok(()));
    }

    #[test]
    fn capabilities_are_read_from_status() {
        let status = "Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t0000000000004000\n";
        assert_eq!(effective_capabilities(status), Some(1 << CAP_IPC_LOCK));
        assert_eq!(effective_capabilities("CapEff: zz"), None);
        assert_eq!(effective_capabilities(""), None);
    }
}
