//! The whole gateway on ports without a wire, and `dpdk-testpmd` on the same ports beside it.
//!
//! `cargo bench --bench end_to_end` (as root): for each frame size, in rounds that take turns, the
//! protect lane, the validate lane, and testpmd in `io` mode move the same 256 frames, read over and
//! over by `net_pcap`, into `net_null`, on one core. Prints a table of medians and leaves it in
//! `target/end_to_end/`. Only ratios mean anything beyond one machine and one hour.
//!
//! Before it is timed, each size goes through the protect lane as a file of known length: every count
//! of SecY, lane and port must be that length. What comes out goes through the validate lane and must be
//! what it was, in order. While it is timed, the port's count must fit the lane's, and no frame be lost
//! between. Any difference ends the run with an error.
//!
//! Sizes, seconds and rounds can be set: `SIZES=64,1518 SECONDS=2 ROUNDS=3`. `CORE=1` names the CPU
//! that forwards; the first CPU does the rest.
#![expect(clippy::unwrap_used, reason = "a benchmark ends where it can't go on")]

mod capture;
mod exact;
mod gateway;
mod table;
mod testpmd;

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use gateway::{Direction, Ports};
use table::{Row, Table};

/// Flows, and frames of the file that is read over and over.
const FRAMES: usize = 256;

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Frames in each second.
    pub(crate) rate: f64,
    /// Cycles of the time stamp counter that a frame took, polls that found frames only.
    pub(crate) cycles: f64,
    /// Frames that came in and did not go out, of a million.
    pub(crate) lost: f64,
}

/// Where and for how long.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) dir: PathBuf,
    pub(crate) core: usize,
    pub(crate) seconds: u64,
    pub(crate) huge: bool,
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    let Ok(text) = env::var(name) else {
        return default;
    };
    let Ok(value) = text.parse() else {
        eprintln!("end_to_end: {name}={text} can't be read");
        process::exit(2);
    };
    value
}

fn sizes() -> Vec<usize> {
    let text = setting("SIZES", "64,128,256,512,1024,1518,9000".to_owned());
    text.split(',').map(|size| size.parse().unwrap()).collect()
}

fn main() {
    assert!(nix::unistd::geteuid().is_root(), "DPDK needs root");
    // Cargo runs a benchmark in the package's directory.
    let out = Path::new("target/end_to_end");
    let plan = Plan {
        dir: memory_dir().join(format!("macsecgw-e2e-{}", process::id())),
        core: setting("CORE", 1),
        seconds: setting("SECONDS", 2),
        huge: free_hugepages() >= 256,
    };
    fs::create_dir_all(&plan.dir).unwrap();
    let ended = std::panic::catch_unwind(|| measure(&plan, out));
    let _ = fs::remove_dir_all(&plan.dir);
    if ended.is_err() {
        process::exit(1);
    }
}

/// Where files are memory: what is written and read here is no disk's business.
fn memory_dir() -> PathBuf {
    let shm = PathBuf::from("/dev/shm");
    if shm.is_dir() { shm } else { env::temp_dir() }
}

/// Pages of 2 MiB that nobody uses: enough, or both programs run on ordinary memory.
fn free_hugepages() -> u64 {
    let path = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
    fs::read_to_string(path).map_or(0, |text| text.trim().parse().unwrap_or(0))
}

fn measure(plan: &Plan, out: &Path) {
    let rounds: usize = setting("ROUNDS", 3);
    let sizes = sizes();
    let mut rows: Vec<Row> = sizes.iter().map(|size| Row::new(*size)).collect();
    for size in &sizes {
        // Leaves plain-SIZE.pcap and secure-SIZE.pcap.
        exact::check(plan, *size, FRAMES);
        println!("{size} octets: counts exact");
    }
    for round in 1..=rounds {
        for row in &mut rows {
            let (plain, secure) = files(plan, row.size);
            let ports = Ports::null_to(&plain, Direction::Protect);
            row.protect.push(gateway::timed(plan, row.size, &ports));
            let ports = Ports::null_to(&secure, Direction::Validate);
            row.validate.push(gateway::timed(plan, row.size, &ports));
            row.testpmd.push(testpmd::timed(plan, &plain));
            println!("round {round} of {rounds}: {} octets done", row.size);
        }
    }
    let table = Table { rows };
    fs::create_dir_all(out).unwrap();
    fs::write(out.join("end_to_end.txt"), table.text()).unwrap();
    fs::write(out.join("end_to_end.csv"), table.csv()).unwrap();
    print!("{}", table.text());
    println!(
        "memory: {}",
        if plan.huge {
            "hugepages"
        } else {
            "ordinary pages"
        }
    );
}

/// The plain frames of a size, and the same frames protected.
pub(crate) fn files(plan: &Plan, size: usize) -> (PathBuf, PathBuf) {
    let file = |side: &str| plan.dir.join(format!("{side}-{size}.pcap"));
    (file("plain"), file("secure"))
}
