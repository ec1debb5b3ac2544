//! AES-GCM of others beside ours, and the table of all comparisons: what `./benches/compare.sh` runs.
//!
//! `macsecgw-peers engines [--quick]` measures engines and leaves their rows in the folder that
//! `COMPARE_DIR` names.

mod bar;
mod bound;
mod clock;
mod engine;
mod engines;
mod frames;
mod plot;
mod report;
mod row;
mod settings;
mod stats;
mod width;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let done = match arguments.first().map(String::as_str) {
        Some("engines") => measure_engines(quick),
        Some("report") => report::write(&folder()).map(|text| print!("{text}")),
        _ => Err("usage: macsecgw-peers engines [--quick], or report".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("macsecgw-peers: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Where results are left.
fn folder() -> PathBuf {
    env::var_os("COMPARE_DIR").map_or_else(|| PathBuf::from("target/compare"), PathBuf::from)
}

fn leave(name: &str, text: &str) -> Result<(), String> {
    let path = folder().join(name);
    fs::create_dir_all(folder())
        .and_then(|()| fs::write(&path, text))
        .map_err(|why| format!("{}: {why}", path.display()))
}

fn measure_engines(quick: bool) -> Result<(), String> {
    let settings = settings::Settings::from_environment(quick)?;
    let found = engines::measure(&settings)?;
    let head = row::forms(&found.forms) + "\n" + &row::widths(&found.widths);
    let rows = row::text(&found.rows);
    print!("{head}{rows}");
    leave("bound.txt", &head)?;
    leave("engines.txt", &rows)?;
    leave("engines.csv", &row::csv(&found.rows))
}
