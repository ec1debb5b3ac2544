//! A worker's end of the report ring, which never loses a key object.

use arrayvec::ArrayVec;

use crate::bus::{LaneCommand, LaneIndex, LaneReport, Report, ReportSender};

/// Reports that can wait here while the ring is full.
const BACKLOG: usize = 16;

/// The most reports that one command brings about.
const PER_COMMAND: usize = 4;

/// Reports on their way to control.
#[derive(Debug)]
pub(super) struct Reports {
    ring: ReportSender,
    backlog: ArrayVec<Report, BACKLOG>,
}

impl Reports {
    pub(super) fn new(ring: ReportSender) -> Self {
        Self {
            ring,
            backlog: ArrayVec::new(),
        }
    }

    /// Whether another command's answers are sure to fit.
    pub(super) fn ready_for_command(&self) -> bool {
        self.backlog.is_empty() && self.ring.has_room_for(PER_COMMAND)
    }

    /// Sends a report, after those that wait.
    pub(super) fn say(&mut self, lane: LaneIndex, what: LaneReport) {
        self.retry();
        let report = Report { lane, what };
        let unsent = if self.backlog.is_empty() {
            self.ring.send(report).err()
        } else {
            Some(report)
        };
        if let Some(report) = unsent
            && let Err(full) = self.backlog.try_push(report)
        {
            // Only a control thread that died lets it come so far. A box that came home can't be
            // dropped here (its drop frees and wipes): it is given up, and the process ends soon.
            core::mem::forget(full.element());
        }
    }

    /// Gives up a command that has no lane, without running any destructor on the frame path.
    #[expect(
        clippy::unused_self,
        reason = "the one place where a worker lets go of what it can't send home"
    )]
    pub(super) fn keep_away(&self, command: LaneCommand) {
        core::mem::forget(command);
    }

    /// Sends what waits.
    pub(super) fn retry(&mut self) {
        while let Some(report) = self.backlog.pop_at(0) {
            if let Err(report) = self.ring.send(report) {
                // The place was just vacated.
                self.backlog.insert(0, report);
                return;
            }
        }
    }
}
