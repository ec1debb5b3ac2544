//! Every subcommand and its arguments, with the texts of `--help`.

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::crypto::Fingerprint;
use crate::ieee::CipherSuite;

/// Where a config is looked for when none is named.
pub const DEFAULT_CONFIG: &str = "/etc/macsecgw/macsecgw.toml";

/// A MACsec gateway: a bump in the wire between a plain and a secure Ethernet port.
#[derive(Debug, Parser)]
#[command(
    name = "macsecgw",
    version,
    after_help = "Start with an example config, usually installed as \
                  /usr/share/doc/macsecgw/macsecgw.toml:\n  \
                  macsecgw keygen sak --suite gcm-aes-xpn-256 --out tx.sak\n  \
                  macsecgw check --config macsecgw.toml\n  \
                  macsecgw run --config macsecgw.toml"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the process's arguments. Ends the process for `--help`, `--version` and mistakes.
    pub fn parse_with_version(version: &'static str) -> Self {
        let matches = Self::command().version(version).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway in the foreground until SIGTERM; SIGHUP reloads the config.
    Run(RunArgs),
    /// Check a config and the key files that it names; touch nothing.
    Check(CheckArgs),
    /// Show links, lanes, secure associations and rates of a running gateway.
    Status(StatusArgs),
    /// Show every counter of a running gateway.
    Counters(CountersArgs),
    /// Have a running gateway agree on a new SAK for a link, without loss.
    Rekey(RekeyArgs),
    /// Make keys.
    #[command(subcommand)]
    Keygen(KeygenCommand),
    /// Say, once, that a transmit key has never been used.
    #[command(
        after_help = "A start with a static key that this machine has no packet-number state \
                            for is refused: the key may have been used elsewhere, and a packet \
                            number used twice gives the traffic away. If the key is new, say so:\n  \
                            macsecgw fresh-key --config macsecgw.toml --link dx1 \
                            --fingerprint 0123-4567-89ab-cdef\n\
                            `macsecgw keygen` and `macsecgw check` print the fingerprint."
    )]
    FreshKey(FreshKeyArgs),
}

/// Arguments of `run`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  macsecgw run --config macsecgw.toml --log-format json")]
pub struct RunArgs {
    /// The config file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// How the log is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What is logged: error, warn, info, debug or trace, or a filter such as
    /// info,macsec_gateway=debug.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// An object for machines.
    Json,
}

/// Arguments of `check`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Exit code: 0 when the config is good, 2 when it is refused.")]
pub struct CheckArgs {
    /// The config file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
}

/// Which running gateway to ask.
#[derive(Args, Clone, Debug)]
pub struct Gateway {
    /// Name of the gateway, as in its config.
    #[arg(long, value_name = "NAME", default_value = "macsecgw")]
    pub name: String,
    /// Its socket, where it is not /run/macsecgw/NAME/control.sock.
    #[arg(long, value_name = "PATH", conflicts_with = "name")]
    pub socket: Option<PathBuf>,
}

impl Gateway {
    /// The socket to ask at.
    pub fn socket_path(&self) -> PathBuf {
        self.socket
            .clone()
            .unwrap_or_else(|| PathBuf::from(format!("/run/macsecgw/{}/control.sock", self.name)))
    }
}

/// Arguments of `status`.
#[derive(Args, Clone, Debug)]
pub struct StatusArgs {
    /// Write JSON.
    #[arg(long, conflicts_with = "watch")]
    pub json: bool,
    /// Show it anew in place every so many seconds, 1 unless said, until interrupted.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1",
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub watch: Option<u16>,
    /// Which gateway.
    #[command(flatten)]
    pub gateway: Gateway,
}

/// Arguments of `counters`.
#[derive(Args, Clone, Debug)]
pub struct CountersArgs {
    /// Write JSON: all counters.
    #[arg(long, conflicts_with = "all")]
    pub json: bool,
    /// Show the counters that are 0, too.
    #[arg(long)]
    pub all: bool,
    /// Which gateway.
    #[command(flatten)]
    pub gateway: Gateway,
}

/// Arguments of `rekey`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "The key server makes the SAK at once, or as soon as the standard's gap of 6 s \
                        between two SAKs is over. Exit code: 0 when it was asked for, 1 when it was \
                        refused: by a link without MKA or without a live peer, or where the peer is \
                        the key server."
)]
pub struct RekeyArgs {
    /// The link's name, as in the config.
    #[arg(value_name = "LINK")]
    pub link: String,
    /// Which gateway.
    #[command(flatten)]
    pub gateway: Gateway,
}

/// What `keygen` makes.
#[derive(Clone, Debug, Subcommand)]
pub enum KeygenCommand {
    /// Make a CKN/CAK pair for MKA: 64 hexadecimal digits each, as AWS Direct Connect takes them.
    #[command(
        after_help = "Example:\n  macsecgw keygen cak --out-dir /etc/macsecgw/keys\n  \
                            aws directconnect associate-mac-sec-key --connection-id dxcon-... \
                            --ckn file:///etc/macsecgw/keys/macsec.ckn \
                            --cak file:///etc/macsecgw/keys/macsec.cak\n\
                            Prints the lines for the config, and a fingerprint of the pair for two \
                            operators to compare by phone."
    )]
    Cak(KeygenCakArgs),
    /// Make a static SAK for one cipher suite.
    #[command(
        after_help = "Example:\n  macsecgw keygen sak --suite gcm-aes-xpn-256 --out dx1-tx.sak"
    )]
    Sak(KeygenSakArgs),
}

/// Arguments of `keygen cak`.
#[derive(Args, Clone, Debug)]
pub struct KeygenCakArgs {
    /// The directory for the files NAME.ckn and NAME.cak, mode 0600. None is overwritten.
    #[arg(long, value_name = "DIR")]
    pub out_dir: PathBuf,
    /// The files' name.
    #[arg(long, value_name = "NAME", default_value = "macsec")]
    pub name: String,
    /// Print the CAK, too; only onto a terminal.
    #[arg(long)]
    pub show_secret: bool,
}

/// Arguments of `keygen sak`.
#[derive(Args, Clone, Debug)]
pub struct KeygenSakArgs {
    /// gcm-aes-128, gcm-aes-256, gcm-aes-xpn-128 or gcm-aes-xpn-256.
    #[arg(long, value_name = "SUITE")]
    pub suite: CipherSuite,
    /// The file to make, mode 0600. None is overwritten.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Print the SAK, too; only onto a terminal.
    #[arg(long)]
    pub show_secret: bool,
}

/// Arguments of `fresh-key`.
#[derive(Args, Clone, Debug)]
pub struct FreshKeyArgs {
    /// The config file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// The link whose transmit key it is.
    #[arg(long, value_name = "NAME")]
    pub link: String,
    /// The key's fingerprint: 16 hexadecimal digits, as `keygen` and `check` print it.
    #[arg(long, value_name = "HEX")]
    pub fingerprint: Fingerprint,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definitions_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_operators_type_is_understood() {
        let cli = parsed("macsecgw status --json --name edge").unwrap();
        let Command::Status(args) = cli.command else {
            panic!("{cli:?}");
        };
        assert!(args.json);
        let path = args.gateway.socket_path();
        assert_eq!(path.to_str(), Some("/run/macsecgw/edge/control.sock"));
        for line in [
            "macsecgw run --config gw.toml --log-format json --log-level debug",
            "macsecgw check",
            "macsecgw counters --socket /run/x.sock",
            "macsecgw status --watch",
            "macsecgw status --watch 5 --name edge",
            "macsecgw rekey dx1 --name edge",
            "macsecgw keygen cak --out-dir keys",
            "macsecgw keygen sak --suite gcm-aes-128 --out tx.sak --show-secret",
            "macsecgw fresh-key --config gw.toml --link dx1 --fingerprint 0123456789abcdef",
        ] {
            assert!(parsed(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn mistakes_are_answered_with_what_would_be_right() {
        for (line, right) in [
            ("macsecgw keygen sak --suite gcm --out x", "gcm-aes-xpn-256"),
            (
                "macsecgw fresh-key --link a --fingerprint 12",
                "0123-4567-89ab-cdef",
            ),
            ("macsecgw chek", "check"),
            ("macsecgw rekey", "LINK"),
            ("macsecgw status --watch 0", "1..=3600"),
        ] {
            let error = parsed(line).unwrap_err().to_string();
            assert!(error.contains(right), "{error}");
        }
    }
}
