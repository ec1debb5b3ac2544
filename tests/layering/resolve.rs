//! From a path as written to every module that it passes through and ends in.
//!
//! A path through a re-export (or a type alias) touches the module that re-exports and the one
//! where the item lives. A glob touches its module and whatever that module re-exports to the
//! importer, used or not: what is in scope can be used without being named. Names that the tree
//! does not bind are crates, or locals and generics that no rule speaks of.
//!
//! Where the language would decide by namespace or shadowing, the resolver keeps all candidates:
//! it may see one arrow too many, never one too few. What it cannot see: what a procedural macro
//! makes, and a type that is reached only through another module's field or return value.

use std::collections::BTreeSet;

use crate::scope::{Binding, Import, Reach};
use crate::tokens::Written;
use crate::tree::{Krate, ModId, Tree};

/// One end of an arrow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hit {
    /// A top-level module of ours.
    Module(String),
    /// A crate.
    Crate(String),
}

/// The library's name, as the binary (and nothing else) calls it.
const LIBRARY: &str = "macsec_gateway";

#[derive(Clone, Debug)]
enum Target {
    Module(ModId),
    Item,
    Crate,
}

struct Walk<'t> {
    tree: &'t Tree,
    hits: BTreeSet<Hit>,
    /// The steps that are being taken: a cycle of imports ends where it began.
    open: Vec<(ModId, String, String)>,
}

/// Everything that `path`, written in module `from`, touches.
pub(crate) fn resolve(tree: &Tree, from: ModId, path: &Written) -> BTreeSet<Hit> {
    let mut walk = Walk {
        tree,
        hits: BTreeSet::new(),
        open: Vec::new(),
    };
    let ends = walk.path(from, path);
    if path.glob {
        for end in ends {
            if let Target::Module(module) = end {
                walk.glob(module, from);
            }
        }
    }
    walk.hits
}

impl Walk<'_> {
    fn path(&mut self, from: ModId, path: &Written) -> Vec<Target> {
        let Some((first, rest)) = path.segments.split_first() else {
            return Vec::new();
        };
        let mut ends = if path.absolute {
            self.crate_named(from, first)
        } else {
            match first.as_str() {
                "crate" => vec![Target::Module(self.tree.root(from))],
                "self" => vec![Target::Module(from)],
                "super" => self.parent(from),
                "Self" => Vec::new(),
                name => self.first(from, name),
            }
        };
        for name in rest {
            ends = ends
                .into_iter()
                .flat_map(|end| self.step(end, name))
                .collect();
        }
        ends
    }

    fn step(&mut self, end: Target, name: &str) -> Vec<Target> {
        match end {
            Target::Module(module) if name == "super" => self.parent(module),
            Target::Module(module) => self.lookup(module, name, false),
            end => vec![end],
        }
    }

    fn parent(&self, of: ModId) -> Vec<Target> {
        self.tree.modules[of]
            .parent
            .map(Target::Module)
            .into_iter()
            .collect()
    }

    /// The first name of a relative path: what the module binds, else a crate.
    fn first(&mut self, from: ModId, name: &str) -> Vec<Target> {
        let bound = self.lookup(from, name, true);
        if bound.is_empty() {
            self.crate_named(from, name)
        } else {
            bound
        }
    }

    fn crate_named(&mut self, from: ModId, name: &str) -> Vec<Target> {
        let root = self.tree.root(from);
        let bindings = self.tree.modules[root].scope.names.get(name);
        let renamed = bindings
            .into_iter()
            .flatten()
            .find_map(|binding| match binding {
                Binding::Crate(of) => Some(of.as_str()),
                _ => None,
            });
        self.krate(root, renamed.unwrap_or(name))
    }

    fn krate(&mut self, root: ModId, name: &str) -> Vec<Target> {
        if name == "self" {
            return vec![Target::Module(root)];
        }
        if name == LIBRARY && self.tree.modules[root].krate == Krate::Bin {
            return self.tree.lib.map(Target::Module).into_iter().collect();
        }
        self.hits.insert(Hit::Crate(name.to_owned()));
        vec![Target::Crate]
    }

    /// What `name` stands for in `module`; `inside` when the question comes from the module itself.
    fn lookup(&mut self, module: ModId, name: &str, inside: bool) -> Vec<Target> {
        let here = &self.tree.modules[module];
        let mut ends = Vec::new();
        for child in here.children.get(name).into_iter().flatten() {
            self.touch(*child);
            ends.push(Target::Module(*child));
        }
        for binding in here.scope.names.get(name).into_iter().flatten() {
            match binding {
                Binding::Item => {
                    self.touch(module);
                    ends.push(Target::Item);
                }
                Binding::Crate(of) => ends.extend(self.krate(self.tree.root(module), of)),
                Binding::Import(import) if inside || !import.local => {
                    ends.extend(self.follow(module, name, import));
                }
                Binding::Import(_) => {}
            }
        }
        if !ends.is_empty() {
            return ends;
        }
        for glob in here.scope.globs.iter().filter(|glob| inside || !glob.local) {
            for end in self.follow(module, name, glob) {
                if let Target::Module(of) = end {
                    ends.extend(self.lookup(of, name, false));
                }
            }
        }
        ends
    }

    fn follow(&mut self, module: ModId, name: &str, import: &Import) -> Vec<Target> {
        let step = (module, name.to_owned(), import.path.text());
        if self.open.contains(&step) {
            return Vec::new();
        }
        self.open.push(step);
        let ends = self.path(module, &import.path);
        self.open.pop();
        ends
    }

    /// A glob import of `module` by `importer`: everything that it re-exports comes along.
    fn glob(&mut self, module: ModId, importer: ModId) {
        self.touch(module);
        let scope = &self.tree.modules[module].scope;
        for (name, bindings) in &scope.names {
            for binding in bindings {
                if let Binding::Import(import) = binding
                    && sees(self.tree, importer, module, import)
                {
                    self.follow(module, name, import);
                }
            }
        }
        let tree = self.tree;
        for import in scope
            .globs
            .iter()
            .filter(|glob| sees(tree, importer, module, glob))
        {
            let step = (module, "*".to_owned(), import.path.text());
            if self.open.contains(&step) {
                continue;
            }
            self.open.push(step);
            for end in self.path(module, &import.path) {
                if let Target::Module(of) = end {
                    self.glob(of, importer);
                }
            }
            self.open.pop();
        }
    }

    fn touch(&mut self, module: ModId) {
        if self.tree.modules[module].krate == Krate::Lib
            && let Some(top) = self.tree.modules[module].path.first()
        {
            self.hits.insert(Hit::Module(top.clone()));
        }
    }
}

/// Whether a name that `module` imports is visible to `importer`.
fn sees(tree: &Tree, importer: ModId, module: ModId, import: &Import) -> bool {
    let limit = match import.reach {
        Reach::Crate => return !import.local,
        Reach::Parent => tree.modules[module].parent.unwrap_or(module),
        Reach::Module => module,
    };
    !import.local && tree.is_within(importer, limit)
}
