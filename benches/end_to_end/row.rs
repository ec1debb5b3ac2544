//! Lines of the table, for people and for machines.

use std::fmt::Write as _;

use crate::size::Size;
use crate::{FRAMES, cpu};

/// What one run of a program gave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Frames in each second that its forwarding thread was on a CPU.
    pub(crate) rate: f64,
    /// Frames that came in and did not go out.
    pub(crate) lost: u64,
}

/// What must be nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) lost: u64,
    pub(crate) reordered: u64,
    pub(crate) miscounted: u64,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) part: &'static str,
    pub(crate) what: String,
    pub(crate) size: Size,
    pub(crate) rate: f64,
    /// Median of the rounds' ratios to `against`; NaN for none.
    pub(crate) ratio: f64,
    pub(crate) against: String,
    pub(crate) lost: u64,
    /// `None` where it can't be seen.
    pub(crate) reordered: Option<u64>,
    pub(crate) miscounted: Option<u64>,
    /// Every hop's count, where each was read; for people only.
    pub(crate) account: String,
}

pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median of `own[i] / other[i]`.
pub(crate) fn ratio(own: &[Sample], other: &[Sample]) -> f64 {
    median(
        own.iter()
            .zip(other)
            .map(|(own, other)| own.rate / other.rate),
    )
}

const HEAD: &str = "part,what,size,frames_per_second,gbit_per_second,cycles_per_frame,ratio,against,\
lost,reordered,miscounted";

impl Row {
    fn gbit(&self) -> f64 {
        self.rate * self.size.mean(FRAMES) * 8.0 / 1e9
    }
}

fn quotient(ratio: f64) -> String {
    if ratio.is_finite() {
        format!("{ratio:.3}")
    } else {
        "-".to_owned()
    }
}

fn count(count: Option<u64>) -> String {
    count.map_or_else(|| "-".to_owned(), |count| count.to_string())
}

/// All rows for machines. Cycles are the core's.
pub(crate) fn csv(rows: &[Row]) -> String {
    let clock = cpu::cycles_per_ns() * 1e9;
    let mut text = format!("{HEAD}\n");
    for row in rows {
        let _ = writeln!(
            text,
            "{},{},{},{:.0},{:.3},{:.1},{},{},{},{},{}",
            row.part,
            row.what,
            row.size,
            row.rate,
            row.gbit(),
            clock / row.rate,
            quotient(row.ratio),
            row.against,
            row.lost,
            count(row.reordered),
            count(row.miscounted),
        );
    }
    text
}

/// All rows for people.
pub(crate) fn text(rows: &[Row]) -> String {
    let clock = cpu::cycles_per_ns() * 1e9;
    let mut text = format!(
        "{:>6}  {:<34} {:>10} {:>8} {:>8} {:>7}  {:<26} {:>6} {:>9} {:>10}\n",
        "octets",
        "what",
        "Mframes/s",
        "Gbit/s",
        "cycles",
        "ratio",
        "to",
        "lost",
        "reordered",
        "miscounted",
    );
    for row in rows {
        let _ = writeln!(
            text,
            "{:>6}  {:<34} {:>10.3} {:>8.2} {:>8.0} {:>7}  {:<26} {:>6} {:>9} {:>10}",
            row.size.to_string(),
            row.what,
            row.rate / 1e6,
            row.gbit(),
            clock / row.rate,
            quotient(row.ratio),
            row.against,
            row.lost,
            count(row.reordered),
            count(row.miscounted),
        );
    }
    for row in rows.iter().filter(|row| !row.account.is_empty()) {
        let _ = writeln!(text, "{:>6}  {}", row.size.to_string(), row.account);
    }
    text
}
