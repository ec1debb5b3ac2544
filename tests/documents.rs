//! The documents name files, tests and links that exist. A line that says "planned" or "not yet"
//! may name what is still to come.

#[expect(
    dead_code,
    reason = "shared with the layering test, which reads fixtures too"
)]
#[path = "layering/sources.rs"]
mod sources;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use macsec_gateway::bus::{DropReason, UnsentReason};

/// What a path in a document begins with.
const PLACES: &[&str] = &[
    "src/", "tests/", "docs/", "deploy/", "dpdk/", "benches/", ".ci/",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn documents() -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for dir in [
        root().to_owned(),
        root().join("docs"),
        root().join("docs/adr"),
    ] {
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The text between each pair of backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The target of each `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

/// Why `name`, as a document quotes it, is wrong: `path`, or `path::test`.
fn wrong_name(name: &str) -> Option<String> {
    let name = name.strip_prefix("./").unwrap_or(name);
    let path = name.split_whitespace().next()?;
    if !PLACES.iter().any(|place| path.starts_with(place)) {
        return None;
    }
    let (path, test) = path
        .split_once("::")
        .map_or((path, None), |(p, t)| (p, Some(t)));
    let file = root().join(path);
    if !file.exists() {
        return Some(format!("`{path}` does not exist"));
    }
    let test = test?;
    let text = fs::read_to_string(&file).unwrap_or_default();
    let function = format!("fn {}(", test.rsplit("::").next().unwrap_or(test));
    (!text.contains(&function)).then(|| format!("`{path}` has no `{function}..)`"))
}

fn wrong_in(document: &Path, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut in_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        let lower = line.to_lowercase();
        if line.starts_with("```") {
            in_code = !in_code;
        }
        if in_code || lower.contains("planned") || lower.contains("not yet") {
            continue;
        }
        let at = format!("{}:{number}", document.display());
        wrong.extend(
            quoted(line)
                .filter_map(wrong_name)
                .map(|why| format!("{at}: {why}")),
        );
        for link in links(line).filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let link = link.split('#').next().unwrap_or(link);
            if !document.parent().is_some_and(|dir| dir.join(link).exists()) {
                wrong.push(format!("{at}: the link to {link} leads nowhere"));
            }
        }
    }
    wrong
}

#[test]
fn what_documents_name_exists() {
    let documents = documents().unwrap();
    assert!(documents.len() > 5, "documents are missing: {documents:?}");
    let wrong: Vec<String> = documents
        .iter()
        .flat_map(|path| wrong_in(path, &fs::read_to_string(path).unwrap()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_name_is_found() {
    let text = "see `src/nowhere.rs`, `tests/documents.rs::no_such_test`, [x](nowhere.md),\n\
                `tests/documents.rs::a_wrong_name_is_found`, `src/lib.rs`, [y](README.md#x), `a::b`\n\
                planned: `src/later.rs`\n```\n`src/code.rs`\n```\n";
    let wrong = wrong_in(&root().join("x.md"), text);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(
        wrong.iter().all(|why| why.contains("x.md:1: ")),
        "{wrong:?}"
    );
}

#[test]
fn every_record_is_in_the_list_of_records() {
    let dir = root().join("docs/adr");
    let list = fs::read_to_string(dir.join("README.md")).unwrap();
    for entry in fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let listed = list.contains(&format!("({name})"));
        assert!(
            name == "README.md" || listed,
            "docs/adr/README.md does not list {name}"
        );
    }
}

/// Every file of the source tree opens with what it is and why.
#[test]
fn every_module_says_what_it_is() {
    let mut silent = Vec::new();
    for dir in ["src", "dpdk/src", "dpdk/sys/src"] {
        for (path, text) in sources::from_disk(root(), dir).unwrap() {
            if !text.starts_with("//!") && !path.ends_with("/tests.rs") {
                silent.push(path);
            }
        }
    }
    assert!(
        silent.is_empty(),
        "these files begin without `//!`: {silent:?}"
    );
}

/// The first cells of the tables in `docs/operations.md` that begin with a quoted name.
fn explained() -> Vec<String> {
    let text = fs::read_to_string(root().join("docs/operations.md")).unwrap_or_default();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.flat_map(quoted).map(str::to_owned).collect()
}

/// Every reason for which a frame can be dropped is explained to operators.
#[test]
fn every_drop_reason_is_explained() {
    let explained = explained();
    for reason in DropReason::all() {
        let name = reason.name();
        assert!(
            explained.iter().any(|n| n == name),
            "no row for drop reason `{name}`"
        );
    }
    for reason in UnsentReason::ALL {
        let name = reason.name();
        assert!(
            explained.iter().any(|n| n == name),
            "no row for `{name}`, why EAPOL was not sent"
        );
    }
}

/// So is every alarm. Their names are literals at the two places that raise them.
#[test]
fn every_alarm_is_explained() {
    let places = ["src/control/alarms.rs", "src/control/mka/alarms.rs"];
    let text: String = places
        .iter()
        .map(|place| fs::read_to_string(root().join(place)).unwrap())
        .collect();
    let raised = text.split("raise(").skip(1);
    let names: Vec<&str> = raised.filter_map(|call| call.split('"').nth(1)).collect();
    assert!(
        names.contains(&"in_clear") && names.contains(&"no_usable_cak"),
        "the alarms are no longer found: {names:?}"
    );
    let explained = explained();
    for name in names {
        assert!(
            explained.iter().any(|n| n == name),
            "no row for alarm `{name}`"
        );
    }
}

/// And every sentence by which `status` says why a link is not secured.
#[test]
fn every_reason_for_a_link_that_is_not_secured_is_explained() {
    let text = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let code = fs::read_to_string(root().join("src/control/stance.rs")).unwrap();
    let sentences = code.split("fn sentence").nth(1).unwrap_or_default();
    let sentences = sentences.split("\n    }\n").next().unwrap_or_default();
    let sentences = sentences.replace("\\\"", "\u{1}");
    let sentences: Vec<String> = sentences
        .split('"')
        .skip(1)
        .step_by(2)
        .map(|s| s.replace('\u{1}', "\""))
        .collect();
    assert!(
        sentences.len() > 5,
        "the sentences are no longer found: {sentences:?}"
    );
    for sentence in sentences
        .iter()
        .filter(|s| !s.starts_with("a transmit SA is in use"))
    {
        assert!(
            text.contains(&format!("| {sentence} |")),
            "no row for: {sentence}"
        );
    }
}
