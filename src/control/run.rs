//! Control's thread: reports in, requests in, links brought in line, a snapshot out.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crossbeam::channel::{Receiver, RecvTimeoutError};

use super::{
    books::Books,
    helpers::{self, HelperWatch},
    link::{LinkControl, LinkParts, Shared},
    mka::Clock,
    outbox::Outbox,
    picture, reload,
    request::{Asked, Request},
};
use crate::{
    bus::{
        Command, CommandSender, EngineView, HelperView, LaneIndex, LinkIndex, ReportReceiver,
        Snapshot, SnapshotWriter, WorkerIndex, WorkerView,
    },
    config::{Config, Utc},
    crypto::KeyFactory,
};

/// Between two turns when nothing is asked.
const TURN: Duration = Duration::from_millis(10);

/// What is left to other threads of control's CPU, whatever floods it.
const LEAST_REST: Duration = Duration::from_millis(1);

/// Between two snapshots.
const SNAPSHOT: Duration = Duration::from_millis(100);

/// How long the lanes may take to close and give their keys back: on a busy machine a worker that
/// shares its CPU has been seen to take more than a second.
const HOME: Duration = Duration::from_secs(2);

/// How long the workers may take to let go of the ports after that.
const LET_GO: Duration = Duration::from_secs(1);

/// What control is told about the process, for the snapshot.
#[derive(Clone, Debug)]
pub struct ProcessFacts {
    /// The DPDK release.
    pub dpdk_version: String,
    /// Whether memory is hugepages.
    pub hugepages: bool,
    /// Why captures don't work, if they don't.
    pub capture_refused: Option<String>,
    /// The engine in use.
    pub engine: String,
    /// All engines.
    pub engines: Vec<EngineView>,
    /// Facts of hardening.
    pub hardening: Vec<String>,
    /// The workers.
    pub workers: Vec<WorkerView>,
    /// The crypto helpers.
    pub helpers: Vec<HelperView>,
    /// Time stamp counter cycles a second.
    pub tsc_hz: u64,
}

/// Everything that control is made of.
#[derive(Debug)]
pub struct ControlParts {
    /// The config as checked.
    pub config: Config,
    /// One per link of the config, in its order.
    pub links: Vec<LinkParts>,
    /// One ring per worker.
    pub commands: Vec<CommandSender>,
    /// One ring per worker.
    pub reports: Vec<ReportReceiver>,
    /// Which worker runs which lane.
    pub worker_of: Vec<(LaneIndex, WorkerIndex)>,
    /// Where requests come from.
    pub requests: Receiver<Asked>,
    /// Where snapshots go.
    pub snapshots: SnapshotWriter,
    /// Makes key objects.
    pub factory: Arc<dyn KeyFactory>,
    /// Reservations on disk.
    pub books: Books,
    /// For the snapshot.
    pub facts: ProcessFacts,
}

/// The control thread's state.
#[derive(Debug)]
pub struct Control {
    pub(super) config_path: PathBuf,
    pub(super) config: Config,
    pub(super) links: Vec<LinkControl>,
    pub(super) factory: Arc<dyn KeyFactory>,
    pub(super) books: Books,
    pub(super) out: Vec<Command>,
    clock: Clock,
    outbox: Outbox,
    reports: Vec<ReportReceiver>,
    requests: Receiver<Asked>,
    snapshots: SnapshotWriter,
    facts: ProcessFacts,
    helper_watch: HelperWatch,
    pub(super) started: Instant,
    last_snapshot: Option<Instant>,
    last_reload: Option<(Instant, Result<(), String>)>,
    reloads: u64,
}

/// How control ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All keys are home and wiped, all state is written, all ports are stopped.
    InOrder,
    /// A worker did not answer in time: what it holds could not be wiped or settled.
    WorkerStuck,
}

impl Control {
    /// Puts the parts together. Keys are read and reservations written here, before any frame moves.
    ///
    /// # Errors
    /// What is wrong with a key or its state, and what to do.
    pub fn new(parts: ControlParts, now: Instant) -> Result<Self, String> {
        let ControlParts {
            config,
            links,
            commands,
            reports,
            worker_of,
            requests,
            snapshots,
            ..
        } = parts;
        let links: Vec<_> = config
            .links
            .iter()
            .cloned()
            .zip(links)
            .enumerate()
            .map(|(index, (link, parts))| LinkControl::new(LinkIndex(index), link, parts))
            .collect();
        let mut control = Self {
            config_path: config.path.clone(),
            config,
            links,
            factory: parts.factory,
            books: parts.books,
            out: Vec::new(),
            clock: Clock::new(),
            outbox: Outbox::new(commands, worker_of),
            reports,
            requests,
            snapshots,
            helper_watch: HelperWatch::new(&parts.facts.helpers),
            facts: parts.facts,
            started: now,
            last_snapshot: None,
            last_reload: None,
            reloads: 0,
        };
        reload::install_first_keys(&mut control)?;
        Ok(control)
    }

    /// Runs until `stop`, then ends in order.
    pub fn run(mut self, stop: &AtomicBool) -> Ended {
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            self.turn(began, Utc::now());
            match self.requests.recv_timeout(self.rest(began.elapsed())) {
                Ok(asked) => self.answer(&asked),
                Err(RecvTimeoutError::Timeout) => {}
                // Nobody can ask any more: only the clock and the reports are left.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(TURN),
            }
        }
        self.end()
    }

    /// Until the next turn, after one that took so long. What comes meanwhile must not overflow its slots:
    /// a peer's own MKPDUs would be among those that are lost.
    fn rest(&self, took: Duration) -> Duration {
        if self.links.iter().any(LinkControl::is_flooded) {
            return LEAST_REST;
        }
        TURN.saturating_sub(took).max(LEAST_REST)
    }

    /// One look at everything that was reported, and what follows from it.
    pub(super) fn turn(&mut self, now: Instant, utc: Utc) {
        self.clock.look(now, utc);
        self.take_reports();
        self.helper_watch.look(&self.facts.helpers);
        let mut shared = Shared {
            books: &mut self.books,
            factory: &*self.factory,
            clock: &self.clock,
        };
        for link in &mut self.links {
            link.turn(now, &mut shared, &mut self.out);
        }
        self.outbox.send(&mut self.out);
        if self
            .last_snapshot
            .is_none_or(|last| now.saturating_duration_since(last) >= SNAPSHOT)
        {
            self.last_snapshot = Some(now);
            self.snapshots.publish(&Arc::new(self.snapshot(now)));
        }
    }

    fn take_reports(&mut self) {
        for ring in &self.reports {
            while let Some(report) = ring.take() {
                if let Some(link) = self.links.get_mut(report.lane.link.0) {
                    link.report(
                        report.lane.direction,
                        report.what,
                        &mut self.books,
                        &mut self.out,
                    );
                }
            }
        }
    }

    fn answer(&mut self, asked: &Asked) {
        let answer = match &asked.request {
            Request::Reload => self.reload(Instant::now()),
            Request::Rekey { link } => self.rekey(Instant::now(), link),
        };
        // An asker that went away needs no answer.
        let _ = asked.answer.send(answer);
    }

    /// Asks a link's KaY for a new SAK.
    pub(super) fn rekey(&mut self, now: Instant, name: &str) -> Result<String, String> {
        let named = |link: &&mut LinkControl| link.config.name == name;
        let Some(link) = self.links.iter_mut().find(named) else {
            let names: Vec<_> = self.links.iter().map(|link| &*link.config.name).collect();
            return Err(format!(
                "there is no link of that name; there are: {}",
                names.join(", ")
            ));
        };
        link.rekey(now)
            .map_err(|refused| format!("link {name}: {refused}"))
    }

    pub(super) fn reload(&mut self, now: Instant) -> Result<String, String> {
        let answer = reload::reload(self, now);
        self.reloads += 1;
        match &answer {
            Ok(applied) => tracing::info!("reload: {applied}"),
            Err(refused) => {
                tracing::error!("reload refused, the running configuration stays: {refused}")
            }
        }
        self.last_reload = Some((now, answer.as_ref().map(|_| ()).map_err(Clone::clone)));
        self.outbox.send(&mut self.out);
        answer
    }

    /// Plain links down, lanes closed, keys home and wiped, state written, ports stopped.
    pub(super) fn end(mut self) -> Ended {
        let deadline = Instant::now() + HOME;
        for link in &mut self.links {
            link.end();
        }
        let home = self.turn_until(deadline, |link| link.keys_are_home());
        let now = Instant::now();
        for link in &mut self.links {
            link.stop_ports(now, &mut self.out);
        }
        let stopped = self.turn_until(now + LET_GO, |link| link.ports_are_stopped());
        if home && stopped {
            Ended::InOrder
        } else {
            Ended::WorkerStuck
        }
    }

    fn turn_until(&mut self, deadline: Instant, done: impl Fn(&LinkControl) -> bool) -> bool {
        loop {
            let now = Instant::now();
            self.turn(now, Utc::now());
            if self.links.iter().all(&done) {
                return true;
            }
            if now >= deadline {
                return false;
            }
            std::thread::sleep(TURN / 5);
        }
    }

    fn snapshot(&self, now: Instant) -> Snapshot {
        let facts = self.facts.clone();
        Snapshot {
            taken: now,
            started: self.started,
            gateway: self.config.gateway.name.clone(),
            dpdk_version: facts.dpdk_version,
            hugepages: facts.hugepages,
            capture_refused: facts.capture_refused,
            engine: facts.engine,
            engines: facts.engines,
            hardening: facts.hardening,
            workers: facts.workers,
            links: (self.links.iter().enumerate())
                .map(|(index, link)| {
                    let mut picture = picture::of_link(link, now, &self.clock);
                    let stalled = helpers::alarm(&facts.helpers, LinkIndex(index));
                    picture.alarms.extend(stalled);
                    picture
                })
                .collect(),
            helpers: facts.helpers,
            last_reload: self.last_reload.clone(),
            reload_generation: self.reloads,
            tsc_hz: facts.tsc_hz,
        }
    }
}
