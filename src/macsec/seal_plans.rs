//! What is left to do for frames that are laid out and numbered: the work of the engine, which needs
//! the key, the frames and this, and may be done on another thread.

use arrayvec::ArrayVec;

use super::frame::pick;
use super::{FrameBuf, FrameSet};
use crate::crypto::{AeadFrame, AeadKey, BURST_CAPACITY, NONCE_LEN};
use crate::ieee::{An, KeyIdentifier};

/// One frame. Lengths are octets.
#[derive(Clone, Copy, Debug)]
pub(super) struct SealPlan {
    pub(super) nonce: [u8; NONCE_LEN],
    /// Clear tags, which stand ahead of what is authenticated.
    pub(super) clear_len: u32,
    pub(super) aad_len: u32,
    /// From behind the clear tags to the end of the ICV.
    pub(super) len: u32,
}

impl SealPlan {
    const NONE: Self = Self {
        nonce: [0; NONCE_LEN],
        clear_len: 0,
        aad_len: 0,
        len: 0,
    };

    /// What of the frame is from behind its clear tags on, with all room behind it.
    pub(super) fn octets_of<'a>(&self, frame: &'a mut impl FrameBuf) -> &'a mut [u8] {
        frame
            .octets_and_room_mut()
            .get_mut(self.clear_len as usize..)
            .unwrap_or_default()
    }
}

/// The frames of one burst that wait for their seal, all under one SA.
///
/// Made by [`TxSecy::prepare`](super::TxSecy::prepare), carried out by [`SealPlans::seal`] on any
/// thread, and given back to [`TxSecy::finish`](super::TxSecy::finish). It borrows neither frames nor
/// SA. Made once and used again: it allocates nothing.
#[derive(Clone, Debug)]
pub struct SealPlans {
    pub(super) frames: FrameSet,
    /// Those of `frames` that have clear tags.
    pub(super) tagged: FrameSet,
    pub(super) sa: Option<(An, KeyIdentifier)>,
    pub(super) encrypts: bool,
    /// Whether the engine had them. Without, they must not leave.
    sealed: bool,
    /// Octets of user data in all of them.
    pub(super) octets: u64,
    /// By the frame's place in its burst.
    pub(super) plans: [SealPlan; BURST_CAPACITY],
}

impl SealPlans {
    /// Nothing to do.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            frames: FrameSet::EMPTY,
            tagged: FrameSet::EMPTY,
            sa: None,
            encrypts: false,
            sealed: false,
            octets: 0,
            plans: [SealPlan::NONE; BURST_CAPACITY],
        }
    }

    /// Forgets everything.
    pub const fn clear(&mut self) {
        self.frames = FrameSet::EMPTY;
        self.tagged = FrameSet::EMPTY;
        self.sa = None;
        self.sealed = false;
        self.octets = 0;
    }

    /// The frames that are to be sealed.
    #[must_use]
    pub const fn frames(&self) -> FrameSet {
        self.frames
    }

    /// The SA whose numbers they bear. `None`: there is nothing to seal.
    #[must_use]
    pub const fn sa(&self) -> Option<(An, KeyIdentifier)> {
        self.sa
    }

    /// The frames that were sealed: all or none.
    #[must_use]
    pub const fn sealed(&self) -> FrameSet {
        if self.sealed {
            self.frames
        } else {
            FrameSet::EMPTY
        }
    }

    /// Seals the frames with the key of [`Self::sa`], in one call to the engine. `frames` is the burst
    /// that was prepared, each frame in its place.
    pub fn seal<B: FrameBuf>(&mut self, key: &dyn AeadKey, frames: &mut [B]) {
        let mut burst = SealBurst::new();
        for (index, frame) in pick(frames, self.frames) {
            let plan = self.plans[index];
            burst.push(plan, plan.octets_of(frame));
        }
        burst.seal(key, self);
    }
}

impl Default for SealPlans {
    fn default() -> Self {
        Self::new()
    }
}

/// Where frames go that are laid out.
pub(super) trait LaidOut<'a> {
    /// Takes the frame of place `index`: its plan, and its octets from behind its clear tags on with all room
    /// behind them. `plans` are those of the burst.
    fn take(
        &mut self,
        plans: &mut [SealPlan; BURST_CAPACITY],
        index: usize,
        plan: SealPlan,
        octets: &'a mut [u8],
    );
}

/// They are sealed later, perhaps on another thread: what is kept of them is their plan.
pub(super) struct Later;

impl<'a> LaidOut<'a> for Later {
    #[inline]
    fn take(
        &mut self,
        plans: &mut [SealPlan; BURST_CAPACITY],
        index: usize,
        plan: SealPlan,
        _: &'a mut [u8],
    ) {
        if let Some(place) = plans.get_mut(index) {
            *place = plan;
        }
    }
}

/// The frames of one burst as the engine takes them: made while they are laid out where they are to be
/// sealed at once, by [`TxSecy::prepare_at_once`](super::TxSecy::prepare_at_once). On the stack.
#[derive(Debug, Default)]
pub struct SealBurst<'a>(ArrayVec<AeadFrame<'a>, BURST_CAPACITY>);

impl<'a> SealBurst<'a> {
    /// No frame.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self(ArrayVec::new_const())
    }

    #[inline]
    fn push(&mut self, plan: SealPlan, buffer: &'a mut [u8]) {
        // There are no more than places in a burst.
        let _ = self.0.try_push(AeadFrame {
            nonce: plan.nonce,
            aad_len: plan.aad_len as usize,
            len: plan.len as usize,
            buffer,
        });
    }

    /// Seals the frames with the key of `plans`, which were made with this, in one call to the engine.
    pub fn seal(&mut self, key: &dyn AeadKey, plans: &mut SealPlans) {
        if !self.0.is_empty() {
            key.seal(&mut self.0);
        }
        plans.sealed = true;
    }
}

impl<'a> LaidOut<'a> for SealBurst<'a> {
    #[inline]
    fn take(
        &mut self,
        _: &mut [SealPlan; BURST_CAPACITY],
        _: usize,
        plan: SealPlan,
        octets: &'a mut [u8],
    ) {
        self.push(plan, octets);
    }
}
