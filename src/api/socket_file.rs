//! The control socket's file: who it belongs to, and what stood there before.

use alloc::{
    format,
    string::{String, ToString},
};
use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::{
        fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

use nix::unistd::{Gid, Group, chown};

use super::ApiError;

/// Not longer than `control.sock`: a socket's path has room for 107 octets.
const TEMPORARY: &str = ".control.new";

/// A bound control socket and what is known about its file.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) listener: UnixListener,
    pub(super) group: Option<Gid>,
    pub(super) warning: Option<String>,
    pub(super) file: SocketFile,
}

/// Removes the file at the end, if it is still ours.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device_and_inode: Option<(u64, u64)>,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_some_and(|now| Some(now) == self.device_and_inode) {
            // What cannot be removed is replaced at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path)
        .ok()
        .map(|meta| (meta.dev(), meta.ino()))
}

/// Binds `path`, mode 0660, for the members of `group`.
///
/// The socket gets its mode and group under another name first, so that there is no moment at which
/// `path` is open to more than it should be.
pub(super) fn bind(path: &Path, group: &str) -> Result<Bound, ApiError> {
    let failed = |what: String| ApiError::Socket {
        path: path.into(),
        what,
    };
    let said = |doing: &'static str| move |error: io::Error| failed(format!("{doing}: {error}"));
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(directory)
        .map_err(said(
            "cannot make its directory, which [gateway] `runtime_dir` names",
        ))?;
    make_way(path)?;
    let temporary = directory.join(TEMPORARY);
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(said("cannot remove what a broken start left beside it")(
                error,
            ));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&temporary).map_err(said("cannot bind"))?;
    let (gid, warning) = hand_to_group(&temporary, group);
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o660))
        .and_then(|()| listener.set_nonblocking(true))
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(said("cannot set up"))?;
    let file = SocketFile {
        path: path.into(),
        device_and_inode: identity(path),
    };
    Ok(Bound {
        listener,
        group: gid,
        warning,
        file,
    })
}

/// A socket that no one listens on is of a gateway that died: it may be replaced.
fn make_way(path: &Path) -> Result<(), ApiError> {
    let failed = |what: &str| ApiError::Socket {
        path: path.into(),
        what: what.to_string(),
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(&format!("cannot look at it: {error}"))),
        Ok(meta) if !meta.file_type().is_socket() => {
            return Err(failed(
                "something else stands there, not a socket; move it away",
            ));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        // Any other error than these two says that someone may be there.
        _ => Err(ApiError::AlreadyRuns {
            socket: path.into(),
        }),
    }
}

/// Gives the socket to `group`. Without it, root and the gateway's own user remain.
fn hand_to_group(path: &Path, group: &str) -> (Option<Gid>, Option<String>) {
    let gid = match Group::from_name(group) {
        Ok(Some(found)) => found.gid,
        Ok(None) => {
            let text = format!(
                "there is no group {group}: only root and the gateway's own user can ask for status; \
                 `groupadd --system {group}` makes it"
            );
            return (None, Some(text));
        }
        Err(error) => {
            return (
                None,
                Some(format!("the group {group} cannot be looked up: {error}")),
            );
        }
    };
    match chown(path, None, Some(gid)) {
        Ok(()) => (Some(gid), None),
        Err(error) => {
            let text = format!(
                "the control socket cannot be given to the group {group} ({error}): only root and the \
                 gateway's own user can ask for status"
            );
            (None, Some(text))
        }
    }
}
