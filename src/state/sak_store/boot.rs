//! Which run of the machine it is, and for how long it has been running.

use core::time::Duration;
use std::{fs, io, path::Path};

use nix::time::{ClockId, clock_gettime};

use super::super::disk::Failed;

/// Where the kernel tells this run from all others.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Octets of its text.
pub(super) const BOOT_ID_LEN: usize = 36;

/// A moment: the run of the machine, and the time since its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) boot: [u8; BOOT_ID_LEN],
    /// Goes on while the machine sleeps, and no one can set it.
    pub(super) since_boot: Duration,
}

/// What tells the moment.
pub(super) trait Boot {
    fn stamp(&self) -> Result<Stamp, Failed>;
}

/// This machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine;

impl Boot for Machine {
    fn stamp(&self) -> Result<Stamp, Failed> {
        let path = Path::new(BOOT_ID);
        let text = fs::read(path).map_err(Failed::at("read", path))?;
        let boot = text
            .first_chunk()
            .copied()
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
            .map_err(Failed::at("read", path))?;
        let time = clock_gettime(ClockId::CLOCK_BOOTTIME)
            .map_err(|errno| Failed::at("ask the clock of", path)(errno.into()))?;
        Ok(Stamp {
            boot,
            since_boot: Duration::from(time),
        })
    }
}
