//! The few system calls that state is kept with, one method each, so that a test can stop between
//! any two of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::libc;

/// The longest file that is read: a packet number record has less than 400 octets, an identity less
/// than 150 for each of its CAKs.
const MAX_FILE: usize = 8192;

/// The end of the name of a file that is not yet in its place.
pub(super) const ASIDE: &str = ".aside";

/// What is asked of a file system. One call, one effect.
pub(super) trait Disk {
    /// The content of a file, cut behind [`MAX_FILE`]; `None` where there is no such file.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;
    /// The names in a directory.
    fn names(&self, directory: &Path) -> io::Result<Vec<String>>;
    /// Makes or empties a file and fills it. It may be lost in a crash.
    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()>;
    /// Has a file's content survive a crash.
    fn sync_file(&self, path: &Path) -> io::Result<()>;
    /// Puts a file in the place of another. It may be undone by a crash.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Has the names in a directory survive a crash.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// What a call of [`Disk`] failed at.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) step: &'static str,
    pub(super) path: PathBuf,
    pub(super) kind: io::ErrorKind,
}

impl Failed {
    /// Says of an error what was being done to what.
    pub(super) fn at(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |error| Self {
            step,
            path,
            kind: error.kind(),
        }
    }
}

/// Puts `content` in the place of the file `path`, by way of a file aside. When this returns, a crash
/// can't undo it any more.
pub(super) fn replace(disk: &impl Disk, path: &Path, content: &[u8]) -> Result<(), Failed> {
    let aside = aside(path);
    disk.write(&aside, content)
        .map_err(Failed::at("write", &aside))?;
    // The content must be down before the name is, or a crash leaves the name with no content.
    disk.sync_file(&aside).map_err(Failed::at("sync", &aside))?;
    disk.rename(&aside, path)
        .map_err(Failed::at("rename", &aside))?;
    let directory = path.parent().unwrap_or(path);
    disk.sync_directory(directory)
        .map_err(Failed::at("sync", directory))
}

/// The same, for what need not outlive the machine's own run: a killed process undoes nothing.
pub(super) fn replace_unsynced(
    disk: &impl Disk,
    path: &Path,
    content: &[u8],
) -> Result<(), Failed> {
    let aside = aside(path);
    disk.write(&aside, content)
        .map_err(Failed::at("write", &aside))?;
    disk.rename(&aside, path)
        .map_err(Failed::at("rename", &aside))
}

/// Where the next content of `path` is written.
fn aside(path: &Path) -> PathBuf {
    let mut aside = path.to_path_buf().into_os_string();
    aside.push(ASIDE);
    aside.into()
}

/// The file system itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filesystem;

impl Disk for Filesystem {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path);
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut content = Vec::new();
        file.take(MAX_FILE as u64).read_to_end(&mut content)?;
        Ok(Some(content))
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(directory)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(path)?
            .write_all(content)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        // A file's dirty pages are the file's, not the descriptor's: syncing through a new one
        // reaches what was written through the old one.
        OpenOptions::new().write(true).open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}
