//! One `macsecgw` with one link: started, asked for its counters, ended.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{process, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::{Plan, Sample};

const BINARY: &str = env!("CARGO_BIN_EXE_macsecgw");

/// Which lane works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Protect,
    Validate,
}

impl Direction {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Protect => "protect",
            Self::Validate => "validate",
        }
    }
}

/// Where frames come from and go to.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) direction: Direction,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Ports {
    /// From a file, over and over, to nowhere.
    pub(crate) fn null_to(file: &Path, direction: Direction) -> Self {
        Self {
            direction,
            from: format!("net_pcap0,rx_pcap={},infinite_rx=1", file.display()),
            to: "net_null0,no-rx=1".to_owned(),
        }
    }

    /// Plain frames from a file, once, protected to a file.
    pub(crate) fn files(from: &Path, to: &Path) -> Self {
        Self {
            direction: Direction::Protect,
            from: format!("net_pcap0,rx_pcap={}", from.display()),
            to: format!("net_pcap1,tx_pcap={}", to.display()),
        }
    }

    /// Protected frames from a file, over and over, validated to a file.
    pub(crate) fn endless_to_file(from: &Path, to: &Path) -> Self {
        Self {
            to: format!("net_pcap1,tx_pcap={}", to.display()),
            ..Self::null_to(from, Direction::Validate)
        }
    }
}

/// The gateway's name, which is its file prefix.
fn prefix() -> String {
    format!("e2e-{}", process::id())
}

/// A running gateway; killed if it is dropped.
pub(crate) struct Gateway {
    child: Child,
    dir: PathBuf,
    direction: Direction,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(Path::new("/run/dpdk").join(prefix()));
    }
}

fn run(arguments: &[&str]) -> String {
    let out = Command::new(BINARY).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success(),
        "macsecgw {arguments:?}: {text}{errors}"
    );
    text
}

/// The two keys, which all gateways of a run share: what one protects another validates.
fn keys(plan: &Plan) {
    for name in ["there", "back"] {
        let path = plan.dir.join(format!("{name}.sak"));
        if !path.exists() {
            run(&[
                "keygen",
                "sak",
                "--suite",
                "gcm-aes-xpn-256",
                "--out",
                path.to_str().unwrap(),
            ]);
        }
    }
}

fn config(plan: &Plan, dir: &Path, size: usize, ports: &Ports) -> String {
    let Ports {
        direction,
        from,
        to,
    } = ports;
    // The protecting gateway's own channel is the validating one's peer.
    let (sci, peer, tx, rx, tx_ssci, rx_ssci, plain, secure) = match direction {
        Direction::Protect => (1, 2, "there", "back", 1, 2, from, to),
        Direction::Validate => (2, 1, "back", "there", 2, 1, to, from),
    };
    let memory = if plan.huge { "hugepages" } else { "no-huge" };
    let (mtu, core, keys) = ((size - 14).max(1500), plan.core, plan.dir.display());
    let dir = dir.display();
    // Frames that are read over and over have old packet numbers: replay protection is off.
    format!(
        r#"[gateway]
name = "{name}"
runtime_dir = "{dir}/run"
state_dir = "{dir}/state"
[eal]
args = ["--no-telemetry"]
memory = "{memory}"
pdump = false
[workers]
cores = [{core}]
idle = "spin"
[metrics]
listen = ""
[[link]]
name = "bench"
plain = "{plain}"
secure = "{secure}"
mtu = {mtu}
encryption = "must_encrypt"
agreement = "static"
cipher_suite = "gcm-aes-xpn-256"
sci = "02:00:00:00:00:0{sci}/1"
replay = "off"
[link.static]
peer_sci = "02:00:00:00:00:0{peer}/1"
tx_sak_file = "{keys}/{tx}.sak"
rx_sak_file = "{keys}/{rx}.sak"
tx_ssci = {tx_ssci}
rx_ssci = {rx_ssci}
salt = "e630e81a48de86a21c66fa6d"
"#,
        name = prefix(),
    )
}

/// What the counters were.
#[derive(Debug)]
pub(crate) struct Counts(Value);

impl Counts {
    fn number(&self, path: &str) -> u64 {
        let found = self.0.pointer(path).and_then(Value::as_u64);
        assert!(found.is_some(), "no {path}: {}", self.0);
        found.unwrap()
    }

    /// A number of the link.
    pub(crate) fn link(&self, path: &str) -> u64 {
        self.number(&format!("/links/0/{path}"))
    }

    fn worker(&self, name: &str) -> u64 {
        self.number(&format!("/workers/0/counters/{name}"))
    }

    fn uptime(&self) -> f64 {
        self.number("/uptime_ms") as f64 / 1e3
    }
}

impl Gateway {
    /// Starts it on a state directory of its own and waits until its controlled port is open.
    pub(crate) fn start(plan: &Plan, size: usize, ports: &Ports) -> Self {
        keys(plan);
        let dir = plan.dir.join("gateway");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("gw.toml");
        fs::write(&path, config(plan, &dir, size, ports)).unwrap();
        let path = path.to_str().unwrap();
        let checked = run(&["check", "--config", path]);
        let fingerprint = checked
            .split("  AN 0 ")
            .nth(1)
            .and_then(|text| text.split_whitespace().next())
            .unwrap();
        run(&[
            "fresh-key",
            "--config",
            path,
            "--link",
            "bench",
            "--fingerprint",
            fingerprint,
        ]);
        let log = File::create(dir.join("log")).unwrap();
        let child = Command::new(BINARY)
            .args(["run", "--config", path])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut gateway = Self {
            child,
            dir,
            direction: ports.direction,
        };
        gateway.wait("secured", |gateway| {
            gateway.ask("status").is_some_and(|status| {
                status.pointer("/links/0/controlled_port_open") == Some(&Value::Bool(true))
            })
        });
        gateway
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Waits at most 15 s.
    pub(crate) fn wait(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(15);
        while !done(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "macsecgw ended: {ended:?}\n{}", self.log());
            assert!(
                Instant::now() < end,
                "not {what} within 15 s\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn ask(&self, verb: &str) -> Option<Value> {
        let socket = self.dir.join("run/control.sock");
        let out = Command::new(BINARY)
            .args([verb, "--json", "--socket", socket.to_str().unwrap()])
            .output()
            .unwrap();
        serde_json::from_slice(&out.stdout).ok()
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts(self.ask("counters").unwrap())
    }

    /// A number of the lane that works.
    pub(crate) fn lane(&self, counts: &Counts, name: &str) -> u64 {
        counts.link(&format!("lanes/{}/{name}", self.direction.name()))
    }

    /// Ends it in order.
    pub(crate) fn stop(mut self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                if !status.success() {
                    // A crowded machine; what was counted is counted.
                    eprintln!("macsecgw: {status}\n{}", self.log());
                }
                return;
            }
            assert!(Instant::now() < end, "macsecgw did not end\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Runs for the time planned, after a short start.
pub(crate) fn timed(plan: &Plan, size: usize, ports: &Ports) -> Sample {
    let gateway = Gateway::start(plan, size, ports);
    thread::sleep(Duration::from_millis(500));
    let before = gateway.counts();
    thread::sleep(Duration::from_secs(plan.seconds));
    let after = gateway.counts();
    let of_lane = |name: &str| gateway.lane(&after, name) - gateway.lane(&before, name);
    let (frames, out) = (of_lane("frames_in"), of_lane("frames_out"));
    // What a turn has in its hands when it is asked is neither out nor dropped.
    let all_in = gateway.lane(&after, "frames_in");
    let ended = ["frames_out", "to_control", "dropped"].map(|name| gateway.lane(&after, name));
    let under_way = all_in - ended.iter().sum::<u64>();
    assert!(under_way <= 8 * 64, "{under_way} frames are nowhere");
    // The port's own count was taken between the two replies.
    let side = match ports.direction {
        Direction::Protect => "secure",
        Direction::Validate => "plain",
    };
    let sent = after.link(&format!("ports/{side}/tx_packets"));
    assert!(
        (gateway.lane(&before, "frames_out")..=gateway.lane(&after, "frames_out")).contains(&sent),
        "the {side} port says {sent}, the lane {after:?}"
    );
    let worker = |name: &str| after.worker(name) - before.worker(name);
    let sample = Sample {
        rate: out as f64 / (after.uptime() - before.uptime()),
        cycles: worker("busy_cycles") as f64 / frames as f64,
        lost: of_lane("dropped") as f64 * 1e6 / frames as f64,
    };
    gateway.stop();
    sample
}
