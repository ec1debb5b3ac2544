//! A lane on more cores than one: bursts go out to crypto helpers in order and come home in order.
//!
//! The sequencer is the lane's worker. It alone numbers frames, looks at replay windows and touches the
//! ports; what goes to a helper is a whole burst that is ready for the engine. Bursts leave in the order
//! in which they were given, so nothing needs to be put in order again: a burst that is done early waits.
//!
//! Nothing here waits for a helper that does not come. Work that it has not begun is taken back and done
//! here. Work that it has begun is given up after the lane's patience; the helper then gets nothing more
//! until that work is home, which ends there: its frames never leave.

mod desk;
mod lane_task;
mod relay;
#[cfg(test)]
mod tests;
mod worth;

use std::collections::VecDeque;

use self::desk::Desk;
pub use self::relay::{Crew, HelpPolicy};
pub(super) use self::{
    desk::HelperLink,
    lane_task::LaneTask,
    relay::{Bench, Relay},
};
use crate::bus::HAND_OVER_SLOTS;

/// A burst that is ready to be worked on, by whoever has it.
pub(super) trait Task: Send {
    /// Gets ready to be worked on by another thread.
    fn pack(&mut self);

    /// Does the part that needs nothing but the task itself.
    fn work(&mut self);

    /// How many frames are lost with it if nobody comes back with it.
    fn frames(&self) -> usize;
}

/// Time stamp counter's cycles that decide over helpers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From giving work until it is taken back where nobody has begun.
    pub(super) begin: u64,
    /// From giving work, or from its becoming the oldest, until it is given up where someone has.
    pub(super) finish: u64,
    /// From the late end of given-up work until its helper gets work again.
    pub(super) rest: u64,
}

/// The oldest burst, once its turn has come.
#[derive(Debug)]
pub(super) enum Home<T> {
    /// Worked on: it goes on.
    Done(Box<T>),
    /// So many frames are given up.
    GivenUp(usize),
}

/// Where a burst is that has been given.
#[derive(Debug)]
enum Out<T> {
    /// With a helper, in one of its slots.
    With {
        helper: usize,
        slot: usize,
        since: u64,
        frames: usize,
    },
    /// Done here; it waits for those before it.
    Here(Box<T>),
}

impl<T> Out<T> {
    fn here(self) -> Option<Box<T>> {
        match self {
            Self::Here(task) => Some(task),
            Self::With { .. } => None,
        }
    }
}

/// The bursts of one lane that are under way.
#[derive(Debug)]
pub(super) struct Sequencer<T> {
    desks: Vec<Desk<T>>,
    /// The helper that is asked first.
    turn: usize,
    out: VecDeque<Out<T>>,
    blanks: Vec<Box<T>>,
    patience: Patience,
    /// When the one that is the oldest now became so.
    oldest_since: u64,
}

impl<T: Task> Sequencer<T> {
    /// Tasks that are worked on here, besides those that helpers may have.
    const OWN: usize = 2;

    /// Tasks of a sequencer with so many helpers.
    pub(super) const fn tasks(helpers: usize) -> usize {
        helpers * HAND_OVER_SLOTS + Self::OWN
    }

    /// All tasks are made here, by `blank`; there will never be more.
    pub(super) fn new(
        helpers: Vec<HelperLink<T>>,
        patience: Patience,
        mut blank: impl FnMut() -> T,
    ) -> Self {
        let tasks = Self::tasks(helpers.len());
        Self {
            desks: helpers.into_iter().map(Desk::new).collect(),
            turn: 0,
            out: VecDeque::with_capacity(tasks),
            blanks: (0..tasks).map(|_| Box::new(blank())).collect(),
            patience,
            oldest_since: 0,
        }
    }

    /// Whether no burst is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.out.is_empty()
    }

    /// A task to be filled and given, or put back.
    pub(super) fn blank(&mut self) -> Option<Box<T>> {
        self.blanks.pop()
    }

    /// Puts a task back that has come home or was not needed. It must be void.
    pub(super) fn put_back(&mut self, task: Box<T>) {
        self.blanks.push(task);
    }

    /// Tasks that wait to be filled.
    pub(super) fn each_blank(&mut self) -> impl Iterator<Item = &mut T> {
        self.blanks.iter_mut().map(Box::as_mut)
    }

    /// Puts a task behind all others: with a helper if `help` is wanted and one has room, else done here
    /// at once.
    pub(super) fn give(&mut self, mut task: Box<T>, help: bool, now: u64) {
        if help {
            let frames = task.frames();
            task.pack();
            match self.hand_out(task, now) {
                Ok((helper, slot)) => {
                    self.out.push_back(Out::With {
                        helper,
                        slot,
                        since: now,
                        frames,
                    });
                    return;
                }
                Err(back) => task = back,
            }
        }
        task.work();
        self.out.push_back(Out::Here(task));
    }

    /// Round-robin over the helpers that have room and are not left alone.
    fn hand_out(&mut self, mut task: Box<T>, now: u64) -> Result<(usize, usize), Box<T>> {
        for step in 0..self.desks.len() {
            let helper = (self.turn + step) % self.desks.len();
            let Some(desk) = self.desks.get_mut(helper) else {
                continue;
            };
            match desk.give(task, now) {
                Ok(slot) => {
                    self.turn = (helper + 1) % self.desks.len();
                    return Ok((helper, slot));
                }
                Err(back) => task = back,
            }
        }
        Err(task)
    }

    /// The oldest burst, if it is done or given up. `free`: there is nothing better to do, so that what
    /// nobody has begun is rather done here.
    pub(super) fn home(&mut self, free: bool, now: u64) -> Option<Home<T>> {
        let home = match self.out.front()? {
            Out::Here(_) => {
                let oldest = self.out.pop_front();
                self.oldest_since = now;
                return oldest.and_then(Out::here).map(Home::Done);
            }
            &Out::With {
                helper,
                slot,
                since,
                frames,
            } => {
                let desk = self.desks.get_mut(helper)?;
                if let Some(task) = desk.collect(slot) {
                    Home::Done(task)
                } else {
                    let waited = now.saturating_sub(since.max(self.oldest_since));
                    let late = waited >= self.patience.begin && (free || self.blanks.is_empty());
                    let too_late = waited >= self.patience.finish;
                    if !late && !too_late && !desk.is_stalled() {
                        return None;
                    }
                    if let Some(mut task) = desk.take_back(slot) {
                        task.work();
                        Home::Done(task)
                    } else if too_late {
                        desk.give_up(slot);
                        Home::GivenUp(frames)
                    } else {
                        return None;
                    }
                }
            }
        };
        self.out.pop_front();
        self.oldest_since = now;
        Some(home)
    }

    /// Looks after helpers that were given up on: gives them work again after a rest, and takes in what
    /// one of them brings home late. That must go nowhere; it is to be put back void.
    pub(super) fn late(&mut self, now: u64) -> Option<Box<T>> {
        let rest = self.patience.rest;
        let mut desks = self.desks.iter_mut();
        desks.find_map(|desk| desk.look_after(now, rest))
    }
}
