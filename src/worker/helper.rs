//! A crypto helper: a pinned thread that does the engine's work for one lane, and nothing else.
//!
//! It touches no port, numbers no frame and keeps nothing of a burst that it gave back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    idle::{Idle, IdlePolicy},
    sequencer::{LaneTask, Task as _},
};
use crate::bus::{Taker, WorkerCounters};

/// A crypto helper, ready to be launched on its lcore.
#[derive(Debug)]
pub struct Helper {
    pub(super) taker: Taker<LaneTask>,
    counters: Arc<WorkerCounters>,
    idle: IdlePolicy,
    stop: Arc<AtomicBool>,
}

impl Helper {
    pub(super) fn new(
        taker: Taker<LaneTask>,
        counters: Arc<WorkerCounters>,
        idle: IdlePolicy,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            taker,
            counters,
            idle,
            stop,
        }
    }

    /// Works until told to stop. What it has begun it gives back first; what it has not its lane takes
    /// back.
    pub fn run(self) -> i32 {
        let Self {
            mut taker,
            counters,
            idle,
            stop,
        } = self;
        let mut idle = Idle::new(idle);
        let mut before = dpdk::tsc();
        while !stop.load(Ordering::Relaxed) {
            counters.polls.add(1);
            let taken = taker.take();
            let works = taken.is_some();
            if let Some(mut taken) = taken {
                taken.work.work();
                taker.done(taken);
                idle.busy();
            } else {
                counters.empty_polls.add(1);
                if idle.empty() {
                    counters.sleeps.add(1);
                }
            }
            let now = dpdk::tsc();
            let cycles = now.wrapping_sub(before);
            if works {
                &counters.busy_cycles
            } else {
                &counters.idle_cycles
            }
            .add(cycles);
            before = now;
        }
        0
    }
}
