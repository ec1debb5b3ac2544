//! `macsecgw run`: start in order, watch over all threads, end in order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use dpdk::{Eal, LcoreId, LcoreState};
use macsec_gateway::{
    api::{self, ApiConfig, ApiThreads},
    bus::{EngineView, PortSide, snapshot_channel},
    cli::{Failure, args::RunArgs},
    config::{Config, Link},
    control::{
        Books, Control, ControlParts, Ended, ProcessFacts, Request, Requests, request_channel,
    },
    crypto::{AesKeyAgreement, engine, process, random::SystemRandom, self_test},
    state::StateDir,
};
use nix::{libc, unistd::geteuid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{
    assemble::{Assembly, assemble, port_plan},
    eal_args::{Pools, eal_args},
    logging,
    placement::Placement,
    topology::Topology,
};

/// Between two looks at signals and threads.
const WATCH: Duration = Duration::from_millis(20);

/// The end takes no longer than this, whatever hangs.
const END_WITHIN: Duration = Duration::from_millis(4500);

/// Runs the gateway until a signal ends it.
///
/// # Errors
/// Why it did not start, with what would be right; nothing has moved then.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    logging::start(args.log_format, &args.log_level)?;
    if !geteuid().is_root() {
        return Err(refused(
            "not root: ports, hugepages and keys are root's",
            "run it as root, or as the systemd service",
        ));
    }
    let config = Config::load(&args.config)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])
        .map_err(|error| refused(format!("signals: {error}"), "see the system's limits"))?;
    let hardening = process::harden().map_err(|error| refused(error, ""))?;
    // Both SAs of each direction count while a key changes; of each CAK its ICK and KEK, too.
    let keys = 8 * config.links.len() as u64;
    let chains = config.links.iter().filter_map(Link::mka);
    let caks: usize = chains.map(|mka| mka.keychain.len()).sum();
    hardening
        .lock_limit
        .check(keys, keys + 3 * caks as u64)
        .map_err(|error| refused(error, ""))?;
    self_test::run_agreement(&AesKeyAgreement::new(SystemRandom))
        .map_err(|fault| refused(fault, ""))?;
    let engine = engine::select(config.engine).map_err(|error| refused(error, ""))?;
    tracing::info!(engine = engine.factory.name(), "{}", engine.why);
    let books = Books::new(StateDir::open(&config.gateway.state_dir)?);
    let name = config.gateway.name.clone();
    let running = Running::start(config, books, &engine, hardening)?;
    let ended = running.watch(&mut signals);
    // EAL leaves a page file behind that holds its page until the next start; it is unlocked by now.
    drop(dpdk::hugepages::Facts::of_machine().remove_stale(&name));
    ended
}

fn refused(what: impl ToString, right: impl ToString) -> Failure {
    Failure::Refused {
        what: what.to_string(),
        right: right.to_string(),
    }
}

/// The threads of a gateway that runs.
struct Running {
    eal: Eal,
    _pdump: Option<dpdk::Pdump>,
    lcores: Vec<LcoreId>,
    /// The place among `lcores` behind the last worker's.
    first_helper: usize,
    control: JoinHandle<Ended>,
    stop_control: Arc<AtomicBool>,
    stop_workers: Arc<AtomicBool>,
    stop_api: Arc<AtomicBool>,
    api: ApiThreads,
    requests: Requests,
}

impl Running {
    /// Ports configured, sockets bound, keys read, workers launched, control started.
    fn start(
        config: Config,
        books: Books,
        engine: &engine::Selected,
        hardening: process::Hardening,
    ) -> Result<Self, Failure> {
        check_port_count(&config)?;
        let placement = place(&config)?;
        let (eal, warnings) = start_eal(&config, &placement)?;
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        let (pdump, capture_refused) = start_pdump(&eal, &config);
        let stop_workers = Arc::new(AtomicBool::new(false));
        let assembly = assemble(&eal, &config, &placement, &stop_workers)
            .map_err(|error| refused(error, ""))?;
        let (snapshots, readers) = snapshot_channel(2);
        let (requests, asked) = request_channel();
        let stop_api = Arc::new(AtomicBool::new(false));
        let api = start_api(&config, readers, &requests, &stop_api)?;
        let Assembly {
            links,
            workers,
            commands,
            reports,
            views,
            helpers,
            helper_views,
        } = assembly;
        let facts = ProcessFacts {
            dpdk_version: dpdk::version().trim_start_matches("DPDK ").to_owned(),
            hugepages: eal.has_hugepages(),
            capture_refused,
            engine: engine.factory.name().to_owned(),
            engines: engine_views(engine),
            hardening: vec![hardening.to_string()],
            workers: views,
            helpers: helper_views,
            tsc_hz: dpdk::tsc_hz(),
        };
        let control = Control::new(
            ControlParts {
                config,
                links,
                commands,
                reports,
                worker_of: placement.lanes,
                requests: asked,
                snapshots,
                factory: Arc::clone(&engine.factory),
                books,
                facts,
            },
            Instant::now(),
        )
        .map_err(|error| refused(error, ""))?;
        let lcores = eal.workers();
        // In the order of `Placement::lcores`.
        let first_helper = workers.len();
        let mut free = lcores.iter();
        for (worker, lcore) in workers.into_iter().zip(free.by_ref()) {
            eal.launch(*lcore, move || worker.run())
                .map_err(|error| refused(error, ""))?;
        }
        for (helper, lcore) in helpers.into_iter().zip(free) {
            eal.launch(*lcore, move || helper.run())
                .map_err(|error| refused(error, ""))?;
        }
        let stop_control = Arc::new(AtomicBool::new(false));
        let control = spawn_control(control, &stop_control, &placement.others)?;
        tracing::info!("running");
        Ok(Self {
            eal,
            _pdump: pdump,
            lcores,
            first_helper,
            control,
            stop_control,
            stop_workers,
            stop_api,
            api,
            requests,
        })
    }

    /// Answers signals and sees to it that every thread lives, until one of them ends it.
    fn watch(self, signals: &mut Signals) -> Result<(), Failure> {
        loop {
            for signal in signals.pending() {
                match signal {
                    SIGHUP => {
                        // Control logs the outcome.
                        let _ = self.requests.ask(Request::Reload);
                    }
                    _ => {
                        tracing::info!(signal, "ending");
                        return self.end(signals, None);
                    }
                }
            }
            if let Some(dead) = self.dead_thread() {
                tracing::error!("{dead} ended by itself; the gateway goes down");
                return self.end(signals, Some(dead));
            }
            std::thread::sleep(WATCH);
        }
    }

    fn dead_thread(&self) -> Option<String> {
        if self.control.is_finished() {
            return Some(String::from("the control thread"));
        }
        let mut lcores = self.lcores.iter().enumerate();
        let (place, lcore) = lcores.find(|(_, lcore)| !self.runs(**lcore))?;
        Some(if place < self.first_helper {
            format!("the worker on lcore {lcore}")
        } else {
            format!("the crypto helper on lcore {lcore}")
        })
    }

    fn runs(&self, lcore: LcoreId) -> bool {
        self.eal.lcore_state(lcore) == LcoreState::Running
    }

    /// Control first (plain links down, keys home, ports stopped), then workers, then the sockets.
    fn end(self, signals: &mut Signals, dead: Option<String>) -> Result<(), Failure> {
        let deadline = Instant::now() + END_WITHIN;
        self.stop_control.store(true, Ordering::Relaxed);
        wait_or_exit(signals, deadline, || self.control.is_finished());
        self.stop_workers.store(true, Ordering::Relaxed);
        self.stop_api.store(true, Ordering::Relaxed);
        wait_or_exit(signals, deadline, || {
            self.lcores.iter().all(|lcore| !self.runs(*lcore))
        });
        let ended = self.control.join();
        let mut trouble = dead.map(|dead| format!("{dead} ended by itself"));
        for lcore in &self.lcores {
            if let Err(panicked) = self.eal.wait(*lcore) {
                trouble = Some(panicked.to_string());
            }
        }
        if let Err(error) = self.api.join() {
            trouble.get_or_insert_with(|| error.to_string());
        }
        match ended {
            Ok(Ended::InOrder) => {}
            Ok(Ended::WorkerStuck) => {
                trouble.get_or_insert_with(|| String::from("a worker did not answer in time"));
            }
            Err(_) => trouble = Some(String::from("the control thread panicked")),
        }
        match trouble {
            None => Ok(()),
            Some(what) => Err(refused(what, "the log above says more; please report it")),
        }
    }
}

/// Waits; a second signal or the deadline ends the process at once. Nothing passes in clear by that:
/// sockets and mappings end with the process.
fn wait_or_exit(signals: &mut Signals, deadline: Instant, done: impl Fn() -> bool) {
    while !done() {
        let again = signals.pending().any(|signal| signal != SIGHUP);
        if again || Instant::now() >= deadline {
            tracing::error!(
                "ending without order: {}",
                if again {
                    "asked again"
                } else {
                    "a thread hangs"
                }
            );
            std::process::exit(1);
        }
        std::thread::sleep(WATCH / 4);
    }
}

fn place(config: &Config) -> Result<Placement, Failure> {
    let allowed: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_default()
        .into_iter()
        .map(|core| core.id)
        .collect();
    let placement = Placement::new(config, &allowed, &Topology::of_machine())
        .map_err(|error| refused(error, "name CPUs of that list, or leave it empty"))?;
    for warning in &placement.warnings {
        tracing::warn!("{warning}");
    }
    Ok(placement)
}

/// What all ports' pools take in pages of `page` octets.
fn pools(config: &Config, page: u64) -> Result<u64, Failure> {
    let mut sum = 0;
    for link in &config.links {
        for side in PortSide::BOTH {
            sum += port_plan(link, side)
                .memory(page)
                .map_err(|error| refused(format!("link {}: {side} {error}", link.name), ""))?;
        }
    }
    Ok(sum)
}

fn start_eal(config: &Config, placement: &Placement) -> Result<(Eal, Vec<String>), Failure> {
    let pools = Pools {
        in_hugepages: pools(config, 2 << 20)?,
        in_ordinary: pools(config, 4 << 10)?,
    };
    let eal = eal_args(config, &placement.lcores(), pools)?;
    tracing::info!(args = eal.args.join(" "), "starting {}", dpdk::version());
    let started = Eal::init(&eal.args).map_err(|error| eal_failure(config, &error))?;
    Ok((started, eal.warnings))
}

/// What EAL's few error codes mean here; its own messages stand above.
fn eal_failure(config: &Config, error: &dpdk::Error) -> Failure {
    let (why, right) = match error.code() {
        Some(libc::EINVAL) if !config.eal.args.is_empty() => (
            "EAL refuses an argument",
            format!(
                "the message above names it; eal.args is {:?}, the other arguments are the gateway's own",
                config.eal.args
            ),
        ),
        Some(libc::ENOMEM) => (
            "EAL got too little memory",
            String::from(
                "set a smaller eal.memory_mib, or leave it out: it is then derived from the ports",
            ),
        ),
        // A lock that another process holds comes without any code in 22.11.
        Some(0 | libc::EAGAIN | libc::EEXIST) => (
            "another DPDK process has this gateway's name, or EAL's directory can't be written",
            format!(
                "stop that process, or choose another gateway.name than {:?}; /var/run/dpdk is EAL's directory",
                config.gateway.name
            ),
        ),
        _ => (
            "EAL does not start",
            String::from("its messages above say why; eal.args and [eal] are what can be changed"),
        ),
    };
    match error.code() {
        Some(0) => refused(format!("DPDK: {why}"), right),
        _ => refused(format!("DPDK: {why}: {error}"), right),
    }
}

fn check_port_count(config: &Config) -> Result<(), Failure> {
    let (wanted, most) = (2 * config.links.len(), usize::from(dpdk::max_ethports()));
    if wanted > most {
        return Err(refused(
            format!(
                "{} links need {wanted} ports, and this DPDK was built for {most}",
                config.links.len()
            ),
            format!(
                "configure at most {} links, or run a second gateway under another name",
                most / 2
            ),
        ));
    }
    Ok(())
}

/// Captures, if they are wanted and can be had; otherwise the reason for `status`.
fn start_pdump(eal: &Eal, config: &Config) -> (Option<dpdk::Pdump>, Option<String>) {
    if !config.eal.pdump {
        return (None, Some(String::from("switched off (eal.pdump = false)")));
    }
    match eal.pdump_init() {
        Ok(pdump) => (Some(pdump), None),
        Err(error) => {
            tracing::warn!("dpdk-dumpcap can't capture here: {error}");
            (None, Some(error.to_string()))
        }
    }
}

fn start_api(
    config: &Config,
    readers: Vec<macsec_gateway::bus::SnapshotReader>,
    requests: &Requests,
    stop: &Arc<AtomicBool>,
) -> Result<ApiThreads, Failure> {
    let Ok(readers) = readers.try_into() else {
        return Err(refused("no snapshots for the api", ""));
    };
    let api = ApiConfig {
        socket_path: config.gateway.runtime_dir.join("control.sock"),
        group: config.gateway.group.clone(),
        metrics_listen: config.metrics.listen,
    };
    let threads =
        api::serve(&api, readers, requests.clone(), stop).map_err(|error| refused(error, ""))?;
    for warning in &threads.warnings {
        tracing::warn!("{warning}");
    }
    Ok(threads)
}

fn engine_views(selected: &engine::Selected) -> Vec<EngineView> {
    let view = |report: &engine::EngineReport| EngineView {
        name: report.name.to_owned(),
        in_use: report.name == selected.factory.name(),
        why: report.outcome().to_string(),
    };
    selected.reports.iter().map(view).collect()
}

/// Control runs beside the workers, on the CPUs that they leave. A thread inherits main's pinning,
/// which EAL set to those; `core_affinity` narrows it to the first, so that it stays off isolated ones.
fn spawn_control(
    control: Control,
    stop: &Arc<AtomicBool>,
    cpus: &[usize],
) -> Result<JoinHandle<Ended>, Failure> {
    let stop = Arc::clone(stop);
    let cpu = cpus.first().map(|id| core_affinity::CoreId { id: *id });
    std::thread::Builder::new()
        .name(String::from("control"))
        .spawn(move || {
            if let Some(cpu) = cpu {
                core_affinity::set_for_current(cpu);
            }
            control.run(&stop)
        })
        .map_err(|error| refused(format!("the control thread does not start: {error}"), ""))
}
