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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{
        bus::{Direction, LaneCommand, LaneIndex, LaneReport, LinkIndex},
        ieee::{An, KeyIdentifier},
    };

    const LANE: LaneIndex = LaneIndex {
        link: LinkIndex(0),
        direction: Direction::Protect,
    };

    fn numbered(number: u64) -> KeyIdentifier {
        let mut ki = [0; 16];
        ki[..8].copy_from_slice(&number.to_be_bytes());
        KeyIdentifier(ki)
    }

    fn command(number: u64) -> Command {
        Command {
            lane: LANE,
            what: LaneCommand::EncodeWith(An::ALL[0], numbered(number)),
        }
    }

    fn report(number: u64) -> Report {
        Report {
            lane: LANE,
            what: LaneReport::Encoding(An::ALL[0], numbered(number)),
        }
    }

    /// Tries until it works; the other end is alive.
    fn insist<T>(mut thing: T, mut send: impl FnMut(T) -> Result<(), T>) {
        while let Err(back) = send(thing) {
            thing = back;
            thread::yield_now();
        }
    }

    #[test]
    fn no_command_and_no_report_is_lost_or_overtaken() {
        const COUNT: u64 = 200_000;
        let (commands, orders, answers, reports) = worker_rings();
        thread::scope(|scope| {
            let worker = thread::Builder::new().name(String::from("worker"));
            let worker = worker.spawn_scoped(scope, move || {
                let mut next = 0;
                while next < COUNT {
                    // The flag alone says whether there is anything: a lost one would hang here.
                    let Some(Command { what, .. }) = orders.take() else {
                        thread::yield_now();
                        continue;
                    };
                    assert!(matches!(what, LaneCommand::EncodeWith(_, ki) if ki == numbered(next)));
                    insist(report(next), |report| answers.send(report));
                    next += 1;
                }
            });
            let control = thread::Builder::new().name(String::from("control"));
            let control = control.spawn_scoped(scope, move || {
                let mut heard = 0;
                let mut hear = || {
                    while let Some(Report { what, .. }) = reports.take() {
                        assert!(
                            matches!(what, LaneReport::Encoding(_, ki) if ki == numbered(heard))
                        );
                        heard += 1;
                    }
                    heard
                };
                for number in 0..COUNT {
                    insist(command(number), |command| {
                        hear();
                        commands.send(command)
                    });
                }
                while hear() < COUNT {
                    thread::yield_now();
                }
            });
            worker.unwrap().join().unwrap();
            control.unwrap().join().unwrap();
        });
    }

    #[test]
    fn the_flag_stands_while_something_waits_and_falls_after_it() {
        let (sender, receiver, _answers, _reports) = worker_rings();
        let stands = |receiver: &CommandReceiver| receiver.0.pending.load(Ordering::Relaxed);
        assert!(!stands(&receiver) && receiver.take().is_none());
        sender.send(command(1)).unwrap();
        sender.send(command(2)).unwrap();
        assert!(stands(&receiver));
        assert!(receiver.take().is_some() && stands(&receiver));
        assert!(receiver.take().is_some() && stands(&receiver));
        assert!(receiver.take().is_none() && !stands(&receiver));
        // A push whose flag is not up yet waits for it, and no longer.
        sender.0.commands.push(command(3)).unwrap();
        assert!(receiver.take().is_none());
        sender.send(command(4)).unwrap();
        assert!(receiver.take().is_some() && receiver.take().is_some());
    }

    #[test]
    fn what_does_not_fit_comes_back() {
        let (commands, _orders, answers, reports) = worker_rings();
        for number in 0..COMMANDS as u64 {
            commands.send(command(number)).unwrap();
        }
        assert!(commands.send(command(9)).is_err());
        assert!(answers.has_room_for(REPORTS) && !answers.has_room_for(REPORTS + 1));
        for number in 0..REPORTS as u64 {
            answers.send(report(number)).unwrap();
        }
        assert!(!answers.has_room_for(1) && answers.send(report(9)).is_err());
        assert!(reports.take().is_some() && answers.has_room_for(1));
    }
}
