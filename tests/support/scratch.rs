//! A folder for one test's files: short path (Unix sockets have little room), gone when the test passed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// What names made by this process begin with. The one who runs the tests may choose the first part
/// (`MACSECGW_BED`), and so find what a killed run left behind.
pub(super) fn unique(label: &str) -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}{number}-{label}", own_prefix())
}

/// What all names made by this process begin with.
pub(super) fn own_prefix() -> String {
    let run = std::env::var("MACSECGW_BED").unwrap_or_else(|_| "mgw".into());
    format!("{run}-{}-", std::process::id())
}

/// A fresh folder, mode 0700. Kept, and its path printed, when the test panics.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(crate) fn new(label: &str) -> Self {
        Self::within(&std::env::temp_dir(), label)
    }

    /// The same, in a folder of one's choice.
    pub(crate) fn within(folder: &Path, label: &str) -> Self {
        use std::os::unix::fs::DirBuilderExt;
        let path = folder.join(unique(label));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file with a mode and gives its path.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.join(name);
        write_file(&path, text, mode);
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "bed: files of the failed test are kept in {}",
                self.path.display()
            );
        } else {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Writes a file with a mode.
#[track_caller]
pub(super) fn write_file(path: &Path, text: impl AsRef<[u8]>, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let written = std::fs::write(path, text)
        .and_then(|()| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)));
    written.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

/// The last lines of a log, with its path, for a failure's message.
pub(super) fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    let from = all.len().saturating_sub(lines);
    format!(
        "--- {} (last {} of {} lines)\n{}\n",
        path.display(),
        all.len() - from,
        all.len(),
        all.get(from..).unwrap_or_default().join("\n")
    )
}
