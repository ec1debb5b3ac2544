//! EAL starts once per process, and the tests of one file share a process. So a test that needs EAL runs
//! itself again, alone, in a child process with a time limit.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use dpdk::{Eal, Mempool, SocketId};

const CHILD: &str = "DPDK_TEST_CHILD";
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `body` in a child process that runs the test `name` alone. `name` is the function's.
///
/// The child's exit status is what counts; its output is shown on failure.
pub(crate) fn alone(name: &str, body: impl FnOnce()) {
    if in_child(name) {
        body();
        // EAL leaves its folder of run-time files.
        drop(std::fs::remove_dir_all(format!(
            "/var/run/dpdk/{}",
            prefix()
        )));
        return;
    }
    let (status, output) = run(child(name), LIMIT);
    assert!(
        status.is_some_and(|status| status.success()),
        "{name}: {status:?}\n{output}"
    );
    assert!(
        output.contains("1 passed"),
        "{name}: no such test in the child\n{output}"
    );
}

/// Whether this process is the child of the test `name`.
pub(crate) fn in_child(name: &str) -> bool {
    std::env::var_os(CHILD).is_some_and(|child| child == *name)
}

/// The command that runs the test `name` as a child.
pub(crate) fn child(name: &str) -> Command {
    for_child(Command::new(std::env::current_exe().unwrap()), name)
}

/// The command that runs the test `name` as a child of `wrapper`, a command that runs its arguments.
pub(crate) fn child_of(mut wrapper: Command, name: &str) -> Command {
    wrapper.arg(std::env::current_exe().unwrap());
    for_child(wrapper, name)
}

fn for_child(mut command: Command, name: &str) -> Command {
    command
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, name);
    command
}

/// Asks until it is so, or the limit has passed.
pub(crate) fn wait_for(mut is_so: impl FnMut() -> bool, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// The `--file-prefix` of this process.
pub(crate) fn prefix() -> String {
    format!("dpdk-test-{}", std::process::id())
}

/// Runs a command to its end or to the limit, and gives its status (`None`: it was ended) and its output.
pub(crate) fn run(mut command: Command, limit: Duration) -> (Option<ExitStatus>, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let readers = [
        reader(child.stdout.take().unwrap()),
        reader(child.stderr.take().unwrap()),
    ];
    let status = wait(&mut child, limit);
    let output = readers
        .into_iter()
        .map(|reader| reader.join().unwrap())
        .collect();
    (status, output)
}

/// Waits to the limit, then ends the child.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

fn reader(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    let read = move || {
        let mut output = Vec::new();
        from.read_to_end(&mut output).unwrap();
        String::from_utf8_lossy(&output).into_owned()
    };
    std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(read)
        .unwrap()
}

/// EAL without hugepages, PCI and telemetry, with a file prefix of its own, and `more`.
pub(crate) fn eal(more: &[&str]) -> Eal {
    Eal::init(&arguments(more)).unwrap()
}

/// The arguments that [`eal`] passes.
pub(crate) fn arguments(more: &[&str]) -> Vec<String> {
    let prefix = format!("--file-prefix={}", prefix());
    let fixed = [
        "--no-huge",
        "-m",
        "128",
        "--no-pci",
        "--no-telemetry",
        "--log-level=error",
        &prefix,
    ];
    fixed
        .iter()
        .chain(more)
        .map(|argument| (*argument).to_owned())
        .collect()
}

/// A pool of 1,023 ordinary mbufs.
pub(crate) fn pool(eal: &Eal) -> Mempool {
    Mempool::create(eal, "pool", 1023, 0, 2048 + dpdk::headroom(), SocketId::Any).unwrap()
}

/// Asserts that every mbuf is home.
pub(crate) fn assert_full(pool: &Mempool) {
    assert_eq!(pool.in_use(), 0, "mbufs leaked");
    assert_eq!(pool.avail(), pool.size(), "mbufs freed twice");
}
