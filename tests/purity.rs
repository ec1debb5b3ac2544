//! The purity gate: what the pure half may depend on, where `unsafe` may stand, how long a file
//! may grow.
//!
//! The library without its default feature is `ieee`, `macsec`, `mka` and the trait half of
//! `crypto`. It must build as `no_std`, and nothing that it depends on may reach a clock, a random
//! source or the operating system.

#[expect(
    dead_code,
    reason = "shared with the layering test, which needs more of it"
)]
#[path = "layering/gate.rs"]
mod gate;
#[expect(
    dead_code,
    reason = "shared with the layering test, which reads fixtures too"
)]
#[path = "layering/sources.rs"]
mod sources;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;

/// All that the pure half may depend on, itself included.
const PURE_DEPENDENCIES: &[&str] = &["arrayvec", "macsec-gateway", "subtle", "zeroize"];

/// The files outside crate `dpdk` that may hold `unsafe`.
const UNSAFE_FILES: &[&str] = &[
    "src/crypto/engine/burst/schedule.rs",
    "src/crypto/engine/burst/vaes256/abreast.rs",
    "src/crypto/engine/burst/vaes256/aes.rs",
    "src/crypto/engine/burst/vaes256/aes/chunk.rs",
    "src/crypto/engine/burst/vaes256/front.rs",
    "src/crypto/engine/burst/vaes256/ghash.rs",
    "src/crypto/engine/burst/vaes256/hash.rs",
    "src/crypto/engine/burst/vaes256/kinds.rs",
    "src/crypto/engine/burst/vaes256/mod.rs",
    "src/crypto/engine/burst/vaes256/open.rs",
    "src/crypto/engine/burst/vaes256/place.rs",
    "src/crypto/engine/burst/vaes256/queue.rs",
    "src/crypto/engine/burst/vaes256/seal.rs",
    "src/crypto/engine/burst/vaes256/seal/long.rs",
    "src/crypto/engine/burst/vaes256/sums.rs",
    "src/crypto/engine/burst/vaes256/tests/oracle.rs",
    "src/crypto/engine/burst/vaes512/aes.rs",
    "src/crypto/engine/burst/vaes512/ghash.rs",
    "src/crypto/engine/burst/vaes512/lanes.rs",
    "src/crypto/engine/burst/vaes512/mod.rs",
    "src/crypto/locked.rs",
];

/// The same among the benchmarks: calls into other people's libraries, and instructions to be timed.
const UNSAFE_BENCHES: &[&str] = &[
    "benches/peers/src/bound/x86_64.rs",
    "benches/peers/src/clock.rs",
    "benches/peers/src/engine/c.rs",
];

/// The hard cap on a file, in lines of non-test code.
const LONGEST_FILE: usize = 800;

/// A first build of four small crates takes seconds; a stuck one must not hold the test run.
const CARGO_LIMIT: Duration = Duration::from_secs(300);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs cargo without the network, in a target directory of its own; returns what it printed.
fn cargo(name: &str, args: &[&str]) -> Result<String, String> {
    let dir: PathBuf = root().join("target/purity");
    fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let (out, err) = (
        dir.join(format!("{name}.out")),
        dir.join(format!("{name}.err")),
    );
    let create = |path: &Path| File::create(path).map_err(|e| format!("{}: {e}", path.display()));
    let mut child = Command::new(env!("CARGO"))
        .args(args)
        .arg("--offline")
        .env("CARGO_TARGET_DIR", &dir)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(create(&out)?)
        .stderr(create(&err)?)
        .spawn()
        .map_err(|e| format!("cargo: {e}"))?;
    let end = Instant::now() + CARGO_LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        if Instant::now() > end {
            child.kill().map_err(|e| e.to_string())?;
            child.wait().map_err(|e| e.to_string())?;
            return Err(format!("cargo {args:?} ran longer than {CARGO_LIMIT:?}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let read = |path: &Path| fs::read_to_string(path).map_err(|e| e.to_string());
    if status.success() {
        read(&out)
    } else {
        Err(format!("cargo {args:?}: {status}\n{}", read(&err)?))
    }
}

#[test]
fn the_pure_half_builds_without_std() {
    let built = cargo("check", &["check", "--lib", "--no-default-features"]);
    assert!(built.is_ok(), "{}", built.unwrap_err());
}

#[test]
fn the_pure_half_depends_on_nothing_else() {
    let args = [
        "tree",
        "--package=macsec-gateway",
        "--edges=normal",
        "--no-default-features",
        "--target=all",
        "--prefix=none",
        "--format={p}",
    ];
    let tree = cargo("tree", &args).unwrap();
    let found: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(found, PURE_DEPENDENCIES.iter().copied().collect(), "{tree}");
}

/// The lines of every `unsafe` token; comments and strings are no tokens.
fn unsafe_lines(tokens: TokenStream, lines: &mut Vec<usize>) {
    for tree in tokens {
        match tree {
            TokenTree::Group(group) => unsafe_lines(group.stream(), lines),
            TokenTree::Ident(ident) if ident == "unsafe" => lines.push(ident.span().start().line),
            _ => {}
        }
    }
}

#[test]
fn unsafe_stands_only_where_it_is_listed() {
    let mut wrong = Vec::new();
    let (src, benches) = (
        sources::from_disk(root(), "src"),
        sources::from_disk(root(), "benches"),
    );
    let allowed = [UNSAFE_FILES, UNSAFE_BENCHES].concat();
    for (path, text) in src.unwrap().into_iter().chain(benches.unwrap()) {
        let mut lines = Vec::new();
        unsafe_lines(text.parse().unwrap(), &mut lines);
        let listed = allowed.contains(&path.as_str());
        if listed && lines.is_empty() {
            wrong.push(format!(
                "{path}: is in the list, but holds no `unsafe` any more"
            ));
        }
        if !listed {
            wrong.extend(lines.iter().map(|line| {
                format!("{path}:{line}: `unsafe`; rule: only crate `dpdk` and {allowed:?}")
            }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_unsafe_scan_sees_tokens_and_nothing_else() {
    let text = "//! unsafe\nfn f() {\n  /* unsafe */ g(\"unsafe\");\n  m!({ unsafe { h() } });\n}\n\
                #[unsafe(no_mangle)]\n#[deny(unsafe_code)]\nfn k() {}";
    let mut lines = Vec::new();
    unsafe_lines(text.parse().unwrap(), &mut lines);
    assert_eq!(lines, [4, 6]);
}

/// Lines of a file that are not inside an item under `#[cfg(test)]`.
fn non_test_lines(text: &str) -> usize {
    let test_only = |file: syn::File| -> usize {
        if gate::Gate::default().with(&file.attrs).test {
            return text.lines().count();
        }
        let tests = file
            .items
            .iter()
            .filter(|item| gate::Gate::default().with(gate::item_attrs(item)).test);
        tests
            .map(|item| item.span().end().line + 1 - item.span().start().line)
            .sum()
    };
    text.lines().count() - syn::parse_file(text).map_or(0, test_only)
}

#[test]
fn no_file_is_longer_than_the_cap() {
    let mut long = Vec::new();
    for dir in ["src", "dpdk", "benches"] {
        for (path, text) in sources::from_disk(root(), dir).unwrap() {
            let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
            let lines = non_test_lines(&text);
            if !is_test && !path.contains("/target/") && lines > LONGEST_FILE {
                long.push(format!(
                    "{path}: {lines} lines of non-test code, at most {LONGEST_FILE}"
                ));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn the_line_count_leaves_tests_out() {
    let text = "//! a\nfn f() {}\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\nfn h() {}\n";
    assert_eq!(non_test_lines(text), 3);
    assert_eq!(non_test_lines("#![cfg(test)]\nfn f() {}\n"), 0);
    assert_eq!(non_test_lines("#[cfg(not(test))]\nfn f() {}\n"), 2);
}
