//! The HTTP endpoint, and what a real Prometheus makes of it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod scene;
mod scrape;

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use scene::{Blocks, Directory, Served, one_link};
use scrape::{prometheus, query};

const GROUP: &str = "daemon";

fn send(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("the port is open");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    // What is refused early may not be read to its end.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .expect("an answer and an end");
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(address: SocketAddr, method: &str, path: &str) -> String {
    send(
        address,
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes(),
    )
}

#[track_caller]
fn status(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    code.unwrap_or_else(|| panic!("no HTTP: {answer}"))
}

#[test]
fn paths_and_methods() {
    let served = Served::start(GROUP);
    let at = served.metrics();
    assert_eq!(status(&request(at, "GET", "/live")), 200);
    assert_eq!(status(&request(at, "GET", "/ready")), 503);
    assert_eq!(status(&request(at, "GET", "/metrics")), 503);

    let blocks = Blocks::default();
    blocks.traffic(0, 3);
    served.publish(one_link(&blocks));
    assert_eq!(status(&request(at, "GET", "/ready")), 200);
    let full = request(at, "GET", "/metrics?x=1");
    assert_eq!(status(&full), 200);
    assert!(
        full.contains("Content-Type: text/plain; version=0.0.4"),
        "{full}"
    );
    assert!(full.contains("macsecgw_lane_in_frames_total{"), "{full}");
    let head = request(at, "HEAD", "/metrics");
    assert_eq!(status(&head), 200);
    assert!(head.ends_with("\r\n\r\n"), "a HEAD with a body: {head}");
    for path in ["/", "/metrics/", "/../metrics", "//metrics", "/status"] {
        assert_eq!(status(&request(at, "GET", path)), 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
        let answer = request(at, method, "/metrics");
        assert_eq!(status(&answer), 405, "{method}");
        assert!(answer.contains("Allow: GET, HEAD\r\n"), "{answer}");
    }
    let mut old = one_link(&blocks);
    old.taken = Instant::now()
        .checked_sub(Duration::from_secs(6))
        .expect("a while ago");
    served.publish(old);
    assert_eq!(status(&request(at, "GET", "/ready")), 503);
    assert_eq!(status(&request(at, "GET", "/metrics")), 200);
}

#[test]
fn hostile_requests_are_refused_and_bounded() {
    let served = Served::start(GROUP);
    let at = served.metrics();
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(status(&send(at, long.as_bytes())), 431);
    assert_eq!(status(&send(at, &[b'A'; 9000])), 431);
    assert_eq!(status(&send(at, b"\0\xff\xfe\r\n\r\n")), 400);
    assert_eq!(status(&send(at, b"GET /metrics HTTP/9.9\r\n\r\n")), 505);
    let body = b"GET /live HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nxxxx";
    assert_eq!(status(&send(at, body)), 200);

    let mut slow = TcpStream::connect(at).expect("the port is open");
    slow.set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    slow.write_all(b"GET /live HT").expect("it is read");
    let begun = Instant::now();
    let mut answer = String::new();
    slow.read_to_string(&mut answer)
        .expect("an answer and an end");
    assert_eq!(status(&answer), 408);
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );

    let idle: Vec<_> = (0..100)
        .filter_map(|_| TcpStream::connect(at).ok())
        .collect();
    let begun = Instant::now();
    assert_eq!(status(&request(at, "GET", "/live")), 200);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    for stream in &idle {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// A Prometheus that scrapes one address each second. Ended by its process id.
struct Prometheus {
    child: Child,
    listen: SocketAddr,
    directory: Directory,
}

impl Prometheus {
    fn start(target: SocketAddr) -> Self {
        let directory = Directory::new();
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let listen = free.local_addr().expect("its address");
        drop(free);
        let log = std::fs::File::create(directory.path().join("log")).expect("a log");
        let words = prometheus(directory.path(), &target.to_string(), &listen.to_string());
        let (program, words) = words.split_first().expect("a program");
        let child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus: install Debian's package `prometheus`");
        Self {
            child,
            listen,
            directory,
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_prometheus_scrapes_and_gives_a_counter_back() {
    let served = Served::start(GROUP);
    let blocks = Blocks::default();
    blocks.traffic(2, 4242);
    served.publish(one_link(&blocks));
    let prometheus = Prometheus::start(served.metrics());
    let an = "macsec_tx_sa_out_pkts_encrypted_total{link=\"dx1\",an=\"2\"}";
    let end = Instant::now() + Duration::from_secs(60);
    let wait_for = |asked: &str, wanted: f64| {
        loop {
            let found = query(prometheus.listen, asked);
            if found.is_some_and(|found| (found - wanted).abs() < 0.5) {
                return;
            }
            let late = Instant::now() > end;
            assert!(
                !late,
                "{asked} is {found:?}, not {wanted}\n{}",
                prometheus.log()
            );
            std::thread::sleep(Duration::from_millis(200));
            served.publish(one_link(&blocks));
        }
    };
    wait_for(an, 4242.0);
    blocks.traffic(2, 58);
    wait_for(an, 4300.0);
    wait_for("up{job=\"macsecgw\"}", 1.0);
    wait_for("count(macsecgw_ready == 1)", 1.0);
    let bad = "count(ALERTS{alertstate=\"firing\"}) or vector(0)";
    wait_for(bad, 0.0);
}

#[test]
fn the_examples_are_good() {
    for (what, file) in [
        ("config", "prometheus.yml"),
        ("rules", "macsecgw.rules.yml"),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy/prometheus")
            .join(file);
        let output = Command::new("promtool")
            .args(["check", what])
            .arg(&path)
            .output()
            .expect("promtool: install Debian's package `prometheus`");
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
}

#[test]
fn every_metric_in_the_rules_exists() {
    let rules = include_str!("../deploy/prometheus/macsecgw.rules.yml");
    let names: Vec<_> = macsec_gateway::metrics::catalogue();
    let words = rules.split(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_'));
    let mut seen = 0;
    for word in words.filter(|word| word.starts_with("macsecgw_") || word.starts_with("macsec_")) {
        assert!(
            names.iter().any(|family| family.name == word),
            "no metric {word}"
        );
        seen += 1;
    }
    assert!(seen > 5, "the rules name {seen} metrics");
}
