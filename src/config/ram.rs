//! Whether a directory is in memory: what is written there ends with the machine's power.

use std::path::Path;

use nix::sys::statfs::{FsType, TMPFS_MAGIC, statfs};

/// Linux's `ramfs`, which nix has no name for.
const RAMFS_MAGIC: i64 = 0x8584_58f6;

/// Whether `path`, or the nearest directory above it that is there, is on a file system in RAM.
/// `false` where the system does not say.
pub(super) fn is_in_ram(path: &Path) -> bool {
    let found = path
        .ancestors()
        .find_map(|directory| statfs(directory).ok());
    found.is_some_and(|found| {
        let FsType(magic) = found.filesystem_type();
        found.filesystem_type() == TMPFS_MAGIC || magic == RAMFS_MAGIC
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_from_the_rest() {
        assert!(is_in_ram(Path::new("/dev/shm/not/there")));
        assert!(!is_in_ram(Path::new("/proc")));
        assert!(!is_in_ram(Path::new("not/there")));
    }
}
