//! `check`: is the config good, and what does it come to.

use std::fmt::Write as _;

use super::Failure;
use super::args::CheckArgs;
use crate::config::profile::Standing;
use crate::config::{
    Agreement, Config, EncryptionMode, EngineChoice, HelpersWhen, Link, Memory, Utc,
};

/// What `check` has to say about a good config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For standard output.
    pub summary: String,
    /// For standard error; empty where there is nothing to warn of.
    pub warnings: String,
}

/// Checks the config and its key files.
///
/// # Errors
/// [`Failure::Config`] with everything that is wrong.
pub fn run(args: &CheckArgs) -> Result<Report, Failure> {
    let config = Config::load(&args.config)?;
    let mut warnings = String::new();
    for warning in &config.warnings {
        // Writing to a string can't fail.
        let _ = writeln!(warnings, "{warning}");
    }
    for link in &config.links {
        warnings += &unpublished(link);
    }
    Ok(Report {
        summary: summary(&config),
        warnings,
    })
}

/// The config in a few lines and a table of its links.
fn summary(config: &Config) -> String {
    let mut text = format!("{}: OK\n\n", config.path.display());
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("gateway", &config.gateway.name);
    let cpus = |cpus: &[usize]| {
        let cpus: Vec<String> = cpus.iter().map(ToString::to_string).collect();
        cpus.join(", ")
    };
    let workers = &config.workers;
    if workers.cores.is_empty() {
        line("workers", "spread over the CPUs that the process may use");
    } else {
        line("workers", &format!("on CPU {}", cpus(&workers.cores)));
    }
    if let Some(helpers) = helpers(config, &cpus(&workers.helper_cores)) {
        line("helpers", &helpers);
    }
    line(
        "memory",
        match config.eal.memory {
            Memory::Auto => "hugepages where there are any",
            Memory::Hugepages => "hugepages",
            Memory::NoHuge => "ordinary pages",
        },
    );
    line(
        "engine",
        match config.engine {
            EngineChoice::Auto => "the fastest one",
            engine => engine.name(),
        },
    );
    let metrics = config.metrics.listen.map_or_else(
        || "off".to_owned(),
        |address| format!("http://{address}/metrics"),
    );
    line("metrics", &metrics);
    text.push('\n');
    table(&mut text, &config.links);
    keychains(&mut text, &config.links);
    text
}

/// How many crypto helpers there are, where, and when they are used; `None` where no lane has any.
fn helpers(config: &Config, cpus: &str) -> Option<String> {
    let links = config.links.iter();
    let helpers: usize = links
        .map(|link| link.protect_helpers + link.validate_helpers)
        .sum();
    let place = if cpus.is_empty() {
        "on CPUs that the workers leave".to_owned()
    } else {
        format!("on CPU {cpus}")
    };
    let when = match config.workers.helpers_when {
        HelpersWhen::Load => "under load",
        HelpersWhen::Always => "always",
    };
    (helpers > 0).then(|| format!("{helpers} {place}, used {when}"))
}

/// What the cloud of the link's profile says nothing about, and what is used instead.
fn unpublished(link: &Link) -> String {
    let Some(mka) = link.mka() else {
        return String::new();
    };
    let rows = mka.profile.rows();
    let unknown: Vec<String> = rows
        .iter()
        .filter(|row| row.standing == Standing::Unknown)
        .map(|row| format!("{} ({})", row.key, row.value))
        .collect();
    if unknown.is_empty() {
        return String::new();
    }
    format!(
        "warning: link {}: {} does not publish all that it wants\n  \
         = not published, with our defaults: {}\n  \
         = help: docs/profiles.md says what to try if the link is not secured, or nothing passes\n\n",
        link.name,
        mka.profile.cloud(),
        unknown.join(", ")
    )
}

/// The keys of links with MKA, for two operators to compare.
fn keychains(text: &mut String, links: &[Link]) {
    let mut rows = vec![["LINK", "FINGERPRINT", "FROM", "UNTIL", "ROLE", "CKN"].map(str::to_owned)];
    for link in links {
        for key in link.mka().into_iter().flat_map(|mka| &mka.keychain) {
            let moment =
                |edge: Option<Utc>| edge.map_or_else(|| "-".to_owned(), |at| at.to_string());
            rows.push([
                link.name.clone(),
                key.cak.fingerprint.to_string(),
                moment(key.start),
                moment(key.end),
                if key.fallback { "fallback" } else { "primary" }.to_owned(),
                key.ckn.to_string(),
            ]);
        }
    }
    if rows.len() > 1 {
        text.push('\n');
        aligned(text, &rows);
    }
}

fn table(text: &mut String, links: &[Link]) {
    let header = [
        "LINK",
        "ENCRYPTION",
        "SUITE",
        "PROTECTION",
        "REPLAY",
        "MTU",
        "PLAIN",
        "SECURE",
        "AGREEMENT",
        "TX KEY",
        "RX KEY",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(links.iter().map(row));
    aligned(text, &rows);
}

fn aligned<const COLUMNS: usize>(text: &mut String, rows: &[[String; COLUMNS]]) {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn row(link: &Link) -> [String; 11] {
    let dash = || "-".to_owned();
    let macsec = link.encryption != EncryptionMode::NoEncrypt;
    let of_macsec = |text: String| if macsec { text } else { dash() };
    let key = |sa: Option<&crate::config::StaticSa>| {
        sa.map_or_else(dash, |sa| format!("AN {} {}", sa.an, sa.key.fingerprint))
    };
    let keys = link.static_keys();
    [
        link.name.clone(),
        link.encryption.name().to_owned(),
        of_macsec(link.cipher_suite.to_string()),
        of_macsec(link.protection()),
        of_macsec(link.replay_protection()),
        link.mtu.to_string(),
        link.plain.to_string(),
        link.secure.to_string(),
        match &link.agreement {
            None => dash(),
            Some(Agreement::Static(_)) => "static".to_owned(),
            Some(Agreement::Mka(mka)) => format!("mka {}", mka.profile.name()),
        },
        key(keys.map(|keys| &keys.tx)),
        key(keys.map(|keys| &keys.rx)),
    ]
}
