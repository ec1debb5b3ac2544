//! Compiles the shims to the C libraries and links these.

fn main() {
    println!("cargo:rerun-if-changed=src/c/openssl.c");
    println!("cargo:rerun-if-changed=src/c/ipsec_mb.c");
    let mut shims = cc::Build::new();
    shims.flag("-O3").warnings_into_errors(true);
    shims.file("src/c/openssl.c");
    let x86 = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");
    if x86 {
        shims.file("src/c/ipsec_mb.c");
    }
    shims.compile("peers");
    println!("cargo:rustc-link-lib=crypto");
    if x86 {
        println!("cargo:rustc-link-lib=IPSec_MB");
    }
}
