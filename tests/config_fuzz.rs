//! Whatever a config file holds, reading it ends with a config or with problems that can be shown.

#[path = "config/desk.rs"]
mod desk;

use std::path::Path;

use desk::Desk;
use macsec_gateway::config::Config;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../deploy/config/macsecgw.toml");

/// The example without its comments: there is more to hit.
fn short_example() -> String {
    let lines = EXAMPLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

/// One change to a text, somewhere.
#[derive(Clone, Debug)]
enum Mutation {
    Octet(usize, u8),
    Insert(usize, Vec<u8>),
    Delete(usize, usize),
    Repeat(usize, usize),
    Cut(usize),
    /// A whole line, ahead of another one.
    Line(usize, &'static str),
}

/// Lines that are good in some place.
const LINES: [&str; 9] = [
    "",
    "# a remark",
    "[[link.cak]]",
    "ckn = \"61\"",
    "cak_file = \"dx2.cak\"",
    "start = 2026-01-01T00:00:00Z",
    "end = 2099-05-27T07:32:00-23:59",
    "profile = \"google-cloud-interconnect\"",
    "fallback = true",
];

impl Mutation {
    fn apply(&self, text: &mut Vec<u8>) {
        let length = text.len();
        if length == 0 {
            return;
        }
        match self {
            Self::Octet(at, octet) => text[at % length] = *octet,
            Self::Insert(at, octets) => {
                let at = at % length;
                text.splice(at..at, octets.iter().copied());
            }
            Self::Delete(at, count) => {
                let at = at % length;
                text.drain(at..(at + count).min(length));
            }
            Self::Repeat(at, count) => {
                let at = at % length;
                let part = text[at..(at + count).min(length)].to_vec();
                text.splice(at..at, part);
            }
            Self::Cut(at) => text.truncate(at % length),
            Self::Line(at, line) => {
                let starts = (0..length).filter(|&at| at == 0 || text[at - 1] == b'\n');
                let starts: Vec<usize> = starts.collect();
                let at = starts[at % starts.len()];
                text.splice(at..at, format!("{line}\n").into_bytes());
            }
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let words = prop_oneof![
        Just("\"".to_owned()),
        Just("\"\"\"".to_owned()),
        Just("[".to_owned()),
        Just("[[link]]".to_owned()),
        Just("\n".to_owned()),
        Just(" = ".to_owned()),
        Just("{".to_owned()),
        Just("\u{feff}\u{202e}\u{1f511}".to_owned()),
        Just("-1".to_owned()),
        Just("99999999999999999999999999999999999999999".to_owned()),
        Just("1e400".to_owned()),
        Just("nan".to_owned()),
        Just("1979-05-27T07:32:00Z".to_owned()),
        "\\PC{0,8}",
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, octet)| Mutation::Octet(at, octet)),
        (any::<usize>(), words).prop_map(|(at, text)| Mutation::Insert(at, text.into_bytes())),
        (any::<usize>(), 1..60_usize).prop_map(|(at, count)| Mutation::Delete(at, count)),
        (any::<usize>(), 1..200_usize).prop_map(|(at, count)| Mutation::Repeat(at, count)),
        any::<usize>().prop_map(Mutation::Cut),
        (any::<usize>(), proptest::sample::select(&LINES[..]))
            .prop_map(|(at, line)| Mutation::Line(at, line)),
    ]
}

/// Whether `octets` are a good config. What is wrong with a bad one can be shown, and shows no key.
fn read(desk: &Desk, octets: &[u8]) -> bool {
    let path = desk.path.join("gw.toml");
    let Err(problems) = Config::from_octets(&path, octets) else {
        return true;
    };
    let shown = problems.to_string();
    assert!(problems.errors() > 0 && shown.contains("error: "));
    assert!(!shown.contains("abababab"), "{shown}");
    false
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.key("dx1-tx.sak", 0xab, 32);
    desk.key("dx1-rx.sak", 0xcd, 32);
    desk.key("dx2.cak", 0xef, 32);
    desk
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Config::from_octets(Path::new("gw.toml"), &octets).map_err(|p| p.to_string());
    }

    #[test]
    fn text_never_panics(text in "(\\[{1,2}[a-z.\"]{0,9}\\]{1,2}\n|[a-z_]{1,9} ?= ?[\"'\\[{0-9a-z\\PC]{0,20}\n){0,12}") {
        let _ = Config::from_octets(Path::new("gw.toml"), text.as_bytes()).map_err(|p| p.to_string());
    }
}

#[test]
fn mutations_of_the_example_never_panic() {
    let desk = desk();
    let example = short_example();
    assert!(read(&desk, example.as_bytes()));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 6000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let good = std::cell::Cell::new(0_u32);
    let mutations = proptest::collection::vec(mutation(), 1..5);
    let ended = runner.run(&mutations, |mutations| {
        let mut text = example.clone().into_bytes();
        for mutation in &mutations {
            mutation.apply(&mut text);
        }
        good.set(good.get() + u32::from(read(&desk, &text)));
        Ok(())
    });
    assert!(ended.is_ok(), "{ended:?}");
    // Some mutations harm nothing and most do: otherwise they would not be the right ones.
    let good = good.get();
    assert!((30..3000).contains(&good), "{good} of 6000 were accepted");
}

#[test]
fn a_key_anywhere_in_the_example_is_never_shown() {
    let desk = desk();
    let key = "ab".repeat(32);
    let example = short_example();
    for (number, line) in example.lines().enumerate() {
        let (name, _) = line.split_once(" = ").unwrap_or((line, ""));
        for bad in [
            key.clone(),
            format!("\"{key}\""),
            format!("\"\"\"\n{key}\"\"\""),
            format!("\"{key}"),
            format!("'{}'", &key[..30]),
        ] {
            for new in [
                format!("{name} = {bad}"),
                format!("{bad} = 1"),
                format!("{line} {bad}"),
            ] {
                let lines = example.lines().enumerate();
                let text: String = lines
                    .map(|(at, old)| if at == number { new.as_str() } else { old })
                    .map(|line| format!("{line}\n"))
                    .collect();
                read(&desk, text.as_bytes());
            }
        }
    }
}
