//! The counts that are kept, and the comparison with them.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

/// A rise of more than one part in so many fails.
const TOLERANCE: usize = 20;

/// Counts by name, one to a line: `name<tab>instructions`.
pub(crate) struct Baseline {
    kept: BTreeMap<String, usize>,
    worse: Vec<String>,
    write: bool,
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/instruction_counts/baseline.tsv")
}

impl Baseline {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(path()).unwrap_or_default();
        let row = |line: &str| {
            let (name, count) = line.split_once('\t')?;
            Some((name.to_owned(), count.parse().unwrap()))
        };
        Self {
            kept: text.lines().filter_map(row).collect(),
            worse: Vec::new(),
            write: env::var("COUNTS").is_ok_and(|what| what == "write"),
        }
    }

    pub(crate) fn compare(&mut self, counts: &[(String, usize)]) {
        for (name, count) in counts {
            let kept = self.kept.get(name).copied();
            println!("{name}: {count} instructions, kept {kept:?}");
            if self.write {
                self.kept.insert(name.clone(), *count);
            } else if kept.is_none_or(|kept| *count > kept + kept / TOLERANCE) {
                self.worse.push(format!("{name}: {count}, kept {kept:?}"));
            }
        }
    }

    pub(crate) fn finish(self) {
        if self.write {
            let row = |(name, count): (&String, &usize)| format!("{name}\t{count}\n");
            fs::write(path(), self.kept.iter().map(row).collect::<String>()).unwrap();
        }
        assert!(
            self.worse.is_empty(),
            "more instructions than a twentieth above what is kept in {}; if that is meant, \
             COUNTS=write makes it anew:\n{}",
            path().display(),
            self.worse.join("\n")
        );
    }
}
