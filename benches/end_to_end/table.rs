//! Medians of the rounds, for people and for machines.

use std::fmt::Write as _;

use crate::Sample;

/// All rounds of one frame size.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) size: usize,
    pub(crate) protect: Vec<Sample>,
    pub(crate) validate: Vec<Sample>,
    pub(crate) testpmd: Vec<Sample>,
}

impl Row {
    pub(crate) const fn new(size: usize) -> Self {
        Self {
            size,
            protect: Vec::new(),
            validate: Vec::new(),
            testpmd: Vec::new(),
        }
    }

    fn runs(&self) -> [(&'static str, &[Sample]); 3] {
        [
            ("testpmd io", &self.testpmd),
            ("protect", &self.protect),
            ("validate", &self.validate),
        ]
    }
}

#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Table {
    fn each(&self, mut show: impl FnMut(usize, &str, [f64; 5])) {
        for row in &self.rows {
            let reference = median(&row.testpmd, |sample| sample.rate);
            for (name, samples) in row.runs() {
                let rate = median(samples, |sample| sample.rate);
                show(
                    row.size,
                    name,
                    [
                        rate,
                        rate * row.size as f64,
                        median(samples, |sample| sample.cycles),
                        rate / reference,
                        median(samples, |sample| sample.lost),
                    ],
                );
            }
        }
    }

    /// Columns for people. Octets are those of plain frames without FCS.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "{:>6}  {:<10}  {:>12}  {:>12}  {:>12}  {:>10}  {:>12}\n",
            "octets", "run", "Mframes/s", "Moctets/s", "cycles/frame", "to testpmd", "lost ppm"
        );
        self.each(|size, name, [rate, octets, cycles, ratio, lost]| {
            let (rate, octets) = (rate / 1e6, octets / 1e6);
            // Writing to a string can't fail.
            let _ = writeln!(
                text,
                "{size:>6}  {name:<10}  {rate:>12.3}  {octets:>12.0}  {cycles:>12.0}  {ratio:>10.3}  {lost:>12.1}"
            );
        });
        text
    }

    pub(crate) fn csv(&self) -> String {
        let mut text = String::from(
            "octets,run,frames_per_second,octets_per_second,cycles_per_frame,ratio_to_testpmd,lost_ppm\n",
        );
        self.each(|size, name, [rate, octets, cycles, ratio, lost]| {
            let _ = writeln!(
                text,
                "{size},{name},{rate:.0},{octets:.0},{cycles:.1},{ratio:.4},{lost:.1}"
            );
        });
        text
    }
}
