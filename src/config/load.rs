//! From a path to a [`Config`], or to everything that is wrong with it.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use toml::de::DeTable;

use super::cak_read::CAK_KEYS;
use super::gateway::{
    CRYPTO_KEYS, EAL_KEYS, GATEWAY_KEYS, METRICS_KEYS, WORKERS_KEYS, read_eal, read_engine,
    read_gateway, read_metrics, read_workers,
};
use super::link_read::{LINK_KEYS, Place as LinkPlace, read_link};
use super::mka_read::MKA_KEYS;
use super::problem::{Problem, Problems, Severity};
use super::raw::{Reader, Section};
use super::secy_read::BYPASS_KEYS;
use super::source::{MAX_CONFIG_LEN, Source, SourceError};
use super::static_read::STATIC_KEYS;
use super::utc::Utc;
use super::{Config, Link, reuse};

/// The tables at the top of the file.
const TOP_KEYS: [&str; 6] = ["gateway", "eal", "workers", "crypto", "metrics", "link"];

/// The most links of a gateway. DPDK is seldom built for more than 32 ports, and for 1,024 at most.
const MAX_LINKS: usize = 256;

/// Every table of a config and the keys that it knows; `""` is the top of the file.
pub const fn known_keys() -> [(&'static str, &'static [&'static str]); 11] {
    [
        ("", &TOP_KEYS),
        ("gateway", &GATEWAY_KEYS),
        ("eal", &EAL_KEYS),
        ("workers", &WORKERS_KEYS),
        ("crypto", &CRYPTO_KEYS),
        ("metrics", &METRICS_KEYS),
        ("link", &LINK_KEYS),
        ("link.static", &STATIC_KEYS),
        ("link.mka", &MKA_KEYS),
        ("link.cak", &CAK_KEYS),
        ("link.bypass", &BYPASS_KEYS),
    ]
}

impl Config {
    /// Reads and checks the config at `path`, and the key files that it names.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the file.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let source = Source::read(path).map_err(|error| refusal(path, error))?;
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        check(&source, credentials.as_deref())
    }

    /// Checks `octets` as if they were the content of the file `path`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn from_octets(path: &Path, octets: &[u8]) -> Result<Self, Problems> {
        let source = Source::from_octets(path, octets).map_err(|error| refusal(path, error))?;
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY");
        check(&source, credentials.as_deref())
    }

    /// The ports that the links take, two for each.
    pub const fn port_count(&self) -> usize {
        2 * self.links.len()
    }
}

fn refusal(path: &Path, error: SourceError) -> Problems {
    let (what, right) = match error {
        SourceError::Io(error) if error.kind() == io::ErrorKind::NotFound => (
            "the config is not there".to_owned(),
            "name it with --config FILE".to_owned(),
        ),
        SourceError::Io(error) => (
            format!("the config can't be read: {}", error.kind()),
            "give --config a file that this user may read, or run this as root".to_owned(),
        ),
        SourceError::NotAFile => (
            "the config is a directory".to_owned(),
            "give --config the file in it".to_owned(),
        ),
        SourceError::TooLong => (
            format!("the config is longer than {MAX_CONFIG_LEN} octets"),
            "no config needs as much; is it the right file?".to_owned(),
        ),
        SourceError::NotText { line, column } => (
            format!("the config is no text from line {line}, octet {column} on"),
            "a config is a TOML file in UTF-8; is it the right file?".to_owned(),
        ),
        SourceError::Empty => (
            "the config is empty".to_owned(),
            "start from the example, deploy/config/macsecgw.toml".to_owned(),
        ),
    };
    Problems::of_file(path, what, &right)
}

fn check(source: &Source, credentials: Option<&OsStr>) -> Result<Config, Problems> {
    let mut reader = Reader::new(source);
    let (tree, errors) = DeTable::parse_recoverable(source.text());
    for error in &errors {
        let span = error.span().unwrap_or_else(|| tree.span());
        // The parser's message names what it wanted, and at most a character that it found.
        let what = format!("this is no TOML: {}", error.message());
        let right = "a line reads `key = value`, `[table]` or `[[link]]`; texts stand in quotes";
        reader.note(Severity::Error, "", &span, what, right);
    }
    if !errors.is_empty() {
        // What could be read around a syntax error would only give problems that are none.
        return Err(reader.into_problems());
    }
    let config = read_config(&mut reader, tree.get_ref(), tree.span(), credentials);
    let problems = reader.into_problems();
    if problems.errors() > 0 {
        return Err(problems);
    }
    Ok(Config {
        warnings: problems.0,
        ..config
    })
}

fn read_config<'t>(
    reader: &mut Reader<'_>,
    tree: &'t DeTable<'t>,
    span: super::raw::Span,
    credentials: Option<&OsStr>,
) -> Config {
    // What is missing at the top is missing at the file's start, not all over it.
    let span = span.start..span.start;
    let top = Section::open(reader, "", Some(tree), span, &TOP_KEYS);
    let gateway = top.section(reader, "gateway", &GATEWAY_KEYS).value;
    let eal = top.section(reader, "eal", &EAL_KEYS).value;
    let workers = top.section(reader, "workers", &WORKERS_KEYS).value;
    let crypto = top.section(reader, "crypto", &CRYPTO_KEYS).value;
    let metrics = top.section(reader, "metrics", &METRICS_KEYS).value;
    let gateway = read_gateway(reader, &gateway);
    let eal = read_eal(reader, &eal);
    let workers = read_workers(reader, &workers);
    let engine = read_engine(reader, &crypto);
    let metrics = read_metrics(reader, &metrics);
    let place = LinkPlace {
        credentials,
        cores: workers.cores.len(),
        helper_cores: workers.helper_cores.len(),
        now: Utc::now(),
    };
    let links = read_links(reader, &top, &place);
    Config {
        path: reader.source.path.clone(),
        gateway,
        eal,
        workers,
        engine,
        metrics,
        links,
        warnings: Vec::<Problem>::new(),
    }
}

fn read_links(reader: &mut Reader<'_>, top: &Section<'_>, place: &LinkPlace<'_>) -> Vec<Link> {
    let wanted = "a list of tables, each opened by [[link]]";
    let sections = top.sections(reader, "link", wanted, &LINK_KEYS);
    if sections.is_empty()
        && top
            .find("link")
            .is_none_or(|value| value.get_ref().is_array())
    {
        let field = top.default("link", ());
        let right = "a gateway needs at least one [[link]], with `name`, `plain` and `secure`";
        reader.wrong(&field, "there is no link in the config", right);
    }
    if let Some(first_over) = sections.get(MAX_LINKS) {
        let field = first_over.default("name", ());
        let what = format!("{} links are more than a gateway takes", sections.len());
        let right = format!("at most {MAX_LINKS}; spread them over several gateways");
        reader.wrong(&field, what, right);
    }
    let read: Vec<_> = sections
        .iter()
        .take(MAX_LINKS)
        .map(|section| read_link(reader, section, place))
        .collect();
    super::link_read::check_between(reader, &read);
    super::link_read::check_helpers(reader, &read, place);
    reuse::check_read(reader, &read);
    read.into_iter().filter_map(|link| link.checked).collect()
}
