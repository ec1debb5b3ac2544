//! What is measured, from the environment.

use std::env;
use std::str::FromStr;

use crate::frames::Size;
use crate::width::Width;

/// What to measure. Each can be set: see `./benches/compare.sh --help`.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) sizes: Vec<Size>,
    pub(crate) rounds: usize,
    pub(crate) burst: usize,
    pub(crate) aad_len: usize,
    pub(crate) key_bits: Vec<usize>,
    /// Sizes at which every length of burst is measured.
    pub(crate) sweep: Vec<Size>,
    /// Engines whose names contain one of these; all if empty.
    pub(crate) engines: Vec<String>,
    pub(crate) width: Width,
}

impl Settings {
    pub(crate) fn from_environment(quick: bool) -> Result<Self, String> {
        let all = "64,128,256,512,1024,1518,9000,imix";
        let sizes: Vec<Size> = list("SIZES", if quick { "64,1518,imix" } else { all })?;
        let settings = Self {
            rounds: one("ROUNDS", if quick { 30 } else { 200 })?,
            burst: one("BURST", 32)?,
            aad_len: one("AAD", 28)?,
            key_bits: list("KEYS", if quick { "256" } else { "256,128" })?,
            sweep: list(
                "SWEEP",
                if quick || env::var("SIZES").is_ok() {
                    ""
                } else {
                    "64,1518,imix"
                },
            )?,
            engines: list("ENGINES", "")?,
            width: Width::from_environment()?,
            sizes,
        };
        if !(1..=64).contains(&settings.burst) {
            return Err(format!("BURST={}: 1 to 64", settings.burst));
        }
        if !matches!(settings.aad_len, 20 | 28) {
            return Err(format!(
                "AAD={}: 20 (no SCI in the SecTAG) or 28",
                settings.aad_len
            ));
        }
        if let Some(bits) = settings
            .key_bits
            .iter()
            .find(|bits| !matches!(bits, 128 | 256))
        {
            return Err(format!("KEYS={bits}: 128 and 256"));
        }
        Ok(settings)
    }
}

fn one<T: FromStr>(name: &str, default: T) -> Result<T, String> {
    let Ok(text) = env::var(name) else {
        return Ok(default);
    };
    text.parse()
        .map_err(|_| format!("{name}={text} can't be read"))
}

fn list<T: FromStr>(name: &str, default: &str) -> Result<Vec<T>, String> {
    let text = env::var(name).unwrap_or_else(|_| default.to_owned());
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts
        .map(|part| {
            part.parse()
                .map_err(|_| format!("{name}: {part} can't be read"))
        })
        .collect()
}
