//! Paths in raw tokens: macro arguments, macro bodies and attributes, which no syntax tree covers.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A path as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) segments: Vec<String>,
    /// It begins with `::`, so its first segment is a crate.
    pub(crate) absolute: bool,
    /// It ends in `::*`.
    pub(crate) glob: bool,
    pub(crate) line: usize,
}

impl Written {
    /// The path as text, for messages.
    pub(crate) fn text(&self) -> String {
        let head = if self.absolute { "::" } else { "" };
        let tail = if self.glob { "::*" } else { "" };
        format!("{head}{}{tail}", self.segments.join("::"))
    }
}

/// What a run of tokens names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Paths of two segments or more. A lone name is bound by an import that is seen elsewhere.
    pub(crate) paths: Vec<Written>,
    /// Macros that are called, by the last segment of their name.
    pub(crate) calls: Vec<(String, usize)>,
    /// String literals, without their quotes.
    pub(crate) strings: Vec<(String, usize)>,
}

/// Collects every path in `tokens`, at any depth.
pub(crate) fn scan(tokens: &TokenStream) -> Found {
    let mut found = Found::default();
    scan_into(tokens, &mut found);
    found
}

/// Reads a whole string as a path, as attributes such as `with = "crate::a::b"` carry it.
pub(crate) fn path_in_string(text: &str, line: usize) -> Option<Written> {
    let absolute = text.starts_with("::");
    let segments: Vec<String> = text
        .trim_start_matches("::")
        .split("::")
        .map(str::to_owned)
        .collect();
    let is_name = |s: &String| {
        s.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && s.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let is_path = segments.len() > 1 && segments.iter().all(is_name);
    is_path.then_some(Written {
        segments,
        absolute,
        glob: false,
        line,
    })
}

fn scan_into(tokens: &TokenStream, found: &mut Found) {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        match tree {
            TokenTree::Group(group) => scan_into(&group.stream(), found),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
                    found
                        .strings
                        .push((inner.to_owned(), literal.span().start().line));
                }
            }
            TokenTree::Ident(_) if may_start(&trees, at) => {
                at = read_path(&trees, at, found);
                continue;
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
        at += 1;
    }
}

/// Reads the path that begins at `at`; returns the index after it.
fn read_path(trees: &[TokenTree], at: usize, found: &mut Found) -> usize {
    let Some(TokenTree::Ident(first)) = trees.get(at) else {
        return at + 1;
    };
    let line = first.span().start().line;
    let mut path = Written {
        segments: vec![first.to_string()],
        absolute: is_colons(trees, at.wrapping_sub(2)),
        glob: false,
        line,
    };
    let mut next = at + 1;
    while is_colons(trees, next) {
        match trees.get(next + 2) {
            Some(TokenTree::Ident(ident)) => path.segments.push(ident.to_string()),
            Some(TokenTree::Punct(p)) if p.as_char() == '*' => {
                path.glob = true;
                found.paths.push(path);
                return next + 3;
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                read_group(&path, &group.stream(), found);
                return next + 3;
            }
            _ => break,
        }
        next += 3;
    }
    if is_call(trees, next)
        && let Some(name) = path.segments.last()
    {
        found.calls.push((name.clone(), line));
    }
    if path.segments.len() > 1 || path.absolute {
        found.paths.push(path);
    }
    next
}

/// The members of a grouped `use` inside tokens: each is a path of its own below `prefix`.
fn read_group(prefix: &Written, tokens: &TokenStream, found: &mut Found) {
    let mut inner = Found::default();
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for part in trees.split(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == ',')) {
        match part {
            [TokenTree::Punct(p)] if p.as_char() == '*' => {
                found.paths.push(Written {
                    glob: true,
                    ..prefix.clone()
                });
            }
            [TokenTree::Ident(name), ..] if !is_colons(part, 1) => {
                let mut path = prefix.clone();
                if name != "self" {
                    path.segments.push(name.to_string());
                }
                found.paths.push(path);
            }
            _ => {
                read_path(part, 0, &mut inner);
            }
        }
    }
    for path in inner.paths {
        let segments = prefix
            .segments
            .iter()
            .chain(&path.segments)
            .cloned()
            .collect();
        found.paths.push(Written {
            segments,
            absolute: prefix.absolute,
            ..path
        });
    }
}

/// An identifier starts a path unless it continues one, is a field or method, or is a `$fragment`.
fn may_start(trees: &[TokenTree], at: usize) -> bool {
    let Some(TokenTree::Punct(before)) = at.checked_sub(1).and_then(|i| trees.get(i)) else {
        return true;
    };
    match before.as_char() {
        '.' => at > 1 && matches!(&trees[at - 2], TokenTree::Punct(p) if p.as_char() == '.'),
        '$' => matches!(&trees[at], TokenTree::Ident(ident) if ident == "crate"),
        ':' if is_colons(trees, at.wrapping_sub(2)) => colons_are_leading(trees, at - 2),
        _ => true,
    }
}

/// Whether the `::` at `at` begins a path: nothing before it could be the path's earlier part.
fn colons_are_leading(trees: &[TokenTree], at: usize) -> bool {
    const KEYWORDS: &[&str] = &[
        "as", "await", "box", "break", "const", "dyn", "else", "for", "if", "impl", "in", "let",
        "match", "move", "mut", "pub", "ref", "return", "static", "unsafe", "use", "where",
        "while",
    ];
    match at.checked_sub(1).and_then(|i| trees.get(i)) {
        Some(TokenTree::Ident(ident)) => KEYWORDS.iter().any(|k| ident == k),
        Some(TokenTree::Punct(p)) if p.as_char() == '>' => at
            .checked_sub(2)
            .and_then(|i| trees.get(i))
            .is_some_and(|t| matches!(t, TokenTree::Punct(p) if "-=".contains(p.as_char()))),
        Some(TokenTree::Group(_) | TokenTree::Literal(_)) => false,
        Some(TokenTree::Punct(_)) | None => true,
    }
}

fn is_colons(trees: &[TokenTree], at: usize) -> bool {
    let colon = |t: Option<&TokenTree>, joint: bool| {
        matches!(t, Some(TokenTree::Punct(p))
            if p.as_char() == ':' && (!joint || p.spacing() == Spacing::Joint))
    };
    colon(trees.get(at), true) && colon(at.checked_add(1).and_then(|i| trees.get(i)), false)
}

fn is_call(trees: &[TokenTree], at: usize) -> bool {
    matches!(trees.get(at), Some(TokenTree::Punct(p)) if p.as_char() == '!')
        && matches!(
            trees.get(at + 1),
            Some(TokenTree::Group(_) | TokenTree::Ident(_))
        )
}
