//! Stamps the version with the DPDK release that is built against, and the day of the build. Nothing
//! else belongs here.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    // Without pkg-config the crate dpdk-sys says what to install; here the text is all that is lost.
    let dpdk = Command::new("pkg-config")
        .args(["--modversion", "libdpdk"])
        .output();
    let dpdk = dpdk
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let dpdk = dpdk.as_deref().map_or("unknown", str::trim);
    println!("cargo::rustc-env=MACSECGW_VERSION={version}, built against DPDK {dpdk}");
    println!("cargo::rustc-env=MACSECGW_BUILT={}", built());
}

/// Seconds since 1970 UTC: no right clock is ever before this. A build that can be repeated names it.
#[expect(
    clippy::disallowed_methods,
    reason = "the day of the build is a day of the calendar"
)]
fn built() -> u64 {
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let named = std::env::var("SOURCE_DATE_EPOCH").ok();
    let named = named.and_then(|text| text.parse().ok());
    named.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |since| since.as_secs())
    })
}
