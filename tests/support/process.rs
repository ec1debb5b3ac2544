//! Child processes with an end: commands under a time limit, and daemons that go when their owner goes.

use super::scratch::{Scratch, tail, unique};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(5);

/// What a finished command said. `code` is 128 + the signal where one ended it.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) command: String,
}

impl Outcome {
    /// The standard output of a command that had to succeed.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert!(
            self.code == 0,
            "exit {} from: {}\n{}{}",
            self.code,
            self.command,
            self.stdout,
            self.stderr
        );
        self.stdout
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// A command in a process group of its own, which the kernel also ends should this thread die without
/// having done so (a test run that is killed must not leave a polling process behind).
fn grouped(argv: &[&str], on_orphan: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", on_orphan, "--"]).args(argv);
    command.process_group(0).stdin(Stdio::null());
    command
}

fn end_group(child: &Child, signal: Signal) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}

/// Waits until `child` is gone or the time is over.
fn wait_child(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < end => std::thread::sleep(POLL),
            _ => return None,
        }
    }
}

/// Runs `argv` to its end, at most for `limit`. Panics when it cannot be started or does not end.
#[track_caller]
pub(crate) fn run(argv: &[&str], limit: Duration) -> Outcome {
    let base = std::env::temp_dir().join(unique("run"));
    let (out, err) = (base.with_extension("out"), base.with_extension("err"));
    // Files and not pipes: a grandchild that lives on would keep a pipe open and us waiting.
    let open = |path: &Path| File::create(path).expect("a file for a command's output");
    let started = grouped(argv, "KILL")
        .stdout(open(&out))
        .stderr(open(&err))
        .spawn();
    let mut child = started.unwrap_or_else(|error| panic!("cannot start {argv:?}: {error}"));
    let status = wait_child(&mut child, limit);
    if status.is_none() {
        end_group(&child, Signal::SIGKILL);
        let _ = child.wait();
    }
    let take = |path: &Path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (stdout, stderr, command) = (take(&out), take(&err), argv.join(" "));
    let Some(status) = status else {
        panic!("not done after {limit:?}: {command}\n{stdout}{stderr}");
    };
    Outcome {
        code: exit_code(status),
        stdout,
        stderr,
        command,
    }
}

/// Asks `done` again and again until it gives a value; panics with `what` when the time is over.
#[track_caller]
pub(crate) fn wait_until<T>(what: &str, limit: Duration, mut done: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that runs beside the test: SIGTERM, then SIGKILL for its whole group, when dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
    name: String,
    /// How long it may take to end after SIGTERM.
    patience: Duration,
    status: Option<i32>,
}

impl Daemon {
    /// Starts `argv` with both outputs in `scratch/NAME.log`.
    #[track_caller]
    pub(crate) fn start(name: &str, argv: &[&str], scratch: &Scratch) -> Self {
        Self::start_with(name, argv, scratch, &[])
    }

    /// The same with more environment.
    #[track_caller]
    pub(crate) fn start_with(
        name: &str,
        argv: &[&str],
        scratch: &Scratch,
        env: &[(&str, &str)],
    ) -> Self {
        let log = scratch.join(&format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log);
        let file = file.unwrap_or_else(|error| panic!("cannot open {}: {error}", log.display()));
        let twin = file.try_clone().expect("a second handle of a log");
        let started = grouped(argv, "TERM")
            .envs(env.iter().copied())
            .stdout(file)
            .stderr(twin)
            .spawn();
        let child = started.unwrap_or_else(|error| panic!("cannot start {argv:?}: {error}"));
        Self {
            child,
            log,
            name: name.into(),
            patience: Duration::from_secs(10),
            status: None,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    pub(crate) fn log_text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log, 40)
    }

    /// The exit code once it has ended.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        if self.status.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.status = Some(exit_code(status));
        }
        self.status
    }

    /// Panics with the log's tail if the process is gone.
    #[track_caller]
    pub(crate) fn check_alive(&mut self) {
        if let Some(code) = self.ended() {
            panic!("{} ended with {code}\n{}", self.name, self.log_tail());
        }
    }

    /// Waits until the log has `text`; panics when the process ends first or the time is over.
    #[track_caller]
    pub(crate) fn wait_log(&mut self, text: &str, limit: Duration) {
        let end = Instant::now() + limit;
        while !self.log_text().contains(text) {
            self.check_alive();
            if Instant::now() > end {
                panic!(
                    "{}: no '{text}' within {limit:?}\n{}",
                    self.name,
                    self.log_tail()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends a signal to the process alone, not to its group.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.status.is_none()
            && let Ok(pid) = i32::try_from(self.child.id())
        {
            let _ = nix::sys::signal::kill(Pid::from_raw(pid), signal);
        }
    }

    /// Waits for the end; `None` when the time is over.
    pub(crate) fn wait_end(&mut self, limit: Duration) -> Option<i32> {
        if self.status.is_none() {
            self.status = wait_child(&mut self.child, limit).map(exit_code);
        }
        self.status
    }

    /// SIGTERM, the patience, SIGKILL. Gives the exit code (137 when it had to be killed).
    pub(crate) fn stop(&mut self) -> i32 {
        if self.ended().is_none() {
            self.signal(Signal::SIGTERM);
            self.wait_end(self.patience);
        }
        // Also after a clean end: what the process itself started must not stay.
        end_group(&self.child, Signal::SIGKILL);
        self.wait_end(Duration::from_secs(10)).unwrap_or(137)
    }

    pub(crate) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            eprintln!(
                "bed: {} (pid {})\n{}",
                self.name,
                self.child.id(),
                self.log_tail()
            );
        }
    }
}
