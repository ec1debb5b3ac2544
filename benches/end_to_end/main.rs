//! The whole gateway on ports without a wire, beside other programs on the same ports.
//!
//! `./benches/compare.sh path validate memif links sas` runs this, or `cargo bench --bench end_to_end --
//! PART...` (as root; `L2FWD_CRYPTO` names DPDK's example). Leaves `PART.txt` and `PART.csv` in the folder
//! that `COMPARE_DIR` names. Rates are frames in each second that the forwarding thread was on a CPU: on a
//! machine with other work that takes the others' share out. Only ratios mean anything beyond one machine
//! and one hour.
//!
//! Settings: `SIZES=64,1518,imix SECONDS=2 ROUNDS=3 CORE=1 ENGINE=vaes256 WIDTH=256`; `CORE` is the CPU that
//! forwards, the first CPU does the rest; `WIDTH` keeps vectors within 256 bits.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark ends where it can't go on"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers, and counts that came through text"
)]

mod capture;
mod cpu;
mod exact;
mod gateway;
mod l2fwd;
mod lanes;
mod links;
mod memif;
mod path;
mod program;
mod row;
mod sas;
mod size;
mod testpmd;
mod validate;
mod width;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use std::{env, fs, panic, process};

use row::Row;
use size::Size;

/// Flows, and frames of the file that is read over and over.
pub(crate) const FRAMES: usize = 256;

/// What is measured, where and for how long.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) dir: PathBuf,
    pub(crate) core: usize,
    pub(crate) seconds: f64,
    pub(crate) rounds: usize,
    pub(crate) sizes: Vec<Size>,
    pub(crate) huge: bool,
    /// The engine that the gateway is told to take.
    pub(crate) engine: &'static str,
    /// DPDK's example `l2fwd-crypto`; without it, it is left out.
    pub(crate) l2fwd: Option<PathBuf>,
}

impl Plan {
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// What passes before it counts.
    pub(crate) fn warm(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.min(1.0) * 0.4)
    }
}

fn setting<T: FromStr>(name: &str, default: T) -> T {
    let text = env::var(name).unwrap_or_default();
    if text.is_empty() {
        return default;
    }
    text.parse()
        .unwrap_or_else(|_| refuse(&format!("{name}={text} can't be read")))
}

fn refuse(why: &str) -> ! {
    eprintln!("end_to_end: {why}");
    process::exit(2);
}

fn sizes(quick: bool) -> Vec<Size> {
    let default = if quick {
        "64,imix"
    } else {
        "64,128,256,512,1024,1518,9000,imix"
    };
    let text: String = setting("SIZES", default.to_owned());
    let size = |text| {
        Size::parse(text).unwrap_or_else(|| refuse(&format!("SIZES: {text}: 64 to 9216, imix")))
    };
    text.split(',').map(size).collect()
}

type Part = (&'static str, fn(&Plan) -> Vec<Row>);
const PARTS: [Part; 5] = [
    ("path", path::measure),
    ("validate", validate::measure),
    ("memif", memif::measure),
    ("links", links::measure),
    ("sas", sas::measure),
];

fn main() {
    let arguments: Vec<String> = env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if let Some(at) = arguments
        .iter()
        .position(|argument| argument == lanes::CHILD)
    {
        return lanes::child(&arguments[at + 1..]);
    }
    if !nix::unistd::geteuid().is_root() {
        refuse("DPDK needs root");
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let named: Vec<_> = arguments
        .iter()
        .filter(|argument| *argument != "--quick")
        .collect();
    if let Some(unknown) = named
        .iter()
        .find(|name| PARTS.iter().all(|part| part.0 != **name))
    {
        refuse(&format!(
            "{unknown}: one of path, validate, memif, links, sas"
        ));
    }
    let plan = Plan {
        dir: memory_dir().join(format!("macsecgw-e2e-{}", process::id())),
        core: setting("CORE", 1),
        seconds: setting("SECONDS", if quick { 0.4 } else { 1.5 }),
        rounds: setting("ROUNDS", if quick { 1 } else { 3 }),
        sizes: sizes(quick),
        huge: free_hugepages() >= 256,
        engine: width::engine().factory.name(),
        l2fwd: env::var_os("L2FWD_CRYPTO").map(PathBuf::from),
    };
    let memory = if plan.huge {
        "hugepages"
    } else {
        "ordinary pages"
    };
    fs::create_dir_all(&plan.dir).unwrap();
    let ended = panic::catch_unwind(|| {
        for (name, measure) in PARTS {
            if named.is_empty() || named.iter().any(|wanted| *wanted == name) {
                let rows = measure(&plan);
                let text = format!("engine {}, {memory}\n{}", plan.engine, row::text(&rows));
                println!("\n{name}, {text}");
                leave(&format!("{name}.txt"), &text);
                leave(&format!("{name}.csv"), &row::csv(&rows));
            }
        }
    });
    let _ = fs::remove_dir_all(&plan.dir);
    if ended.is_err() {
        process::exit(1);
    }
}

/// Cargo runs a benchmark in the package's directory.
fn leave(name: &str, text: &str) {
    let dir =
        env::var_os("COMPARE_DIR").map_or_else(|| PathBuf::from("target/compare"), PathBuf::from);
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(name), text).unwrap();
}

/// Where files are memory: what is written and read here is no disk's business.
fn memory_dir() -> PathBuf {
    let shm = PathBuf::from("/dev/shm");
    if shm.is_dir() { shm } else { env::temp_dir() }
}

/// Pages of 2 MiB that nobody uses: enough, or all programs run on ordinary memory.
fn free_hugepages() -> u64 {
    let path = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
    fs::read_to_string(path).map_or(0, |text| text.trim().parse().unwrap_or(0))
}

/// The plain frames of a size.
pub(crate) fn plain_file(plan: &Plan, size: Size) -> PathBuf {
    plan.dir.join(format!("plain-{size}.pcap"))
}

/// A port that gives a file's frames over and over.
pub(crate) fn pcap_vdev(number: usize, file: &Path) -> String {
    format!("net_pcap{number},rx_pcap={},infinite_rx=1", file.display())
}
