//! Where source text comes from: the repository on disk, or a fixture in one text file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Source text by its path from the repository's root, `/` between the parts.
pub(crate) type Sources = BTreeMap<String, String>;

/// A small source tree and what the test must say about it.
pub(crate) struct Fixture {
    pub(crate) sources: Sources,
    pub(crate) expected: Vec<String>,
}

/// Every `.rs` file below `root/dir`.
pub(crate) fn from_disk(root: &Path, dir: &str) -> Result<Sources, String> {
    let mut sources = Sources::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        let entries = fs::read_dir(root.join(&dir)).map_err(|e| format!("{dir}: {e}"))?;
        for entry in entries {
            let entry = entry.map_err(|e| format!("{dir}: {e}"))?;
            let path = format!("{dir}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                pending.push(path);
            } else if path.to_ascii_lowercase().ends_with(".rs") {
                let text = fs::read_to_string(entry.path()).map_err(|e| format!("{path}: {e}"))?;
                sources.insert(path, text);
            }
        }
    }
    Ok(sources)
}

/// A fixture's text: `expect: MESSAGE` lines first, then `--- PATH` ahead of each file's text.
pub(crate) fn from_fixture(text: &str) -> Fixture {
    let mut fixture = Fixture {
        sources: Sources::new(),
        expected: Vec::new(),
    };
    let mut file: Option<String> = None;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("--- ") {
            fixture.sources.insert(path.to_owned(), String::new());
            file = Some(path.to_owned());
        } else if let Some(body) = file.as_ref().and_then(|path| fixture.sources.get_mut(path)) {
            body.push_str(line);
            body.push('\n');
        } else if let Some(message) = line.strip_prefix("expect: ") {
            fixture.expected.push(message.to_owned());
        }
    }
    fixture
}
