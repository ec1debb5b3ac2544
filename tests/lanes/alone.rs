//! EAL starts once per process, and the tests of one file share a process: a test that needs EAL runs
//! itself again, alone, in a child process with a time limit. One such child runs at a time.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CHILD: &str = "MACSECGW_TEST_CHILD";

/// How long a child may take; several times that where runs are to be as long as an acceptance wants.
fn limit() -> Duration {
    let long = std::env::var_os("MACSECGW_LONG").is_some();
    Duration::from_secs(if long { 600 } else { 150 })
}

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The right to run a child.
struct Turn;

impl Turn {
    fn take() -> Self {
        while TAKEN.swap(true, Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::Release);
    }
}

/// Runs `body` in a child process that runs the test `name` alone. `name` is the function's.
#[track_caller]
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some_and(|child| child == *name) {
        return body();
    }
    let _turn = Turn::take();
    let this = std::env::current_exe().expect("this program");
    let mut child = Command::new(this)
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, name)
        // State in memory: how fast a disk is has no place in a test of lanes.
        .env("TMPDIR", "/dev/shm")
        .spawn()
        .expect("a child process");
    let end = Instant::now() + limit();
    let status = loop {
        match child.try_wait().expect("a child's status") {
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
            status => break status,
        }
    };
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let folder = format!("/var/run/dpdk/lanes-{}", child.id());
    let _ = std::fs::remove_dir_all(folder);
    assert!(
        status.is_some_and(|status| status.success()),
        "{name}: {status:?}"
    );
}
