//! The allowed-imports table, as data, and the reader of its twin in `docs/architecture.md`.

use std::collections::{BTreeMap, BTreeSet};

/// One row: a top-level module (or crate) and what it may name.
pub(crate) struct Row {
    pub(crate) module: &'static str,
    pub(crate) may: &'static [&'static str],
}

const fn row(module: &'static str, may: &'static [&'static str]) -> Row {
    Row { module, may }
}

/// What `main.rs` may import.
pub(crate) const EVERYTHING: &str = "everything";

/// The whole design in one list. `docs/architecture.md` holds the same one for people; a test
/// compares the two, so neither can drift.
pub(crate) const TABLE: &[Row] = &[
    row("ieee", &[]),
    row("crypto", &["ieee"]),
    row("macsec", &["ieee", "crypto"]),
    row("mka", &["ieee", "crypto"]),
    row("state", &["ieee", "crypto"]),
    row("config", &["ieee", "crypto", "macsec", "mka"]),
    row("bus", &["ieee", "crypto", "macsec"]),
    row("pipeline", &["ieee", "crypto", "macsec", "bus"]),
    row(
        "control",
        &["ieee", "crypto", "macsec", "mka", "bus", "config", "state"],
    ),
    row("metrics", &["ieee", "macsec", "mka", "bus"]),
    row(
        "worker",
        &["ieee", "crypto", "macsec", "bus", "pipeline", "crate dpdk"],
    ),
    row(
        "api",
        &["ieee", "macsec", "bus", "config", "control", "metrics"],
    ),
    row("cli", &["ieee", "crypto", "config", "state", "api"]),
    row("main.rs", &[EVERYTHING]),
    row("crate dpdk", &["crate dpdk-sys"]),
];

/// Modules that must not name `std`, whatever `cfg` stands above the name.
pub(crate) const PURE: &[&str] = &["ieee", "macsec", "mka"];

/// The module of which only the files behind `feature = "std"` may name `std`.
pub(crate) const HALF_PURE: &str = "crypto";

/// What test code may import on top of its module's row: real engines, to prove behaviour with.
pub(crate) const TEST_EXTRA: &str = "crypto";

/// The row of `module`, if the design knows it.
pub(crate) fn row_of(module: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.module == module)
}

/// The table in the shape that both of its forms are compared in.
pub(crate) type Arrows = BTreeMap<String, BTreeSet<String>>;

/// [`TABLE`] as [`Arrows`].
pub(crate) fn arrows() -> Arrows {
    let set = |row: &Row| row.may.iter().map(ToString::to_string).collect();
    TABLE
        .iter()
        .map(|row| (row.module.to_owned(), set(row)))
        .collect()
}

/// Reads the first table below the heading "Allowed imports". A cell is a list of names between
/// commas; what stands in parentheses is for people.
pub(crate) fn parse_markdown(text: &str) -> Arrows {
    let mut arrows = Arrows::new();
    let rows = text
        .lines()
        .skip_while(|line| !(line.starts_with('#') && line.ends_with("Allowed imports")))
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    for line in rows {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let [modules, may] = cells[..] else { continue };
        for module in names(modules) {
            arrows.insert(module, names(may).into_iter().collect());
        }
    }
    arrows
}

fn names(cell: &str) -> Vec<String> {
    let mut depth = 0_u32;
    let mut plain = String::new();
    for c in cell.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '`' => {}
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let names = plain.split(',').map(str::trim);
    names
        .filter(|n| !n.is_empty() && *n != "nothing of ours")
        .map(str::to_owned)
        .collect()
}
