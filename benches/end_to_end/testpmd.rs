//! `dpdk-testpmd`: in `io` mode what ports alone cost, and what feeds and empties shared memory.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use crate::cpu::OnCpu;
use crate::row::Sample;
use crate::{Plan, pcap_vdev};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running testpmd; killed if it is dropped.
pub(crate) struct Testpmd {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    prefix: String,
}

impl Drop for Testpmd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(Path::new("/run/dpdk").join(&self.prefix));
    }
}

/// A port's counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PortCounts {
    pub(crate) rx: u64,
    pub(crate) tx: u64,
}

impl Testpmd {
    /// Starts it in `io` mode on `cpu`; ports are in the order of `vdevs`, joined in pairs.
    pub(crate) fn start(plan: &Plan, cpu: usize, vdevs: &[String]) -> Self {
        let prefix = format!("e2e-testpmd-{}", process::id());
        // Its counts are read while it runs: line by line, not when a buffer is full.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "dpdk-testpmd"]);
        // The first CPU asks; the other forwards, as in the gateway.
        command.args([
            format!("--lcores=0@0,1@{cpu}"),
            format!("--file-prefix={prefix}"),
        ]);
        command.args(["--no-pci", "--no-telemetry", "--log-level=error"]);
        if plan.huge {
            command.arg("--in-memory");
        } else {
            command.args(["--no-shconf", "--no-huge", "-m", "512"]);
        }
        command.args(vdevs.iter().map(|vdev| format!("--vdev={vdev}")));
        // As many buffers, as long, and bursts of the same size as the gateway's.
        command.args([
            "--",
            "-i",
            "--nb-cores=1",
            "--no-lsc-interrupt",
            "--forward-mode=io",
        ]);
        command.args(["--total-num-mbufs=8192", "--mbuf-size=9300", "--burst=32"]);
        command.args([
            "--rxd=1024",
            "--txd=1024",
            "--no-flush-rx",
            "--disable-link-check",
        ]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        // Ends with testpmd's output.
        let reader = thread::Builder::new().name("testpmd".to_owned());
        let read = move || {
            output
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(sender.send(line)));
        };
        reader.spawn(read).unwrap();
        let input = child.stdin.take();
        Self {
            child,
            input,
            lines,
            prefix,
        }
    }

    pub(crate) fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    /// Has it forward from now on.
    pub(crate) fn forward(&mut self) {
        self.say("start");
        self.until("packet forwarding");
    }

    fn until(&self, mark: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(end - Instant::now()).unwrap();
            if line.contains(mark) {
                return line;
            }
        }
    }

    pub(crate) fn port(&mut self, port: usize) -> PortCounts {
        self.say(&format!("show port stats {port}"));
        let rx = number(&self.until("RX-packets:"), "RX-packets:");
        let tx = number(&self.until("TX-packets:"), "TX-packets:");
        PortCounts { rx, tx }
    }

    pub(crate) fn cpu(&self) -> OnCpu {
        OnCpu::of(self.child.id())
    }

    /// Ends it in order.
    pub(crate) fn quit(mut self) {
        self.say("stop");
        self.say("quit");
        drop(self.input.take());
        let end = Instant::now() + Duration::from_secs(15);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < end, "dpdk-testpmd did not end");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The number right behind `mark`.
fn number(line: &str, mark: &str) -> u64 {
    let rest = line.split_once(mark).unwrap().1.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().unwrap()
}

/// Runs for the time planned from a file to nowhere.
pub(crate) fn timed(plan: &Plan, file: &Path) -> Sample {
    let vdevs = [pcap_vdev(0, file), "net_null0,no-rx=1".to_owned()];
    let mut testpmd = Testpmd::start(plan, plan.core, &vdevs);
    testpmd.forward();
    thread::sleep(plan.warm());
    let (before, sent) = (testpmd.cpu(), testpmd.port(1).tx);
    thread::sleep(plan.time());
    let (after, now_sent) = (testpmd.cpu(), testpmd.port(1).tx);
    let rate = (now_sent - sent) as f64 / after.seconds_since(&before);
    testpmd.quit();
    Sample { rate, lost: 0 }
}
