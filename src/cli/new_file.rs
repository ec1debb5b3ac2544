//! Files with keys in them: made new, for their owner alone, and whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::libc;

use super::Failure;

/// Makes all of `files` or none: each new, mode 0600, on disk when this returns.
pub(super) fn create(files: &[(PathBuf, &[u8])]) -> Result<(), Failure> {
    for (index, (path, content)) in files.iter().enumerate() {
        if let Err(error) = create_one(path, content) {
            for (made, _) in files.iter().take(index) {
                // Ours, made a moment ago. Where it can't be removed, the error below still stands.
                let _ = fs::remove_file(made);
            }
            return Err(Failure::File {
                path: path.clone(),
                kind: error.kind(),
            });
        }
    }
    Ok(())
}

fn create_one(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)?;
    let written = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_directory(path));
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    File::open(directory)?.sync_all()
}
