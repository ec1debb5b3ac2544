//! Commands for a guest over a folder that host and guest share (its other end is `tests/bed/serve.sh`).

use super::process::Outcome;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The host's end.
#[derive(Debug)]
pub(super) struct Channel {
    folder: PathBuf,
    next: AtomicU32,
}

impl Channel {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            next: AtomicU32::new(0),
        }
    }

    /// Runs a bash script in the guest. `alive` is asked while waiting and panics when the guest is gone.
    #[track_caller]
    pub(super) fn exec(&self, script: &str, limit: Duration, alive: impl Fn()) -> Outcome {
        let id = self.start(script);
        let end = Instant::now() + limit;
        loop {
            if let Some(outcome) = self.finished(&id, script) {
                return outcome;
            }
            alive();
            assert!(
                Instant::now() < end,
                "the guest is not done after {limit:?} with: {script}\n{}",
                super::scratch::tail(&self.folder.join(format!("{id}.err")), 20)
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Hands a script over and does not wait. Gives the name that `finished` takes.
    #[track_caller]
    pub(super) fn start(&self, script: &str) -> String {
        let id = format!("{:05}", self.next.fetch_add(1, Ordering::Relaxed));
        // Under another name first: the guest must not see half a script.
        let draft = self.folder.join(format!("{id}.draft"));
        let request = self.folder.join(format!("{id}.req"));
        let written = std::fs::write(&draft, format!("{script}\n"));
        let handed = written.and_then(|()| std::fs::rename(&draft, &request));
        handed.unwrap_or_else(|error| panic!("cannot hand over {}: {error}", request.display()));
        id
    }

    /// What a started script said, once it has ended.
    pub(super) fn finished(&self, id: &str, script: &str) -> Option<Outcome> {
        let code = std::fs::read_to_string(self.folder.join(format!("{id}.rc"))).ok()?;
        Some(Outcome {
            code: code.trim().parse().ok()?,
            stdout: text(&self.folder.join(format!("{id}.out"))),
            stderr: text(&self.folder.join(format!("{id}.err"))),
            command: format!("(guest) {script}"),
        })
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}
