//! The names that a module binds: items, imports, aliases, globs.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Item, ItemExternCrate, ItemMacro, ItemMod, ItemUse, Path, Type, UseTree, Visibility};

use crate::tokens::{self, Found, Written};

/// How far a re-export is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// `pub`, `pub(crate)` and `pub(in ..)`: taken as seen by all.
    Crate,
    /// `pub(super)`.
    Parent,
    /// No `pub`.
    Module,
}

/// A `use`, or a type alias: another name for what a path leads to.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) path: Written,
    pub(crate) reach: Reach,
    /// It stands in a function's body, so no other module sees it.
    pub(crate) local: bool,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    /// Something that the module itself defines.
    Item,
    /// Another name for what a path leads to.
    Import(Import),
    /// `extern crate x`.
    Crate(String),
}

/// The names of one module.
#[derive(Default)]
pub(crate) struct Scope {
    pub(crate) names: BTreeMap<String, Vec<Binding>>,
    pub(crate) globs: Vec<Import>,
}

/// What one pass over a module's items finds.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) scope: Scope,
    pub(crate) macros: Vec<(String, Found)>,
    pub(crate) children: Vec<ItemMod>,
}

/// Collects names, macros and child modules, those inside function bodies too.
pub(crate) fn gather(items: &[Item]) -> Gathered {
    let mut gatherer = Gatherer {
        local: false,
        out: Gathered::default(),
    };
    for item in items {
        gatherer.local = false;
        match item {
            Item::Use(_) | Item::Mod(_) | Item::Macro(_) | Item::ExternCrate(_) => {
                gatherer.visit_item(item);
            }
            _ => {
                if let Some(name) = defined_name(item) {
                    gatherer.bind(name, Binding::Item);
                }
                gatherer.alias(item);
                gatherer.local = true;
                gatherer.visit_item(item);
            }
        }
    }
    gatherer.out
}

/// The paths of a `use`, each with the name that it binds (`None` for a glob).
pub(crate) fn flatten(item: &ItemUse) -> Vec<(Written, Option<String>)> {
    let absolute = item.leading_colon.is_some();
    let mut out = Vec::new();
    flatten_tree(&item.tree, &mut Vec::new(), absolute, &mut out);
    out
}

/// A path's names without their generic arguments.
pub(crate) fn written(path: &Path) -> Written {
    let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
    let line = path
        .segments
        .first()
        .map_or(0, |s| s.ident.span().start().line);
    Written {
        segments,
        absolute: path.leading_colon.is_some(),
        glob: false,
        line,
    }
}

fn flatten_tree(
    tree: &UseTree,
    prefix: &mut Vec<String>,
    absolute: bool,
    out: &mut Vec<(Written, Option<String>)>,
) {
    let path = |prefix: &[String], last: Option<String>, glob: bool, line: usize| {
        let segments = prefix.iter().cloned().chain(last).collect();
        Written {
            segments,
            absolute,
            glob,
            line,
        }
    };
    // `a::{self}` names `a`; `use self as x` names the module itself.
    let last = |prefix: &[String], ident: &proc_macro2::Ident| {
        (prefix.is_empty() || ident != "self").then(|| ident.to_string())
    };
    match tree {
        UseTree::Path(part) => {
            prefix.push(part.ident.to_string());
            flatten_tree(&part.tree, prefix, absolute, out);
            prefix.pop();
        }
        UseTree::Name(part) => {
            let line = part.ident.span().start().line;
            let written = path(prefix, last(prefix, &part.ident), false, line);
            let name = written.segments.last().cloned().unwrap_or_default();
            out.push((written, Some(name)));
        }
        UseTree::Rename(part) => {
            let line = part.ident.span().start().line;
            let written = path(prefix, last(prefix, &part.ident), false, line);
            out.push((written, Some(part.rename.to_string())));
        }
        UseTree::Glob(part) => {
            let line = part.star_token.spans[0].start().line;
            out.push((path(prefix, None, true, line), None));
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten_tree(tree, prefix, absolute, out);
            }
        }
    }
}

fn defined_name(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(i) => i.ident.to_string(),
        Item::Enum(i) => i.ident.to_string(),
        Item::Fn(i) => i.sig.ident.to_string(),
        Item::Static(i) => i.ident.to_string(),
        Item::Struct(i) => i.ident.to_string(),
        Item::Trait(i) => i.ident.to_string(),
        Item::TraitAlias(i) => i.ident.to_string(),
        Item::Type(i) => i.ident.to_string(),
        Item::Union(i) => i.ident.to_string(),
        _ => return None,
    })
}

fn reach(vis: &Visibility) -> Reach {
    match vis {
        Visibility::Public(_) => Reach::Crate,
        Visibility::Restricted(to) if to.path.is_ident("super") => Reach::Parent,
        Visibility::Restricted(to) if to.path.is_ident("self") => Reach::Module,
        Visibility::Restricted(_) => Reach::Crate,
        _ => Reach::Module,
    }
}

struct Gatherer {
    local: bool,
    out: Gathered,
}

impl Gatherer {
    fn bind(&mut self, name: String, binding: Binding) {
        self.out.scope.names.entry(name).or_default().push(binding);
    }

    /// An alias of a plain path is one more name for what lives elsewhere, as a re-export is.
    fn alias(&mut self, item: &Item) {
        if let Item::Type(alias) = item
            && let Type::Path(target) = &*alias.ty
            && target.qself.is_none()
        {
            let (path, reach) = (written(&target.path), reach(&alias.vis));
            let import = Import {
                path,
                reach,
                local: false,
            };
            self.bind(alias.ident.to_string(), Binding::Import(import));
        }
    }
}

impl<'ast> Visit<'ast> for Gatherer {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        for (path, name) in flatten(item) {
            let import = Import {
                path,
                reach: reach(&item.vis),
                local: self.local,
            };
            match name {
                Some(name) => self.bind(name, Binding::Import(import)),
                None => self.out.scope.globs.push(import),
            }
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.out.children.push(item.clone());
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        if let Some(ident) = &item.ident {
            self.out
                .macros
                .push((ident.to_string(), tokens::scan(&item.mac.tokens)));
        }
        visit::visit_item_macro(self, item);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast ItemExternCrate) {
        let name = item
            .rename
            .as_ref()
            .map_or(&item.ident, |(_, rename)| rename);
        self.bind(name.to_string(), Binding::Crate(item.ident.to_string()));
    }
}
