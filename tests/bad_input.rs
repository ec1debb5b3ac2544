//! Bad input, each kind through the real binary: one clear message with the remedy, a non-zero exit within
//! seconds, no frame on any wire, and nothing left behind. A running gateway keeps what it runs.
//!
//! The words about configs are held by `tests/config_bad.rs`; here the gateway is started with them. A PCI
//! device that the kernel's driver holds is in the tests with a machine of its own.

#![expect(
    clippy::unwrap_used,
    reason = "test code outside a test function; a failure here is a failed test"
)]

#[path = "bad_input/cases.rs"]
mod cases;
#[path = "bad_input/place.rs"]
mod place;
mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use cases::{CLI, Case};
use place::{GATEWAY, Place};
use support::{Daemon, Outcome, run, wait_until};

/// A start that is refused takes no longer, on a machine that is busy with other tests.
const WITHIN: Duration = Duration::from_secs(20);

/// What every refusal has in common.
fn check_refusal(name: &str, outcome: &Outcome, says: &[&str]) -> Result<(), String> {
    let text = &outcome.stderr;
    let fail = |what: &str| Err(format!("{name}: {what}\nexit {}\n{text}", outcome.code));
    if outcome.code == 0 || outcome.code > 2 {
        return fail("exit code");
    }
    if let Some(absent) = says.iter().find(|word| !text.contains(*word)) {
        return fail(&format!("does not say {absent:?}"));
    }
    if text
        .lines()
        .filter(|line| line.starts_with("error: "))
        .count()
        != 1
    {
        return fail("not one message");
    }
    for unwanted in [
        "panicked",
        "RUST_BACKTRACE",
        "Os {",
        "Error {",
        "= help: \n",
        "  help: \n",
    ] {
        if text.contains(unwanted) {
            return fail(&format!("says {unwanted:?}"));
        }
    }
    Ok(())
}

fn refuse(place: &Place, case: &Case) -> Result<(), String> {
    (case.prepare)(place);
    place.write("gw.toml", (case.edit)(&place.text()));
    let before = place.state();
    let began = Instant::now();
    let outcome = place.ns.run(
        &[
            case.wrap,
            &[GATEWAY, "run", "--config", &place.path("gw.toml")],
        ]
        .concat(),
        WITHIN * 2,
    );
    let took = began.elapsed();
    check_refusal(case.name, &outcome, case.says)?;
    let fail = |what: String| Err(format!("{}: {what}\n{}", case.name, outcome.stderr));
    if took > WITHIN {
        return fail(format!("took {took:?}"));
    }
    if place.state() != before {
        return fail(format!("state {:?} became {:?}", before, place.state()));
    }
    if place.path_of("run/control.sock").exists() {
        return fail("a socket is left".into());
    }
    if place.frames() != 0 {
        return fail(format!("{} frames on the wires", place.frames()));
    }
    (case.undo)(place);
    Ok(())
}

#[test]
fn each_bad_start_is_refused_in_one_message_and_leaves_nothing() {
    let place = Place::new("bad");
    let wrong: Vec<_> = cases::all()
        .iter()
        .filter_map(|case| refuse(&place, case).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n====\n"));
    // The same place with nothing wrong in it starts: so each case was refused for its own reason.
    place.write("gw.toml", place.text());
    let mut gateway = place.start();
    place.wait_ready(&mut gateway);
    end(&mut gateway);
    assert!(!place.path_of("run/control.sock").exists());
}

#[test]
fn a_key_that_nobody_said_is_fresh_is_refused() {
    let place = Place::without_statement("unstated");
    place.write("gw.toml", place.text());
    let outcome = place.ns.run(
        &[GATEWAY, "run", "--config", &place.path("gw.toml")],
        WITHIN,
    );
    check_refusal(
        "no statement",
        &outcome,
        &["macsecgw fresh-key --config", "--link l0 --fingerprint"],
    )
    .unwrap();
    assert_eq!(place.frames(), 0);
    assert!(place.state().iter().all(|(name, _)| !name.ends_with(".pn")));
}

#[test]
fn what_another_process_has_is_refused() {
    let place = Place::new("taken");
    place.write("gw.toml", place.text());
    let mut gateway = place.start();
    place.wait_ready(&mut gateway);
    let state = place.state();

    let second = place
        .text()
        .replace("mgw-bad", "mgw-second")
        .replace("/run\"", "/run2\"")
        .replace(":9561", ":9562");
    place.write("second.toml", second);
    let outcome = place.ns.run(
        &[GATEWAY, "run", "--config", &place.path("second.toml")],
        WITHIN,
    );
    let pid = format!("process {}", place.gateway_pid());
    check_refusal(
        "state directory",
        &outcome,
        &["another gateway", &pid, "state_dir"],
    )
    .unwrap();

    // The same name for EAL, and everything else of its own.
    let own = Place::new("name");
    let name = place.text().lines().nth(1).unwrap().to_owned();
    let text = own
        .text()
        .lines()
        .enumerate()
        .fold(String::new(), |text, (at, line)| {
            text + if at == 1 { &name } else { line } + "\n"
        });
    own.write("gw.toml", text);
    let outcome = own
        .ns
        .run(&[GATEWAY, "run", "--config", &own.path("gw.toml")], WITHIN);
    check_refusal(
        "name",
        &outcome,
        &["another DPDK process has this gateway's name", "help: stop"],
    )
    .unwrap();

    // Its own state and key, so that only the address is in the way.
    let fresh = Place::new("address");
    let listener = fresh
        .ns
        .enter(|| TcpListener::bind("127.0.0.1:9561").unwrap());
    fresh.write("gw.toml", fresh.text());
    let outcome = fresh.ns.run(
        &[GATEWAY, "run", "--config", &fresh.path("gw.toml")],
        WITHIN,
    );
    check_refusal("address", &outcome, &["127.0.0.1:9561", "[metrics]"]).unwrap();
    assert_eq!(fresh.frames(), 0);
    assert!(!fresh.path_of("run/control.sock").exists());
    drop(listener);

    assert_eq!(
        place.state(),
        state,
        "the running gateway's state was touched"
    );
    place.wait_ready(&mut gateway);
    end(&mut gateway);
}

#[test]
fn a_bad_reload_leaves_the_running_configuration() {
    let place = Place::new("reload");
    place.write("gw.toml", place.text());
    let mut gateway = place.start();
    place.wait_ready(&mut gateway);
    let before = place.status();
    let mut refused = 0;
    // Snapshots are taken ten times a second: the one that knows of this reload.
    let after_reload = |generation: usize| {
        wait_until(
            "a snapshot after the reload",
            Duration::from_secs(10),
            || {
                let status = place.status();
                (status["reload"]["generation"] == generation).then_some(status)
            },
        )
    };
    for (name, content) in cases::reloads(&place.text()) {
        place.write("gw.toml", content);
        reload(
            &mut gateway,
            "reload refused, the running configuration stays",
            &mut refused,
            name,
        );
        let after = after_reload(refused);
        for part in ["encryption", "cipher_suite", "tx_encoding", "mtu", "replay"] {
            assert_eq!(
                before["links"][0][part], after["links"][0][part],
                "{name}: {part}"
            );
        }
        assert_eq!(
            after["links"][0]["secured"], before["links"][0]["secured"],
            "{name}"
        );
        assert_eq!(after["reload"]["ok"], false, "{name}: {}", after["reload"]);
    }
    place.write("gw.toml", place.text());
    let mut good = 0;
    reload(
        &mut gateway,
        "reload: nothing changed",
        &mut good,
        "the old one",
    );
    assert_eq!(after_reload(refused + 1)["reload"]["ok"], true);
    assert!(!gateway.log_text().contains("panicked"));
    end(&mut gateway);
}

/// Ends it. How it ends on a machine whose disk is busy is another test's.
#[track_caller]
fn end(gateway: &mut Daemon) {
    gateway.stop();
    let log = gateway.log_text();
    assert!(log.contains("ending") && !log.contains("panicked"), "{log}");
}

/// SIGHUP, and the log's word on it once more than before.
#[track_caller]
fn reload(gateway: &mut Daemon, word: &str, seen: &mut usize, name: &str) {
    *seen += 1;
    gateway.signal(nix::sys::signal::Signal::SIGHUP);
    wait_until(name, Duration::from_secs(10), || {
        (gateway.log_text().matches(word).count() == *seen).then_some(())
    });
}

#[test]
fn the_machines_log_is_objects_to_its_last_line() {
    let place = Place::new("json");
    place.write(
        "gw.toml",
        place.text().replace("net_af_packet1", "net_nosuch1"),
    );
    let config = place.path("gw.toml");
    let outcome = place.ns.run(
        &[GATEWAY, "run", "--config", &config, "--log-format", "json"],
        WITHIN,
    );
    assert_eq!(outcome.code, 2, "{}", outcome.stderr);
    let objects: Vec<serde_json::Value> = outcome
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let last = objects.last().unwrap();
    assert_eq!(last["level"], "ERROR");
    assert!(
        last["message"].as_str().unwrap().contains("net_nosuch1"),
        "{last}"
    );
}

#[test]
fn every_page_of_help_and_the_version_can_be_read() {
    let limit = Duration::from_secs(10);
    let version = run(&[CLI, "--version"], limit).ok();
    assert!(version.starts_with("macsecgw "), "{version}");
    assert!(
        version.contains("built against DPDK ") && version.contains("running on DPDK "),
        "{version}"
    );
    for words in [
        "",
        "run",
        "check",
        "status",
        "counters",
        "keygen",
        "keygen cak",
        "keygen sak",
        "fresh-key",
    ] {
        let argv: Vec<_> = [CLI]
            .into_iter()
            .chain(words.split_whitespace())
            .chain(["--help"])
            .collect();
        let text = run(&argv, limit).ok();
        assert!(text.contains("Usage: macsecgw"), "{text}");
        assert!(
            text.lines().all(|line| line.len() <= 120),
            "{words}: {text}"
        );
    }
}
