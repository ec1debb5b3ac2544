//! A program that is measured beside the gateway: a child process whose output is read line by line.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;
use std::{fs, process, thread};

use crate::Plan;
use crate::cpu::OnCpu;
use crate::width;

/// A running DPDK program; killed if it is dropped.
pub(crate) struct Program {
    pub(crate) child: Child,
    lines: Receiver<String>,
    prefix: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(Path::new("/run/dpdk").join(&self.prefix));
    }
}

/// What EAL is told first: its lcores, a name of this process's own that `name` makes, and the memory planned.
/// Gives the file prefix.
pub(crate) fn eal_arguments(
    command: &mut Command,
    plan: &Plan,
    name: &str,
    lcores: &str,
) -> String {
    let prefix = format!("e2e-{name}-{}", process::id());
    command.args([
        format!("--lcores={lcores}"),
        format!("--file-prefix={prefix}"),
    ]);
    command.args(["--no-pci", "--no-telemetry", "--log-level=error"]);
    command.args(width::eal_argument());
    if plan.huge {
        command.arg("--in-memory");
    } else {
        command.args(["--no-shconf", "--no-huge", "-m", "512"]);
    }
    prefix
}

impl Program {
    /// Starts `command`, whose EAL has this file prefix.
    pub(crate) fn start(command: &mut Command, prefix: String, input: Stdio) -> Self {
        command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        // Ends with the program's output.
        let reader = thread::Builder::new().name("output".to_owned());
        let read = move || {
            output
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(sender.send(line)));
        };
        reader.spawn(read).unwrap();
        Self {
            child,
            lines,
            prefix,
        }
    }

    /// The next line, if it comes before `end`.
    pub(crate) fn line(&self, end: Instant) -> Option<String> {
        self.lines.recv_timeout(end - Instant::now()).ok()
    }

    pub(crate) fn cpu(&self) -> OnCpu {
        OnCpu::of(self.child.id())
    }
}
