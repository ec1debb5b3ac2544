//! A real Prometheus: its configuration, made from the example that we ship, and its answers.

#![expect(
    clippy::expect_used,
    reason = "this is test code: a broken step must end the test and say why"
)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use serde_json::Value;

/// Writes what a Prometheus needs that scrapes `target` each second and listens on `listen`, and gives
/// the words that start it. The package `prometheus` of Debian brings it.
pub(crate) fn prometheus(directory: &Path, target: &str, listen: &str) -> Vec<String> {
    let config = include_str!("../../deploy/prometheus/prometheus.yml")
        .replace("127.0.0.1:9464", target)
        .replace("interval: 15s", "interval: 1s");
    assert!(
        config.contains(target) && config.contains("interval: 1s"),
        "{config}"
    );
    let write = |name: &str, text: &str| {
        std::fs::write(directory.join(name), text).expect("a file of the test's own");
    };
    write("prometheus.yml", &config);
    write(
        "macsecgw.rules.yml",
        include_str!("../../deploy/prometheus/macsecgw.rules.yml"),
    );
    let directory = directory.display();
    vec![
        "prometheus".into(),
        format!("--config.file={directory}/prometheus.yml"),
        format!("--storage.tsdb.path={directory}/data"),
        format!("--web.listen-address={listen}"),
    ]
}

/// The value of the first result of a query, if there is one by now.
pub(crate) fn query(listen: SocketAddr, query: &str) -> Option<f64> {
    let coded: String = query.bytes().map(|octet| format!("%{octet:02X}")).collect();
    let mut stream = TcpStream::connect_timeout(&listen, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!("GET /api/v1/query?query={coded} HTTP/1.0\r\nHost: {listen}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let body: Value = serde_json::from_str(body).ok()?;
    body["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}
