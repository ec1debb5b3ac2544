//! The lines of the engines' table, for people and for machines.

use std::fmt::Write as _;

use crate::bound::Width;

/// One engine in one case.
#[derive(Clone, Debug)]
pub(crate) struct EngineRow {
    pub(crate) engine: String,
    pub(crate) peer: bool,
    pub(crate) selected: bool,
    pub(crate) key_bits: usize,
    pub(crate) direction: String,
    pub(crate) size: String,
    pub(crate) burst: usize,
    pub(crate) aad_len: usize,
    /// Frames in each second.
    pub(crate) rate: f64,
    pub(crate) gbit: f64,
    /// 5th percentile.
    pub(crate) cycles: f64,
    pub(crate) best_peer: String,
    /// How many times as fast as the best peer: the median of the rounds' ratios.
    pub(crate) ratio: f64,
    /// The same of the two 5th percentiles.
    pub(crate) ratio_low: f64,
    /// Percent of the instruction bound.
    pub(crate) of_bound: f64,
}

const HEAD: &str = "engine,origin,selected,key_bits,direction,size,burst,aad,frames_per_second,\
gbit_per_second,cycles_per_frame,best_peer,ratio_to_best_peer,ratio_of_low_cycles,percent_of_bound";

impl EngineRow {
    fn csv(&self) -> String {
        format!(
            "{},{},{},{},{},{},{},{},{:.0},{:.3},{:.1},{},{:.3},{:.3},{:.1}",
            self.engine,
            if self.peer { "peer" } else { "ours" },
            self.selected,
            self.key_bits,
            self.direction,
            self.size,
            self.burst,
            self.aad_len,
            self.rate,
            self.gbit,
            self.cycles,
            self.best_peer,
            self.ratio,
            self.ratio_low,
            self.of_bound,
        )
    }

    /// A line that [`csv`] wrote; `None` where it is not one.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(',');
        let mut text = || fields.next().map(str::to_owned);
        Some(Self {
            engine: text()?,
            peer: text()? == "peer",
            selected: text()? == "true",
            key_bits: text()?.parse().ok()?,
            direction: text()?,
            size: text()?,
            burst: text()?.parse().ok()?,
            aad_len: text()?.parse().ok()?,
            rate: text()?.parse().ok()?,
            gbit: text()?.parse().ok()?,
            cycles: text()?.parse().ok()?,
            best_peer: text()?,
            ratio: text()?.parse().ok()?,
            ratio_low: text()?.parse().ok()?,
            of_bound: text()?.parse().ok()?,
        })
    }
}

/// All rows for machines.
pub(crate) fn csv(rows: &[EngineRow]) -> String {
    let mut text = format!("{HEAD}\n");
    for row in rows {
        text.push_str(&row.csv());
        text.push('\n');
    }
    text
}

/// What [`csv`] wrote.
pub(crate) fn read(text: &str) -> Vec<EngineRow> {
    text.lines().skip(1).filter_map(EngineRow::parse).collect()
}

/// All rows for people, a block for each key, direction and burst.
pub(crate) fn text(rows: &[EngineRow]) -> String {
    let mut text = String::new();
    let mut block = None;
    for row in rows {
        let this = (row.key_bits, &row.direction, row.burst);
        if block != Some(this) {
            block = Some(this);
            let _ = writeln!(
                text,
                "\nAES-{}-GCM, {}, bursts of {}, {} octets of additional data\n{:>6}  {:<28} {:>10} {:>8} {:>8} {:>13} {:>10} {:>8}",
                row.key_bits,
                row.direction,
                row.burst,
                row.aad_len,
                "octets",
                "engine",
                "Mframes/s",
                "Gbit/s",
                "cycles",
                "to best peer",
                "(low)",
                "% bound",
            );
        }
        let mark = if row.selected { " *" } else { "" };
        let best = if row.best_peer == row.engine {
            " <"
        } else {
            "  "
        };
        let _ = writeln!(
            text,
            "{:>6}  {:<28} {:>10.3} {:>8.2} {:>8.0} {:>11.2}{best} {:>10.2} {:>8.1}",
            row.size,
            format!("{}{mark}", row.engine),
            row.rate / 1e6,
            row.gbit,
            row.cycles,
            row.ratio,
            row.ratio_low,
            row.of_bound,
        );
    }
    text
}

/// What engines run on.
pub(crate) fn forms(forms: &[(String, String)]) -> String {
    let mut text = String::new();
    for (engine, form) in forms.iter().filter(|(_, form)| !form.is_empty()) {
        let _ = writeln!(text, "{engine:<28} {form}");
    }
    text
}

/// What instructions cost.
pub(crate) fn widths(widths: &[Width]) -> String {
    let mut text = format!(
        "cycles of instructions, the bound's inputs\n{:<10} {:>10} {:>12} {:>20} {:>20}\n",
        "register", "AES round", "multiply", "10 rounds + 3 mult.", "14 rounds + 3 mult."
    );
    for width in widths {
        let _ = writeln!(
            text,
            "{:<10} {:>10.3} {:>12.3} {:>20.2} {:>20.2}",
            width.register, width.aes, width.multiply, width.mixes[0], width.mixes[1],
        );
    }
    text
}
