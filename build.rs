//! Stamps the version with the DPDK release that is built against. Nothing else belongs here.

use std::process::Command;

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
}
