//! Every reference in the tree, judged by the table.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Field, ImplItem, Item, ItemExternCrate, ItemMod, ItemUse, Local, Macro, Meta, Path,
    TraitItem, Variant,
};

use crate::gate::{Gate, impl_attrs, item_attrs, literal, trait_attrs};
use crate::resolve::{Hit, resolve};
use crate::scope::{flatten, written};
use crate::sources::Sources;
use crate::table::{EVERYTHING, HALF_PURE, PURE, TEST_EXTRA, row_of};
use crate::tokens::{self, Found, Written};
use crate::tree::{Krate, ModId, Tree};

/// Checks a source tree; one line per violation, in order of file and line.
pub(crate) fn check(sources: &Sources) -> Vec<String> {
    let tree = Tree::build(sources);
    let mut said: BTreeSet<(String, usize, String)> = BTreeSet::new();
    for problem in &tree.problems {
        said.insert((problem.file.clone(), problem.line, problem.text.clone()));
    }
    for (id, module) in tree.modules.iter().enumerate() {
        said.extend(placement(&tree, id));
        let mut checker = Checker {
            tree: &tree,
            id,
            gate: module.gate,
            said: BTreeSet::new(),
        };
        for item in &module.items {
            checker.visit_item(item);
        }
        said.extend(
            checker
                .said
                .into_iter()
                .map(|(line, text)| (module.file.clone(), line, text)),
        );
    }
    said.into_iter()
        .map(|(file, line, text)| format!("{file}:{line}: {text}"))
        .collect()
}

/// Where a module may be: top-level ones are the table's; a file serves the module it lies in.
fn placement(tree: &Tree, id: ModId) -> Option<(String, usize, String)> {
    let module = &tree.modules[id];
    let parent = &tree.modules[module.parent?];
    if module.gate.test && module.path.len() == 1 {
        return None;
    }
    let top = module.path.first()?;
    let at = |text: String| Some((parent.file.clone(), module.line, text));
    if module.krate == Krate::Bin {
        let inside = module.file == "src/main.rs" || module.file.starts_with("src/main/");
        if inside || module.path.len() > 1 {
            return None;
        }
        return at(format!(
            "unknown top-level module `{top}`; rule: `main.rs` joins the library's modules, and its \
             own parts lie under src/main/"
        ));
    }
    if module.path.len() == 1 && row_of(top).is_none() {
        return at(format!(
            "unknown top-level module `{top}`; rule: every top-level module has a row in the \
             table of allowed imports"
        ));
    }
    let home = module
        .file
        .strip_prefix("src/")?
        .split('/')
        .next()?
        .trim_end_matches(".rs");
    if home != top && home != "lib" {
        return at(format!(
            "`{top}` -> `{home}`: `{}` serves as a module of `{top}`; rule: a file belongs to the \
             module in whose directory it lies",
            module.file
        ));
    }
    None
}

struct Checker<'t> {
    tree: &'t Tree,
    id: ModId,
    gate: Gate,
    said: BTreeSet<(usize, String)>,
}

impl Checker<'_> {
    fn gated(&mut self, attrs: &[Attribute], inner: impl FnOnce(&mut Self)) {
        let outer = self.gate;
        self.gate = outer.with(attrs);
        inner(self);
        self.gate = outer;
    }

    fn reference(&mut self, path: &Written) {
        for hit in resolve(self.tree, self.id, path) {
            self.judge(&hit, path.line, &path.text());
        }
    }

    fn judge(&mut self, hit: &Hit, line: usize, what: &str) {
        let from = self.tree.top(self.id).to_owned();
        let broken = match hit {
            Hit::Module(to) => self.module_rule(&from, to),
            Hit::Crate(name) => self.crate_rule(&from, name),
        };
        if let Some(rule) = broken {
            let to = match hit {
                Hit::Module(to) => format!("`{to}`"),
                Hit::Crate(name) => format!("crate `{name}`"),
            };
            self.said
                .insert((line, format!("`{from}` -> {to}: `{what}`; rule: {rule}")));
        }
    }

    fn module_rule(&self, from: &str, to: &str) -> Option<String> {
        if from == to || (self.gate.test && to == TEST_EXTRA) {
            return None;
        }
        if from == "lib.rs" {
            return Some("`lib.rs` declares modules and names nothing in them".to_owned());
        }
        let row = row_of(from)?;
        if row.may.iter().any(|may| *may == to || *may == EVERYTHING) {
            return None;
        }
        let may: Vec<String> = row.may.iter().map(|may| format!("`{may}`")).collect();
        let may = if may.is_empty() {
            "nothing of ours".to_owned()
        } else {
            may.join(", ")
        };
        Some(format!("`{from}` may import {may}"))
    }

    fn crate_rule(&self, from: &str, name: &str) -> Option<String> {
        match name {
            "dpdk" => {
                let may = row_of(from).map_or(&[][..], |row| row.may);
                let allowed = may.contains(&"crate dpdk") || may.contains(&EVERYTHING);
                (!allowed).then(|| "only `worker` and `main.rs` name crate `dpdk`".to_owned())
            }
            "dpdk_sys" => Some("only crate `dpdk` names `dpdk_sys`".to_owned()),
            "std" if self.gate.test => None,
            "std" if PURE.contains(&from) => Some(format!("`{from}` names no `std`")),
            // The module's own gate: a file is in one half or the other, not partly in both.
            "std" if from == HALF_PURE && !self.tree.modules[self.id].gate.std => Some(format!(
                "`{from}` names no `std` in files not behind `feature = \"std\"`"
            )),
            _ => None,
        }
    }

    fn found(&mut self, found: &Found) {
        for path in &found.paths {
            self.reference(path);
        }
        for (name, line) in &found.calls {
            self.call(name, *line, &mut Vec::new());
        }
    }

    /// A macro of ours brings its body's absolute names to the place that calls it.
    fn call(&mut self, name: &str, line: usize, open: &mut Vec<String>) {
        if open.iter().any(|n| n == name) {
            return;
        }
        open.push(name.to_owned());
        let here = self.tree.top(self.id).to_owned();
        let defs = self.tree.macros.get(name).map_or(&[][..], Vec::as_slice);
        let near = defs.iter().any(|def| self.tree.top(def.module) == here);
        for def in defs.iter().filter(|_| !near) {
            let what = format!("{name}!");
            let top = self.tree.top(def.module).to_owned();
            if self.tree.modules[def.module].krate == Krate::Lib && top != "lib.rs" {
                self.judge(&Hit::Module(top), line, &what);
            }
            let crate_paths = def.body.paths.iter().filter(|path| {
                path.absolute || path.segments.first().is_some_and(|s| s == "crate")
            });
            for path in crate_paths {
                for hit in resolve(self.tree, def.module, path) {
                    self.judge(&hit, line, &format!("{what} -> {}", path.text()));
                }
            }
            for (inner, _) in &def.body.calls {
                self.call(inner, line, open);
            }
        }
        open.pop();
    }
}

impl<'ast> Visit<'ast> for Checker<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        self.gated(item_attrs(item), |this| visit::visit_item(this, item));
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        self.gated(impl_attrs(item), |this| visit::visit_impl_item(this, item));
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        self.gated(trait_attrs(item), |this| {
            visit::visit_trait_item(this, item)
        });
    }

    fn visit_field(&mut self, field: &'ast Field) {
        self.gated(&field.attrs, |this| visit::visit_field(this, field));
    }

    fn visit_variant(&mut self, variant: &'ast Variant) {
        self.gated(&variant.attrs, |this| visit::visit_variant(this, variant));
    }

    fn visit_local(&mut self, local: &'ast Local) {
        self.gated(&local.attrs, |this| visit::visit_local(this, local));
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for (path, _) in flatten(item) {
            self.reference(&path);
        }
    }

    /// A module of its own in the tree: checked there.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        if item.ident != "self" {
            let line = item.ident.span().start().line;
            self.judge(&Hit::Crate(item.ident.to_string()), line, "extern crate");
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.segments.len() > 1 {
            self.reference(&written(path));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.visit_path(&mac.path);
        let name = mac.path.segments.last().map(|s| s.ident.clone());
        if let Some(name) = name {
            let line = name.span().start().line;
            if name == "include" {
                let text = "`include!` hides what it names; rule: src/ is made of modules";
                self.said.insert((line, text.to_owned()));
            }
            self.call(&name.to_string(), line, &mut Vec::new());
        }
        self.found(&tokens::scan(&mac.tokens));
    }

    /// What the parser has no name for, it leaves as tokens.
    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.found(&tokens::scan(tokens));
    }

    fn visit_attribute(&mut self, attr: &'ast Attribute) {
        if attr.path().is_ident("doc") {
            return;
        }
        self.visit_path(attr.path());
        let line = attr.pound_token.spans[0].start().line;
        match &attr.meta {
            Meta::Path(_) => {}
            Meta::List(list) => {
                let found = tokens::scan(&list.tokens);
                for (text, line) in &found.strings {
                    if let Some(path) = tokens::path_in_string(text, *line) {
                        self.reference(&path);
                    }
                }
                self.found(&found);
            }
            Meta::NameValue(pair) => {
                let path = literal(&pair.value).and_then(|s| tokens::path_in_string(&s, line));
                if let Some(path) = path {
                    self.reference(&path);
                }
            }
        }
    }
}
