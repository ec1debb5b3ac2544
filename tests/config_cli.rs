//! `check`, `keygen` and `fresh-key` as an operator runs them.

#![expect(
    clippy::unwrap_used,
    reason = "test code outside a test function; a failure here is a failed test"
)]

#[path = "config/desk.rs"]
mod desk;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use desk::Desk;
use macsec_gateway::crypto::{Cak, Fingerprint};
use macsec_gateway::ieee::decode_hex;

fn macsecgw(desk: &Desk, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_macsecgw"))
        .args(args)
        .current_dir(&desk.path)
        .output()
        .unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// The minimal config with a state directory of its own.
fn with_state(desk: &Desk) -> String {
    let state = desk.path.join("state");
    let gateway = format!("[gateway]\nstate_dir = \"{}\"\n", state.display());
    let config = format!("{gateway}{}", desk::MINIMAL);
    desk.file("gw.toml", config.as_bytes(), 0o644);
    state.display().to_string()
}

#[test]
fn check_shows_what_a_good_config_comes_to() {
    let desk = Desk::new();
    desk.file("gw.toml", desk::MINIMAL.as_bytes(), 0o644);
    let output = macsecgw(&desk, &["check", "--config", "gw.toml"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(shown.starts_with("gw.toml: OK\n"), "{shown}");
    assert!(
        shown.contains("dx1   must_encrypt  gcm-aes-xpn-256  encrypted"),
        "{shown}"
    );
    assert!(!shown.contains("11111111"), "{shown}");
    assert!(output.stderr.is_empty());
}

#[test]
fn check_shows_every_problem_and_ends_with_2() {
    let desk = Desk::new();
    let bad = desk::MINIMAL
        .replace("tx_ssci = 1", "tx_scsi = 1")
        .replace("[link.static]", "mtu = 20\n[link.static]");
    desk.file("gw.toml", bad.as_bytes(), 0o644);
    let output = macsecgw(&desk, &["check", "--config", "gw.toml"]);
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for part in [
        "gw.toml:7:7",
        "did you mean `tx_ssci`?",
        "config refused: 3 errors",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_sak_is_made_checked_and_said_to_be_fresh_once() {
    let desk = Desk::new();
    let state = with_state(&desk);
    fs::remove_file(desk.path.join("tx.sak")).unwrap();
    let keygen = [
        "keygen",
        "sak",
        "--suite",
        "gcm-aes-xpn-256",
        "--out",
        "tx.sak",
    ];
    let output = macsecgw(&desk, &keygen);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let made = fs::read_to_string(desk.path.join("tx.sak")).unwrap();
    let mode = fs::metadata(desk.path.join("tx.sak"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!((made.len(), mode & 0o777), (65, 0o600));
    let shown = text(&output.stdout);
    assert!(!shown.contains(made.trim()), "the key was printed");
    let fingerprint = shown
        .lines()
        .find_map(|line| line.strip_prefix("fingerprint"))
        .unwrap()
        .trim()
        .to_owned();

    let check = macsecgw(&desk, &["check", "--config", "gw.toml"]);
    assert!(text(&check.stdout).contains(&fingerprint));

    let fresh = |link: &str, fingerprint: &str| {
        let args = ["fresh-key", "--config", "gw.toml", "--link", link];
        let output = macsecgw(
            &desk,
            &[&args[..], &["--fingerprint", fingerprint]].concat(),
        );
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = fresh("dx2", &fingerprint);
    assert!(code == Some(2) && said.contains("one of: dx1"), "{said}");
    let (code, said) = fresh("dx1", "0000-0000-0000-0000");
    assert!(code == Some(2) && said.contains(&fingerprint), "{said}");
    let (code, said) = fresh("dx1", &fingerprint);
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let (code, said) = fresh("dx1", &fingerprint);
    assert!(code == Some(1) && said.contains("is not fresh"), "{said}");
    assert_eq!(fs::read_dir(state).unwrap().count(), 2);
}

#[test]
fn no_key_is_overwritten_and_none_is_half_made() {
    let desk = Desk::new();
    let args = ["keygen", "sak", "--suite", "gcm-aes-128", "--out", "tx.sak"];
    let output = macsecgw(&desk, &args);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no file with a key is overwritten"));
    let kept = fs::read_to_string(desk.path.join("tx.sak")).unwrap();
    assert_eq!(kept, "11".repeat(32));
    // The second file of a pair is in the way: the first one goes again.
    desk.file("macsec.cak", b"mine", 0o600);
    let output = macsecgw(&desk, &["keygen", "cak", "--out-dir", "."]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!desk.path.join("macsec.ckn").exists());
}

#[test]
fn a_pair_for_aws_is_64_digits_each() {
    let desk = Desk::new();
    let output = macsecgw(&desk, &["keygen", "cak", "--out-dir", ".", "--name", "dx1"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let [ckn, cak] = ["dx1.ckn", "dx1.cak"].map(|name| {
        let path = desk.path.join(name);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::read_to_string(path).unwrap()
    });
    let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|c| c.is_ascii_hexdigit());
    assert!(is_hex(&ckn) && is_hex(&cak) && ckn != cak);
    let shown = text(&output.stdout);
    assert!(shown.contains(&ckn) && !shown.contains(&cak), "{shown}");
    // What the other operator's end finds for the same pair.
    let mut octets = [0; 32];
    decode_hex(cak.as_bytes(), &mut octets).unwrap();
    let cak = Cak::take(&mut octets).unwrap();
    let fingerprint = Fingerprint::of_pair(&ckn.parse().unwrap(), &cak);
    assert!(shown.contains(&fingerprint.to_string()), "{shown}");
}

/// What `keygen` prints goes into a config as it stands, and both ends see one fingerprint.
#[test]
fn a_pair_goes_straight_into_a_config() {
    let desk = Desk::new();
    let output = macsecgw(&desk, &["keygen", "cak", "--out-dir", ".", "--name", "dx9"]);
    let shown = text(&output.stdout);
    let fingerprint = shown
        .lines()
        .find_map(|line| line.strip_prefix("fingerprint"))
        .unwrap()
        .trim();
    let entry = shown.find("[[link.cak]]").unwrap();
    let entry = shown[entry..].split("\n\n").next().unwrap();
    let (link, _) = desk::MINIMAL_MKA.split_once("[[link.cak]]").unwrap();
    let profile = "profile = \"aws-direct-connect-100g\"\n\n";
    desk.file(
        "gw.toml",
        format!("{link}{profile}{entry}\n").as_bytes(),
        0o644,
    );
    let check = macsecgw(&desk, &["check", "--config", "gw.toml"]);
    assert_eq!(check.status.code(), Some(0), "{check:?}");
    let summary = text(&check.stdout);
    for part in [fingerprint, "mka aws-direct-connect-100g", "primary"] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    let warned = text(&check.stderr);
    for part in [
        "link dx1: AWS Direct Connect at 100 and 400 Gbit/s does not publish",
        "key_server_priority (16)",
        "docs/profiles.md",
    ] {
        assert!(warned.contains(part), "{part}: {warned}");
    }
    // A typing mistake in the name alone changes it.
    let mistyped = entry.replacen("ckn = \"", "ckn = \"00", 1);
    let (name, rest) = mistyped.split_once("\"\n").unwrap();
    let text_of = format!("{link}{}\"\n{rest}\n", &name[..name.len() - 2]);
    desk.file("gw.toml", text_of.as_bytes(), 0o644);
    let check = macsecgw(&desk, &["check", "--config", "gw.toml"]);
    assert_eq!(check.status.code(), Some(0), "{check:?}");
    assert!(!text(&check.stdout).contains(fingerprint));
    assert!(check.stderr.is_empty(), "{check:?}");
}

#[test]
fn a_secret_goes_to_no_pipe() {
    let desk = Desk::new();
    for args in [
        &["keygen", "cak", "--out-dir", ".", "--show-secret"][..],
        &[
            "keygen",
            "sak",
            "--suite",
            "gcm-aes-128",
            "--out",
            "n.sak",
            "--show-secret",
        ],
    ] {
        let output = macsecgw(&desk, args);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("onto a terminal only"));
        assert!(output.stdout.is_empty());
    }
    assert!(!desk.path.join("macsec.cak").exists() && !desk.path.join("n.sak").exists());
}

#[test]
fn keys_come_from_systemd_credentials_too() {
    let desk = Desk::new();
    let credentials = desk.path.join("credentials");
    fs::create_dir(&credentials).unwrap();
    // systemd shows the access control list for the service's user as the group's bits.
    for (name, octet, mode) in [("dx1-tx", "11", 0o440), ("dx1-rx", "22", 0o400)] {
        desk.file(
            &format!("credentials/{name}"),
            octet.repeat(32).as_bytes(),
            mode,
        );
    }
    let config = desk::MINIMAL
        .replace("tx_sak_file = \"tx.sak\"", "tx_sak_credential = \"dx1-tx\"")
        .replace("rx_sak_file = \"rx.sak\"", "rx_sak_credential = \"dx1-rx\"");
    desk.file("gw.toml", config.as_bytes(), 0o644);
    let check = || {
        Command::new(env!("CARGO_BIN_EXE_macsecgw"))
            .args(["check", "--config", "gw.toml"])
            .env("CREDENTIALS_DIRECTORY", &credentials)
            .current_dir(&desk.path)
            .output()
            .unwrap()
    };
    let output = check();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    desk.file("credentials/dx1-tx", "11".repeat(32).as_bytes(), 0o444);
    let output = check();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("has mode 0444"), "{output:?}");
    fs::remove_file(credentials.join("dx1-tx")).unwrap();
    let output = check();
    let said = text(&output.stderr);
    assert!(said.contains("LoadCredential=dx1-tx:"), "{said}");
}
