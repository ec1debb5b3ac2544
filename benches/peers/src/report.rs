//! One table of all parts that were measured, and how they stand to the bar.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::bar;
use crate::plot::{self, Panel, Series};
use crate::row::{self, EngineRow};

/// The parts that `benches/end_to_end/` measures, in their order.
const PARTS: [(&str, &str); 5] = [
    ("path", "The whole path: net_pcap into net_null, one core"),
    (
        "validate",
        "Validation of fresh packet numbers, replay protection on",
    ),
    ("memif", "Between two processes, over net_memif"),
    ("links", "Many links on one worker"),
    ("sas", "Many receive SAs on one link"),
];

/// A line of a part other than the engines.
#[derive(Clone, Debug)]
pub(crate) struct SystemRow {
    pub(crate) part: String,
    pub(crate) what: String,
    pub(crate) size: String,
    pub(crate) rate: f64,
    pub(crate) gbit: f64,
    pub(crate) cycles: f64,
    pub(crate) ratio: f64,
    pub(crate) against: String,
    /// Lost, reordered, miscounted; `None` where it can't be seen.
    pub(crate) faults: [Option<u64>; 3],
}

impl SystemRow {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let mut text = || fields.next().map(str::to_owned);
        Some(Self {
            part: text()?,
            what: text()?,
            size: text()?,
            rate: text()?.parse().ok()?,
            gbit: text()?.parse().ok()?,
            cycles: text()?.parse().ok()?,
            // A dash where it is compared with nothing.
            ratio: text()?.parse().unwrap_or(f64::NAN),
            against: text()?,
            faults: [
                text()?.parse().ok(),
                text()?.parse().ok(),
                text()?.parse().ok(),
            ],
        })
    }
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Bits of the widest vectors that were let in; empty for all that the CPU has.
    pub(crate) width: String,
    pub(crate) engines: Vec<EngineRow>,
    pub(crate) systems: Vec<SystemRow>,
}

fn measured(folder: &Path) -> Measured {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let system = |part: &str| -> Vec<SystemRow> {
        read(&format!("{part}.csv"))
            .lines()
            .skip(1)
            .filter_map(SystemRow::parse)
            .collect()
    };
    Measured {
        width: read("width.txt").trim().to_owned(),
        engines: row::read(&read("engines.csv")),
        systems: PARTS.iter().flat_map(|(part, _)| system(part)).collect(),
    }
}

/// All rows with the same columns; a dash where a column means nothing.
fn csv(measured: &Measured) -> String {
    let mut text = String::from(
        "part,what,key_bits,direction,size,burst,frames_per_second,gbit_per_second,cycles_per_frame,\
         ratio,against,percent_of_bound,lost,reordered,miscounted,width\n",
    );
    let width = if measured.width.is_empty() {
        "cpu"
    } else {
        &measured.width
    };
    for row in &measured.engines {
        // Its output was compared octet by octet before it was timed.
        let _ = writeln!(
            text,
            "engines,{},{},{},{},{},{:.0},{:.3},{:.1},{:.3},{},{:.1},0,0,0,{width}",
            row.engine,
            row.key_bits,
            row.direction,
            row.size,
            row.burst,
            row.rate,
            row.gbit,
            row.cycles,
            row.ratio,
            row.best_peer,
            row.of_bound,
        );
    }
    for row in &measured.systems {
        let quotient = if row.ratio.is_finite() {
            format!("{:.3}", row.ratio)
        } else {
            "-".to_owned()
        };
        let faults = row
            .faults
            .map(|count| count.map_or_else(|| "-".to_owned(), |n| n.to_string()));
        let _ = writeln!(
            text,
            "{},{},256,-,{},-,{:.0},{:.3},{:.1},{},{},-,{},{width}",
            row.part,
            row.what,
            row.size,
            row.rate,
            row.gbit,
            row.cycles,
            quotient,
            row.against,
            faults.join(","),
        );
    }
    text
}

fn text(folder: &Path, measured: &Measured) -> String {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let mut text = format!("{}\n", read("machine.txt"));
    if !measured.engines.is_empty() {
        let _ = writeln!(
            text,
            "== Engines (* what the gateway takes here by itself, < the best peer)\n\n{}{}",
            read("bound.txt"),
            read("engines.txt"),
        );
    }
    for (part, title) in PARTS {
        let table = read(&format!("{part}.txt"));
        if !table.is_empty() {
            let _ = writeln!(text, "== {title}\n\n{table}");
        }
    }
    let vectors = if measured.width.is_empty() {
        "vectors as wide as the CPU has".to_owned()
    } else {
        format!("vectors of {} bits at most", measured.width)
    };
    let bar = bar::text(&bar::rows(measured));
    let _ = writeln!(text, "== The bar, {vectors}\n\n{bar}");
    text
}

/// The lines of what `each` gives for rows of one kind, by name.
fn series<'a>(rows: impl Iterator<Item = (&'a str, &'a str, f64)>) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for (name, size, value) in rows {
        let at = all
            .iter()
            .position(|one| one.name == name)
            .unwrap_or_else(|| {
                all.push(Series {
                    name: name.to_owned(),
                    points: Vec::new(),
                });
                all.len() - 1
            });
        all[at].points.push((size.to_owned(), value));
    }
    all
}

fn plot(measured: &Measured) -> String {
    let engines = |direction: &'static str| {
        let rows = measured.engines.iter().filter(move |row| {
            row.direction == direction && row.key_bits == 256 && row.burst == 32
        });
        series(rows.map(|row| (row.engine.as_str(), row.size.as_str(), row.gbit)))
    };
    let path = measured.systems.iter().filter(|row| row.part == "path");
    plot::svg(&[
        Panel {
            title: "AES-256-GCM alone, protect, bursts of 32",
            series: engines("protect"),
        },
        Panel {
            title: "AES-256-GCM alone, validate, bursts of 32",
            series: engines("validate"),
        },
        Panel {
            title: "The whole path, one core",
            series: series(path.map(|row| (row.what.as_str(), row.size.as_str(), row.gbit))),
        },
    ])
}

/// Writes `compare.txt`, `compare.csv` and `compare.svg` into the folder, and gives the first.
pub(crate) fn write(folder: &Path) -> Result<String, String> {
    let measured = measured(folder);
    if measured.engines.is_empty() && measured.systems.is_empty() {
        return Err(format!("{}: nothing was measured", folder.display()));
    }
    let text = text(folder, &measured);
    for (name, content) in [
        ("compare.txt", &text),
        ("compare.csv", &csv(&measured)),
        ("compare.svg", &plot(&measured)),
    ] {
        let path = folder.join(name);
        fs::write(&path, content).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    Ok(text)
}
