//! A burst of a lane with everything that its three pieces need, so that the middle one can be done
//! anywhere.

use dpdk::Burst;

use super::Task;
use crate::{
    bus::{LaneReport, LateKey},
    macsec::FrameSet,
    pipeline::{ProtectJob, ValidateJob},
    worker::runner::Lane,
};

/// A burst between the ports. Made once and used again.
#[derive(Debug)]
pub(in crate::worker) struct LaneTask {
    burst: Burst,
    job: Job,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "all tasks of a lane are of one kind, and each is behind a box"
)]
enum Job {
    Protect(ProtectJob),
    Validate(ValidateJob),
}

impl LaneTask {
    /// An empty one for `lane`.
    pub(super) fn blank(lane: &Lane) -> Self {
        Self {
            burst: Burst::new(),
            job: match lane {
                Lane::Protect(_) => Job::Protect(ProtectJob::default()),
                Lane::Validate(_) => Job::Validate(ValidateJob::default()),
            },
        }
    }

    /// The frames.
    pub(super) fn burst_mut(&mut self) -> &mut Burst {
        &mut self.burst
    }

    /// The first piece, and the keys for the second.
    pub(super) fn prepare(&mut self, lane: &mut Lane, say: &mut impl FnMut(LaneReport)) {
        let frames = self.burst.as_mut_slice();
        match (lane, &mut self.job) {
            (Lane::Protect(lane), Job::Protect(job)) => {
                lane.prepare(frames, job, say);
                lane.lend_keys(job);
            }
            (Lane::Validate(lane), Job::Validate(job)) => {
                lane.prepare(frames, job);
                lane.lend_keys(job);
            }
            // Tasks are made for their lane.
            (Lane::Protect(_) | Lane::Validate(_), _) => self.burst.clear(),
        }
    }

    /// The last piece: which frames go on.
    pub(super) fn finish(&mut self, lane: &mut Lane, say: &mut impl FnMut(LaneReport)) -> FrameSet {
        let frames = self.burst.as_mut_slice();
        match (lane, &mut self.job) {
            (Lane::Protect(lane), Job::Protect(job)) => lane.finish(frames, job),
            (Lane::Validate(lane), Job::Validate(job)) => lane.finish(frames, job, say),
            (Lane::Protect(_) | Lane::Validate(_), _) => FrameSet::EMPTY,
        }
    }

    /// How many frames the engine has to look at.
    pub(super) fn protected(&self) -> usize {
        match &self.job {
            Job::Protect(job) => job.protected() as usize,
            Job::Validate(job) => job.protected() as usize,
        }
    }

    /// Lets go of keys whose SAs still hold them, so that an SA that goes home takes its key along.
    pub(super) fn forget_keys(&mut self) {
        match &mut self.job {
            Job::Protect(job) => job.forget_keys(),
            Job::Validate(job) => job.forget_keys(),
        }
    }

    /// Ends here: the frames are freed, and keys, whose SAs may be gone, go home to be wiped.
    pub(super) fn void(&mut self, say: &mut impl FnMut(LaneReport)) {
        self.burst.clear();
        let mut take = || match &mut self.job {
            Job::Protect(job) => job.take_key(),
            Job::Validate(job) => job.take_key(),
        };
        while let Some(key) = take() {
            say(LaneReport::LateKey(LateKey(key)));
        }
    }
}

impl Task for LaneTask {
    fn work(&mut self) {
        let frames = self.burst.as_mut_slice();
        match &mut self.job {
            Job::Protect(job) => job.run(frames),
            Job::Validate(job) => job.run(frames),
        }
    }

    fn frames(&self) -> usize {
        match &self.job {
            Job::Protect(job) => job.undecided() as usize,
            Job::Validate(job) => job.undecided() as usize,
        }
    }
}
