//! The receive half of a SecY (802.1AE-2018 10.6): any number of channels, and the rules for all.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::{
    FrameBuf, FrameSet, MIN_PLAIN_FRAME, OpenPlans, OpenRun, Replay, RetiredRxSas, RxParams, RxSa,
    RxSc, RxScCounters, RxSecyCounters, ValidateFrames, Verdicts, rx_places::Places, validate,
};
use crate::crypto::SaKey;
use crate::ieee::{An, KeyIdentifier, Pn, Sci};

/// Channels that a SecY has room for.
pub const MAX_RX_SCS: usize = 256;

/// The receive half of a SecY, owned by the worker of a validate lane.
///
/// Installing and retiring an SA allocates and frees nothing: boxes come from control and go back
/// there.
#[derive(Debug)]
pub struct RxSecy {
    pub(super) params: RxParams,
    pub(super) min_plain_frame: usize,
    /// Ascending by SCI.
    pub(super) scs: Vec<RxSc>,
    /// Where each of them is.
    places: Places,
    /// How often channels or SAs came or went: a run of the same number finds its SA where it was.
    pub(super) changes: u64,
    pub(super) counters: Arc<RxSecyCounters>,
    /// Of bursts that are validated at once.
    plans: Option<Box<OpenPlans>>,
}

impl RxSecy {
    /// A half without channels.
    #[must_use]
    pub fn new(params: RxParams) -> Self {
        Self {
            params,
            min_plain_frame: MIN_PLAIN_FRAME,
            scs: Vec::with_capacity(MAX_RX_SCS),
            places: Places::new(),
            changes: 0,
            counters: Arc::default(),
            plans: Some(Box::default()),
        }
    }

    /// Pads delivered frames to `octets` instead of [`MIN_PLAIN_FRAME`]; 0 leaves them as they are,
    /// for media that know shorter frames and for the figures of the standard.
    #[must_use]
    pub const fn with_min_plain_frame(mut self, octets: usize) -> Self {
        self.min_plain_frame = octets;
        self
    }

    /// What it was told last.
    #[must_use]
    pub const fn params(&self) -> &RxParams {
        &self.params
    }

    /// The counters, for any thread to read.
    #[must_use]
    pub fn counters(&self) -> Arc<RxSecyCounters> {
        Arc::clone(&self.counters)
    }

    /// Adds a channel and returns its counters. A channel that exists keeps all that it has. Allocates
    /// the counters, and room beyond [`MAX_RX_SCS`].
    pub fn add_sc(&mut self, sci: Sci) -> Arc<RxScCounters> {
        match self.place_of(sci) {
            Ok(at) => self.scs[at].counters(),
            Err(at) => {
                let counters = Arc::<RxScCounters>::default();
                self.insert(at, RxSc::new(sci, Arc::clone(&counters)));
                counters
            }
        }
    }

    /// Adds a channel that counts on in `counters`, so that none goes down when a channel comes
    /// back. Allocates nothing.
    ///
    /// # Errors
    /// The counters themselves, where the channel exists: it keeps those that it has; and where there
    /// are [`MAX_RX_SCS`] already.
    pub fn add_sc_with(
        &mut self,
        sci: Sci,
        counters: Arc<RxScCounters>,
    ) -> Result<(), Arc<RxScCounters>> {
        match self.place_of(sci) {
            Err(at) if self.scs.len() < MAX_RX_SCS => {
                self.insert(at, RxSc::new(sci, counters));
                Ok(())
            }
            Ok(_) | Err(_) => Err(counters),
        }
    }

    /// Takes a channel out, and its SAs with it. `None`: there is no such channel.
    pub fn take_sc(&mut self, sci: Sci) -> Option<RxSc> {
        let at = self.place_of(sci).ok()?;
        let sc = self.scs.remove(at);
        self.places.set(&self.scs);
        self.changes += 1;
        Some(sc)
    }

    fn insert(&mut self, at: usize, sc: RxSc) {
        self.scs.insert(at, sc);
        self.places.set(&self.scs);
        self.changes += 1;
    }

    /// Removes a channel; its SAs go home. No SAs where there is no such channel.
    pub fn remove_sc(&mut self, sci: Sci) -> RetiredRxSas {
        self.take_sc(sci)
            .map_or([const { None }; An::COUNT], RxSc::into_sas)
    }

    /// Installs an SA under its AN of channel `sci` and returns the one that stood there.
    ///
    /// # Errors
    /// The SA itself, where there is no such channel, the SA is another channel's, or its duplicate
    /// depth is not the SecY's.
    pub fn install_sa(
        &mut self,
        sci: Sci,
        mut sa: Box<RxSa>,
    ) -> Result<Option<Box<RxSa>>, Box<RxSa>> {
        let depth = self.params.duplicate_depth as u64;
        match self.place_of(sci) {
            Ok(at) if sa.sci() == sci && sa.window.depth() == depth => {
                sa.set_replay(self.params.replay);
                sa.publish();
                let an = sa.an();
                self.changes += 1;
                Ok(self.scs[at].sas[an.index()].replace(sa))
            }
            _ => Err(sa),
        }
    }

    /// Takes the SA of `an` out of channel `sci`, if its key is `ki`: a late command can't hit the
    /// next key.
    pub fn retire_sa(&mut self, sci: Sci, an: An, ki: KeyIdentifier) -> Option<Box<RxSa>> {
        let at = self.place_of(sci).ok()?;
        self.changes += 1;
        self.scs[at].retire_sa(an, ki)
    }

    /// Raises the lowest acceptable number of an SA, as MKA's delay protection asks for. `false`:
    /// there is no such SA. A lower number changes nothing.
    pub fn raise_lowest_pn(&mut self, sci: Sci, an: An, ki: KeyIdentifier, pn: Pn) -> bool {
        let sa = self
            .place_of(sci)
            .ok()
            .and_then(|at| self.scs[at].sas[an.index()].as_deref_mut())
            .filter(|sa| sa.ki() == ki);
        let Some(sa) = sa else { return false };
        sa.window.raise_lowest(pn);
        sa.publish();
        true
    }

    /// Changes replay protection for all SAs, those to come too. With XPN a window counts as at most
    /// [`MAX_WINDOW_XPN`](super::MAX_WINDOW_XPN).
    pub fn set_replay(&mut self, replay: Replay) {
        self.params.replay = replay;
        for sa in self
            .scs
            .iter_mut()
            .flat_map(|sc| sc.sas.iter_mut().flatten())
        {
            sa.set_replay(replay);
            sa.publish();
        }
    }

    /// Changes what becomes of frames that are not valid.
    pub const fn set_validate(&mut self, validate: ValidateFrames) {
        self.params.validate = validate;
    }

    /// The channels, ascending by SCI.
    #[must_use]
    pub fn scs(&self) -> &[RxSc] {
        &self.scs
    }

    /// The channel `sci`.
    #[must_use]
    pub fn sc(&self, sci: Sci) -> Option<&RxSc> {
        self.place_of(sci).ok().and_then(|at| self.scs.get(at))
    }

    /// Validates those of `frames` that `todo` names, in their order, and says in `verdicts` what
    /// became of each. What `verdicts` says of other frames stays; frames beyond the burst's
    /// capacity are not looked at. The octets of a rejected frame are unspecified.
    ///
    /// All three pieces on one thread: [`Self::prepare`], [`OpenPlans::open`], [`Self::finish`].
    pub fn validate_burst<B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        todo: FrameSet,
        verdicts: &mut Verdicts,
    ) {
        // Always there: it is put back below.
        let mut plans = self.plans.take().unwrap_or_default();
        self.prepare(frames, todo, &mut plans, verdicts);
        plans.open(frames, |_, run| self.key(run).map(|key| &**key));
        self.finish(frames, &plans, verdicts);
        self.plans = Some(plans);
    }

    /// The first piece of validation: finds each frame's SA and decides over frames that need no key.
    /// `verdicts` is complete after [`Self::finish`]. What `plans` held is forgotten.
    pub fn prepare<B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        todo: FrameSet,
        plans: &mut OpenPlans,
        verdicts: &mut Verdicts,
    ) {
        plans.clear();
        plans.todo = todo.intersection(FrameSet::first(frames.len()));
        verdicts.forget(plans.todo);
        validate::prepare(self, frames, plans, verdicts);
    }

    /// The key of the frames of `run`. A clone of it keeps it usable elsewhere, also after the SA was
    /// retired. `None`: the SA is not there any more.
    #[must_use]
    pub fn key(&self, run: &OpenRun) -> Option<&SaKey> {
        self.sa_of_run(run).map(|sa| &sa.key)
    }

    /// The SA of a run. `None`: it is not there any more.
    #[inline]
    pub(super) fn sa_of_run(&self, run: &OpenRun) -> Option<&RxSa> {
        let sa = self.scs.get(self.place_of_run(run)?)?.sa(run.an)?;
        (run.changes == self.changes || sa.ki() == run.ki).then_some(sa)
    }

    /// The last piece, in the order of the first: judges what was opened, delivers and counts.
    ///
    /// Channels and SAs may have come and gone since: a frame whose SA went is dropped, since nothing
    /// says any more whether its number was used.
    pub fn finish<B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        plans: &OpenPlans,
        verdicts: &mut Verdicts,
    ) {
        validate::finish(self, frames, plans, verdicts);
        self.counters.frames.count(plans.todo, verdicts);
    }

    /// Where the channel of a run is now.
    #[inline]
    pub(super) fn place_of_run(&self, run: &OpenRun) -> Option<usize> {
        if run.changes == self.changes {
            return Some(run.place);
        }
        match self.scs.get(run.place) {
            Some(channel) if channel.sci() == run.sci => Some(run.place),
            _ => self.find(run.sci),
        }
    }

    /// Where the channel is, for each frame.
    #[inline]
    pub(super) fn find(&self, sci: Sci) -> Option<usize> {
        self.places.find(&self.scs, sci)
    }

    /// Where the channel is, or where it would be inserted.
    pub(super) fn place_of(&self, sci: Sci) -> Result<usize, usize> {
        self.scs.binary_search_by_key(&sci, RxSc::sci)
    }
}
