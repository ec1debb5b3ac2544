//! One gateway per state directory, and one at a time that says keys are fresh.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc;
use nix::unistd::geteuid;

use super::StateError;

/// The gateway's own lock file. It stays when the gateway ends; the lock does not.
const GATEWAY_LOCK: &str = "lock";

/// Held while a key is said to be fresh, which a running gateway need not be stopped for.
const FRESH_LOCK: &str = "fresh.lock";

/// Makes the directory where it is not there, and refuses one that others may write to.
pub(super) fn prepare(path: &Path) -> Result<(), StateError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| StateError::io("make the state directory", path, &error))?;
    let metadata = path
        .metadata()
        .map_err(|error| StateError::io("look at the state directory", path, &error))?;
    let ours = metadata.uid() == 0 || metadata.uid() == geteuid().as_raw();
    if ours && metadata.mode() & 0o022 == 0 {
        Ok(())
    } else {
        Err(StateError::Unsafe {
            path: path.to_path_buf(),
        })
    }
}

/// Takes the gateway's lock and leaves this process's number in it.
pub(super) fn lock_gateway(path: &Path) -> Result<Flock<File>, StateError> {
    let name = path.join(GATEWAY_LOCK);
    let failed = |error: &io::Error| StateError::io("lock", &name, error);
    let file = open(&name).map_err(|error| failed(&error))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            lock.set_len(0)
                .and_then(|()| writeln!(lock, "{}", std::process::id()))
                .map_err(|error| failed(&error))?;
            Ok(lock)
        }
        Err((file, Errno::EWOULDBLOCK)) => Err(StateError::Locked {
            path: path.to_path_buf(),
            pid: pid_in(file),
        }),
        Err((_, errno)) => Err(failed(&errno.into())),
    }
}

/// Takes the lock under which keys are said to be fresh, waiting for whoever holds it.
pub(super) fn lock_fresh(path: &Path) -> Result<Flock<File>, StateError> {
    let name = path.join(FRESH_LOCK);
    let failed = |error: &io::Error| StateError::io("lock", &name, error);
    let file = open(&name).map_err(|error| failed(&error))?;
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| failed(&errno.into()))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// The process number that the holder of the lock wrote.
fn pid_in(mut file: File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
