//! A directory of its own with key files in it, for tests that read configs.

#![allow(dead_code, reason = "each test takes what it needs")]
#![expect(
    clippy::unwrap_used,
    reason = "test code outside a test function; a failure here is a failed test"
)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use macsec_gateway::config::{Config, Problems};

/// Only what has no default.
pub(crate) const MINIMAL: &str = r#"[[link]]
name = "dx1"
plain = "net_ring0"
secure = "net_ring1"
agreement = "static"

[link.static]
peer_sci = "02:00:00:00:00:02/1"
tx_sak_file = "tx.sak"
rx_sak_file = "rx.sak"
tx_ssci = 1
rx_ssci = 2
salt = "e0e1e2e3e4e5e6e7e8e9eaeb"
"#;

/// The same for a link whose keys are agreed by MKA.
pub(crate) const MINIMAL_MKA: &str = r#"[[link]]
name = "dx1"
plain = "net_ring0"
secure = "net_ring1"
agreement = "mka"

[[link.cak]]
ckn = "01"
cak_file = "a.cak"
"#;

/// The directory; gone when dropped.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) path: PathBuf,
}

impl Desk {
    /// With the key files `tx.sak` and `rx.sak`, 256 bits, and the same with 128 bits in `*128.sak`;
    /// CAKs of 256 bits in `a.cak` to `f.cak`, and of 128 bits in `g.cak` and `h.cak`.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("macsecgw-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        let desk = Self { path };
        desk.key("tx.sak", 0x11, 32);
        desk.key("rx.sak", 0x22, 32);
        desk.key("tx128.sak", 0x33, 16);
        desk.key("rx128.sak", 0x44, 16);
        for (octet, name) in (0xa1..).zip(["a", "b", "c", "d", "e", "f", "g", "h"]) {
            let octets = if octet < 0xa7 { 32 } else { 16 };
            desk.key(&format!("{name}.cak"), octet, octets);
        }
        desk
    }

    /// A key file of `octets` times `octet`.
    pub(crate) fn key(&self, name: &str, octet: u8, octets: usize) {
        self.file(
            name,
            format!("{octet:02x}").repeat(octets).as_bytes(),
            0o600,
        );
    }

    /// A file with this content and mode.
    pub(crate) fn file(&self, name: &str, content: &[u8], mode: u32) {
        let path = self.path.join(name);
        let _ = fs::remove_file(&path);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)
            .unwrap();
        file.write_all(content).unwrap();
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        file.set_permissions(permissions).unwrap();
    }

    /// Writes `text` as the config and loads it.
    pub(crate) fn load(&self, text: &str) -> Result<Config, Problems> {
        self.file("gw.toml", text.as_bytes(), 0o644);
        Config::load(&self.path.join("gw.toml"))
    }

    /// The rendered problems of `text`, with this directory's name taken out.
    pub(crate) fn refusal(&self, text: &str) -> String {
        let problems = self.load(text).unwrap_err();
        self.render(&problems)
    }

    /// `problems` as shown, with this directory's name taken out.
    pub(crate) fn render(&self, problems: &Problems) -> String {
        let directory = format!("{}/", self.path.display());
        let shown = problems.to_string().replace(&directory, "");
        shown.replace(&self.path.display().to_string(), ".")
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
