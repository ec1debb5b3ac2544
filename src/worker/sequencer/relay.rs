//! A lane's way through its sequencer: from the backlog to helpers and back to the outlet.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use dpdk::Burst;

use super::{HelperLink, Home, LaneTask, Patience, Sequencer, worth::Worth};
use crate::{
    bus::{DropReason, HelperCounters, LaneReport, WorkerCounters, hand_over},
    worker::{
        backlog::Backlog,
        helper::Helper,
        idle::IdlePolicy,
        outlet::Outlet,
        runner::{Lane, keep},
    },
};

/// When helpers are given bursts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelpPolicy {
    /// While frames come faster than the worker takes them alone, and as long as it is quicker with help.
    Load,
    /// Every burst that there is work for.
    Always,
}

/// Frames that came in one turn of a worker which is behind: it has been busy for so long with those
/// before them.
const BEHIND: usize = Burst::CAPACITY / 2;

/// Fewer suffice while others are with helpers: they would have to wait for those in any case.
const STILL_BEHIND: usize = Burst::CAPACITY / 8;

/// Until work that nobody has begun is done by a worker with nothing better to do. A helper that polls
/// begins far sooner; one that sleeps may be longer.
const BEGIN: Duration = Duration::from_micros(5);

/// A helper that stalled gets no work for so long after its late work came home.
const REST: Duration = Duration::from_secs(1);

/// What a lane's crypto helpers are to be.
#[derive(Debug)]
pub struct Crew {
    /// One for each helper: what its lane's sequencer counts about it, what it counts itself, and what it
    /// does when there is nothing to do.
    pub helpers: Vec<(Arc<HelperCounters>, Arc<WorkerCounters>, IdlePolicy)>,
    /// When they are used.
    pub policy: HelpPolicy,
    /// How long a helper may have a burst.
    pub patience: Duration,
    /// Set when they are to end: not before their lane's worker is to.
    pub stop: Arc<AtomicBool>,
}

impl Crew {
    /// Frames that may be with helpers and with their sequencer: so many more buffers does a port need.
    pub const fn frames(helpers: usize) -> usize {
        Sequencer::<LaneTask>::tasks(helpers) * Burst::CAPACITY
    }

    /// The sequencer of `lane` and its helpers.
    pub(in crate::worker) fn muster(&self, lane: &Lane) -> (Relay, Vec<Helper>) {
        let (links, helpers) = self
            .helpers
            .iter()
            .map(|(counters, own, idle)| {
                let (giver, taker) = hand_over();
                let counters = Arc::clone(counters);
                let helper = Helper::new(taker, Arc::clone(own), *idle, Arc::clone(&self.stop));
                (HelperLink { giver, counters }, helper)
            })
            .unzip();
        (Relay::new(lane, links, self.policy, self.patience), helpers)
    }
}

/// The sequencer of one lane, and its rule.
#[derive(Debug)]
pub(in crate::worker) struct Relay {
    sequencer: Sequencer<LaneTask>,
    policy: HelpPolicy,
    worth: Worth,
}

/// What a relay works with: all of it its lane's own.
pub(in crate::worker) struct Bench<'a, Say> {
    pub(in crate::worker) lane: &'a mut Lane,
    pub(in crate::worker) outlet: &'a mut Outlet,
    pub(in crate::worker) say: Say,
}

impl Relay {
    fn new(
        lane: &Lane,
        helpers: Vec<HelperLink<LaneTask>>,
        policy: HelpPolicy,
        patience: Duration,
    ) -> Self {
        let per_us = (dpdk::tsc_hz() / 1_000_000).max(1);
        let cycles = |time: Duration| {
            let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            per_us.saturating_mul(us)
        };
        let patience = Patience {
            begin: cycles(BEGIN),
            finish: cycles(patience),
            rest: cycles(REST),
        };
        Self {
            sequencer: Sequencer::new(helpers, patience, || LaneTask::blank(lane)),
            policy,
            worth: Worth::new(),
        }
    }

    /// Moves what is done, and the backlog's first burst. `came`: how many frames came in this turn.
    /// Returns how many were moved, or are under way: 0 is a turn with nothing to do.
    pub(in crate::worker) fn turn<Say: FnMut(LaneReport)>(
        &mut self,
        backlog: &mut Backlog,
        came: usize,
        bench: &mut Bench<'_, Say>,
    ) -> usize {
        let now = dpdk::tsc();
        let under_way = usize::from(!self.sequencer.is_idle());
        self.take_late(now, bench);
        self.bring_home(false, now, bench);
        let Some(burst) = backlog.first() else {
            self.worth.pause();
            self.bring_home(came == 0, now, bench);
            return under_way;
        };
        let frames = burst.len();
        let Some(mut task) = self.sequencer.blank() else {
            self.bring_home(true, now, bench);
            return frames;
        };
        std::mem::swap(task.burst_mut(), burst);
        backlog.done();
        task.prepare(bench.lane, &mut bench.say);
        let help = self.wants_help(bench.lane, &task, now);
        self.sequencer.give(task, help, now);
        if !help {
            self.bring_home(false, now, bench);
        }
        frames
    }

    /// Waits until nothing is under way: for as long as helpers work or are waited for, which is bounded.
    /// From then on no task holds a key beside its SA.
    pub(in crate::worker) fn drain<Say: FnMut(LaneReport)>(&mut self, bench: &mut Bench<'_, Say>) {
        while !self.sequencer.is_idle() {
            self.bring_home(true, dpdk::tsc(), bench);
            std::hint::spin_loop();
        }
        self.take_late(dpdk::tsc(), bench);
        self.sequencer.each_blank().for_each(LaneTask::forget_keys);
    }

    /// Clear frames end with the first valid protected one only while bursts don't overlap, so a link gets
    /// help once it is secured.
    fn wants_help(&mut self, lane: &Lane, task: &LaneTask, now: u64) -> bool {
        let frames = task.protected();
        let enough = match self.policy {
            HelpPolicy::Always => return frames > 0 && lane.is_secured(),
            HelpPolicy::Load if self.sequencer.is_idle() => BEHIND,
            HelpPolicy::Load => STILL_BEHIND,
        };
        if !lane.is_secured() || frames < enough {
            self.worth.pause();
            return false;
        }
        let counters = lane.counters();
        let (frames, octets) = (counters.frames_in.value(), counters.octets_in.value());
        self.worth.next(frames, octets, now)
    }

    fn bring_home<Say: FnMut(LaneReport)>(
        &mut self,
        free: bool,
        now: u64,
        bench: &mut Bench<'_, Say>,
    ) {
        while let Some(home) = self.sequencer.home(free, now) {
            match home {
                Home::Done(mut task) => {
                    let onward = task.finish(bench.lane, &mut bench.say);
                    let burst = task.burst_mut();
                    keep(burst, onward);
                    bench.outlet.transmit(burst);
                    self.sequencer.put_back(task);
                }
                Home::GivenUp(frames) => bench
                    .lane
                    .counters()
                    .dropped(DropReason::HelperStalled)
                    .add(frames as u64),
            }
        }
    }

    fn take_late<Say: FnMut(LaneReport)>(&mut self, now: u64, bench: &mut Bench<'_, Say>) {
        while let Some(mut late) = self.sequencer.late(now) {
            late.void(&mut bench.say);
            self.sequencer.put_back(late);
        }
    }
}
