//! The module tree of the library and the binary, as rustc would build it from the files.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Attribute, Item, ItemMod};

use crate::gate::{Gate, path_attributes};
use crate::scope::{self, Scope};
use crate::sources::Sources;
use crate::tokens::Found;

pub(crate) type ModId = usize;

/// Which crate a module belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Krate {
    Lib,
    Bin,
}

/// One module: a file's, or an inline one.
pub(crate) struct Module {
    pub(crate) krate: Krate,
    /// Names from the crate root down; empty for the root itself.
    pub(crate) path: Vec<String>,
    pub(crate) parent: Option<ModId>,
    /// More than one module may bear a name, under different `cfg`s.
    pub(crate) children: BTreeMap<String, Vec<ModId>>,
    pub(crate) file: String,
    /// The line of the `mod` item, in the parent's file.
    pub(crate) line: usize,
    pub(crate) gate: Gate,
    pub(crate) items: Vec<Item>,
    pub(crate) scope: Scope,
}

/// A `macro_rules!` and what its body names.
pub(crate) struct MacroDef {
    pub(crate) module: ModId,
    pub(crate) body: Found,
}

/// Something wrong with the tree itself.
pub(crate) struct Problem {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Every module, macro and problem of one source tree.
#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) modules: Vec<Module>,
    pub(crate) macros: BTreeMap<String, Vec<MacroDef>>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) lib: Option<ModId>,
    reached: BTreeSet<String>,
}

/// Where a module's own `mod x;` and `#[path]` look for files.
#[derive(Clone)]
struct Place {
    file: String,
    children: String,
    paths: String,
}

impl Place {
    /// `lib.rs`, `main.rs`, `mod.rs` and files named by `#[path]` keep children beside them; any
    /// other file keeps them in a directory of its own name.
    fn of_file(file: &str, named_by_attribute: bool) -> Self {
        let (dir, name) = file.rsplit_once('/').unwrap_or(("", file));
        let beside = named_by_attribute || matches!(name, "lib.rs" | "main.rs" | "mod.rs");
        let stem = name.trim_end_matches(".rs");
        let children = if beside {
            dir.to_owned()
        } else {
            join(dir, stem)
        };
        Self {
            file: file.to_owned(),
            children,
            paths: dir.to_owned(),
        }
    }

    fn of_inline(&self, name: &str, attribute: Option<&String>) -> Self {
        let children = attribute.map_or_else(
            || join(&self.children, name),
            |path| join(&self.paths, path),
        );
        Self {
            file: self.file.clone(),
            paths: children.clone(),
            children,
        }
    }
}

struct Parent<'a> {
    id: ModId,
    place: &'a Place,
}

impl Tree {
    /// Builds the tree below `src/`: `lib.rs` and `main.rs`, whichever exist.
    pub(crate) fn build(sources: &Sources) -> Self {
        let mut tree = Self::default();
        for (krate, file) in [(Krate::Lib, "src/lib.rs"), (Krate::Bin, "src/main.rs")] {
            if !sources.contains_key(file) {
                continue;
            }
            let id = tree.push(krate, Vec::new(), None, file, 1, Gate::default());
            if krate == Krate::Lib {
                tree.lib = Some(id);
            }
            tree.load_file(sources, id, &Place::of_file(file, false));
        }
        for file in sources.keys().filter(|f| f.starts_with("src/")) {
            if !tree.reached.contains(file) {
                tree.problem(
                    file,
                    1,
                    "no module leads to this file, so nothing compiles it",
                );
            }
        }
        tree
    }

    /// The top-level name that rules speak of: a module's, or `lib.rs`, or `main.rs`.
    pub(crate) fn top(&self, id: ModId) -> &str {
        let module = &self.modules[id];
        match (module.krate, module.path.first()) {
            (Krate::Bin, _) => "main.rs",
            (Krate::Lib, Some(name)) => name,
            (Krate::Lib, None) => "lib.rs",
        }
    }

    /// The root of the crate that `id` is in.
    pub(crate) fn root(&self, mut id: ModId) -> ModId {
        while let Some(parent) = self.modules[id].parent {
            id = parent;
        }
        id
    }

    /// Whether `inner` is `outer` or below it.
    pub(crate) fn is_within(&self, mut inner: ModId, outer: ModId) -> bool {
        loop {
            if inner == outer {
                return true;
            }
            let Some(parent) = self.modules[inner].parent else {
                return false;
            };
            inner = parent;
        }
    }

    fn push(
        &mut self,
        krate: Krate,
        path: Vec<String>,
        parent: Option<ModId>,
        file: &str,
        line: usize,
        gate: Gate,
    ) -> ModId {
        let file = file.to_owned();
        let (children, items, scope) = (BTreeMap::new(), Vec::new(), Scope::default());
        let module = Module {
            krate,
            path,
            parent,
            children,
            file,
            line,
            gate,
            items,
            scope,
        };
        self.modules.push(module);
        self.modules.len() - 1
    }

    fn load_file(&mut self, sources: &Sources, id: ModId, place: &Place) {
        self.reached.insert(place.file.clone());
        let Some(text) = sources.get(&place.file) else {
            return;
        };
        match syn::parse_file(text) {
            Ok(file) => {
                let gate = self.modules[id].gate;
                self.modules[id].gate = gate.with(&file.attrs);
                self.load_items(sources, id, place, file.items);
            }
            Err(error) => {
                let line = error.span().start().line;
                self.problem(&place.file, line, &format!("does not parse: {error}"));
            }
        }
    }

    fn load_items(&mut self, sources: &Sources, id: ModId, place: &Place, items: Vec<Item>) {
        let gathered = scope::gather(&items);
        self.modules[id].items = items;
        self.modules[id].scope = gathered.scope;
        for (name, body) in gathered.macros {
            self.macros
                .entry(name)
                .or_default()
                .push(MacroDef { module: id, body });
        }
        for child in gathered.children {
            self.load_child(sources, &Parent { id, place }, child);
        }
    }

    fn load_child(&mut self, sources: &Sources, parent: &Parent<'_>, item: ItemMod) {
        let name = item.ident.to_string();
        let line = item.ident.span().start().line;
        let (attributes, bare) = path_attributes(&item.attrs);
        if let Some((_, items)) = item.content {
            let file = parent.place.file.clone();
            let id = self.push_child(parent.id, &name, &file, line, &item.attrs);
            let place = parent.place.of_inline(&name, attributes.first());
            self.load_items(sources, id, &place, items);
            return;
        }
        let by_name = [
            join(&parent.place.children, &format!("{name}.rs")),
            join(&parent.place.children, &format!("{name}/mod.rs")),
        ];
        let by_name = by_name
            .into_iter()
            .filter(|_| !bare)
            .map(|file| (file, false));
        let by_path = attributes
            .iter()
            .map(|path| (join(&parent.place.paths, path), true));
        let mut loaded = 0;
        for (file, named) in by_name.chain(by_path) {
            if sources.contains_key(&file) {
                let id = self.push_child(parent.id, &name, &file, line, &item.attrs);
                self.load_file(sources, id, &Place::of_file(&file, named));
                loaded += 1;
            }
        }
        if loaded == 0 {
            let text = format!("`mod {name};` leads to no file under src/");
            self.problem(&parent.place.file, line, &text);
        }
    }

    fn push_child(
        &mut self,
        parent: ModId,
        name: &str,
        file: &str,
        line: usize,
        attrs: &[Attribute],
    ) -> ModId {
        let above = &self.modules[parent];
        let mut path = above.path.clone();
        path.push(name.to_owned());
        let (krate, gate) = (above.krate, above.gate.with(attrs));
        let id = self.push(krate, path, Some(parent), file, line, gate);
        self.modules[parent]
            .children
            .entry(name.to_owned())
            .or_default()
            .push(id);
        id
    }

    fn problem(&mut self, file: &str, line: usize, text: &str) {
        self.problems.push(Problem {
            file: file.to_owned(),
            line,
            text: text.to_owned(),
        });
    }
}

/// Joins two paths and folds `.` and `..`.
fn join(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
