//! NIST's CAVS vectors for AES-GCM, as the source package of `aes-gcm` brings them
//! (`gcmEncryptExtIV128.rsp` and `gcmEncryptExtIV256.rsp`): the package is there, since the gateway is
//! built with it, so a million digits need no second copy here.

use std::{env, fs, process::Command};

use macsec_gateway::ieee::decode_hex;
use serde_json::Value;

#[derive(Default)]
pub(crate) struct Vector {
    pub(crate) key: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
    pub(crate) aad: Vec<u8>,
    pub(crate) text: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

/// All vectors for keys of `sak_len` octets.
pub(crate) fn vectors(sak_len: usize) -> Vec<Vector> {
    let path = format!("{}/tests/aes{}gcm.rs", package_folder(), sak_len * 8);
    let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let bodies = source.split("TestVector {").skip(1);
    bodies.map(vector).collect()
}

fn vector(body: &str) -> Vector {
    let body = body.split("},").next().unwrap();
    let mut vector = Vector::default();
    for (field, value) in [
        ("key:", &mut vector.key),
        ("nonce:", &mut vector.nonce),
        ("aad:", &mut vector.aad),
        ("plaintext:", &mut vector.text),
        ("ciphertext:", &mut vector.sealed),
        ("tag:", &mut vector.tag),
    ] {
        *value = octets(body, field);
    }
    vector
}

/// The octets of `field`: `b""`, or hex digits between the quotes of `&hex!("")`.
fn octets(body: &str, field: &str) -> Vec<u8> {
    let begins = |line: &&str| line.trim_start().starts_with(field);
    let at = body.lines().position(|line| begins(&line)).unwrap();
    let rest: String = body.lines().skip(at).collect::<Vec<_>>().concat();
    let digits = rest.split('"').nth(1).unwrap();
    let mut out = vec![0; digits.len() / 2];
    decode_hex(digits.as_bytes(), &mut out).unwrap();
    out
}

/// Where cargo keeps the source of `aes-gcm`.
fn package_folder() -> String {
    let output = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["metadata", "--format-version=1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{error}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "aes-gcm");
    let manifest = package.unwrap()["manifest_path"].as_str().unwrap();
    manifest.strip_suffix("/Cargo.toml").unwrap().to_owned()
}
