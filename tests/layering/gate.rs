//! What `cfg` says about an item: is it test code, is it behind the feature `std`.

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, ImplItem, Item, Lit, Meta, Token, TraitItem};

/// The two conditions that the rules care about. They only ever add up from the outside in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gate {
    pub(crate) test: bool,
    pub(crate) std: bool,
}

impl Gate {
    /// This gate with the `cfg` attributes of something inside it added.
    pub(crate) fn with(self, attrs: &[Attribute]) -> Self {
        attrs.iter().fold(self, |gate, attr| {
            if attr.path().is_ident("test") {
                return Self { test: true, ..gate };
            }
            if !attr.path().is_ident("cfg") {
                return gate;
            }
            attr.parse_args::<Meta>()
                .map_or(gate, |meta| gate.and(&meta))
        })
    }

    /// `all(..)` holds each of its parts; `any(..)` and `not(..)` prove nothing.
    fn and(self, meta: &Meta) -> Self {
        match meta {
            Meta::Path(path) if path.is_ident("test") => Self { test: true, ..self },
            Meta::NameValue(pair) if pair.path.is_ident("feature") => Self {
                std: self.std || literal(&pair.value).as_deref() == Some("std"),
                ..self
            },
            Meta::List(list) if list.path.is_ident("all") => list
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .map_or(self, |parts| parts.iter().fold(self, Self::and)),
            _ => self,
        }
    }
}

/// The text of a string literal.
pub(crate) fn literal(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// The files that `#[path = ".."]`, bare or inside `cfg_attr`, names; and whether one is bare.
pub(crate) fn path_attributes(attrs: &[Attribute]) -> (Vec<String>, bool) {
    let mut files = Vec::new();
    let mut bare = false;
    for attr in attrs {
        match &attr.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => {
                bare = true;
                files.extend(literal(&pair.value));
            }
            Meta::List(list) if list.path.is_ident("cfg_attr") => {
                let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
                for part in parts.into_iter().flatten() {
                    if let Meta::NameValue(pair) = part
                        && pair.path.is_ident("path")
                    {
                        files.extend(literal(&pair.value));
                    }
                }
            }
            _ => {}
        }
    }
    (files, bare)
}

/// The attributes of any item.
pub(crate) fn item_attrs(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(i) => &i.attrs,
        Item::Enum(i) => &i.attrs,
        Item::ExternCrate(i) => &i.attrs,
        Item::Fn(i) => &i.attrs,
        Item::ForeignMod(i) => &i.attrs,
        Item::Impl(i) => &i.attrs,
        Item::Macro(i) => &i.attrs,
        Item::Mod(i) => &i.attrs,
        Item::Static(i) => &i.attrs,
        Item::Struct(i) => &i.attrs,
        Item::Trait(i) => &i.attrs,
        Item::TraitAlias(i) => &i.attrs,
        Item::Type(i) => &i.attrs,
        Item::Union(i) => &i.attrs,
        Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

/// The attributes of a member of an `impl`.
pub(crate) fn impl_attrs(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(i) => &i.attrs,
        ImplItem::Fn(i) => &i.attrs,
        ImplItem::Type(i) => &i.attrs,
        ImplItem::Macro(i) => &i.attrs,
        _ => &[],
    }
}

/// The attributes of a member of a trait.
pub(crate) fn trait_attrs(item: &TraitItem) -> &[Attribute] {
    match item {
        TraitItem::Const(i) => &i.attrs,
        TraitItem::Fn(i) => &i.attrs,
        TraitItem::Type(i) => &i.attrs,
        TraitItem::Macro(i) => &i.attrs,
        _ => &[],
    }
}
