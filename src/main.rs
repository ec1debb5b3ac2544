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
#[path = "main/topology.rs"]
mod topology;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use macsec_gateway::api::ask_rekey;
use macsec_gateway::cli::{
    Cli, Command, Failure, args, check, counters, fresh_key, keygen, status,
};

fn main() -> ExitCode {
    let cli = Cli::parse_with_version(version());
    match dispatch(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&cli.command, &failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// The version, with the DPDK that it was built against and the one that it runs on.
fn version() -> &'static str {
    let (stamp, runs_on) = (env!("MACSECGW_VERSION"), dpdk::version());
    // Once per process, and clap wants it for as long as that.
    format!("{stamp}, running on {runs_on}").leak()
}

/// Says why it failed, to people or in the form that the log has.
fn tell(command: &Command, failure: &Failure) {
    let for_machines =
        matches!(command, Command::Run(args) if args.log_format == args::LogFormat::Json);
    if for_machines && tracing::dispatcher::has_been_set() {
        tracing::error!("{}", failure.to_string().trim_end());
    } else {
        // Nobody is left to tell where standard error is closed.
        let _ = write!(std::io::stderr(), "{failure}");
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
            let socket = args.gateway.socket_path();
            match args.watch {
                Some(seconds) => status::watch(&socket, seconds, &mut std::io::stdout())?,
                None => print(&status::run(&socket, args.json)?),
            }
        }
        Command::Counters(args) => {
            let socket = args.gateway.socket_path();
            print(&counters::run(&socket, args.json, args.all)?);
        }
        Command::Rekey(args) => {
            let said = ask_rekey(&args.gateway.socket_path(), &args.link)?;
            print(&format!("{said}\n"));
        }
        Command::Run(args) => run::run(args)?,
    }
    Ok(())
}

/// Prints `text`, where there is still someone who reads.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
