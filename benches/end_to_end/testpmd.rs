//! `dpdk-testpmd`: in `io` mode what ports alone cost; in `flowgen` mode, or in `io` mode from a file, what
//! feeds and empties shared memory.

use std::io::Write;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cpu::OnCpu;
use crate::program::{Program, eal_arguments};
use crate::row::Sample;
use crate::{Plan, pcap_vdev};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running testpmd.
pub(crate) struct Testpmd {
    program: Program,
    input: Option<ChildStdin>,
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
        Self::start_as(plan, cpu, vdevs, &["--forward-mode=io"])
    }

    /// Starts it in `flowgen` mode on `cpu`, between the first port and the second: what comes in by the
    /// second is taken and freed, and frames of `octets` with FCS, of so many flows, go out by the first. The
    /// stream the other way round is switched off: testpmd leaves out streams whose queue does not
    /// start with its port.
    pub(crate) fn generate(
        plan: &Plan,
        cpu: usize,
        vdevs: &[String; 2],
        octets: usize,
        flows: usize,
    ) -> Self {
        let lengths = [
            format!("--txpkts={octets}"),
            format!("--flowgen-flows={flows}"),
        ];
        let options = ["--disable-device-start", "--forward-mode=flowgen"];
        let options: Vec<&str> = options
            .into_iter()
            .chain(lengths.iter().map(String::as_str))
            .collect();
        let mut testpmd = Self::start_as(plan, cpu, vdevs, &options);
        testpmd.say("port 1 txq 0 deferred_start on");
        testpmd.say("port start all");
        testpmd
    }

    fn start_as(plan: &Plan, cpu: usize, vdevs: &[String], options: &[&str]) -> Self {
        // Its counts are read while it runs: line by line, not when a buffer is full.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "dpdk-testpmd"]);
        // The first CPU asks; the other forwards, as in the gateway.
        let lcores = format!("0@0,1@{cpu}");
        let prefix = eal_arguments(&mut command, plan, "testpmd", &lcores);
        command.args(vdevs.iter().map(|vdev| format!("--vdev={vdev}")));
        // As many buffers, as long, and bursts of the same size as the gateway's.
        command.args(["--", "-i", "--nb-cores=1", "--no-lsc-interrupt"]);
        command.args(["--total-num-mbufs=8192", "--mbuf-size=9300", "--burst=32"]);
        command.args([
            "--rxd=1024",
            "--txd=1024",
            "--no-flush-rx",
            "--disable-link-check",
        ]);
        // Lengths are held against the buffers' at once.
        command.args(options);
        let mut program = Program::start(&mut command, prefix, Stdio::piped());
        let input = program.child.stdin.take();
        Self { program, input }
    }

    fn say(&mut self, line: &str) {
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
            let line = self.program.line(end).unwrap();
            if line.contains(mark) {
                return line;
            }
        }
    }

    /// Has it forward no more. Gives how many frames it had for `port` that the port did not take.
    pub(crate) fn halt(&mut self, port: usize) -> u64 {
        self.say("stop");
        self.until(&format!("Forward statistics for port {port} "));
        let refused = number(&self.until("TX-dropped:"), "TX-dropped:");
        self.until("Done.");
        refused
    }

    /// Has it take in what still comes, and send nothing.
    pub(crate) fn take_in(&mut self) {
        self.say("set fwd rxonly");
        self.forward();
    }

    pub(crate) fn port(&mut self, port: usize) -> PortCounts {
        self.say(&format!("show port stats {port}"));
        self.until(&format!("NIC statistics for port {port} "));
        let rx = number(&self.until("RX-packets:"), "RX-packets:");
        let tx = number(&self.until("TX-packets:"), "TX-packets:");
        PortCounts { rx, tx }
    }

    pub(crate) fn cpu(&self) -> OnCpu {
        self.program.cpu()
    }

    /// Ends it in order.
    pub(crate) fn quit(mut self) {
        self.say("stop");
        self.say("quit");
        drop(self.input.take());
        let end = Instant::now() + Duration::from_secs(15);
        while self.program.child.try_wait().unwrap().is_none() {
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
