//! `status` and `counters` as an operator types them, and the API's documentation.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this is test code: a broken step must end the test and say why"
)]

mod scene;

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use macsec_gateway::{api::ask, bus::DropReason};
use scene::{Blocks, Served, alarm, mka, one_link};
use serde_json::Value;

const GROUP: &str = "daemon";

fn macsecgw(words: &[&str], socket: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_macsecgw"))
        .args(words)
        .arg("--socket")
        .arg(socket)
        .output()
        .expect("the binary runs")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The line that begins with these words.
#[track_caller]
fn line<'a>(text: &'a str, begin: &str) -> &'a str {
    let mut lines = text
        .lines()
        .filter(|line| line.trim_start().starts_with(begin));
    lines
        .next()
        .unwrap_or_else(|| panic!("no line {begin:?} in\n{text}"))
}

#[test]
fn status_for_people_shows_state_and_rates() {
    let served = Served::start(GROUP);
    let blocks = Arc::new(Blocks::default());
    let mut scene = one_link(&blocks);
    scene.links[0].alarms.push(alarm());
    served.publish(scene);
    // 20,000 frames a second in steps of 10 ms.
    let stop = Arc::new(AtomicBool::new(false));
    let traffic = {
        let (stop, blocks) = (Arc::clone(&stop), Arc::clone(&blocks));
        std::thread::Builder::new()
            .name("traffic".into())
            .spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    blocks.traffic(0, 200);
                    std::thread::sleep(Duration::from_millis(10));
                }
            })
            .expect("a thread")
    };
    let status = text(&macsecgw(&["status"], &served.socket()));
    stop.store(true, Ordering::Relaxed);
    traffic.join().expect("an end");

    println!("{status}");
    assert!(line(&status, "macsecgw edge").contains("DPDK 22.11.7"));
    assert!(line(&status, "engine").contains("ring (fastest here)"));
    assert!(line(&status, "capture").contains("not possible: memory is not shared"));
    assert!(line(&status, "link dx1").contains("secured, controlled port open"));
    assert!(line(&status, "suite").contains("gcm-aes-xpn-256"));
    assert!(line(&status, "replay").contains("the newest 4096 only"));
    assert!(line(&status, "mtu").contains("1500 on the plain side; needs 1540"));
    assert!(line(&status, "ALARM").contains("bypass_in_must_encrypt"));
    assert!(line(&status, "transmit").contains("1,000,001"));
    assert!(line(&status, "receive").contains("400"));
    let cells: Vec<_> = line(&status, "protect").split_whitespace().collect();
    // PASSES, IN/S with its prefix: between 5 k and 25 k frames a second on a busy machine.
    assert_eq!(cells[1], "secured", "{cells:?}");
    let rate: f64 = cells[2].parse().expect("a rate");
    assert!(cells[3] == "k" && rate > 2.0 && rate < 25.0, "{cells:?}");
    let worker = line(&status, "0 ");
    assert!(
        worker.contains(" %") && worker.contains("dx1/protect dx1/validate"),
        "{worker}"
    );
}

/// A gateway with one link that agrees on keys.
fn agreeing(served: &Served, blocks: &Blocks) {
    let mut scene = one_link(blocks);
    scene.links[0].agreement = "mka";
    scene.links[0].mka = Some(mka());
    served.publish(scene);
}

#[test]
fn status_for_people_shows_key_agreement() {
    let served = Served::start(GROUP);
    let blocks = Blocks::default();
    agreeing(&served, &blocks);
    let status = text(&macsecgw(&["status"], &served.socket()));
    println!("{status}");
    let server = line(&status, "mka ");
    assert!(server.contains("key server us (02:00:00:00:00:02/1), CP machine TRANSMITTING"));
    assert!(line(&status, "ckn").contains(&"01".repeat(32)));
    assert!(line(&status, "rekeys").contains("4, key in use for 30 s, next rekey in 1 min 30 s"));
    assert!(line(&status, "lost").contains("1 times, last 2 min 0 s ago: no live peer"));
    assert!(line(&status, "CLEAR").contains("from secured to clear 1 times"));
    assert!(line(&status, "CLOCK").contains("stepped by -90 s, 5 s ago"));
    let in_use = line(&status, "01010101..0101");
    for word in [
        "usable, IN USE",
        "02:00:00:00:00:09/1 live",
        "700 ms",
        "receives, transmits",
    ] {
        assert!(in_use.contains(word), "{in_use}");
    }
    assert!(status.contains("unknown potential"), "{status}");
    assert!(line(&status, "02020202..0202").contains("usable, fallback"));
    assert!(line(&status, "03030303..0303").contains("waiting, starts in"));
    assert!(line(&status, "latest").contains("LTX  LRX"), "{status}");
    assert!(line(&status, "old ").contains("-    ORX"), "{status}");
}

#[test]
fn status_is_watched_in_place_until_nobody_looks() {
    let served = Served::start(GROUP);
    let blocks = Blocks::default();
    agreeing(&served, &blocks);
    let mut watching = Command::new(env!("CARGO_BIN_EXE_macsecgw"))
        .args(["status", "--watch", "--socket"])
        .arg(served.socket())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut shown = watching.stdout.take().expect("a pipe");
    let mut text = String::new();
    while text.matches("\u{1b}[H").count() < 2 {
        let mut some = [0; 4096];
        let octets = std::io::Read::read(&mut shown, &mut some).expect("more to see");
        assert!(octets > 0, "it ended: {text}");
        text += &String::from_utf8_lossy(&some[..octets]);
    }
    assert!(text.contains("link dx1: secured"), "{text}");
    assert!(
        !text.contains("link dx1: secured, controlled port open\n"),
        "rests of a line stay"
    );
    drop(shown);
    let ended = watching.wait().expect("an end");
    assert!(ended.success(), "{ended}");
}

#[test]
fn a_rekey_is_asked_for_by_name_of_the_link() {
    let served = Served::start(GROUP);
    let blocks = Blocks::default();
    agreeing(&served, &blocks);
    let said = text(&macsecgw(&["rekey", "dx1"], &served.socket()));
    assert_eq!(said, "link dx1: a new SAK is made\n");
}

#[test]
fn json_is_the_reply() {
    let served = Served::start(GROUP);
    let blocks = Blocks::default();
    agreeing(&served, &blocks);
    for verb in ["status", "counters"] {
        let printed = text(&macsecgw(&[verb, "--json"], &served.socket()));
        let mut printed: Value = serde_json::from_str(&printed).expect("JSON");
        let mut reply = ask(&served.socket(), verb).expect("a reply");
        for field in ["snapshot_age_ms", "uptime_ms"] {
            printed[field] = Value::Null;
            reply[field] = Value::Null;
        }
        assert_eq!(printed, reply);
        assert_eq!(printed["links"][0]["name"], "dx1");
    }
}

#[test]
fn counters_hide_zeros_unless_asked() {
    let served = Served::start(GROUP);
    let blocks = Blocks::default();
    blocks.traffic(3, 1234);
    blocks.validate.dropped(DropReason::Closed).add(5);
    served.publish(one_link(&blocks));
    let some = text(&macsecgw(&["counters"], &served.socket()));
    assert!(line(&some, "link dx1, transmit SC 02:00:00:00:00:02/1, AN 3").ends_with("AN 3"));
    assert!(line(&some, "out_pkts_encrypted").ends_with("1,234"));
    assert!(line(&some, "closed").ends_with('5'));
    assert!(!some.contains("AN 0"), "{some}");
    assert!(!some.contains("in_pkts_no_tag"), "{some}");
    assert!(some.contains("counters are 0; --all shows them"), "{some}");
    let all = text(&macsecgw(&["counters", "--all"], &served.socket()));
    for word in [
        "AN 0",
        "in_pkts_no_tag",
        "in_pkts_overrun",
        "tx_full",
        "rx_no_mbuf",
    ] {
        assert!(all.contains(word), "{word} is missing in\n{all}");
    }
    assert!(!all.contains("--all"), "{all}");
}

#[test]
fn no_gateway_is_exit_code_3() {
    let mut served = Served::start(GROUP);
    let socket = served.socket();
    served.stop();
    for words in [
        &["status"][..],
        &["status", "--json"],
        &["counters"],
        &["counters", "--json"],
    ] {
        let output = macsecgw(words, &socket);
        assert_eq!(output.status.code(), Some(3), "{words:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(&socket.display().to_string()), "{said}");
        assert!(said.contains("macsecgw run --config"), "{said}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn a_starting_gateway_is_no_success() {
    let served = Served::start(GROUP);
    let output = macsecgw(&["status", "--json"], &served.socket());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("starting"),
        "{output:?}"
    );
}

/// The names of all fields in `value`. Below `maps` stand counters' names, which docs/metrics.md lists.
fn fields(value: &Value, names: &mut BTreeSet<String>) {
    const MAPS: [&str; 6] = ["counters", "drops", "eapol_unsent", "secy", "ports", "kay"];
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                names.insert(name.clone());
                if !MAPS.contains(&name.as_str()) {
                    fields(value, names);
                }
            }
        }
        Value::Array(array) => array.iter().for_each(|value| fields(value, names)),
        _ => {}
    }
}

#[test]
fn every_field_is_documented_and_every_documented_field_is_there() {
    let served = Served::start(GROUP);
    let blocks = Blocks::default();
    let mut scene = one_link(&blocks);
    scene.links[0].alarms.push(alarm());
    scene.links[0].mka = Some(mka());
    served.publish(scene);
    let document = include_str!("../docs/api.md");
    for verb in ["status", "counters"] {
        let mut names = BTreeSet::new();
        fields(&ask(&served.socket(), verb).expect("a reply"), &mut names);
        let heading = format!("\n## `{verb}`\n");
        let (_, section) = document.split_once(&heading).expect("a section");
        let section = section.split("\n## ").next().unwrap_or_default();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let documented: BTreeSet<String> = rows
            .flat_map(|row| {
                row.split('|')
                    .nth(1)
                    .unwrap_or_default()
                    .split('`')
                    .skip(1)
                    .step_by(2)
            })
            .map(|name| name.trim_end_matches("[]").to_owned())
            .collect();
        let lane = ["frames_in", "drops", "bursts"].map(String::from);
        for name in &names {
            let told = documented.contains(name) || section.contains(&format!("`{name}`"));
            assert!(told, "docs/api.md does not tell of `{name}` in `{verb}`");
        }
        for name in &documented {
            let there = names.contains(name) || ["plain", "secure"].contains(&name.as_str());
            assert!(
                there,
                "docs/api.md tells of `{name}`, which `{verb}` does not have"
            );
        }
        assert!(
            verb == "status" || lane.iter().all(|name| names.contains(name)),
            "{names:?}"
        );
    }
}
