//! `dpdk-testpmd` in `io` mode on `net_null` ports: what receive and transmit cost by its own count.

use std::{
    io::Write,
    process::{Command, Stdio, id},
    thread,
    time::Duration,
};

use crate::{Plan, lanes::source};

/// Cycles per frame over about a second.
pub(crate) fn cycles(plan: &Plan) -> f64 {
    let mut command = Command::new("dpdk-testpmd");
    command.arg(format!("--lcores=0@0,1@{}", plan.core));
    command.args(["--no-pci", "--no-telemetry", "--log-level=error"]);
    command.arg(format!("--file-prefix=stages-testpmd-{}", id()));
    if plan.huge {
        command.arg("--in-memory");
    } else {
        command.args(["--no-shconf", "--no-huge", "-m", "256"]);
    }
    command.arg(format!("--vdev={}", source("net_null0", plan.size)));
    command.arg("--vdev=net_null1,no-rx=1");
    command.args(["--", "-i", "--nb-cores=1", "--no-lsc-interrupt"]);
    command.args(["--forward-mode=io", "--total-num-mbufs=8191"]);
    command.arg(format!("--burst={}", plan.burst));
    command.args(["--no-flush-rx", "--record-core-cycles"]);
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.unwrap();
    let mut input = child.stdin.take().unwrap();
    thread::sleep(Duration::from_millis(500));
    writeln!(input, "start").unwrap();
    thread::sleep(Duration::from_secs(1));
    writeln!(input, "stop\nquit").unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let cycles = text
        .rsplit_once("CPU cycles/packet=")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    cycles.unwrap().parse().unwrap()
}
