//! The transmit half of a SecY (802.1AE-2018 10.5): four SAs, of which one protects.

use alloc::{boxed::Box, sync::Arc};

use super::{
    FrameBuf, FrameSet, MIN_PLAIN_FRAME, Reject, SealBurst, SealPlans, TxCounters, TxParams, TxSa,
    Verdicts, protect,
    seal_plans::{LaidOut, Later},
};
use crate::crypto::SaKey;
use crate::ieee::{An, KeyIdentifier};

/// The transmit half of a SecY, owned by the worker of a protect lane.
///
/// Installing, retiring and choosing an SA allocate and free nothing: boxes come from control and go
/// back there.
#[derive(Debug)]
pub struct TxSecy {
    params: TxParams,
    min_plain_frame: usize,
    sas: [Option<Box<TxSa>>; An::COUNT],
    encoding: Option<An>,
    counters: Arc<TxCounters>,
    /// Of bursts that are protected at once.
    plans: Option<Box<SealPlans>>,
}

impl TxSecy {
    /// A half without SAs.
    #[must_use]
    pub fn new(params: TxParams) -> Self {
        Self {
            params,
            min_plain_frame: MIN_PLAIN_FRAME,
            sas: [const { None }; An::COUNT],
            encoding: None,
            counters: Arc::default(),
            plans: Some(Box::default()),
        }
    }

    /// Pads plain frames to `octets` instead of [`MIN_PLAIN_FRAME`]; 0 leaves them as they are, for
    /// media that know shorter frames and for the figures of the standard.
    #[must_use]
    pub const fn with_min_plain_frame(mut self, octets: usize) -> Self {
        self.min_plain_frame = octets;
        self
    }

    /// What it was told.
    #[must_use]
    pub const fn params(&self) -> &TxParams {
        &self.params
    }

    /// The counters, for any thread to read.
    #[must_use]
    pub fn counters(&self) -> Arc<TxCounters> {
        Arc::clone(&self.counters)
    }

    /// Installs an SA under its AN and returns what is not installed any more: the SA that stood
    /// there, which then no longer protects. An SA of another channel than the SecY's is not
    /// installed and comes back itself.
    ///
    /// Whether its key serves another SA already is control's to check.
    pub fn install_sa(&mut self, sa: Box<TxSa>) -> Option<Box<TxSa>> {
        if sa.sci() != self.params.sci {
            return Some(sa);
        }
        let an = sa.an();
        let old = self.sas[an.index()].replace(sa);
        if old.is_some() && self.encoding == Some(an) {
            self.encoding = None;
        }
        old
    }

    /// From the next frame on the SA of `an` and `ki` protects. `false`: there is none, and nothing
    /// changes.
    pub fn encode_with(&mut self, an: An, ki: KeyIdentifier) -> bool {
        let known = self.sa(an).is_some_and(|sa| sa.ki() == ki);
        if known {
            self.encoding = Some(an);
        }
        known
    }

    /// Takes the SA of `an` out, if its key is `ki`: a late command can't hit the next key.
    pub fn retire_sa(&mut self, an: An, ki: KeyIdentifier) -> Option<Box<TxSa>> {
        let retired = self.sas[an.index()].take_if(|sa| sa.ki() == ki);
        if retired.is_some() && self.encoding == Some(an) {
            self.encoding = None;
        }
        retired
    }

    /// The SA that protects.
    #[must_use]
    pub fn encoding(&self) -> Option<(An, KeyIdentifier)> {
        let an = self.encoding?;
        self.sa(an).map(|sa| (an, sa.ki()))
    }

    /// The SA of `an`.
    #[must_use]
    pub fn sa(&self, an: An) -> Option<&TxSa> {
        self.sas[an.index()].as_deref()
    }

    /// Protects those of `frames` that `todo` names, in their order, and says in `verdicts` what
    /// became of each. What `verdicts` says of other frames stays; frames beyond the burst's
    /// capacity are not looked at. The octets of a rejected frame are unspecified.
    ///
    /// All three pieces on one thread: [`Self::prepare_at_once`], [`SealBurst::seal`], [`Self::finish`].
    pub fn protect_burst<B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        todo: FrameSet,
        verdicts: &mut Verdicts,
    ) {
        // Always there: it is put back below.
        let mut plans = self.plans.take().unwrap_or_default();
        let mut burst = SealBurst::new();
        self.prepare_at_once(frames, todo, &mut plans, verdicts, &mut burst);
        if let Some(key) = self.key(&plans) {
            burst.seal(&**key, &mut plans);
        }
        drop(burst);
        self.finish(frames, &plans);
        self.plans = Some(plans);
    }

    /// The first piece of protection: checks, numbers and lays out, and says in `verdicts` which frames
    /// go on once they are sealed. What `plans` held is forgotten.
    ///
    /// Bursts are numbered in the order in which they are prepared.
    pub fn prepare<B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        todo: FrameSet,
        plans: &mut SealPlans,
        verdicts: &mut Verdicts,
    ) {
        self.lay_out(frames, todo, plans, verdicts, &mut Later);
    }

    /// As [`Self::prepare`] for frames that are sealed at once, by [`SealBurst::seal`], and not by
    /// [`SealPlans::seal`]: `burst`, which has no frame, gets them as the engine takes them.
    pub fn prepare_at_once<'a, B: FrameBuf>(
        &mut self,
        frames: &'a mut [B],
        todo: FrameSet,
        plans: &mut SealPlans,
        verdicts: &mut Verdicts,
        burst: &mut SealBurst<'a>,
    ) {
        self.lay_out(frames, todo, plans, verdicts, burst);
    }

    fn lay_out<'a, B: FrameBuf>(
        &mut self,
        frames: &'a mut [B],
        todo: FrameSet,
        plans: &mut SealPlans,
        verdicts: &mut Verdicts,
        laid_out: &mut impl LaidOut<'a>,
    ) {
        let todo = todo.intersection(FrameSet::first(frames.len()));
        verdicts.forget(todo);
        plans.clear();
        let encoding = self
            .encoding
            .and_then(|an| self.sas[an.index()].as_deref_mut());
        match encoding {
            Some(sa) => {
                let shape = protect::Shape::new(&self.params, self.min_plain_frame, sa);
                protect::prepare(sa, &shape, frames, todo, plans, verdicts, laid_out);
            }
            None => todo
                .iter()
                .for_each(|index| verdicts.reject(index, Reject::NoTxSa)),
        }
        let decided = todo.minus(plans.frames);
        if !decided.is_empty() {
            self.counters.count_refused(decided, verdicts);
        }
    }

    /// The key that prepared frames are to be sealed with. A clone of it keeps it usable elsewhere, also
    /// after the SA was retired. `None`: there is nothing to seal.
    #[must_use]
    pub fn key(&self, plans: &SealPlans) -> Option<&SaKey> {
        self.sa_of(plans).map(|sa| &sa.key)
    }

    /// The last piece, in the order of the first: brings sealed frames into the order of the wire and
    /// counts them. The SA may have been retired since. Frames that `plans` does not call
    /// [`sealed`](SealPlans::sealed) count as dropped, and must be.
    pub fn finish<B: FrameBuf>(&mut self, frames: &mut [B], plans: &SealPlans) {
        protect::finish(self.sa_of(plans), &self.counters, frames, plans);
    }

    fn sa_of(&self, plans: &SealPlans) -> Option<&TxSa> {
        let (an, ki) = plans.sa()?;
        self.sa(an).filter(|sa| sa.ki() == ki)
    }
}
