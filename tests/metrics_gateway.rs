//! Running gateways, scraped: two of them back to back, real MACsec between them, and a real Prometheus
//! beside one.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod scrape;
mod support;

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};

use macsec_gateway::metrics::{Kind, catalogue};
use serde_json::Value;
use support::{
    Daemon, Gateway, GatewayConfig, LinkConfig, Metrics, Namespace, Scratch, Shell, StaticKeys,
    Suite, ping, wait_until,
};

const QUICK: Duration = Duration::from_secs(20);

/// `left -- near [gateway] -- [gateway] far -- right`, all wires.
struct Bench {
    left: Namespace,
    near: Namespace,
    far: Namespace,
    right: Namespace,
}

impl Bench {
    fn new() -> Self {
        let [left, near, far, right] = ["left", "near", "far", "right"].map(Namespace::new);
        left.wire("lan", &near, "plain0", 1508);
        near.wire("secure0", &far, "secure0", 1600);
        far.wire("plain0", &right, "lan", 1508);
        near.mac("secure0", "02:00:00:00:00:01");
        far.mac("secure0", "02:00:00:00:00:02");
        for (ns, number, other) in [(&left, 1, 2), (&right, 2, 1)] {
            ns.mac("lan", &format!("02:00:00:00:00:a{number}"));
            ns.address("lan", &format!("10.8.0.{number}/24"));
            // No ARP: after the last ping nothing is sent that would move a counter while it is compared.
            let neighbour = format!(
                "ip neigh replace 10.8.0.{other} lladdr 02:00:00:00:00:a{other} dev lan nud permanent"
            );
            ns.sh(&neighbour, QUICK).ok();
        }
        Self {
            left,
            near,
            far,
            right,
        }
    }
}

fn keys() -> StaticKeys {
    StaticKeys {
        suite: Suite::ALL[3],
        sci: "02:00:00:00:00:01/1".into(),
        peer_sci: "02:00:00:00:00:02/1".into(),
        tx_key: "1f".repeat(32),
        rx_key: "2e".repeat(32),
        tx_an: 1,
        rx_an: 2,
        tx_ssci: 1,
        rx_ssci: 2,
        salt: "e0e1e2e3e4e5e6e7e8e9eaeb".into(),
    }
}

fn gateway<'ns>(ns: &'ns Namespace, keys: StaticKeys) -> Gateway<'ns> {
    let link = LinkConfig::on_interfaces("dx1", 0, ["plain0", "secure0"], keys);
    Gateway::start(ns, &GatewayConfig::new("scraped", vec![link]))
}

fn secured(gateway: &Gateway<'_>) {
    wait_until("a secured link", QUICK, || {
        let status = gateway.status();
        let link = &status["links"][0];
        let up = link["secured"] == true && link["plain"]["link_up"] == true;
        up.then_some(())
    });
}

/// Every series of a counter in a text.
fn counters(text: &str) -> BTreeMap<String, f64> {
    let names: Vec<_> = catalogue()
        .into_iter()
        .filter(|family| family.kind == Kind::Counter)
        .collect();
    let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    lines
        .filter(|(series, _)| {
            let name = series.split('{').next().unwrap_or_default();
            names.iter().any(|family| family.name == name)
        })
        .map(|(series, value)| (series.to_owned(), value.parse().unwrap_or(f64::NAN)))
        .collect()
}

#[track_caller]
fn assert_none_fell(before: &str, after: &str) {
    let (before, after) = (counters(before), counters(after));
    assert!(before.len() > 100, "{} series", before.len());
    for (series, value) in before {
        let later = after.get(&series).copied();
        assert!(
            later.is_some_and(|later| later >= value),
            "{series}: {value}, then {later:?}"
        );
    }
}

#[track_caller]
fn assert_linter_is_silent(text: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool: install Debian's package `prometheus`");
    let mut input = promtool.stdin.take().expect("a pipe");
    input.write_all(text.as_bytes()).expect("promtool reads");
    drop(input);
    let output = promtool.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

/// Frames in are frames out, to control and dropped, as far as counters and metrics say.
#[track_caller]
fn assert_balanced(counters: &Value) {
    for direction in ["protect", "validate"] {
        let lane = &counters["links"][0]["lanes"][direction];
        let count = |name: &str| {
            lane[name]
                .as_u64()
                .unwrap_or_else(|| panic!("{name} in {lane}"))
        };
        let drops = lane["drops"].as_object().expect("drops");
        let reasons: u64 = drops.values().filter_map(Value::as_u64).sum();
        assert_eq!(count("dropped"), reasons, "{lane}");
        let ended = count("frames_out") + count("to_control") + count("dropped");
        assert_eq!(count("frames_in"), ended, "{direction}: {lane}");
    }
}

#[test]
fn a_prometheus_scrapes_a_running_gateway() {
    let bench = Bench::new();
    let near = gateway(&bench.near, keys());
    let far = gateway(&bench.far, keys().mirrored());
    secured(&near);
    secured(&far);
    let scratch = Scratch::new("prometheus");
    let words = scrape::prometheus(scratch.path(), "127.0.0.1:9464", "127.0.0.1:9090");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let prometheus: Daemon = bench.near.daemon("prometheus", &words, &scratch);

    let first = near.metrics_text();
    assert_linter_is_silent(&first);
    ping(&bench.left, "10.8.0.2", 40, 1400).lossless();
    let second = near.metrics_text();
    assert_none_fell(&first, &second);
    ping(&bench.right, "10.8.0.1", 20, 100).lossless();
    let third = near.metrics_text();
    assert_none_fell(&second, &third);

    // Both ends and all three ways to ask agree. The stacks are quiet now: no IPv6, no ARP.
    let sent = "macsec_tx_sc_out_pkts_encrypted_total";
    let encrypted = Metrics::parse(&third).count(sent, &[("link", "dx1")]);
    assert!(encrypted >= 60, "{encrypted} frames");
    let per_an = "macsec_tx_sa_out_pkts_encrypted_total";
    assert_eq!(
        Metrics::parse(&third).count(per_an, &[("an", "1")]),
        encrypted
    );
    let near_counters = near.counters();
    let tx_sc = &near_counters["links"][0]["tx_sc"];
    assert_eq!(tx_sc["counters"]["out_pkts_encrypted"], encrypted);
    let far_counters = far.counters();
    assert_eq!(
        far_counters["links"][0]["rx_scs"][0]["counters"]["in_pkts_ok"],
        encrypted
    );
    assert_eq!(
        far_counters["links"][0]["rx_scs"][0]["sas"][1]["counters"]["in_pkts_ok"],
        encrypted
    );
    assert_balanced(&near_counters);
    assert_balanced(&far_counters);

    let listen = "127.0.0.1:9090".parse().expect("an address");
    let asked = format!("{per_an}{{link=\"dx1\",an=\"1\"}}");
    let wanted = format!("{encrypted}");
    wait_until("the counter in Prometheus", Duration::from_secs(60), || {
        let found = bench.near.enter(|| scrape::query(listen, &asked));
        found
            .is_some_and(|found| format!("{found:.0}") == wanted)
            .then_some(())
    });
    let up = bench
        .near
        .enter(|| scrape::query(listen, "macsecgw_link_secured{link=\"dx1\"}"));
    assert_eq!(up.map(|up| format!("{up:.0}")).as_deref(), Some("1"));
    drop(prometheus);
    assert_eq!(near.stop(), 0);
    assert_eq!(far.stop(), 0);
}
