//! The poll loop of a worker.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    idle::{Idle, IdlePolicy},
    reports::Reports,
    runner::Runner,
};
use crate::bus::{CommandReceiver, LaneIndex, ReportSender, WorkerCounters};

/// Turns between two looks at the stop flag and the command ring.
const TURNS_PER_LOOK: u32 = 8;

/// A worker, ready to be launched on its lcore.
#[derive(Debug)]
pub struct Worker {
    /// Its lanes.
    pub runners: Vec<Runner>,
    /// Commands from control.
    pub commands: CommandReceiver,
    /// Reports to control.
    pub reports: ReportSender,
    /// Its counters.
    pub counters: Arc<WorkerCounters>,
    /// What it does when no frame comes.
    pub idle: IdlePolicy,
    /// Set by main when the worker is to end.
    pub stop: Arc<AtomicBool>,
}

impl Worker {
    /// Polls until told to stop. Runs to completion: after each turn nothing is under way.
    pub fn run(self) -> i32 {
        let mut polling = self.begin();
        while polling.look() {}
        0
    }

    /// The poll loop, to be turned by hand.
    pub fn begin(self) -> Polling {
        Polling {
            runners: self.runners,
            commands: self.commands,
            reports: Reports::new(self.reports),
            counters: self.counters,
            idle: Idle::new(self.idle),
            stop: self.stop,
            before: dpdk::tsc(),
        }
    }
}

/// A worker that polls.
#[derive(Debug)]
pub struct Polling {
    runners: Vec<Runner>,
    commands: CommandReceiver,
    reports: Reports,
    counters: Arc<WorkerCounters>,
    idle: Idle,
    stop: Arc<AtomicBool>,
    /// When the last turns ended.
    before: u64,
}

impl Polling {
    /// A few turns of all lanes, then a look at what control wants. False: it wants the worker to end.
    pub fn look(&mut self) -> bool {
        let mut moved = 0;
        for _ in 0..TURNS_PER_LOOK {
            let mut now_moved = 0;
            for runner in &mut self.runners {
                now_moved += runner.turn(&mut self.reports, &self.counters);
            }
            moved += now_moved;
            if now_moved == 0 {
                break;
            }
        }
        obey(&mut self.runners, &self.commands, &mut self.reports);
        if self.stop.load(Ordering::Relaxed) {
            for runner in &mut self.runners {
                runner.drain(&mut self.reports);
            }
            return false;
        }
        if moved == 0 {
            if self.idle.empty() {
                self.counters.sleeps.add(1);
            }
        } else {
            self.idle.busy();
        }
        self.count_cycles(moved);
        true
    }

    fn count_cycles(&mut self, moved: usize) {
        let now = dpdk::tsc();
        let cycles = now.wrapping_sub(self.before);
        if moved == 0 {
            &self.counters.idle_cycles
        } else {
            &self.counters.busy_cycles
        }
        .add(cycles);
        self.before = now;
    }
}

/// Carries out what control sent. A command is taken only when its answers are sure to fit.
fn obey(runners: &mut [Runner], commands: &CommandReceiver, reports: &mut Reports) {
    reports.retry();
    while reports.ready_for_command() {
        let Some(command) = commands.take() else {
            return;
        };
        match runner_of(runners, command.lane) {
            Some(runner) => runner.command(command.what, reports),
            None => reports.keep_away(command.what),
        }
    }
}

fn runner_of(runners: &mut [Runner], lane: LaneIndex) -> Option<&mut Runner> {
    runners.iter_mut().find(|runner| runner.index() == lane)
}
