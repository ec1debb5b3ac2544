//! What hugepages give: no leftovers of a killed process, and capture by another one.
//!
//! Each test reserves pages where too few are free, mounts them in a mount namespace of its own, and puts
//! the number back. Where that is not allowed it says so and does nothing.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers included"
)]

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use dpdk::hugepages::{Facts, Memory};
use dpdk::{Burst, Eal, Mempool, PortConfig, SocketId};
use support::{child_of, in_child, run, wait_for};

const PAGES: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
const FREE: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
const NEEDED: u64 = 96;

/// In the environment of a process that is to be killed: where its pages are mounted.
const VICTIM: &str = "DPDK_TEST_VICTIM";

/// 2 MiB pages for a test, given back after it.
struct Pages {
    before: Option<u64>,
    /// Two tests that both count free pages would disturb each other.
    _alone: File,
}

impl Pages {
    /// `None`, with a word about it, if the machine does not give any.
    fn reserve() -> Option<Self> {
        let number = |path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
        let alone = File::create(std::env::temp_dir().join("dpdk-test-hugepages.lock")).unwrap();
        alone.lock().unwrap();
        let (Some(total), Some(free)) = (number(PAGES), number(FREE)) else {
            eprintln!("skipped: this kernel has no hugepages of 2 MiB");
            return None;
        };
        let mut pages = Self {
            before: None,
            _alone: alone,
        };
        if free < NEEDED {
            let more = total + NEEDED - free;
            if fs::write(PAGES, more.to_string()).is_err() {
                eprintln!("skipped: hugepages can't be reserved here");
                return None;
            }
            pages.before = Some(total);
        }
        if number(FREE)? < NEEDED {
            eprintln!("skipped: the machine has too little memory for {NEEDED} hugepages");
            return None;
        }
        Some(pages)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            drop(fs::write(PAGES, before.to_string()));
        }
    }
}

/// Runs this file's test `name` in a mount namespace with hugepages mounted, if the machine gives some.
fn with_hugepages(name: &str, body: impl FnOnce(&Path)) {
    if let Some(dir) = std::env::var_os(VICTIM) {
        return be_victim(Path::new(&dir));
    }
    if in_child(name) {
        let dir = std::env::temp_dir().join(format!("dpdk-huge-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        mount(&[
            "-t",
            "hugetlbfs",
            "-o",
            "pagesize=2M",
            "none",
            dir.to_str().unwrap(),
        ]);
        body(&dir);
        let unmounted = Command::new("umount").arg("-l").arg(&dir).status().unwrap();
        assert!(unmounted.success());
        fs::remove_dir(&dir).unwrap();
        return;
    }
    let Some(_pages) = Pages::reserve() else {
        return;
    };
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    let (status, output) = run(child_of(command, name), Duration::from_secs(100));
    assert!(
        status.is_some_and(|status| status.success()),
        "{name}: {status:?}\n{output}"
    );
    assert!(
        output.contains("1 passed"),
        "{name}: no such test in the child\n{output}"
    );
}

fn mount(arguments: &[&str]) {
    assert!(
        Command::new("mount")
            .args(arguments)
            .status()
            .unwrap()
            .success()
    );
}

fn eal(dir: &Path, prefix: &str, more: &[&str]) -> Eal {
    let huge_dir = format!("--huge-dir={}", dir.display());
    let prefix = format!("--file-prefix={prefix}");
    let fixed = [
        "-m",
        "32",
        "--no-pci",
        "--no-telemetry",
        "--log-level=error",
        "-l",
        "0",
        &huge_dir,
        &prefix,
    ];
    let args: Vec<String> = fixed
        .iter()
        .chain(more)
        .map(|argument| (*argument).to_owned())
        .collect();
    Eal::init(&args).unwrap()
}

fn page_files(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

/// The inodes that are locked on this machine, any file system.
fn is_locked(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let inode = format!(":{} ", fs::metadata(file).unwrap().ino());
    fs::read_to_string("/proc/locks").unwrap().contains(&inode)
}

/// Starts a copy of test `name` that only starts EAL, waits until it has its pages, and kills it.
fn kill_one(name: &str, dir: &Path, check: impl FnOnce()) {
    let mut command = support::child(name);
    let mut victim = command
        .env(VICTIM, dir)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let running = || {
        let files = page_files(dir);
        files.len() >= 16 && files.iter().all(|file| is_locked(file))
    };
    let started = wait_for(running, Duration::from_secs(20));
    check();
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(started, "{:?}", page_files(dir));
}

/// What is killed.
fn be_victim(dir: &Path) {
    let _eal = eal(dir, "victim", &[]);
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_killed_process_leaves_nothing() {
    with_hugepages("a_killed_process_leaves_nothing", |dir| {
        kill_one("a_killed_process_leaves_nothing", dir, || {
            // A running process keeps its files.
            let facts = Facts::of_machine();
            assert!(
                facts.mounts.iter().any(|mount| mount.dir == dir),
                "{facts:?}"
            );
            assert!(facts.remove_stale("victim").is_empty());
        });
        let facts = Facts::of_machine();
        let left = page_files(dir);
        assert!(
            left.len() >= 16,
            "the killed process leaves its pages: {left:?}"
        );

        // The files hold their pages until somebody removes them, and the decision sees that.
        let before = free(&Facts::of_machine());
        assert!(facts.remove_stale("other").is_empty());
        assert_eq!(facts.remove_stale("victim").len(), left.len());
        assert!(page_files(dir).is_empty());
        let gained = free(&Facts::of_machine()) - before;
        assert_eq!(gained, left.len() as u64 * 2 * 1024 * 1024);

        // And EAL starts under the same prefix.
        let eal = eal(dir, "victim", &[]);
        assert!(eal.has_hugepages() && !eal.is_in_memory());
        eal.shares_memory().unwrap();
        drop(eal);
        drop(fs::remove_dir_all("/var/run/dpdk/victim"));
    });
}

/// Octets that EAL could have; 0 where it could have none.
fn free(facts: &Facts) -> u64 {
    match facts.memory(1) {
        Memory::Hugepages { free } => free,
        Memory::NoHuge(_) => 0,
    }
}

#[test]
fn eal_itself_removes_what_a_killed_process_left() {
    with_hugepages("eal_itself_removes_what_a_killed_process_left", |dir| {
        kill_one("eal_itself_removes_what_a_killed_process_left", dir, || ());
        assert!(page_files(dir).len() >= 16);
        let eal = eal(dir, "successor", &[]);
        let left = page_files(dir);
        assert!(!left.is_empty(), "the new EAL has pages");
        let strange = |file: &PathBuf| !file.to_str().unwrap().contains("successormap_");
        assert!(!left.iter().any(strange), "{left:?}");
        drop(eal);
        for prefix in ["victim", "successor"] {
            drop(fs::remove_dir_all(Path::new("/var/run/dpdk").join(prefix)));
        }
    });
}

#[test]
fn another_process_captures_what_crosses_a_port() {
    with_hugepages("another_process_captures_what_crosses_a_port", |dir| {
        let prefix = format!("cap{}", std::process::id());
        let eal = eal(dir, &prefix, &["--vdev=net_ring0"]);
        let pdump = eal.pdump_init().unwrap();
        let room = 2048 + dpdk::headroom();
        let pool = Mempool::create(&eal, "pool", 1023, 0, room, SocketId::Any).unwrap();
        let port = eal.port_by_name("net_ring0").unwrap();
        let mut port = port
            .configure(PortConfig::wire(&pool))
            .unwrap()
            .start()
            .unwrap();
        let mut queues = port.take_queues().unwrap();

        let file = std::env::temp_dir().join(format!("{prefix}.pcapng"));
        let mut command = Command::new("dpdk-dumpcap");
        command
            .arg(format!("--file-prefix={prefix}"))
            .args(["-i", "net_ring0", "-c", "20", "-w"]);
        let mut dumpcap = command.arg(&file).stderr(Stdio::null()).spawn().unwrap();
        let mut burst = Burst::new();
        // Frames go round until the capture has enough.
        let captured = || {
            let mut mbuf = pool.alloc().unwrap();
            mbuf.append(60).unwrap().fill(0x5A);
            burst.push(mbuf).unwrap();
            queues.tx[0].tx_burst(&mut burst);
            queues.rx[0].rx_burst(&mut burst);
            burst.clear();
            dumpcap.try_wait().unwrap().is_some()
        };
        let ended = wait_for(captured, Duration::from_secs(30));
        if !ended {
            dumpcap.kill().unwrap();
        }
        let status = dumpcap.wait().unwrap();
        let octets = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert!(ended && status.success(), "{status}");
        let frames = octets
            .windows(60)
            .filter(|window| window.iter().all(|o| *o == 0x5A))
            .count();
        assert!(frames >= 20, "{frames} frames captured");
        drop((pdump, queues, port));
        drop(pool);
        drop(eal);
        drop(fs::remove_dir_all(Path::new("/var/run/dpdk").join(prefix)));
    });
}
