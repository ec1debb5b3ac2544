//! What a lane and its helpers did in a stretch of time, and which stretches count.

use macsec_gateway::worker::HelpPolicy;

/// Windows and rounds of which so many percent are quicker count: others that use the machine make one
/// slower and never quicker.
const PERCENTILE: usize = 10;

/// What happened in a stretch of time. Cycles are those of the time stamp counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) cycles: f64,
    pub(crate) frames: f64,
    /// Of these, frames that helpers sealed.
    pub(crate) helped: f64,
    /// How long helpers were at them, all together.
    pub(crate) helpers_busy: f64,
    /// Helpers' looks for work that found none.
    pub(crate) empty_polls: f64,
    pub(crate) stalls: u64,
}

impl Sample {
    pub(crate) fn per_frame(&self) -> f64 {
        self.cycles / self.frames.max(1.0)
    }

    /// Which part of the frames helpers sealed.
    pub(crate) fn share(&self) -> f64 {
        self.helped / self.frames.max(1.0)
    }
}

/// The counters at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) tsc: u64,
    pub(crate) frames: u64,
    pub(crate) bursts: u64,
    pub(crate) helped: u64,
    pub(crate) busy: u64,
    pub(crate) empty_polls: u64,
    pub(crate) stalls: u64,
}

impl Look {
    pub(crate) fn since(&self, before: &Self) -> Sample {
        let frames = (self.frames - before.frames) as f64;
        // Bursts of these ports are all alike.
        let bursts = (self.bursts - before.bursts).max(1) as f64;
        let share = (self.helped - before.helped) as f64 / bursts;
        Sample {
            cycles: (self.tsc - before.tsc) as f64,
            frames,
            helped: share.min(1.0) * frames,
            helpers_busy: (self.busy - before.busy) as f64,
            empty_polls: (self.empty_polls - before.empty_polls) as f64,
            stalls: self.stalls - before.stalls,
        }
    }
}

/// The window at the percentile, by its cycles per frame. Where helpers are to do everything, of those in
/// which they were there: one that had to leave its CPU does nothing for a while, and its lane does without.
pub(crate) fn quick(mut windows: Vec<Sample>, policy: HelpPolicy) -> Sample {
    if policy == HelpPolicy::Always {
        let most = windows.iter().map(Sample::share).fold(0.0, f64::max);
        windows.retain(|window| 2.0 * window.share() >= most);
    }
    windows.sort_by(|one, other| one.per_frame().total_cmp(&other.per_frame()));
    windows[windows.len() * PERCENTILE / 100]
}
