//! No key is to be found where it has no business: in the memory of a running gateway after it is retired,
//! outside of locked memory while it is in use, in hugepages, logs, answers or files ever.
#![expect(clippy::expect_used, reason = "a test ends where it can't go on")]

mod support;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{
    Ends, Gateway, Hugepages, PlayedPeer, Span, StaticKeys, Suite, assert_balanced, wait_until,
};

const QUICK: Duration = Duration::from_secs(10);
const HALF: usize = 16;

/// A mapping of a process that it can write to.
#[derive(Debug)]
struct Region {
    start: u64,
    end: u64,
    heading: String,
    flags: String,
}

fn writable_regions(pid: u32) -> Vec<Region> {
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps")).expect("the process's mappings");
    let mut regions: Vec<Region> = Vec::new();
    for line in smaps.lines() {
        if let Some(flags) = line.strip_prefix("VmFlags: ") {
            if let Some(last) = regions.last_mut() {
                last.flags = format!(" {flags} ");
            }
        } else if let Some((start, end)) = bounds(line) {
            let (heading, flags) = (line.to_owned(), String::new());
            regions.push(Region {
                start,
                end,
                heading,
                flags,
            });
        }
    }
    regions.retain(|region| region.flags.contains(" rd ") && region.flags.contains(" wr "));
    regions
}

fn bounds(line: &str) -> Option<(u64, u64)> {
    let (start, end) = line.split_whitespace().next()?.split_once('-')?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    Some((hex(start)?, hex(end)?))
}

/// Something that is looked for: a half of a key or its digits.
#[derive(Debug, Clone)]
struct Needle {
    octets: Vec<u8>,
    digits: bool,
}

/// A key in the forms in which it could lie about: its halves (they are the first round keys of an expanded
/// key, too), and its digits as in its file.
fn needles(key: &str) -> Vec<Needle> {
    let mut octets = vec![0; key.len() / 2];
    macsec_gateway::ieee::decode_hex(key.as_bytes(), &mut octets).expect("hex digits");
    let halves = octets.chunks(HALF).map(<[u8]>::to_vec);
    let halves = halves.map(|octets| Needle {
        octets,
        digits: false,
    });
    let digits = key
        .as_bytes()
        .chunks(2 * HALF)
        .flat_map(|digits| [digits.to_ascii_lowercase(), digits.to_ascii_uppercase()]);
    halves
        .chain(digits.map(|octets| Needle {
            octets,
            digits: true,
        }))
        .collect()
}

fn all_needles(keys: &StaticKeys) -> Vec<Needle> {
    [needles(&keys.tx_key), needles(&keys.rx_key)].concat()
}

/// Where in a process's memory a needle is.
#[derive(Debug)]
#[expect(dead_code, reason = "the place is for the message of a failed test")]
struct Found {
    needle: usize,
    place: String,
    locked_and_not_dumped: bool,
}

/// What a scan has looked at, for the one who asks whether it has looked at all.
#[derive(Debug, Default)]
struct Scan {
    found: Vec<Found>,
    octets: u64,
    octets_in_hugepages: u64,
}

/// Looks for `needles` in all memory that process `pid` can write to.
fn scan(pid: u32, needles: &[Needle]) -> Scan {
    const CHUNK: u64 = 1 << 20;
    const OVERLAP: u64 = 4 * HALF as u64;
    let memory =
        File::open(format!("/proc/{pid}/mem")).expect("the process's memory (root is needed)");
    let mut scan = Scan::default();
    let mut buffer = vec![0; usize::try_from(CHUNK + OVERLAP).expect("small")];
    for region in writable_regions(pid) {
        let huge = region.flags.contains(" ht ");
        let mut at = region.start;
        while at < region.end {
            let length = usize::try_from((region.end - at).min(CHUNK + OVERLAP)).expect("small");
            let Some(part) = buffer.get_mut(..length) else {
                break;
            };
            // What can't be read has no pages behind it.
            if let Ok(read) = memory.read_at(part, at) {
                scan.octets += read as u64;
                scan.octets_in_hugepages += if huge { read as u64 } else { 0 };
                for needle in matches(part.get(..read).unwrap_or_default(), needles) {
                    scan.found.push(Found {
                        needle,
                        place: format!("{at:x} in {} {}", region.heading, region.flags),
                        locked_and_not_dumped: [" lo ", " dd "]
                            .iter()
                            .all(|flag| region.flags.contains(flag)),
                    });
                }
            }
            at += CHUNK;
        }
    }
    assert!(
        scan.octets > 10 << 20,
        "only {} octets could be read",
        scan.octets
    );
    scan
}

fn none_in(octets: &[u8], needles: &[Needle]) -> bool {
    matches(octets, needles).is_empty()
}

fn matches(part: &[u8], needles: &[Needle]) -> Vec<usize> {
    let mut by_first = [const { Vec::new() }; 256];
    for (number, needle) in needles.iter().enumerate() {
        by_first[usize::from(needle.octets[0])].push(number);
    }
    let mut found = Vec::new();
    for (offset, first) in part.iter().enumerate() {
        for number in &by_first[usize::from(*first)] {
            if part[offset..].starts_with(&needles[*number].octets) {
                found.push(*number);
            }
        }
    }
    found
}

/// Octets of no pattern, in hex digits: what is found of them was not there by chance.
fn random_key(suite: Suite) -> String {
    let mut octets = vec![0; suite.key];
    macsec_gateway::crypto::random::fill(&mut octets).expect("random octets");
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn random_keys(suite: Suite, an: u8) -> StaticKeys {
    let mut keys = Span::keys(suite);
    (keys.tx_key, keys.rx_key) = (random_key(suite), random_key(suite));
    (keys.tx_an, keys.rx_an) = (an, an);
    keys
}

/// While keys are in use both are in memory (so that the scan can fail), as octets and never as digits, and
/// only where it is locked and left out of dumps.
fn assert_in_locked_memory_alone(scan: &Scan, needles: &[Needle]) {
    for (number, needle) in needles.iter().enumerate() {
        let found = scan.found.iter().any(|found| found.needle == number);
        assert!(
            found != needle.digits,
            "needle {number} of {needle:?}: found {found}"
        );
    }
    for found in &scan.found {
        assert!(found.locked_and_not_dumped, "{found:?}");
    }
}

/// Every file below a folder, and what is in it.
fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files_below(&path));
        } else if path.is_file() {
            let octets = fs::read(&path).expect("a file of the gateway");
            all.push((path, octets));
        }
    }
    all
}

/// Nothing that the gateway says or writes holds a key.
fn assert_not_told(gateway: &Gateway<'_>, needles: &[Needle]) {
    let told = [
        ("status", gateway.status().to_string()),
        ("status for people", gateway.ask(&["status"]).ok()),
        ("counters", gateway.counters().to_string()),
        ("metrics", gateway.metrics_text()),
        ("log", gateway.log_text()),
    ];
    for (what, text) in &told {
        assert!(text.len() > 100, "{what} says nothing");
        assert!(none_in(text.as_bytes(), needles), "a key in the {what}");
    }
    let mut files = files_below(&gateway.scratch().join("state"));
    assert!(!files.is_empty(), "no state files");
    files.extend(files_below(&gateway.scratch().join("run")));
    for (path, octets) in files {
        assert!(none_in(&octets, needles), "a key in {}", path.display());
    }
}

fn assert_hardened(pid: u32) {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("the process's limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<_> = core
        .unwrap_or_default()
        .split_whitespace()
        .skip(4)
        .take(2)
        .collect();
    assert_eq!(words, ["0", "0"], "{limits}");
}

fn a_gateway_keeps_its_keys(engine: &str, suite: Suite, pages: Option<&Hugepages>) {
    let span = Span::new(1600);
    let (old, new) = (random_keys(suite, 0), random_keys(suite, 1));
    let configured = |keys: &StaticKeys| {
        let mut config = Span::config(keys, &[]);
        config.memory = if pages.is_some() {
            "hugepages"
        } else {
            "no-huge"
        };
        config
            .settings
            .push(("crypto", format!("engine = \"{engine}\"")));
        config
    };
    let config = configured(&old);
    let mut gateway = span.start(&config);
    let pid = gateway.daemon().pid();
    let mut ends = Ends::new(&span, &old, 1);
    for _ in 0..5 {
        ends.pass();
    }
    let (old_needles, new_needles) = (all_needles(&old), all_needles(&new));
    let before = scan(pid, &old_needles);
    assert_in_locked_memory_alone(&before, &old_needles);
    if pages.is_some() {
        assert!(
            before.octets_in_hugepages > 10 << 20,
            "{} octets",
            before.octets_in_hugepages
        );
    }
    println!(
        "{engine}: {} MiB looked at, {} MiB of it hugepages",
        before.octets >> 20,
        before.octets_in_hugepages >> 20
    );

    let mut next = configured(&new);
    next.name.clone_from(&config.name);
    gateway.rewrite(&next, &["dx1"]);
    assert!(gateway.reload(), "{:#}", gateway.status()["reload"]);
    ends.peer = PlayedPeer::facing(&new, 1);
    for _ in 0..5 {
        ends.pass();
    }
    // The old receive SA stays for SAK Retire Time.
    wait_until("one SA each way", QUICK, || {
        let metrics = gateway.metrics();
        let installed = |name: &str, an| metrics.sum(name, &[("an", an)]).is_some();
        let gone =
            !installed("macsec_tx_sa_next_pn", "0") && !installed("macsec_rx_sa_next_pn", "0");
        gone.then_some(())
    });
    let left = scan(pid, &old_needles);
    assert!(
        left.found.is_empty(),
        "{engine}: of retired keys is left: {:?}",
        left.found
    );
    assert_in_locked_memory_alone(&scan(pid, &new_needles), &new_needles);
    ends.pass();

    let needles = [old_needles, new_needles].concat();
    assert_not_told(&gateway, &needles);
    assert_hardened(pid);
    assert_balanced(&gateway);
    assert_eq!(gateway.end(nix::sys::signal::Signal::SIGTERM).0, 0);
    assert!(none_in(gateway.log_text().as_bytes(), &needles));
}

#[test]
fn a_retired_key_is_nowhere_in_the_process_or_its_hugepages_and_no_key_is_ever_told() {
    let pages = Hugepages::reserve(128);
    if pages.is_none() {
        println!("--no-huge: hugepages are not looked at");
    }
    for (engine, suite) in [("ring", Suite::ALL[3]), ("aes-gcm", Suite::ALL[0])] {
        a_gateway_keeps_its_keys(engine, suite, pages.as_ref());
    }
}
