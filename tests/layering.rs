//! The layering gate: no module names what the table of allowed imports does not give it.
//!
//! The table is data ([`table::TABLE`]) and stands in `docs/architecture.md` too; the two are
//! compared. Every path under `src/` is resolved, in whatever form it is written, and judged. Test
//! code is held to the same rows, with two differences: it may import `crypto` from anywhere, to
//! prove behaviour with real engines, and it may name `std`, which its harness links in any case.

#[path = "layering/check.rs"]
mod check;
#[path = "layering/gate.rs"]
mod gate;
#[path = "layering/resolve.rs"]
mod resolve;
#[path = "layering/scope.rs"]
mod scope;
#[path = "layering/sources.rs"]
mod sources;
#[path = "layering/table.rs"]
mod table;
#[path = "layering/tokens.rs"]
mod tokens;
#[path = "layering/tree.rs"]
mod tree;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use table::{TABLE, row_of};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_source_tree_keeps_to_the_table() {
    let sources = sources::from_disk(root(), "src").unwrap();
    assert!(
        sources.contains_key("src/lib.rs"),
        "no src/lib.rs: nothing was checked"
    );
    let said = check::check(&sources);
    assert!(
        said.is_empty(),
        "{} forbidden arrows:\n{}",
        said.len(),
        said.join("\n")
    );
}

#[test]
fn the_document_shows_the_same_table() {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    assert_eq!(table::parse_markdown(&text), table::arrows());
}

#[test]
fn the_three_absences_hold_in_the_table() {
    let may = |module: &str| -> BTreeSet<&str> {
        row_of(module)
            .map(|row| row.may.iter().copied().collect())
            .unwrap_or_default()
    };
    assert!(!may("mka").contains("macsec") && !may("macsec").contains("mka"));
    assert!(!may("control").contains("worker") && !may("worker").contains("control"));
    for row in TABLE {
        let names_dpdk = row.may.contains(&"crate dpdk") || row.may.contains(&table::EVERYTHING);
        assert_eq!(
            names_dpdk,
            matches!(row.module, "worker" | "main.rs"),
            "{}",
            row.module
        );
    }
}

/// A row may name only rows that stand above it, so no cycle of arrows can be written down.
#[test]
fn the_table_has_no_cycle() {
    let mut above: BTreeSet<&str> = BTreeSet::new();
    for row in TABLE
        .iter()
        .filter(|row| !["main.rs", "crate dpdk"].contains(&row.module))
    {
        for may in row.may.iter().filter(|may| !may.starts_with("crate ")) {
            assert!(
                above.contains(may),
                "`{}` -> `{may}` points down the table",
                row.module
            );
        }
        above.insert(row.module);
    }
}

#[test]
fn only_crate_dpdk_depends_on_the_bindings() {
    let depends = |manifest: &str, name: &str| {
        let text = fs::read_to_string(root().join(manifest)).unwrap();
        text.lines().any(|line| line.trim_start().starts_with(name))
    };
    assert!(
        !depends("Cargo.toml", "dpdk-sys"),
        "the root package names dpdk-sys"
    );
    assert!(
        !depends("dpdk/Cargo.toml", "macsec"),
        "crate dpdk names the gateway"
    );
    assert!(
        depends("dpdk/Cargo.toml", "dpdk-sys"),
        "this test reads the wrong file"
    );
}

/// Each pair of modules, one naming the other: refused exactly when the table does not list it.
#[test]
fn every_pair_is_judged_by_the_table() {
    let modules: Vec<&str> = TABLE
        .iter()
        .map(|row| row.module)
        .filter(|module| !["main.rs", "crate dpdk"].contains(module))
        .collect();
    let lib: String = modules.iter().map(|m| format!("pub mod {m};\n")).collect();
    for from in &modules {
        for to in modules.iter().filter(|to| *to != from) {
            let text = |module: &&str| {
                let named = format!("pub struct X(crate::{to}::X);");
                if module == from {
                    named
                } else {
                    "pub struct X;".to_owned()
                }
            };
            let files = modules.iter().map(|m| (format!("src/{m}.rs"), text(m)));
            let mut sources: sources::Sources = files.collect();
            sources.insert("src/lib.rs".to_owned(), lib.clone());
            let said = check::check(&sources);
            let listed = row_of(from).is_some_and(|row| row.may.contains(to));
            assert_eq!(said.is_empty(), listed, "`{from}` -> `{to}`: {said:?}");
        }
    }
}

/// Every fixture says what it expects; the checker must say that, and no more.
#[test]
fn fixtures_fail_as_they_say() {
    let mut entries: Vec<_> = fs::read_dir(root().join("tests/layering/fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    let mut wrong = Vec::new();
    let mut clean = Vec::new();
    for path in &entries {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let fixture = sources::from_fixture(&fs::read_to_string(path).unwrap());
        assert!(!fixture.sources.is_empty(), "{name}: no source text");
        if fixture.expected.is_empty() {
            clean.push(name.clone());
        }
        let said = check::check(&fixture.sources);
        if said != fixture.expected {
            let (said, expected) = (said.join("\n  "), fixture.expected.join("\n  "));
            wrong.push(format!("{name}: said\n  {said}\nexpected\n  {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(clean, ["clean"], "exactly one fixture passes");
    assert!(
        entries.len() > 20,
        "fixtures are missing: {}",
        entries.len()
    );
}
