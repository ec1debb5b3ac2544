//! What holds for the whole process: `[gateway]`, `[eal]`, `[workers]`, `[crypto]`, `[metrics]`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::raw::{Field, Reader, Section};
use super::redact::quoted;
use crate::crypto::engine::EngineChoice;

/// Keys of `[gateway]`.
pub(super) const GATEWAY_KEYS: [&str; 4] = ["name", "runtime_dir", "state_dir", "group"];
/// Keys of `[eal]`.
pub(super) const EAL_KEYS: [&str; 5] = ["args", "memory", "memory_mib", "pdump", "drivers"];
/// Keys of `[workers]`.
pub(super) const WORKERS_KEYS: [&str; 7] = [
    "cores",
    "idle",
    "idle_after_polls",
    "idle_sleep_max_us",
    "helper_cores",
    "helpers_when",
    "helper_patience_ms",
];
/// Keys of `[crypto]`.
pub(super) const CRYPTO_KEYS: [&str; 1] = ["engine"];
/// Keys of `[metrics]`.
pub(super) const METRICS_KEYS: [&str; 1] = ["listen"];

/// `[gateway]`: who this process is on its machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Unique on the machine; names EAL's files, the socket and the state.
    pub name: String,
    /// Where `control.sock` lies.
    pub runtime_dir: PathBuf,
    /// Where the packet-number reservations lie.
    pub state_dir: PathBuf,
    /// The group that may speak to the socket.
    pub group: String,
}

/// `[eal]`: what DPDK is started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eal {
    /// Arguments passed on as they stand, after the gateway's own.
    pub args: Vec<String>,
    /// Where packet memory comes from.
    pub memory: Memory,
    /// Packet memory in MiB; `None`: derived from ports, MTU and bursts.
    pub memory_mib: Option<NonZeroU32>,
    /// Whether a capture may be attached.
    pub pdump: bool,
    /// A directory of drivers to load.
    pub drivers: Option<PathBuf>,
}

/// Where packet memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Hugepages where there are any, otherwise ordinary memory with a warning.
    Auto,
    /// Hugepages, or no start.
    Hugepages,
    /// Ordinary memory.
    NoHuge,
}

/// `[workers]`: the poll-mode threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workers {
    /// CPU of each worker; empty: spread over the CPUs that the process may use.
    pub cores: Vec<usize>,
    /// What a worker does when there is nothing to do.
    pub idle: Idle,
    /// Empty polls before it does so.
    pub idle_after_polls: u32,
    /// The longest that it sleeps at a time.
    pub idle_sleep_max: Duration,
    /// CPU of each crypto helper, in the order of links and lanes; empty: chosen among those that are left.
    pub helper_cores: Vec<usize>,
    /// When lanes that have helpers use them.
    pub helpers_when: HelpersWhen,
    /// How long a helper may have a burst before its frames are given up.
    pub helper_patience: Duration,
}

/// When a lane that has crypto helpers uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelpersWhen {
    /// While frames come faster than the worker takes them alone.
    Load,
    /// For every burst.
    Always,
}

impl HelpersWhen {
    /// The word in the config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Always => "always",
        }
    }
}

/// What a worker does after enough empty polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// `Spin` on an isolated core, `Sleep` on a shared one.
    Auto,
    /// Polls on.
    Spin,
    /// Polls on with the CPU's pause instruction between.
    Pause,
    /// Sleeps, longer each time, up to the bound.
    Sleep,
}

/// `[metrics]`: where Prometheus scrapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Address and port; `None`: off.
    pub listen: Option<SocketAddr>,
}

/// A name that goes into paths, labels and DPDK: no character of it needs a quote anywhere.
pub(super) fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'))
        && !text.starts_with('-')
}

/// What a name is made of, for messages.
pub(super) const NAME_RULE: &str =
    "a name is 1 to 32 letters, digits, `_` and `-`, the first no `-`, such as \"dx1\"";

pub(super) fn read_gateway(reader: &mut Reader<'_>, section: &Section<'_>) -> Gateway {
    let name = section.text(reader, "name", "macsecgw");
    if !is_name(&name.value) {
        reader.wrong(
            &name,
            format!("{} is no name", quoted(&name.value)),
            NAME_RULE,
        );
    }
    let group = section.text(reader, "group", "macsecgw");
    if !is_name(&group.value) {
        let what = format!("{} is no group's name", quoted(&group.value));
        reader.wrong(
            &group,
            what,
            "name a group of this machine, such as \"macsecgw\"",
        );
    }
    let runtime = format!("/run/macsecgw/{}", name.value);
    let runtime_dir = read_directory(reader, section, "runtime_dir", &runtime);
    // A Unix socket's name has 107 octets, and `/control.sock` must fit behind the directory.
    if runtime_dir.value.len() > 90 {
        let right = "90 octets at most, so that a socket in it still has a name";
        reader.wrong(&runtime_dir, "`runtime_dir` is too long", right);
    }
    let state = format!("/var/lib/macsecgw/{}", name.value);
    let state_dir = read_directory(reader, section, "state_dir", &state);
    Gateway {
        name: name.value,
        runtime_dir: runtime_dir.value.into(),
        state_dir: state_dir.value.into(),
        group: group.value,
    }
}

fn read_directory(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    key: &str,
    default: &str,
) -> Field<String> {
    let field = section.text(reader, key, default);
    if !field.value.starts_with('/') || field.value.contains('\0') {
        let what = format!("{} is not an absolute path", quoted(&field.value));
        reader.wrong(&field, what, format!("such as \"{default}\""));
    }
    field
}

pub(super) fn read_eal(reader: &mut Reader<'_>, section: &Section<'_>) -> Eal {
    let args = section.texts(reader, "args");
    for arg in &args {
        if arg.value.contains('\0') {
            reader.wrong(
                arg,
                "an argument of EAL with a NUL character",
                "leave it out",
            );
        }
    }
    let memory = section.choice(
        reader,
        "memory",
        &[
            ("auto", Memory::Auto),
            ("hugepages", Memory::Hugepages),
            ("no-huge", Memory::NoHuge),
        ],
        Memory::Auto,
    );
    let memory_mib = section.number::<u32>(reader, "memory_mib", 0..=1_048_576, 0);
    let drivers = section.text(reader, "drivers", "");
    if drivers.value.contains('\0') {
        reader.wrong(
            &drivers,
            "`drivers` has a NUL character",
            "name a directory",
        );
    }
    Eal {
        args: args.into_iter().map(|arg| arg.value).collect(),
        memory: memory.value,
        memory_mib: NonZeroU32::new(memory_mib.value),
        pdump: section.flag(reader, "pdump", true).value,
        drivers: (!drivers.value.is_empty()).then(|| drivers.value.into()),
    }
}

/// CPUs that Linux can name in an affinity mask.
const MAX_CPU: i64 = 1023;

pub(super) fn read_workers(reader: &mut Reader<'_>, section: &Section<'_>) -> Workers {
    let cores: Vec<Field<usize>> = section.numbers(reader, "cores", 0..=MAX_CPU);
    let helper_cores: Vec<Field<usize>> = section.numbers(reader, "helper_cores", 0..=MAX_CPU);
    let all: Vec<_> = cores.iter().chain(&helper_cores).collect();
    for (index, core) in all.iter().enumerate() {
        let Some(before) = all.iter().take(index).position(|c| c.value == core.value) else {
            continue;
        };
        let (what, right) = if before < cores.len() && index >= cores.len() {
            (
                format!("CPU {} is in `cores`, too", core.value),
                "a helper on its worker's CPU helps nobody: name another one",
            )
        } else {
            (
                format!("CPU {} is in the list twice", core.value),
                "two workers on one CPU halve each other: list it once",
            )
        };
        reader.wrong(core, what, right);
    }
    let when = [
        (HelpersWhen::Load.name(), HelpersWhen::Load),
        (HelpersWhen::Always.name(), HelpersWhen::Always),
    ];
    let helpers_when = section.choice(reader, "helpers_when", &when, HelpersWhen::Load);
    let patience = section.number(reader, "helper_patience_ms", 1..=1000, 10);
    let idle = section.choice(
        reader,
        "idle",
        &[
            ("auto", Idle::Auto),
            ("spin", Idle::Spin),
            ("pause", Idle::Pause),
            ("sleep", Idle::Sleep),
        ],
        Idle::Auto,
    );
    let sleep = section.number(reader, "idle_sleep_max_us", 1..=10_000, 100);
    Workers {
        cores: cores.into_iter().map(|core| core.value).collect(),
        idle: idle.value,
        idle_after_polls: section
            .number(reader, "idle_after_polls", 1..=1_000_000_000, 256)
            .value,
        idle_sleep_max: Duration::from_micros(sleep.value),
        helper_cores: helper_cores.into_iter().map(|core| core.value).collect(),
        helpers_when: helpers_when.value,
        helper_patience: Duration::from_millis(patience.value),
    }
}

pub(super) fn read_engine(reader: &mut Reader<'_>, section: &Section<'_>) -> EngineChoice {
    let choices = [
        ("auto", EngineChoice::Auto),
        ("vaes512", EngineChoice::Vaes512),
        ("vaes256", EngineChoice::Vaes256),
        ("ring", EngineChoice::Ring),
        ("aes-gcm", EngineChoice::AesGcm),
    ];
    section
        .choice(reader, "engine", &choices, EngineChoice::Auto)
        .value
}

pub(super) fn read_metrics(reader: &mut Reader<'_>, section: &Section<'_>) -> Metrics {
    let listen = section.text(reader, "listen", "127.0.0.1:9464");
    if listen.value.is_empty() {
        return Metrics { listen: None };
    }
    let address = listen.value.parse::<SocketAddr>();
    if address.is_err() {
        let what = format!("{} is not an address and port", quoted(&listen.value));
        let right = "such as \"127.0.0.1:9464\" or \"[::1]:9464\"; \"\" switches the metrics off";
        reader.wrong(&listen, what, right);
    }
    Metrics {
        listen: address.ok(),
    }
}
