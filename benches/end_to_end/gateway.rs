//! One `macsecgw`: started, asked for its counters, ended.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{process, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::cpu::OnCpu;
use crate::row::Sample;
use crate::size::Size;
use crate::{Plan, pcap_vdev, width};

const BINARY: &str = env!("CARGO_BIN_EXE_macsecgw");

/// Keys that `macsecgw check` names of each link: the transmit SA's first.
const FINGERPRINTS: usize = 2;

/// Where a link's frames come from and go to.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Ports {
    /// The `link`-th link: from a file, over and over, to nowhere.
    pub(crate) fn null(link: usize, file: &Path) -> Self {
        Self {
            from: pcap_vdev(link, file),
            to: format!("net_null{link},no-rx=1"),
        }
    }

    /// Plain frames from a file, once, protected to a file.
    pub(crate) fn files(from: &Path, to: &Path) -> Self {
        Self {
            from: format!("net_pcap0,rx_pcap={}", from.display()),
            to: format!("net_pcap1,tx_pcap={}", to.display()),
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

/// The two keys of the `link`-th link, which all gateways of a run share.
fn keys(plan: &Plan, link: usize) {
    for name in ["there", "back"] {
        let path = plan.dir.join(format!("{name}{link}.sak"));
        if !path.exists() {
            let path = path.to_str().unwrap();
            run(&["keygen", "sak", "--suite", "gcm-aes-xpn-256", "--out", path]);
        }
    }
}

fn config(plan: &Plan, dir: &Path, size: Size, links: &[Ports]) -> String {
    let memory = if plan.huge { "hugepages" } else { "no-huge" };
    let (core, name) = (plan.core, prefix());
    let eal: String = width::eal_argument()
        .iter()
        .map(|argument| format!(", \"{argument}\""))
        .collect();
    let head = format!(
        r#"[gateway]
name = "{name}"
runtime_dir = "{dir}/run"
state_dir = "{dir}/state"
[eal]
args = ["--no-telemetry"{eal}]
memory = "{memory}"
pdump = false
[workers]
cores = [{core}]
idle = "spin"
[crypto]
engine = "{engine}"
[metrics]
listen = ""
"#,
        dir = dir.display(),
        engine = plan.engine,
    );
    let links = links.iter().enumerate();
    head + &links
        .map(|(at, ports)| link(plan, size, at, ports))
        .collect::<String>()
}

fn link(plan: &Plan, size: Size, at: usize, ports: &Ports) -> String {
    let Ports { from, to } = ports;
    let (mtu, keys) = ((size.longest() - 14).max(1500), plan.dir.display());
    format!(
        r#"[[link]]
name = "bench{at}"
plain = "{from}"
secure = "{to}"
mtu = {mtu}
encryption = "must_encrypt"
agreement = "static"
cipher_suite = "gcm-aes-xpn-256"
sci = "02:00:00:00:{at:02x}:01/1"
[link.static]
peer_sci = "02:00:00:00:{at:02x}:02/1"
tx_sak_file = "{keys}/there{at}.sak"
rx_sak_file = "{keys}/back{at}.sak"
tx_ssci = 1
rx_ssci = 2
salt = "e630e81a48de86a21c66fa6d"
"#
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

    /// A number of the `at`-th link.
    pub(crate) fn of_link(&self, at: usize, path: &str) -> u64 {
        self.number(&format!("/links/{at}/{path}"))
    }

    /// A number of the first link.
    pub(crate) fn link(&self, path: &str) -> u64 {
        self.of_link(0, path)
    }

    fn uptime(&self) -> f64 {
        self.number("/uptime_ms") as f64 / 1e3
    }
}

impl Gateway {
    /// Starts it on a state directory of its own and waits until all controlled ports are open.
    pub(crate) fn start(plan: &Plan, size: Size, links: &[Ports]) -> Self {
        let dir = plan.dir.join("gateway");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        (0..links.len()).for_each(|link| keys(plan, link));
        let path = dir.join("gw.toml");
        fs::write(&path, config(plan, &dir, size, links)).unwrap();
        let path = path.to_str().unwrap();
        let checked = run(&["check", "--config", path]);
        let fingerprints = checked.split("  AN 0 ").skip(1).step_by(FINGERPRINTS);
        for (at, text) in fingerprints.enumerate() {
            let (link, print) = (
                format!("bench{at}"),
                text.split_whitespace().next().unwrap(),
            );
            run(&[
                "fresh-key",
                "--config",
                path,
                "--link",
                &link,
                "--fingerprint",
                print,
            ]);
        }
        let log = File::create(dir.join("log")).unwrap();
        let child = Command::new(BINARY)
            .args(["run", "--config", path])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut gateway = Self { child, dir };
        gateway.wait("secured", |gateway| {
            let Some(status) = gateway.ask("status") else {
                return false;
            };
            let open = |at| format!("/links/{at}/controlled_port_open");
            (0..links.len()).all(|at| status.pointer(&open(at)) == Some(&Value::Bool(true)))
        });
        gateway
    }

    pub(crate) fn cpu(&self) -> OnCpu {
        OnCpu::of(self.child.id())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Waits at most a minute: a crowded machine takes its time to start DPDK.
    pub(crate) fn wait(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !done(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "macsecgw ended: {ended:?}\n{}", self.log());
            assert!(
                Instant::now() < end,
                "not {what} within 60 s\n{}",
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

/// Runs protect lanes for the time planned, after a short start.
pub(crate) fn timed(plan: &Plan, size: Size, links: &[Ports]) -> Sample {
    let gateway = Gateway::start(plan, size, links);
    thread::sleep(plan.warm());
    let (cpu_before, before) = (gateway.cpu(), gateway.counts());
    thread::sleep(plan.time());
    let (cpu_after, after) = (gateway.cpu(), gateway.counts());
    let sum = |counts: &Counts, name: &str| -> u64 {
        (0..links.len())
            .map(|at| counts.of_link(at, &format!("lanes/protect/{name}")))
            .sum()
    };
    let out = sum(&after, "frames_out") - sum(&before, "frames_out");
    let least = (0..links.len())
        .map(|at| after.of_link(at, "lanes/protect/frames_out"))
        .min();
    assert!(least > Some(0), "a link that stands still");
    // What a turn has in its hands when it is asked is neither out nor dropped.
    let ended = ["frames_out", "to_control", "dropped"].map(|name| sum(&after, name));
    let under_way = sum(&after, "frames_in") - ended.iter().sum::<u64>();
    assert!(under_way <= 8 * 64, "{under_way} frames are nowhere");
    // The port's own count was taken between the two replies.
    for at in 0..links.len() {
        let sent = after.of_link(at, "ports/secure/tx_packets");
        let counted =
            [&before, &after].map(|counts| counts.of_link(at, "lanes/protect/frames_out"));
        assert!(
            (counted[0]..=counted[1]).contains(&sent),
            "the secure port says {sent}, the lane {counted:?}"
        );
    }
    // Counts are those of control's last look, whose moment is `uptime`; the share hardly changes.
    let rate = out as f64 / (after.uptime() - before.uptime());
    let lost = sum(&after, "dropped") - sum(&before, "dropped");
    gateway.stop();
    Sample {
        rate: rate / cpu_after.share_since(&cpu_before),
        lost,
    }
}
