//! The binary: joins the parts and gives the process its exit code.

#[path = "main/assemble.rs"]
mod assemble;
#[path = "main/eal_args.rs"]
mod eal_args;
#[path = "main/logging.rs"]
mod logging;
#[path = "main/placement.rs"]
mod placement;
#[path = "main/run.rs"]
mod run;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use macsec_gateway::cli::{Cli, Command, Failure, check, counters, fresh_key, keygen, status};

fn main() -> ExitCode {
    let cli = Cli::parse_with_version(env!("MACSECGW_VERSION"));
    match dispatch(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell where standard error is closed.
            let _ = write!(std::io::stderr(), "{failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn dispatch(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check(args) => {
            let report = check::run(args)?;
            let _ = write!(std::io::stderr(), "{}", report.warnings);
            print(&report.summary);
        }
        Command::Keygen(command) => {
            print(&keygen::run(command, std::io::stdout().is_terminal())?);
        }
        Command::FreshKey(args) => print(&fresh_key::run(args)?),
        Command::Status(args) => {
            print(&status::run(&args.gateway.socket_path(), args.json)?);
        }
        Command::Counters(args) => {
            let socket = args.gateway.socket_path();
            print(&counters::run(&socket, args.json, args.all)?);
        }
        Command::Run(args) => run::run(args)?,
    }
    Ok(())
}

/// Prints `text`, where there is still someone who reads.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
