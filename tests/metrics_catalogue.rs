//! The exposition: what Prometheus' own linter says of it, that no counter goes down, and that the
//! documentation says what is exported.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod scene;

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use macsec_gateway::{
    bus::{DropReason, PortStats, Snapshot, UnsentReason},
    metrics::{Exporter, Kind, catalogue, metrics_document},
};
use scene::{Blocks, KEY_OCTET, alarm, link, mka, one_link, snapshot};

/// Every sample of a text, by name and labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a sample");
            (series.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

fn render(exporter: &mut Exporter, snapshot: &Snapshot) -> String {
    exporter.render(snapshot, Instant::now()).expect("a text")
}

#[test]
fn prometheus_linter_is_silent() {
    let blocks = Blocks::default();
    blocks.traffic(0, 5);
    let mut busy = link("dx1", &blocks, 0);
    busy.alarms.push(alarm());
    busy.mka = Some(mka());
    let mut scene = snapshot(vec![busy, link("dx2", &blocks, 3)], &blocks);
    scene.last_reload = Some((Instant::now(), Ok(())));
    let text = render(&mut Exporter::default(), &scene);

    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool: install Debian's package `prometheus`");
    promtool
        .stdin
        .take()
        .expect("a pipe")
        .write_all(text.as_bytes())
        .expect("promtool reads");
    let output = promtool.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.is_empty(), "{said}\n{text}");
    for family in catalogue() {
        assert!(
            text.contains(&format!("# TYPE {} ", family.name)),
            "{} is missing",
            family.name
        );
    }
}

#[test]
fn no_counter_goes_down_over_rekeys() {
    let blocks = Blocks::default();
    let mut exporter = Exporter::default();
    let counters: Vec<String> = catalogue()
        .iter()
        .filter(|family| family.kind == Kind::Counter)
        .map(|family| family.name.to_string())
        .collect();
    let is_counter = |series: &str| {
        let name = series.split('{').next().unwrap_or_default();
        counters.iter().any(|counter| counter == name)
    };
    let mut before: BTreeMap<String, f64> = BTreeMap::new();
    let mut rises = 0;
    for step in 0..40_u8 {
        let number = step % 4;
        blocks.traffic(number, u64::from(step) + 1);
        blocks.rx_sc.in_pkts_late.add(1);
        blocks.validate.dropped(DropReason::Closed).add(1);
        let mut now = link("dx1", &blocks, number);
        now.an_changes = u64::from(step);
        let rx_packets = u64::from(step) * 10;
        now.plain.stats = PortStats {
            rx_packets,
            ..PortStats::default()
        };
        // Between two keys there may be no SA at all.
        if step % 5 == 4 {
            now.tx_sas.clear();
            now.tx_encoding = None;
            for sc in &mut now.rx_scs {
                sc.sas.clear();
            }
        }
        let text = render(&mut exporter, &snapshot(vec![now], &blocks));
        let now = samples(&text);
        for (series, value) in before.iter().filter(|(series, _)| is_counter(series)) {
            let later = now
                .get(series)
                .unwrap_or_else(|| panic!("step {step}: {series} is gone"));
            assert!(
                later >= value,
                "step {step}: {series} went from {value} to {later}"
            );
            rises += usize::from(later > value);
        }
        before = now;
    }
    assert!(rises > 500, "the test moved only {rises} counters");
    let per_an =
        "macsec_tx_sa_out_pkts_encrypted_total{an=\"0\",link=\"dx1\",sci=\"02:00:00:00:00:02/1\"}";
    let per_an = find(&before, per_an);
    // Steps 0, 4, .. 36 of 1, 5, .. 37 frames.
    assert!((per_an - 190.0).abs() < 0.5, "AN 0 stands at {per_an}");
}

/// A sample whatever the order of its labels.
fn find(samples: &BTreeMap<String, f64>, wanted: &str) -> f64 {
    let parts = |series: &str| {
        let mut parts: Vec<String> = series
            .split(['{', '}', ','])
            .filter(|part| !part.is_empty())
            .map(Into::into)
            .collect();
        parts.sort();
        parts
    };
    let mut found = samples
        .iter()
        .filter(|(series, _)| parts(series) == parts(wanted));
    *found.next().unwrap_or_else(|| panic!("no {wanted}")).1
}

#[test]
fn values_come_from_where_the_catalogue_says() {
    let blocks = Blocks::default();
    blocks.traffic(2, 1000);
    blocks.validate.dropped(DropReason::Closed).add(4);
    blocks.protect.eapol_sent.add(3);
    blocks.protect.eapol_unsent(UnsentReason::TxFull).add(2);
    blocks.tx.out_pkts_too_long.add(6);
    let mut now = link("dx1", &blocks, 2);
    now.secure.stats.rx_missed = 11;
    now.plain.link.up = false;
    let samples = samples(&render(
        &mut Exporter::default(),
        &snapshot(vec![now], &blocks),
    ));
    for (series, value) in [
        (
            "macsecgw_build_info{gateway=\"edge\",version=\"0.1.0\",dpdk_version=\"22.11.7\"}",
            1.0,
        ),
        ("macsecgw_crypto_engine_info{engine=\"ring\"}", 1.0),
        ("macsecgw_ready", 1.0),
        ("macsecgw_link_secured{link=\"dx1\"}", 1.0),
        ("macsecgw_link_controlled_port_open{link=\"dx1\"}", 1.0),
        (
            "macsecgw_lane_mode{link=\"dx1\",lane=\"protect\",mode=\"secured\"}",
            1.0,
        ),
        (
            "macsecgw_lane_mode{link=\"dx1\",lane=\"protect\",mode=\"clear\"}",
            0.0,
        ),
        (
            "macsecgw_lane_in_frames_total{link=\"dx1\",lane=\"validate\"}",
            1000.0,
        ),
        (
            "macsecgw_lane_in_bytes_total{link=\"dx1\",lane=\"validate\"}",
            100_000.0,
        ),
        (
            "macsecgw_lane_dropped_frames_total{link=\"dx1\",lane=\"validate\",reason=\"closed\"}",
            4.0,
        ),
        (
            "macsecgw_lane_eapol_sent_frames_total{link=\"dx1\",lane=\"protect\"}",
            3.0,
        ),
        (
            "macsecgw_lane_eapol_unsent_frames_total{link=\"dx1\",lane=\"protect\",reason=\"tx_full\"}",
            2.0,
        ),
        ("macsecgw_port_link_up{link=\"dx1\",side=\"plain\"}", 0.0),
        (
            "macsecgw_port_link_speed_bytes_per_second{link=\"dx1\",side=\"secure\"}",
            1.25e9,
        ),
        (
            "macsecgw_port_rx_missed_total{link=\"dx1\",side=\"secure\"}",
            11.0,
        ),
        (
            "macsecgw_port_mbufs_free{link=\"dx1\",side=\"plain\"}",
            4000.0,
        ),
        ("macsecgw_worker_busy_seconds_total{worker=\"0\"}", 0.001),
        ("macsec_secy_out_pkts_too_long_total{link=\"dx1\"}", 6.0),
        (
            "macsec_rx_sc_in_pkts_ok_total{link=\"dx1\",sci=\"02:00:00:00:00:09/1\"}",
            1000.0,
        ),
        (
            "macsec_rx_sa_in_pkts_ok_total{link=\"dx1\",sci=\"02:00:00:00:00:09/1\",an=\"2\"}",
            1000.0,
        ),
        (
            "macsec_rx_sa_lowest_pn{link=\"dx1\",sci=\"02:00:00:00:00:09/1\",an=\"2\"}",
            400.0,
        ),
        (
            "macsecgw_port_info{link=\"dx1\",side=\"plain\",device=\"net_ring0\",driver=\"net_ring\",link_down_way=\"stop\"}",
            1.0,
        ),
    ] {
        let found = find(&samples, series);
        assert!(
            (found - value).abs() < 1e-9,
            "{series} is {found}, not {value}"
        );
    }
}

#[test]
fn an_alarm_that_ended_is_seen_to_end() {
    let blocks = Blocks::default();
    let mut exporter = Exporter::default();
    let series = "macsecgw_link_alarm{link=\"dx1\",alarm=\"bypass_in_must_encrypt\"}";
    let mut standing = one_link(&blocks);
    standing.links[0].alarms.push(alarm());
    let text = render(&mut exporter, &standing);
    assert!((find(&samples(&text), series) - 1.0).abs() < 1e-9);
    let text = render(&mut exporter, &one_link(&blocks));
    assert!(find(&samples(&text), series).abs() < 1e-9);
}

#[test]
fn no_key_identifier_and_no_free_text_is_exported() {
    let blocks = Blocks::default();
    let now = link("dx1", &blocks, 0);
    let text = render(&mut Exporter::default(), &snapshot(vec![now], &blocks));
    let octet = format!("{KEY_OCTET:02x}{KEY_OCTET:02x}");
    assert!(!text.contains(&octet), "a key identifier is exported");
    assert!(
        !text.contains("both SAs are installed"),
        "free text is exported"
    );
}

#[test]
fn an_old_snapshot_is_said_to_be_old() {
    let blocks = Blocks::default();
    let scene = one_link(&blocks);
    let later = scene.taken + Duration::from_secs(9);
    let text = Exporter::default().render(&scene, later).expect("a text");
    let samples = samples(&text);
    assert!(find(&samples, "macsecgw_ready").abs() < 1e-9);
    assert!((find(&samples, "macsecgw_snapshot_age_seconds") - 9.0).abs() < 1e-6);
    assert_eq!(Arc::strong_count(&blocks.tx), 2);
}

#[test]
fn key_agreement_is_counted_by_link_and_by_name_of_the_cak() {
    let blocks = Blocks::default();
    let mut scene = one_link(&blocks);
    scene.links[0].mka = Some(mka());
    let link = scene.links[0].name.clone();
    let text = render(&mut Exporter::default(), &scene);
    let samples = samples(&text);
    let ckn = |octet: &str| octet.repeat(32);
    let of = |name: &str, ckn: &str, more: &str| {
        find(
            &samples,
            &format!("{name}{{link=\"{link}\",ckn=\"{ckn}\"{more}}}"),
        )
    };
    for (name, octet, more, value) in [
        ("macsec_mka_principal", "01", "", 1.0),
        ("macsec_mka_principal", "02", "", 0.0),
        ("macsec_mka_live_peers", "01", "", 1.0),
        ("macsec_mka_potential_peers", "01", "", 1.0),
        ("macsec_mka_live_peers", "02", "", 0.0),
        ("macsec_mka_cak_usable", "03", "", 0.0),
        ("macsec_mka_cak_expiry_seconds", "01", "", 600.0),
        ("macsec_mka_in_mkpdus_total", "01", "", 11.0),
        (
            "macsec_mka_cak_discarded_mkpdus_total",
            "01",
            ",reason=\"icv\"",
            3.0,
        ),
    ] {
        let found = of(name, &ckn(octet), more);
        assert!((found - value).abs() < 1e-9, "{name} {octet}: {found}");
    }
    for (name, more, value) in [
        ("macsec_mka_key_server", "", 1.0),
        ("macsec_mka_rekeys_total", "", 4.0),
        ("macsec_mka_since_rekey_seconds", "", 30.0),
        ("macsec_mka_saks_generated_total", "", 5.0),
        (
            "macsec_mka_discarded_mkpdus_total",
            ",reason=\"unknown_ckn\"",
            7.0,
        ),
    ] {
        let found = find(&samples, &format!("{name}{{link=\"{link}\"{more}}}"));
        assert!((found - value).abs() < 1e-9, "{name}: {found}");
    }
    // A member identifier is a peer's own choice: it may stand in no label.
    assert!(!text.contains(&"b2".repeat(12)));
}

#[test]
fn documentation_is_the_catalogue() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let wanted = metrics_document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &wanted).expect("docs/metrics.md can be written");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/metrics.md is not what the catalogue says: UPDATE_DOCS=1 cargo test --test metrics_catalogue"
    );
}
