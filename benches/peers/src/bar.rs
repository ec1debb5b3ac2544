//! What is asked of the gateway, row by row, beside what was measured.

use std::fmt::Write as _;

use crate::report::Measured;
use crate::row::EngineRow;

/// One thing that is asked.
#[derive(Clone, Debug)]
pub(crate) struct BarRow {
    pub(crate) what: String,
    pub(crate) asked: f64,
    /// `None` where it was not measured.
    pub(crate) measured: Option<f64>,
    /// Whether less is better.
    pub(crate) at_most: bool,
}

impl BarRow {
    fn at_least(what: String, asked: f64, measured: Option<f64>) -> Self {
        Self {
            what,
            asked,
            measured,
            at_most: false,
        }
    }

    /// `None` where it was not measured.
    pub(crate) fn met(&self) -> Option<bool> {
        let measured = self.measured?;
        Some(if self.at_most {
            measured <= self.asked
        } else {
            measured >= self.asked
        })
    }
}

const DIRECTIONS: [&str; 2] = ["protect", "validate"];

fn least(values: impl Iterator<Item = f64>) -> Option<f64> {
    values
        .filter(|value| value.is_finite())
        .min_by(f64::total_cmp)
}

/// The bar, with what was measured.
pub(crate) fn rows(measured: &Measured) -> Vec<BarRow> {
    let mut rows = Vec::new();
    let engine = |direction: &str, size: &str, of: fn(&EngineRow) -> f64| {
        let row = measured.engines.iter().find(|row| {
            row.selected
                && row.key_bits == 256
                && row.burst == 32
                && row.direction == direction
                && row.size == size
        });
        row.map(of)
    };
    for direction in DIRECTIONS {
        for (size, asked) in [("64", 2.2), ("imix", 1.9), ("1518", 1.5), ("9000", 1.15)] {
            let found = engine(direction, size, |row| row.ratio);
            let what = format!("engine, {direction}, {size}: times the best library");
            rows.push(BarRow::at_least(what, asked, found));
        }
    }
    for direction in DIRECTIONS {
        for (size, asked) in [("64", 35.0), ("1518", 65.0)] {
            let found = engine(direction, size, |row| row.of_bound);
            let what = format!("engine, {direction}, {size}: percent of the bound");
            rows.push(BarRow::at_least(what, asked, found));
        }
    }
    let alone = measured
        .engines
        .iter()
        .filter(|row| row.selected && row.burst == 1);
    rows.push(BarRow::at_least(
        "engine, bursts of 1, the worst size: times the best library".to_owned(),
        1.0,
        least(alone.map(|row| row.ratio)),
    ));
    let system = |part: &str, what: &str, size: Option<&str>| {
        let found = measured.systems.iter().filter(|row| {
            row.part == part && row.what.contains(what) && size.is_none_or(|size| row.size == size)
        });
        found.cloned().collect::<Vec<_>>()
    };
    for (size, asked) in [("64", 3.0), ("imix", 2.2), ("1518", 1.8)] {
        let found = system("path", "macsecgw", Some(size));
        let peer = found.iter().filter(|row| row.against.contains("l2fwd"));
        let what = format!("whole path, {size}: times l2fwd-crypto on its better driver");
        rows.push(BarRow::at_least(
            what,
            asked,
            least(peer.map(|row| row.ratio)),
        ));
    }
    for (what, part, name, asked) in [
        (
            "validate, the worst size: times protect",
            "validate",
            "validate lane",
            0.9,
        ),
        ("15 links: times one", "links", "15 links", 0.8),
        ("many SAs in turn: times one", "sas", "SAs in turn", 0.8),
    ] {
        let found = system(part, name, None);
        rows.push(BarRow::at_least(
            what.to_owned(),
            asked,
            least(found.iter().map(|row| row.ratio)),
        ));
    }
    let faults = measured.systems.iter().flat_map(|row| row.faults).flatten();
    rows.push(BarRow {
        what: "lost, reordered or miscounted frames".to_owned(),
        asked: 0.0,
        measured: (!measured.systems.is_empty()).then(|| faults.sum::<u64>() as f64),
        at_most: true,
    });
    rows
}

/// The bar for people.
pub(crate) fn text(rows: &[BarRow]) -> String {
    let mut text = format!(
        "{:<64} {:>8} {:>10}  {}\n",
        "what", "asked", "measured", "met"
    );
    for row in rows {
        let measured = row
            .measured
            .map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        let met = match row.met() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not measured",
        };
        let _ = writeln!(
            text,
            "{:<64} {:>8} {measured:>10}  {met}",
            row.what, row.asked
        );
    }
    text
}
