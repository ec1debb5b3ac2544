//! Stamps the version. Nothing else belongs here.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
