//! Logs: `tracing` to standard error, for people or for machines; DPDK's own messages with them.

use std::io::IsTerminal;

use macsec_gateway::cli::{Failure, args::LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts logging.
///
/// # Errors
/// Where the filter can't be read.
pub(crate) fn start(format: LogFormat, level: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(level).map_err(|error| Failure::Refused {
        what: format!("--log-level {level:?}: {error}"),
        right: "error, warn, info, debug or trace, or a filter such as info,macsec_gateway=debug"
            .to_owned(),
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start can't be: this runs once, before anything else.
    let _ = match format {
        LogFormat::Text => builder
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Without a stream of its own DPDK writes to standard error, which loses nothing.
    let _ = dpdk::log::forward(from_dpdk);
    Ok(())
}

fn from_dpdk(level: u32, text: &str) {
    match level {
        0..=4 => tracing::error!(target: "dpdk", "{text}"),
        5 => tracing::warn!(target: "dpdk", "{text}"),
        6 => tracing::info!(target: "dpdk", "{text}"),
        _ => tracing::debug!(target: "dpdk", "{text}"),
    }
}
