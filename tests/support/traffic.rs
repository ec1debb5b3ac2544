//! Ping and iperf3, run anywhere a shell is to be had: in a namespace, in a guest.

use super::process::Outcome;
use std::time::Duration;

/// Something that runs shell scripts.
pub(crate) trait Shell {
    #[track_caller]
    fn sh(&self, script: &str, limit: Duration) -> Outcome;
}

/// What ping reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ping {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

impl Ping {
    #[track_caller]
    pub(crate) fn lossless(self) -> Self {
        assert!(
            self.sent > 0 && self.sent == self.received,
            "pings were lost: {self:?}"
        );
        self
    }
}

/// Pings `address` `count` times, each after the answer to the one before, with `payload` octets of ICMP
/// data, fragmentation refused. Gives up after three losses.
///
/// One process each: a ping that sends several waits for the last answers only twice as long as the longest
/// took, and on a busy machine calls lost what is late.
#[track_caller]
pub(crate) fn ping(from: &dyn Shell, address: &str, count: u32, payload: u32) -> Ping {
    let script = format!(
        "sent=0; lost=0; while [ $sent -lt {count} ] && [ $lost -lt 3 ]; do sent=$((sent+1)); \
         ping -n -q -M do -c 1 -s {payload} -W 5 {address} >/dev/null 2>&1 || lost=$((lost+1)); done; \
         echo $sent $lost"
    );
    let outcome = from.sh(&script, Duration::from_secs(u64::from(count) + 60));
    let mut figures = outcome.stdout.split_whitespace().map(str::parse);
    let (Some(Ok(sent)), Some(Ok(lost))) = (figures.next(), figures.next()) else {
        panic!("no report of pings: {outcome:?}");
    };
    let lost: u64 = lost;
    Ping {
        sent,
        received: sent - lost,
    }
}

/// What an iperf3 client reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Iperf {
    /// As the receiver counted, bits per second.
    pub(crate) bits_per_second: f64,
    /// Octets that the receiver got.
    pub(crate) octets: u64,
    /// Segments that TCP sent again (0 for UDP).
    pub(crate) retransmits: u64,
    /// Datagrams lost (0 for TCP).
    pub(crate) lost: u64,
}

/// Starts a server that serves one client and ends; it is listening when this returns.
#[track_caller]
pub(crate) fn iperf_server(on: &dyn Shell) {
    // In the background and cut off from our outputs, or the shell would wait for it.
    let script = "command -v iperf3 >/dev/null || exit 1\n\
                  timeout 60 iperf3 -4 -s -1 >/dev/null 2>&1 </dev/null &\n\
                  n=0; while [ $n -lt 100 ]; do grep -q ':1451 .* 0A ' /proc/net/tcp && exit 0; \
                  n=$((n+1)); sleep 0.1; done; exit 1";
    on.sh(script, Duration::from_secs(30)).ok();
}

/// Runs a client for some seconds. `options` are iperf3's own, for example `-R` or `-u -b 20M`.
#[track_caller]
pub(crate) fn iperf_client(on: &dyn Shell, server: &str, seconds: u32, options: &str) -> Iperf {
    let limit = seconds + 20;
    let script =
        format!("timeout {limit} iperf3 -4 -c {server} -t {seconds} --json {options} </dev/null");
    let text = on
        .sh(&script, Duration::from_secs(u64::from(limit) + 10))
        .ok();
    let report: serde_json::Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("iperf3's report is not JSON ({error}): {text}"));
    let end = &report["end"];
    let received = if end["sum_received"].is_object() {
        &end["sum_received"]
    } else {
        &end["sum"]
    };
    Iperf {
        bits_per_second: received["bits_per_second"].as_f64().unwrap_or(0.0),
        octets: received["bytes"].as_u64().unwrap_or(0),
        retransmits: end["sum_sent"]["retransmits"].as_u64().unwrap_or(0),
        lost: end["sum"]["lost_packets"].as_u64().unwrap_or(0),
    }
}
