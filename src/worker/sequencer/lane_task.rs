//! A burst of a lane with everything that its three pieces need, so that the middle one can be done
//! anywhere.

use arrayvec::ArrayVec;
use dpdk::{Burst, PackedBurst, PackedFrame};

use super::Task;
use crate::{
    bus::{LaneReport, LateKey},
    macsec::{FrameBuf, FrameSet},
    pipeline::{ProtectJob, ValidateJob},
    worker::runner::Lane,
};

/// A burst between the ports. Made once and used again.
#[derive(Debug)]
pub(in crate::worker) struct LaneTask {
    burst: PackedBurst,
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
            burst: PackedBurst::new(),
            job: match lane {
                Lane::Protect(_) => Job::Protect(ProtectJob::default()),
                Lane::Validate(_) => Job::Validate(ValidateJob::default()),
            },
        }
    }

    /// The frames.
    pub(super) fn burst_mut(&mut self) -> &mut Burst {
        self.burst.unpacked()
    }

    /// The first piece, and the keys for the second.
    pub(super) fn prepare(&mut self, lane: &mut Lane, say: &mut impl FnMut(LaneReport)) {
        let frames = self.burst.unpacked().as_mut_slice();
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
            (Lane::Protect(_) | Lane::Validate(_), _) => self.burst.unpacked().clear(),
        }
    }

    /// The last piece: which frames go on.
    pub(super) fn finish(&mut self, lane: &mut Lane, say: &mut impl FnMut(LaneReport)) -> FrameSet {
        let frames = self.burst.unpacked().as_mut_slice();
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
        self.burst.unpacked().clear();
        let mut take = || match &mut self.job {
            Job::Protect(job) => job.take_key(),
            Job::Validate(job) => job.take_key(),
        };
        while let Some(key) = take() {
            say(LaneReport::LateKey(LateKey(key)));
        }
    }
}

impl Job {
    fn run<B: FrameBuf>(&mut self, frames: &mut [B]) {
        match self {
            Self::Protect(job) => job.run(frames),
            Self::Validate(job) => job.run(frames),
        }
    }
}

impl Task for LaneTask {
    fn pack(&mut self) {
        self.burst.pack();
    }

    fn work(&mut self) {
        if self.burst.is_packed() {
            let mut frames: ArrayVec<PackedFrame<'_>, { Burst::CAPACITY }> =
                self.burst.frames().collect();
            self.job.run(&mut frames);
        } else {
            self.job.run(self.burst.unpacked().as_mut_slice());
        }
    }

    fn frames(&self) -> usize {
        match &self.job {
            Job::Protect(job) => job.undecided() as usize,
            Job::Validate(job) => job.undecided() as usize,
        }
    }
}
