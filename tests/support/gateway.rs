//! The gateway as a process, started with a configuration of its own and asked over its own interfaces.

use super::config::GatewayConfig;
use super::namespace::Namespace;
use super::process::{Daemon, Outcome, run};
use super::scratch::Scratch;
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_macsecgw");
const ASK: Duration = Duration::from_secs(20);

/// Runs `macsecgw` to its end with these words (not in a namespace).
#[track_caller]
pub(crate) fn macsecgw(words: &[&str], limit: Duration) -> Outcome {
    run(&[&[BINARY], words].concat(), limit)
}

/// A running gateway. SIGTERM, then SIGKILL, when dropped.
#[derive(Debug)]
pub(crate) struct Gateway<'ns> {
    daemon: Daemon,
    ns: &'ns Namespace,
    name: String,
    config: PathBuf,
    socket: String,
    metrics: String,
    // Last: the folder goes after the process that uses it.
    scratch: Scratch,
}

impl<'ns> Gateway<'ns> {
    /// Starts the gateway and waits until it says that it is ready.
    #[track_caller]
    pub(crate) fn start(ns: &'ns Namespace, config: &GatewayConfig) -> Self {
        let mut gateway = Self::spawn(ns, config);
        gateway.wait_ready(Duration::from_secs(30));
        gateway
    }

    /// Starts the gateway and does not wait: for one that is to refuse.
    #[track_caller]
    pub(crate) fn spawn(ns: &'ns Namespace, config: &GatewayConfig) -> Self {
        let scratch = Scratch::new("gateway");
        let seen = scratch.path().display().to_string();
        let path = config.write(scratch.path(), &seen);
        let file = path.to_str().expect("a path in UTF-8");
        if config.state_fresh_keys {
            for (link, fingerprint) in config.transmit_keys() {
                let words = [
                    "--config",
                    file,
                    "--link",
                    &link,
                    "--fingerprint",
                    &fingerprint,
                ];
                ns.run(&[&[BINARY, "fresh-key"], &words[..]].concat(), ASK)
                    .ok();
            }
        }
        let daemon = ns.daemon("macsecgw", &[BINARY, "run", "--config", file], &scratch);
        let socket = scratch.join("run/control.sock").display().to_string();
        let metrics = config.metrics.clone();
        Self {
            daemon,
            ns,
            name: config.name.clone(),
            config: path,
            socket,
            metrics,
            scratch,
        }
    }

    /// Ends the process in the given way and starts another one on the same files.
    #[track_caller]
    pub(crate) fn restart(&mut self, signal: Signal) {
        self.end(signal);
        self.start_again();
        self.wait_ready(Duration::from_secs(30));
    }

    /// Ends the process in the given way. Gives the exit code (128 + the signal that ended it), and how long
    /// it took.
    #[track_caller]
    pub(crate) fn end(&mut self, signal: Signal) -> (i32, Duration) {
        let begun = Instant::now();
        self.daemon.signal(signal);
        let Some(code) = self.daemon.wait_end(Duration::from_secs(15)) else {
            panic!("no end after {signal}\n{}", self.daemon.log_tail());
        };
        (code, begun.elapsed())
    }

    /// Starts another process on the same files, and does not wait.
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        let file = self.config.to_str().expect("a path in UTF-8").to_owned();
        let words = [BINARY, "run", "--config", &file];
        self.daemon = self.ns.daemon("macsecgw", &words, &self.scratch);
    }

    /// Writes another configuration over the one that runs (for SIGHUP). A new transmit key is stated to
    /// be fresh.
    #[track_caller]
    pub(crate) fn rewrite(&self, config: &GatewayConfig, fresh: &[&str]) {
        let seen = self.scratch.path().display().to_string();
        let path = config.write(self.scratch.path(), &seen);
        let file = path.to_str().expect("a path in UTF-8");
        let keys = config.transmit_keys();
        for (link, fingerprint) in keys.iter().filter(|(link, _)| fresh.contains(&&**link)) {
            self.fresh_key(file, link, fingerprint).ok();
        }
    }

    #[track_caller]
    fn fresh_key(&self, file: &str, link: &str, fingerprint: &str) -> Outcome {
        let words = ["fresh-key", "--config", file, "--link", link];
        let argv = [&[BINARY], &words[..], &["--fingerprint", fingerprint]].concat();
        self.ns.run(&argv, ASK)
    }

    /// SIGHUP, and waits until control has answered to it. Whether the configuration was taken.
    #[track_caller]
    pub(crate) fn reload(&self) -> bool {
        let generation = |status: &serde_json::Value| status["reload"]["generation"].as_u64();
        let before = generation(&self.status());
        self.signal(Signal::SIGHUP);
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let status = self.status();
            if generation(&status) != before {
                let taken = &status["reload"]["ok"];
                return taken.as_bool().expect("whether the reload was taken");
            }
            assert!(Instant::now() < end, "no answer to SIGHUP: {status:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    pub(crate) fn wait_ready(&mut self, limit: Duration) {
        let end = Instant::now() + limit;
        loop {
            self.daemon.check_alive();
            let answer = self.ask(&["status", "--json"]);
            if answer.code == 0 && ready(&answer.stdout) {
                return;
            }
            if Instant::now() > end {
                panic!(
                    "not ready within {limit:?}: {answer:?}\n{}",
                    self.daemon.log_tail()
                );
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs a subcommand against this gateway's socket.
    #[track_caller]
    pub(crate) fn ask(&self, words: &[&str]) -> Outcome {
        let words = [&[BINARY], words, &["--socket", &self.socket]].concat();
        self.ns.run(&words, ASK)
    }

    #[track_caller]
    pub(crate) fn status(&self) -> serde_json::Value {
        self.json("status")
    }

    #[track_caller]
    pub(crate) fn counters(&self) -> serde_json::Value {
        self.json("counters")
    }

    #[track_caller]
    fn json(&self, subcommand: &str) -> serde_json::Value {
        let text = self.ask(&[subcommand, "--json"]).ok();
        serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{subcommand} --json is not JSON ({error}): {text}"))
    }

    /// Everything at `/metrics`.
    #[track_caller]
    pub(crate) fn metrics(&self) -> Metrics {
        Metrics::parse(&self.metrics_text())
    }

    #[track_caller]
    /// What the gateway counted, for whoever reads why a test failed.
    fn show_counters(&self) {
        let address = self.metrics.parse::<SocketAddr>();
        let Ok(Ok(answer)) = address.map(|address| self.ns.enter(|| fetch(address, "/metrics")))
        else {
            return;
        };
        let counted = answer
            .lines()
            .filter(|line| !line.starts_with('#') && !line.ends_with(" 0"));
        eprintln!("bed: what {} counted", self.name);
        counted.for_each(|line| eprintln!("{line}"));
    }

    pub(crate) fn metrics_text(&self) -> String {
        let address: SocketAddr = self.metrics.parse().expect("the address of the metrics");
        let answer = self.ns.enter(|| fetch(address, "/metrics"));
        let answer = answer.unwrap_or_else(|error| panic!("no metrics at {address}: {error}"));
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        assert!(
            head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.0 200"),
            "{head}"
        );
        body.into()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.daemon.signal(signal);
    }

    pub(crate) fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    pub(crate) fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    pub(crate) fn log_text(&self) -> String {
        self.daemon.log_text()
    }

    /// Ends it by SIGTERM; gives the exit code.
    pub(crate) fn stop(mut self) -> i32 {
        self.daemon.stop()
    }
}

impl Drop for Gateway<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_counters();
        }
        self.daemon.stop();
        // EAL leaves its files there; another name would pile up with each test.
        let _ = std::fs::remove_dir_all(Path::new("/var/run/dpdk").join(&self.name));
    }
}

pub(crate) fn ready(status: &str) -> bool {
    let status: serde_json::Value = serde_json::from_str(status).unwrap_or_default();
    status["ready"].as_bool().unwrap_or(false)
}

fn fetch(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // 1.0: the answer comes whole, not in chunks, and the end of the stream ends it.
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Samples by name and labels, as the exposition text has them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Metrics(Vec<Sample>);

#[derive(Debug, Clone, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Reads Prometheus' text format. Label values with escapes in them are kept as written.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.filter_map(sample).collect())
    }

    /// The sum of all samples of a name that carry these labels; `None` when there is none at all.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let matching = self.0.iter().filter(|sample| {
            let has = |(key, value): &(&str, &str)| {
                sample.labels.get(*key).is_some_and(|found| found == value)
            };
            sample.name == name && labels.iter().all(has)
        });
        matching
            .map(|sample| sample.value)
            .reduce(|sum, value| sum + value)
    }

    /// The same as a whole number; panics, with the names there are, when there is no such sample.
    #[track_caller]
    pub(crate) fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let Some(value) = self.sum(name, labels) else {
            let mut names: Vec<&str> = self.0.iter().map(|sample| sample.name.as_str()).collect();
            names.dedup();
            panic!("no metric {name} with {labels:?} among {names:?}");
        };
        format!("{value:.0}")
            .parse()
            .expect("a counter is a whole number")
    }
}

fn sample(line: &str) -> Option<Sample> {
    let (head, value) = line.rsplit_once(' ')?;
    let (name, labels) = match head.split_once('{') {
        Some((name, rest)) => (name, rest.strip_suffix('}')?),
        None => (head, ""),
    };
    let pairs = labels
        .split("\",")
        .filter_map(|pair| pair.split_once("=\""));
    let labels = pairs.map(|(key, value)| (key.into(), value.trim_end_matches('"').into()));
    Some(Sample {
        name: name.into(),
        labels: labels.collect(),
        value: value.parse().ok()?,
    })
}
