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
        let Self {
            mut runners,
            commands,
            reports,
            counters,
            idle,
            stop,
        } = self;
        let mut reports = Reports::new(reports);
        let mut idle = Idle::new(idle);
        let mut before = dpdk::tsc();
        loop {
            let mut moved = 0;
            for _ in 0..TURNS_PER_LOOK {
                let mut now_moved = 0;
                for runner in &mut runners {
                    now_moved += runner.turn(&mut reports, &counters);
                }
                moved += now_moved;
                if now_moved == 0 {
                    break;
                }
            }
            obey(&mut runners, &commands, &mut reports);
            if stop.load(Ordering::Relaxed) {
                break;
            }
            if moved == 0 {
                if idle.empty() {
                    counters.sleeps.add(1);
                }
            } else {
                idle.busy();
            }
            let now = dpdk::tsc();
            let cycles = now.wrapping_sub(before);
            if moved == 0 {
                &counters.idle_cycles
            } else {
                &counters.busy_cycles
            }
            .add(cycles);
            before = now;
        }
        0
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
