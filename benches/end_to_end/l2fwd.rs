//! DPDK's example `l2fwd-crypto` with AES-256-GCM, which `benches/compare.sh` builds from Debian's source.
//!
//! As near to MACsec as its options let it: 28 octets of additional data, a nonce of 12, a tag of 16.
//! What differs, all to its advantage but the last: additional data and nonce are the same for every
//! frame, it encrypts what follows the IPv4 header (22 octets less), it writes no SecTAG, it keeps no
//! packet number; and it needs frames in one buffer of 2,048 octets.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cpu::OnCpu;
use crate::row::Sample;
use crate::{Plan, pcap_vdev};

/// The drivers that it is run on.
pub(crate) const DRIVERS: [&str; 2] = ["crypto_aesni_mb", "crypto_aesni_gcm"];

/// The longest frame, without FCS, that fits its buffers with the tag.
pub(crate) const LONGEST: usize = 2048 - 16;

/// A running example; killed if it is dropped.
struct L2fwd {
    child: Child,
    lines: Receiver<String>,
    prefix: String,
}

impl Drop for L2fwd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(Path::new("/run/dpdk").join(&self.prefix));
    }
}

fn start(plan: &Plan, program: &Path, driver: &str, file: &Path) -> L2fwd {
    let prefix = format!("e2e-l2fwd-{}", process::id());
    let mut command = Command::new(program);
    // It prints its counts on the core that forwards, once a second.
    command.args([
        format!("--lcores=0@{}", plan.core),
        format!("--file-prefix={prefix}"),
    ]);
    command.args(["--no-pci", "--no-telemetry", "--log-level=error"]);
    if plan.huge {
        command.arg("--in-memory");
    } else {
        command.args(["--no-shconf", "--no-huge", "-m", "512"]);
    }
    command.args([
        format!("--vdev={}", pcap_vdev(0, file)),
        "--vdev=net_null0,no-rx=1".to_owned(),
    ]);
    // One for each port, as it wants it.
    command.args([format!("--vdev={driver}0"), format!("--vdev={driver}1")]);
    command.args([
        "--",
        "-p",
        "0x3",
        "-q",
        "2",
        "--no-mac-updating",
        "-T",
        "1",
        "--cdev_type",
        "SW",
    ]);
    command.args([
        "--chain",
        "AEAD",
        "--aead_algo",
        "aes-gcm",
        "--aead_op",
        "ENCRYPT",
    ]);
    command.args([
        "--aead_key_random_size",
        "32",
        "--aead_iv_random_size",
        "12",
    ]);
    command.args(["--aad_random_size", "28", "--digest_size", "16"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = channel();
    // Ends with the example's output.
    let reader = thread::Builder::new().name("l2fwd".to_owned());
    let read = move || {
        output
            .lines()
            .map_while(Result::ok)
            .for_each(|line| drop(sender.send(line)))
    };
    reader.spawn(read).unwrap();
    L2fwd {
        child,
        lines,
        prefix,
    }
}

impl L2fwd {
    /// The next counts that it prints: sent, and not sent for any reason.
    fn next(&self) -> (OnCpu, u64, u64) {
        let end = Instant::now() + Duration::from_secs(20);
        let mut counts = [None; 3];
        loop {
            let line = self
                .lines
                .recv_timeout(end - Instant::now())
                .expect("counts of l2fwd-crypto");
            for (mark, count) in ["packets sent:", "packets dropped:", "crypto errors:"]
                .iter()
                .zip(&mut counts)
            {
                if let Some((_, number)) = line
                    .split_once(&format!("Total {mark}"))
                    .or_else(|| line.split_once(&format!("Total packets {mark}")))
                {
                    *count = number.trim().parse::<u64>().ok();
                }
            }
            if let [Some(sent), Some(dropped), Some(errors)] = counts {
                return (OnCpu::of(self.child.id()), sent, dropped + errors);
            }
        }
    }
}

/// Runs for the time planned, rounded up to its seconds.
pub(crate) fn timed(plan: &Plan, program: &Path, driver: &str, file: &Path) -> Sample {
    let mut running = start(plan, program, driver, file);
    let (before, sent, _) = running.next();
    let end = Instant::now() + plan.time();
    let (after, now_sent, lost) = loop {
        let counts = running.next();
        if Instant::now() >= end {
            break counts;
        }
    };
    let pid = Pid::from_raw(i32::try_from(running.child.id()).unwrap());
    let _ = kill(pid, Signal::SIGINT);
    let end = Instant::now() + Duration::from_secs(5);
    while running.child.try_wait().unwrap().is_none() && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    Sample {
        rate: (now_sent - sent) as f64 / after.seconds_since(&before),
        lost,
    }
}
