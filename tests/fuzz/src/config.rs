//! `Config::from_octets`: a config or problems that can be shown, and never a key.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use macsec_gateway::config::Config;

/// One input: the file.
pub fn run(octets: &[u8]) {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let path = PATH.get_or_init(desk);
    match Config::from_octets(path, octets) {
        Ok(config) => assert!(!config.links.is_empty()),
        Err(problems) => {
            let shown = problems.to_string();
            assert!(problems.errors() > 0 && shown.contains("error: "));
            assert!(!shown.contains("abababab") || contains(octets, b"abababab"));
        }
    }
}

fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

/// A directory with the key files that the seeds name; whoever starts the fuzzer removes it.
fn desk() -> PathBuf {
    let dir = std::env::temp_dir().join(format!("macsecgw-fuzz-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    for (name, digits) in [
        ("t", "ab".repeat(32)),
        ("r", "cd".repeat(32)),
        ("u", "ab".repeat(16)),
        ("v", "ef".repeat(32)),
    ] {
        key(&dir.join(name), &digits);
    }
    dir.join("gw.toml")
}

fn key(path: &Path, digits: &str) {
    fs::write(path, digits).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
