//! Columns for people: as wide as their widest cell, numbers to the right.

use alloc::{string::String, vec::Vec};

/// Which way a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A table under construction.
#[derive(Debug)]
pub(super) struct Table {
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(super) fn new(columns: &[(&str, Align)]) -> Self {
        let heads = columns
            .iter()
            .map(|(head, _)| String::from(*head))
            .collect();
        Self {
            aligns: columns.iter().map(|(_, align)| *align).collect(),
            rows: Vec::from([heads]),
        }
    }

    /// Adds a row; cells past the last column are left out.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there is a row besides the head.
    pub(super) const fn has_rows(&self) -> bool {
        self.rows.len() > 1
    }

    /// The lines, each after `indent` spaces and with no space at its end.
    pub(super) fn render(&self, indent: usize) -> String {
        let widths: Vec<usize> = (0..self.aligns.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(indent);
            for ((cell, width), align) in row.iter().zip(&widths).zip(&self.aligns) {
                let space = " ".repeat(width.saturating_sub(cell.chars().count()));
                let (before, after) = match align {
                    Align::Left => ("", space.as_str()),
                    Align::Right => (space.as_str(), ""),
                };
                line.extend([before, cell, after, "  "]);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&[("NAME", Align::Left), ("N", Align::Right)]);
        table.row(["a".into(), "10".into()]);
        table.row(["longer".into(), "7".into()]);
        assert_eq!(table.render(1), " NAME     N\n a       10\n longer   7\n");
    }
}
