//! The rings between control and one worker: commands one way, reports the other.
//!
//! Each end has one owner. The worker looks at its ring only when a flag says so: a relaxed load per
//! loop turn, and no shared cache line is written while nothing is said.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use crossbeam::queue::ArrayQueue;

use super::{Command, Report};

/// Commands that may wait for one worker.
const COMMANDS: usize = 1024;
/// Reports that may wait for control: every command's answer, and what a lane says by itself.
const REPORTS: usize = 4096;

#[derive(Debug)]
struct Shared {
    commands: ArrayQueue<Command>,
    pending: AtomicBool,
    reports: ArrayQueue<Report>,
}

/// Control's end for commands.
#[derive(Debug)]
pub struct CommandSender(Arc<Shared>);

/// A worker's end for commands.
#[derive(Debug)]
pub struct CommandReceiver(Arc<Shared>);

/// A worker's end for reports.
#[derive(Debug)]
pub struct ReportSender(Arc<Shared>);

/// Control's end for reports.
#[derive(Debug)]
pub struct ReportReceiver(Arc<Shared>);

/// The four ends of one worker's rings.
pub fn worker_rings() -> (CommandSender, CommandReceiver, ReportSender, ReportReceiver) {
    let shared = Arc::new(Shared {
        commands: ArrayQueue::new(COMMANDS),
        pending: AtomicBool::new(false),
        reports: ArrayQueue::new(REPORTS),
    });
    (
        CommandSender(Arc::clone(&shared)),
        CommandReceiver(Arc::clone(&shared)),
        ReportSender(Arc::clone(&shared)),
        ReportReceiver(shared),
    )
}

impl CommandSender {
    /// Queues a command.
    ///
    /// # Errors
    /// The command itself, where the ring is full: the worker has stopped listening.
    pub fn send(&self, command: Command) -> Result<(), Command> {
        self.0.commands.push(command)?;
        self.0.pending.store(true, Ordering::Release);
        Ok(())
    }
}

impl CommandReceiver {
    /// The next command. Costs one relaxed load while nothing waits.
    pub fn take(&self) -> Option<Command> {
        if !self.0.pending.load(Ordering::Relaxed) {
            return None;
        }
        let command = self.0.commands.pop();
        if command.is_none() {
            // Cleared first and looked at again after: a command that came in between is not missed.
            self.0.pending.swap(false, Ordering::AcqRel);
            let late = self.0.commands.pop();
            if late.is_some() {
                self.0.pending.store(true, Ordering::Release);
            }
            return late;
        }
        command
    }
}

impl ReportSender {
    /// Whether so many reports fit: asked before a command is taken, so that no answer is lost.
    pub fn has_room_for(&self, reports: usize) -> bool {
        REPORTS.saturating_sub(self.0.reports.len()) >= reports
    }

    /// Queues a report.
    ///
    /// # Errors
    /// The report itself, where the ring is full.
    pub fn send(&self, report: Report) -> Result<(), Report> {
        self.0.reports.push(report)
    }
}

impl ReportReceiver {
    /// The oldest report.
    pub fn take(&self) -> Option<Report> {
        self.0.reports.pop()
    }
}
