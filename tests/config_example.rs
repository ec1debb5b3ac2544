//! The example config says what the code does: it is good, it knows every key, and each default in
//! it is the code's.

#![expect(
    clippy::unwrap_used,
    reason = "test code outside a test function; a failure here is a failed test"
)]

#[path = "config/desk.rs"]
mod desk;

use std::collections::BTreeSet;

use desk::Desk;
use macsec_gateway::config::{Config, known_keys};

const EXAMPLE: &str = include_str!("../deploy/config/macsecgw.toml");

/// What has no default: a config without one of these lines is refused.
const REQUIRED: [&str; 12] = [
    "name",
    "plain",
    "secure",
    "agreement",
    "peer_sci",
    "tx_sak_file",
    "rx_sak_file",
    "tx_ssci",
    "rx_ssci",
    "salt",
    "ckn",
    "cak_file",
];

fn example(desk: &Desk) -> Config {
    desk.key("dx1-tx.sak", 0x11, 32);
    desk.key("dx1-rx.sak", 0x22, 32);
    desk.key("dx2.cak", 0x33, 32);
    desk.load(EXAMPLE).unwrap()
}

/// The table that line `number` stands in, and the key that it gives, if any, commented out or not.
fn key_of(number: usize) -> Option<(&'static str, &'static str)> {
    let table = EXAMPLE
        .lines()
        .take(number)
        .filter(|line| line.starts_with('['))
        .last()?
        .trim_matches(['[', ']']);
    let line = EXAMPLE.lines().nth(number)?;
    let (key, _) = line.strip_prefix("# ").unwrap_or(line).split_once(" = ")?;
    let word = key.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    word.then_some((table, key))
}

fn without_line(number: usize) -> String {
    let lines = EXAMPLE.lines().enumerate();
    lines
        .filter(|&(other, _)| other != number)
        .map(|(_, line)| format!("{line}\n"))
        .collect()
}

#[test]
fn the_one_for_aws_is_good() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path.join("keys")).unwrap();
    desk.key("keys/dx1-a.cak", 0x11, 32);
    desk.key("keys/dx1-b.cak", 0x22, 32);
    let text = include_str!("../deploy/config/aws-direct-connect-100g.toml");
    let config = desk.load(text).unwrap();
    assert_eq!(config.warnings, []);
    let mka = config.links[0].mka().unwrap();
    assert_eq!(mka.profile.name(), "aws-direct-connect-100g");
    assert_eq!(mka.keychain.iter().map(|key| key.rank).max(), Some(2));
}

#[test]
fn each_default_in_it_is_the_codes() {
    let desk = Desk::new();
    let whole = example(&desk);
    assert_eq!(whole.warnings, []);
    let mut defaults = 0;
    for (number, line) in EXAMPLE.lines().enumerate() {
        let Some((table, key)) = key_of(number).filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let cut = desk.load(&without_line(number));
        if REQUIRED.contains(&key) && table.starts_with("link") {
            assert!(cut.is_err(), "{table}.{key} is not required");
        } else {
            assert_eq!(cut.as_ref(), Ok(&whole), "{table}.{key}");
            defaults += 1;
        }
    }
    assert_eq!(defaults, 67);
}

#[test]
fn what_is_commented_out_is_the_default_too() {
    let desk = Desk::new();
    let whole = example(&desk);
    for key in ["after_secured", "clear_wait_s"] {
        let commented = format!("# {key} = ");
        assert!(EXAMPLE.contains(&commented));
        let text = EXAMPLE.replace(&commented, &format!("{key} = "));
        let config = desk.load(&text).unwrap();
        assert_eq!(config.links, whole.links, "{key}");
        assert_eq!(
            config.warnings.len(),
            1,
            "{key} has no effect with must_encrypt"
        );
    }
}

#[test]
fn it_shows_every_key_that_there_is() {
    let shown: BTreeSet<_> = (0..EXAMPLE.lines().count()).filter_map(key_of).collect();
    for (table, keys) in known_keys() {
        for &key in keys {
            let a_table = matches!((table, key), ("", _) | ("link", "static" | "mka" | "cak"));
            let in_bypass = table == "link.bypass" && EXAMPLE.contains(&format!("{key} = "));
            assert!(
                a_table || in_bypass || shown.contains(&(table, key)),
                "{table}.{key} is not in the example"
            );
        }
    }
}
