//! Network namespaces that a test makes and deletes.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use dpdk::netdev;

/// A network namespace, deleted with all that is in it.
pub(crate) struct Namespace(String);

impl Namespace {
    /// `None`, and a word about it, without root.
    pub(crate) fn new(name: &str) -> Option<Self> {
        // SAFETY: geteuid only returns a number.
        if unsafe { libc::geteuid() } != 0 {
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        let name = format!("macsecgw-{name}-{}", std::process::id());
        assert!(run(&format!("ip netns add {name}")).status.success());
        Some(Self(name))
    }

    /// Runs a command line in the namespace; it must succeed.
    pub(crate) fn sh(&self, line: &str) {
        let quoted = line.replace('\'', "'\\''");
        let output = run(&format!("ip netns exec {} sh -c '{quoted}'", self.0));
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Runs code in a thread of its own that is in the namespace.
    pub(crate) fn enter<T: Send>(&self, code: impl FnOnce() -> T + Send) -> T {
        let file = self.file();
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                set(&file);
                code()
            });
            inside.join().unwrap()
        })
    }

    /// Moves this thread, and those that it makes later, to the namespace.
    pub(crate) fn enter_for_good(&self) {
        set(&self.file());
    }

    fn file(&self) -> File {
        File::open(format!("/run/netns/{}", self.0)).unwrap()
    }

    /// Whether an interface has a carrier.
    pub(crate) fn running(&self, interface: &str) -> bool {
        self.enter(|| netdev::running(interface).unwrap())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        run(&format!("ip netns del {}", self.0));
    }
}

fn set(space: &File) {
    // SAFETY: setns takes plain numbers and changes this thread alone.
    let status = unsafe { libc::setns(space.as_raw_fd(), libc::CLONE_NEWNET) };
    assert_eq!(status, 0);
}

fn run(line: &str) -> Output {
    Command::new("timeout")
        .args(["20", "sh", "-c", line])
        .output()
        .unwrap()
}

/// Carrier changes reach the far end a moment later.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}
