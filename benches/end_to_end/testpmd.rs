//! `dpdk-testpmd` in `io` mode: what the ports alone cost.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use crate::{Plan, Sample};

/// A running testpmd; killed if it is dropped.
struct Testpmd(Child);

impl Drop for Testpmd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(plan: &Plan, file: &Path) -> Testpmd {
    let mut command = Command::new("dpdk-testpmd");
    // The first CPU asks and the other forwards, as in the gateway.
    command.args([
        "-l",
        &format!("0,{}", plan.core),
        "--no-pci",
        "--no-telemetry",
    ]);
    command.args(["--log-level=error", "--file-prefix", &prefix()]);
    if plan.huge {
        command.arg("--in-memory");
    } else {
        command.args(["--no-shconf", "--no-huge", "-m", "512"]);
    }
    command.arg(format!(
        "--vdev=net_pcap0,rx_pcap={},infinite_rx=1",
        file.display()
    ));
    command.args([
        "--vdev=net_null0,no-rx=1",
        "--",
        "-i",
        "--nb-cores=1",
        "--no-lsc-interrupt",
    ]);
    // As many buffers, as long, and bursts of the same size as the gateway's.
    command.args([
        "--forward-mode=io",
        "--total-num-mbufs=8192",
        "--mbuf-size=9300",
    ]);
    command.args([
        "--burst=32",
        "--rxd=1024",
        "--txd=1024",
        "--no-flush-rx",
        "--record-core-cycles",
    ]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    Testpmd(command.spawn().unwrap())
}

fn say(input: &mut ChildStdin, line: &str) {
    writeln!(input, "{line}").unwrap();
    input.flush().unwrap();
}

fn prefix() -> String {
    format!("e2e-testpmd-{}", process::id())
}

/// Runs for the time planned and reads what testpmd says at the end.
pub(crate) fn timed(plan: &Plan, file: &Path) -> Sample {
    let mut testpmd = start(plan, file);
    let mut input = testpmd.0.stdin.take().unwrap();
    let output = BufReader::new(testpmd.0.stdout.take().unwrap());
    let (sender, lines) = mpsc::channel();
    let reader = thread::Builder::new().name("testpmd".to_owned());
    let reader = reader.spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        lines.for_each(|line| drop(sender.send(line)));
    });
    say(&mut input, "start");
    while !lines
        .recv_timeout(Duration::from_secs(20))
        .unwrap()
        .contains("packet forwarding")
    {}
    thread::sleep(Duration::from_millis(500));
    // The first call only starts testpmd's own clock.
    say(&mut input, "show port stats 1");
    thread::sleep(Duration::from_secs(plan.seconds));
    say(&mut input, "show port stats 1");
    say(&mut input, "stop");
    say(&mut input, "quit");
    drop(input);
    let end = Instant::now() + Duration::from_secs(15);
    while testpmd.0.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "dpdk-testpmd did not end");
        thread::sleep(Duration::from_millis(20));
    }
    reader.unwrap().join().unwrap();
    let _ = fs::remove_dir_all(Path::new("/run/dpdk").join(prefix()));
    let lines: Vec<String> = lines.iter().collect();
    let counted = |mark: &str| *numbers(&lines, mark).last().unwrap();
    Sample {
        rate: counted("Tx-pps:"),
        cycles: counted("CPU cycles/packet="),
        lost: counted("TX-dropped:") * 1e6 / counted("RX-total:"),
    }
}

/// The numbers right behind `mark`.
fn numbers(lines: &[String], mark: &str) -> Vec<f64> {
    let behind = lines.iter().filter_map(|line| line.split_once(mark));
    behind
        .map(|(_, rest)| {
            let rest = rest.trim_start();
            let end = rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len());
            rest[..end].parse().unwrap()
        })
        .collect()
}
