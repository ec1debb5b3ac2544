//! DPDK's example `l2fwd-crypto` with AES-256-GCM, which `benches/compare.sh` builds from Debian's source.
//!
//! As near to MACsec as its options let it: 28 octets of additional data, a nonce of 12, a tag of 16.
//! What differs, all to its advantage but the last: additional data and nonce are the same for every
//! frame, it encrypts what follows the IPv4 header (22 octets less), it writes no SecTAG, it keeps no
//! packet number; and it needs frames in one buffer of 2,048 octets.
//!
//! DPDK's drivers of ipsec-mb have that library look at the CPU, whatever EAL was told of vectors. Where their
//! width is limited, `L2FWD_PRELOAD` names a library that stands in front of that one call.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::cpu::OnCpu;
use crate::program::{Program, eal_arguments};
use crate::row::Sample;
use crate::{Plan, pcap_vdev};

/// The drivers that it is run on.
pub(crate) const DRIVERS: [&str; 2] = ["crypto_aesni_mb", "crypto_aesni_gcm"];

/// The longest frame, without FCS, that fits its buffers with the tag.
pub(crate) const LONGEST: usize = 2048 - 16;

/// A running example.
struct L2fwd(Program);

fn start(plan: &Plan, program: &Path, driver: &str, file: &Path) -> L2fwd {
    let mut command = Command::new(program);
    if let Some(library) = env::var_os("L2FWD_PRELOAD") {
        command.env("LD_PRELOAD", library);
    }
    // It prints its counts on the core that forwards, once a second.
    let lcores = format!("0@{}", plan.core);
    let prefix = eal_arguments(&mut command, plan, "l2fwd", &lcores);
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
    L2fwd(Program::start(&mut command, prefix, Stdio::null()))
}

impl L2fwd {
    /// The next counts that it prints: sent, and not sent for any reason.
    fn next(&self) -> (OnCpu, u64, u64) {
        let end = Instant::now() + Duration::from_secs(20);
        let mut counts = [None; 3];
        loop {
            let line = self.0.line(end).expect("counts of l2fwd-crypto");
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
                return (self.0.cpu(), sent, dropped + errors);
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
    let pid = Pid::from_raw(i32::try_from(running.0.child.id()).unwrap());
    let _ = kill(pid, Signal::SIGINT);
    let end = Instant::now() + Duration::from_secs(5);
    while running.0.child.try_wait().unwrap().is_none() && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    Sample {
        rate: (now_sent - sent) as f64 / after.seconds_since(&before),
        lost,
    }
}
