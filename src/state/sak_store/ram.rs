//! The directory that SAKs are kept in: what it must be, and the calls on it.

use std::{
    fs,
    io::{self, Read, Seek, SeekFrom, Write},
    os::{
        fd::AsRawFd,
        unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    },
    path::Path,
};

use nix::{
    fcntl::{Flock, FlockArg, OFlag, openat, renameat},
    libc,
    sys::{
        stat::Mode,
        statfs::{FsType, TMPFS_MAGIC, fstatfs},
    },
    unistd::{UnlinkatFlags, geteuid, unlinkat},
};

use super::super::KeptError;
use super::super::disk::Failed;

/// The magic number of ramfs, in `linux/magic.h`.
const RAMFS_MAGIC: libc::__fsword_t = 0x8584_58f6;

/// What is asked of the directory. One call, one effect; names are within it.
pub(super) trait Ram {
    /// Whether what is written here may be swapped out to disk.
    fn is_swappable(&self) -> io::Result<bool>;
    /// Reads a file into `buffer`, and gives its length, at most that of `buffer`; `None` where there is
    /// no such file.
    fn read(&self, name: &str, buffer: &mut [u8]) -> io::Result<Option<usize>>;
    /// Makes or empties a file and fills it.
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()>;
    /// Puts a file in the place of another, of which nothing is left.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file and what was in it, if it is there.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// The names of all files.
    fn names(&self) -> io::Result<Vec<String>>;
}

/// A directory on tmpfs or ramfs that no one else may enter.
#[derive(Debug)]
pub(super) struct RamDir {
    /// Every call goes by this descriptor, so that another directory of the same name is not it.
    dir: Flock<fs::File>,
    ramfs: bool,
}

impl RamDir {
    /// Takes the directory for this process, and makes it if it isn't there.
    pub(super) fn open(path: &Path) -> Result<Self, KeptError> {
        let owned = || path.to_path_buf();
        make(path).map_err(Failed::at("make", path))?;
        let dir = fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW)
            .open(path)
            .map_err(|error| match error.raw_os_error() {
                // What O_DIRECTORY and O_NOFOLLOW say to a file and to a symbolic link.
                Some(libc::ENOTDIR | libc::ELOOP) => KeptError::Exposed { path: owned() },
                _ => Failed::at("open", path)(error).into(),
            })?;
        let failed = |step| move |errno: nix::Error| Failed::at(step, path)(errno.into());
        let kind = fstatfs(&dir)
            .map_err(failed("look at the file system of"))?
            .filesystem_type();
        let ramfs = kind == FsType(RAMFS_MAGIC);
        if !ramfs && kind != TMPFS_MAGIC {
            return Err(KeptError::NotRam { path: owned() });
        }
        let metadata = dir.metadata().map_err(Failed::at("look at", path))?;
        if metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
            return Err(KeptError::Exposed { path: owned() });
        }
        let dir = Flock::lock(dir, FlockArg::LockExclusiveNonblock)
            .map_err(|_| KeptError::InUse { path: owned() })?;
        let this = Self { dir, ramfs };
        match this.is_swappable() {
            Ok(false) => Ok(this),
            Ok(true) => Err(KeptError::Swap { path: owned() }),
            Err(error) => Err(Failed::at("look for swap at", path)(error).into()),
        }
    }

    fn file(&self, name: &str, flags: OFlag) -> io::Result<Option<fs::File>> {
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        match openat(&*self.dir, name, flags, Mode::from_bits_truncate(0o600)) {
            Ok(file) => Ok(Some(file.into())),
            Err(nix::Error::ENOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Whether swap is never used for the file system that holds the directory.
    fn is_mounted_noswap(&self) -> io::Result<bool> {
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        Ok(noswap(&mounts, self.dir.metadata()?.dev()))
    }
}

impl Ram for RamDir {
    fn is_swappable(&self) -> io::Result<bool> {
        if self.ramfs || !has_swap(&fs::read_to_string("/proc/swaps")?) {
            return Ok(false);
        }
        self.is_mounted_noswap().map(|noswap| !noswap)
    }

    fn read(&self, name: &str, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(mut file) = self.file(name, OFlag::O_RDONLY)? else {
            return Ok(None);
        };
        let mut filled = 0;
        // No buffer of the library's own between the file and the caller's.
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read(rest) {
                Ok(0) => break,
                Ok(len) => filled += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(filled))
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.file(name, OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_TRUNC)?
            .ok_or(io::ErrorKind::NotFound)?
            .write_all(content)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let old = self.file(to, OFlag::O_WRONLY)?;
        renameat(&*self.dir, from, &*self.dir, to)?;
        old.map_or(Ok(()), |old| overwrite(&old))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        // What can't be opened, such as a symbolic link, is none of ours; it goes all the same.
        if let Ok(Some(file)) = self.file(name, OFlag::O_WRONLY) {
            overwrite(&file)?;
        }
        match unlinkat(&*self.dir, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(nix::Error::ENOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        fs::read_dir(format!("/proc/self/fd/{}", self.dir.as_raw_fd()))?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }
}

/// Makes the directory, for the process alone, and those above it as others' are, where they aren't there.
fn make(path: &Path) -> io::Result<()> {
    if let Some(above) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(above)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Writes zeros over all of a file: what is in memory, the system need not wipe when it is freed.
fn overwrite(mut file: &fs::File) -> io::Result<()> {
    const ZEROS: [u8; 512] = [0; 512];
    let mut left = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.seek(SeekFrom::Start(0))?;
    while left > 0 {
        let (part, _) = ZEROS.split_at(left.min(ZEROS.len()));
        file.write_all(part)?;
        left -= part.len();
    }
    Ok(())
}

/// Whether there is any swap, by `/proc/swaps`: a heading, and a line each.
fn has_swap(swaps: &str) -> bool {
    swaps.lines().skip(1).any(|line| !line.trim().is_empty())
}

/// Whether the file system `device` is mounted with `noswap`, by `/proc/self/mountinfo`.
fn noswap(mounts: &str, device: u64) -> bool {
    let device = format!("{}:{}", libc::major(device), libc::minor(device));
    mounts
        .lines()
        .filter(|line| line.split(' ').nth(2) == Some(&device))
        .filter_map(|line| line.rsplit(' ').next())
        .any(|options| options.split(',').any(|option| option == "noswap"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_is_seen() {
        let heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        assert!(!has_swap(heading));
        assert!(!has_swap(""));
        let line = "/dev/sda2                               partition\t8388604\t\t0\t\t-2\n";
        assert!(has_swap(&format!("{heading}{line}")));
    }

    #[test]
    fn noswap_is_that_of_the_mount_itself() {
        let mounts = "24 1 0:22 / /run rw,nosuid - tmpfs tmpfs rw,size=803388k,mode=755\n\
                      60 24 0:58 / /run/saks rw - tmpfs none rw,mode=700,noswap,inode64\n\
                      61 24 0:59 / /run/noswap rw - tmpfs noswap rw,nonoswap\n";
        let device = |minor| libc::makedev(0, minor);
        assert!(!noswap(mounts, device(22)));
        assert!(noswap(mounts, device(58)));
        assert!(!noswap(mounts, device(59)));
        assert!(!noswap(mounts, device(60)));
    }
}
