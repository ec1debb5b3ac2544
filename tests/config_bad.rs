//! Bad configs, and the exact words with which each is refused.
//!
//! The words are in `tests/config/bad/`. With `UPDATE_SNAPSHOTS=1` they are written anew; look at
//! what changed before it is committed.

#![expect(
    clippy::unwrap_used,
    reason = "test code outside a test function; a failure here is a failed test"
)]

#[path = "config/cases.rs"]
mod cases;
#[path = "config/desk.rs"]
mod desk;
#[path = "config/mka_cases.rs"]
mod mka_cases;

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::PathBuf;

use desk::Desk;
use macsec_gateway::config::{Config, MAX_CONFIG_LEN, Problem, Severity};

/// A desk with key files that are wrong in all ways, and some that are not.
fn bad_files() -> Desk {
    let desk = Desk::new();
    let digits = "ab".repeat(32);
    desk.key("tx2.sak", 0x66, 32);
    desk.key("rx2.sak", 0x77, 32);
    desk.key("same.sak", 0x11, 32);
    desk.file("open.sak", digits.as_bytes(), 0o604);
    desk.file("group.sak", digits.as_bytes(), 0o640);
    desk.file("foreign.sak", digits.as_bytes(), 0o600);
    desk.file("odd.sak", &digits.as_bytes()[..63], 0o600);
    desk.file(
        "text.sak",
        format!("{}qq", "ab".repeat(31)).as_bytes(),
        0o600,
    );
    desk.file("empty.sak", b"\n", 0o600);
    desk.file("long.sak", &[b'a'; 100_000], 0o600);
    desk.file(
        "lines.sak",
        format!("{}\n{}\n", &digits[..32], &digits[..31]).as_bytes(),
        0o600,
    );
    desk.file("odd.cak", &digits.as_bytes()[..48], 0o600);
    desk.file("text.cak", &[b'q'; 31], 0o600);
    desk.file("open.cak", digits.as_bytes(), 0o640);
    desk.key("same.cak", 0xa1, 32);
    for number in 1..=17 {
        desk.key(&format!("n{number}.cak"), number, 32);
    }
    symlink("tx.sak", desk.path.join("link.sak")).unwrap();
    fs::create_dir(desk.path.join("directory.sak")).unwrap();
    desk
}

fn snapshot(name: &str) -> PathBuf {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/config/bad");
    PathBuf::from(directory).join(format!("{name}.txt"))
}

/// Compares, or writes, what is shown for the bad config `name`.
fn compare(name: &str, shown: &str) -> Result<(), String> {
    let file = snapshot(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(file, shown).unwrap();
        return Ok(());
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    if expected == shown {
        Ok(())
    } else {
        Err(format!(
            "== {name}: expected\n{expected}== but shown\n{shown}"
        ))
    }
}

#[test]
fn each_is_refused_in_its_own_words() {
    let desk = bad_files();
    // Owners can be given away by root only; a plain user's run leaves that case out.
    let is_root = chown(desk.path.join("foreign.sak"), Some(12_345), None).is_ok();
    let mut wrong = Vec::new();
    let mut names = Vec::new();
    for case in cases::cases() {
        assert!(!names.contains(&case.name), "two cases named {}", case.name);
        names.push(case.name);
        if case.name == "key_of_another_user" && !is_root {
            continue;
        }
        let shown = desk.refusal(&case.text);
        for secret in [
            "1111111111",
            "abababab",
            "0405060708",
            "hunter2",
            "22223333",
            "a1a1a1a1",
            "01010101",
        ] {
            assert!(!shown.contains(secret), "{}: {shown}", case.name);
        }
        assert!(
            shown.contains("help: "),
            "{} has no remedy: {shown}",
            case.name
        );
        assert!(shown.is_ascii() || case.name == "long_line" || case.name == "escape_codes");
        wrong.extend(compare(case.name, &shown).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(names.len() > 150, "{}", names.len());
}

#[test]
fn what_is_no_config_at_all_is_refused_as_a_whole() {
    let desk = Desk::new();
    let path = desk.path.join("gw.toml");
    let mut wrong = Vec::new();
    let mut check = |name: &str, content: &[u8]| {
        desk.file("gw.toml", content, 0o644);
        let problems = Config::load(&path).unwrap_err();
        assert!(
            problems
                .0
                .iter()
                .all(|problem| problem.severity == Severity::Error)
        );
        wrong.extend(compare(name, &desk.render(&problems)).err());
    };
    check("file_empty", b"");
    check("file_blank", b" \n\t\n");
    check(
        "file_binary",
        &[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0xff, 0xfe, 0x80],
    );
    check("file_nul", &[0; 512]);
    check("file_10_mb", &vec![b'#'; 10_000_000]);
    check("file_too_long_by_one", &vec![b'#'; MAX_CONFIG_LEN + 1]);
    fs::remove_file(&path).unwrap();
    let gone = Config::load(&path).unwrap_err();
    wrong.extend(compare("file_missing", &desk.render(&gone)).err());
    let directory = Config::load(&desk.path).unwrap_err();
    let shown = directory
        .to_string()
        .replace(desk.path.to_str().unwrap(), "DIR");
    wrong.extend(compare("file_is_a_directory", &shown).err());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_flood_of_problems_ends() {
    let desk = Desk::new();
    let many = format!("{}\n{}", "x = 1\ny = [".repeat(50_000), desk::MINIMAL);
    let problems = desk.load(&many).unwrap_err();
    assert!(problems.0.len() <= 100, "{}", problems.0.len());
    let unknown: String = (0..50_000).map(|n| format!("k{n} = 1\n")).collect();
    let problems = desk.load(&unknown).unwrap_err();
    assert_eq!(problems.0.len(), 100);
    for deep in [
        format!("args = {}", "[".repeat(500_000)),
        format!("args = {}", "{a=".repeat(300_000)),
        format!("{}a = 1", "a.".repeat(500_000)),
        format!("[{}a]", "a.".repeat(500_000)),
        format!("{}a = 1", "\"\".".repeat(300_000)),
    ] {
        assert!(desk.load(&deep).unwrap_err().errors() > 0);
    }
}

#[test]
fn more_links_than_a_gateway_takes_are_refused_in_time() {
    let desk = Desk::new();
    let link = "[[link]]\nname = \"a\"\nplain = \"net_ring0\"\nsecure = \"net_ring1\"\n";
    let text = link.repeat(MAX_CONFIG_LEN / link.len());
    let began = std::time::Instant::now();
    let problems = desk.load(&text).unwrap_err();
    let over = |problem: &Problem| problem.what.contains("more than a gateway takes");
    assert!(problems.0.iter().any(over), "{problems}");
    // A second where a quadratic check of all of them would take minutes.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn no_snapshot_is_left_over() {
    let directory = snapshot("x");
    let cases: Vec<&str> = cases::cases().iter().map(|case| case.name).collect();
    for entry in fs::read_dir(directory.parent().unwrap()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".txt").to_owned();
        assert!(
            cases.contains(&name.as_str()) || name.starts_with("file_"),
            "{name} belongs to no case"
        );
    }
}
