//! The protect lane: plain to secure.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use super::{
    Piece,
    ethernet::outer_ethertype,
    fate::{Admitted, Fates, ahead, settle},
};
use crate::{
    bus::{Bypass, Direction, DropReason, LaneCommand, LaneCounters, LaneMode, LaneReport},
    crypto::SaKey,
    ieee::EtherType,
    macsec::{FrameBuf, FrameSet, Reject, SealBurst, SealPlans, TxSecy, Verdicts, longest_frame},
};

/// What a protect lane is made of.
#[derive(Debug)]
pub struct ProtectSetup {
    /// The transmit half of the link's SecY.
    pub secy: TxSecy,
    /// What passes in clear.
    pub bypass: Box<Bypass>,
    /// The lane's counters.
    pub counters: Arc<LaneCounters>,
}

/// A protect lane. It starts closed.
#[derive(Debug)]
pub struct ProtectLane {
    setup: ProtectSetup,
    mode: LaneMode,
    kay_ethertype: EtherType,
    verdicts: Verdicts,
    too_long_said: bool,
    /// Of bursts that are dealt with at once.
    job: Option<Box<ProtectJob>>,
}

/// A burst of a protect lane between its first piece and its last. It goes with its frames, from thread
/// to thread; made once and used again. Any number of bursts may be under way.
#[derive(Default)]
pub struct ProtectJob {
    onward: FrameSet,
    /// What MACsec decides over.
    macsec: FrameSet,
    plans: SealPlans,
    key: Option<SaKey>,
}

impl ProtectJob {
    /// The second piece: seals the frames with the key that was lent. The one piece that costs much.
    pub fn run<B: FrameBuf>(&mut self, frames: &mut [B]) {
        if let Some(key) = &self.key {
            self.plans.seal(&**key, frames);
        }
    }

    /// Lets go of the key that was lent: a retired one is wiped where its last reference ends.
    pub fn forget_keys(&mut self) {
        self.key = None;
    }

    /// Takes the key that was lent out of a burst that nobody waits for any more, to be sent home.
    pub fn take_key(&mut self) -> Option<SaKey> {
        self.key.take()
    }

    /// How many frames of a prepared burst are to be sealed.
    #[must_use]
    pub const fn protected(&self) -> u32 {
        self.plans.frames().len()
    }

    /// How many frames of a prepared burst are in no count yet but that of those that came in.
    #[must_use]
    pub const fn undecided(&self) -> u32 {
        self.onward.len()
    }
}

/// Puts `key` into its place, unless it is there.
pub(super) fn lend(place: &mut Option<SaKey>, key: Option<&SaKey>) {
    let same = match (&*place, key) {
        (Some(lent), Some(key)) => Arc::ptr_eq(lent, key),
        (None, None) => true,
        _ => false,
    };
    if !same {
        *place = key.cloned();
    }
}

impl fmt::Debug for ProtectJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectJob")
            .field("onward", &self.onward)
            .field("sa", &self.plans.sa())
            .finish_non_exhaustive()
    }
}

impl ProtectLane {
    /// A closed lane.
    pub fn new(setup: ProtectSetup) -> Self {
        Self {
            setup,
            mode: LaneMode::Closed,
            kay_ethertype: EtherType::EAPOL,
            verdicts: Verdicts::default(),
            too_long_said: false,
            job: Some(Box::default()),
        }
    }

    /// The lane's counters.
    pub fn counters(&self) -> &LaneCounters {
        &self.setup.counters
    }

    /// Whether nothing leaves but what is protected, and what the bypass list lets through.
    pub fn is_secured(&self) -> bool {
        self.mode == LaneMode::Secured
    }

    /// Whether EAPOL of our own may leave by the secure port.
    pub fn sends_eapol(&self) -> bool {
        self.mode != LaneMode::Wire
    }

    /// Carries a command out, and says so. Commands that are a validate lane's or the port's come back.
    pub fn command(
        &mut self,
        command: LaneCommand,
        say: &mut impl FnMut(LaneReport),
    ) -> Option<LaneCommand> {
        match command {
            LaneCommand::Mode(mode) => {
                self.mode = mode;
                say(LaneReport::Mode(mode));
            }
            // Another channel's SA is never installed: it would come back and must not be called so.
            LaneCommand::InstallTxSa(sa) if sa.sci() != self.setup.secy.params().sci => {
                say(LaneReport::TxSaRetired(sa));
            }
            LaneCommand::InstallTxSa(sa) => {
                let (an, ki) = (sa.an(), sa.ki());
                if let Some(retired) = self.setup.secy.install_sa(sa) {
                    say(LaneReport::TxSaRetired(retired));
                }
                say(LaneReport::TxSaInstalled(an, ki));
            }
            LaneCommand::EncodeWith(an, ki) => {
                let encodes = self.setup.secy.encode_with(an, ki);
                say(if encodes {
                    LaneReport::Encoding(an, ki)
                } else {
                    LaneReport::NoSuchTxSa(an, ki)
                });
            }
            LaneCommand::RetireTxSa(an, ki) => {
                say(self
                    .setup
                    .secy
                    .retire_sa(an, ki)
                    .map_or(LaneReport::NoSuchTxSa(an, ki), LaneReport::TxSaRetired));
            }
            LaneCommand::KayEtherType(ethertype) => self.kay_ethertype = ethertype,
            LaneCommand::Bypass(bypass) => {
                say(LaneReport::BypassReplaced(core::mem::replace(
                    &mut self.setup.bypass,
                    bypass,
                )));
            }
            other => return Some(other),
        }
        None
    }

    /// Decides over a burst of at most 64 frames, protects what is to be protected, and returns the
    /// frames that leave by the secure port. All others are counted under their reason.
    pub fn process<B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        say: &mut impl FnMut(LaneReport),
    ) -> FrameSet {
        self.process_in_pieces(frames, say, &mut |_| ())
    }

    /// As [`Self::process`], and says when each piece is done.
    pub fn process_in_pieces<B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        say: &mut impl FnMut(LaneReport),
        done: &mut impl FnMut(Piece),
    ) -> FrameSet {
        // Always there: it is put back below.
        let mut job = self.job.take().unwrap_or_default();
        let too_long = self.classify(frames, &mut job);
        done(Piece::Classify);
        let mut burst = SealBurst::new();
        self.lay_out(&mut job, |secy, todo, plans, verdicts| {
            secy.prepare_at_once(frames, todo, plans, verdicts, &mut burst);
        });
        done(Piece::Prepare);
        if let Some(key) = self.setup.secy.key(&job.plans) {
            burst.seal(&**key, &mut job.plans);
        }
        drop(burst);
        done(Piece::Crypto);
        self.note_too_long(frames, too_long, &job, say);
        let onward = self.finish(frames, &mut job);
        self.job = Some(job);
        done(Piece::Finish);
        onward
    }

    /// The first piece: decides over a burst of at most 64 frames, numbers what is to be protected and
    /// counts what ends here. Bursts are numbered in the order in which they are prepared.
    pub fn prepare<B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        job: &mut ProtectJob,
        say: &mut impl FnMut(LaneReport),
    ) {
        let too_long = self.classify(frames, job);
        self.lay_out(job, |secy, todo, plans, verdicts| {
            secy.prepare(frames, todo, plans, verdicts);
        });
        self.note_too_long(frames, too_long, job, say);
    }

    /// Decides by each frame's outside, and names those that are too long.
    fn classify<B: FrameBuf>(&self, frames: &[B], job: &mut ProtectJob) -> FrameSet {
        let mut fates = Fates::of(frames, &self.setup.counters);
        let mut too_long = FrameSet::default();
        // Then all that matters of a frame is that it is whole and no pause frame.
        let protects_all = matches!(self.mode, LaneMode::SecuredAcceptClear | LaneMode::Secured)
            && self.setup.bypass.0.is_empty();
        for (at, frame) in ahead(frames).enumerate() {
            let octets = frame.octets();
            fates.octets += octets.len() as u64;
            if protects_all
                && frame.is_contiguous()
                && outer_ethertype(octets)
                    .is_some_and(|ethertype| ethertype != EtherType::MAC_CONTROL)
            {
                fates.macsec.insert(at);
                continue;
            }
            let admitted = self.admit(frame);
            if admitted == Err(DropReason::TooLong) {
                too_long.insert(at);
            }
            fates.take(at, admitted);
        }
        fates.count();
        (job.onward, job.macsec) = (fates.onward, fates.macsec);
        too_long
    }

    /// Has `prepare` number what is to be protected, and counts what is not.
    fn lay_out(
        &mut self,
        job: &mut ProtectJob,
        prepare: impl FnOnce(&mut TxSecy, FrameSet, &mut SealPlans, &mut Verdicts),
    ) {
        if job.macsec.is_empty() {
            job.plans.clear();
            return;
        }
        let verdicts = &mut self.verdicts;
        prepare(&mut self.setup.secy, job.macsec, &mut job.plans, verdicts);
        settle(verdicts, job.macsec, &mut job.onward, &self.setup.counters);
    }

    /// Says how long the first frame was that is too long, once.
    fn note_too_long<B: FrameBuf>(
        &mut self,
        frames: &[B],
        mut too_long: FrameSet,
        job: &ProtectJob,
        say: &mut impl FnMut(LaneReport),
    ) {
        if self.too_long_said {
            return;
        }
        let verdicts = &self.verdicts;
        let rejected = verdicts.rejected().intersection(job.macsec).iter();
        rejected
            .filter(|at| verdicts.reject_of(*at) == Some(Reject::TooLong))
            .for_each(|at| too_long.insert(at));
        let first = too_long.into_iter().next();
        if let Some(frame) = first.and_then(|at| frames.get(at)) {
            self.too_long_said = true;
            say(LaneReport::TooLong(frame.octets().len()));
        }
    }

    /// Gives a prepared burst the key that it needs, so that [`ProtectJob::run`] can do the second piece
    /// anywhere, also after the SA was retired. The job keeps it until it is lent another or told to
    /// forget it, so that bursts under one key cost no reference count.
    pub fn lend_keys(&self, job: &mut ProtectJob) {
        if !job.plans.frames().is_empty() {
            lend(&mut job.key, self.setup.secy.key(&job.plans));
        }
    }

    /// The last piece, in the order of the first: returns the frames that leave by the secure port, which
    /// are no frames that should have been sealed and were not.
    pub fn finish<B: FrameBuf>(&mut self, frames: &mut [B], job: &mut ProtectJob) -> FrameSet {
        self.setup.secy.finish(frames, &job.plans);
        let missing = job.plans.frames().minus(job.plans.sealed());
        if missing.is_empty() {
            return job.onward;
        }
        // Whoever should have sealed them did not: nothing leaves in clear for that.
        let dropped = self
            .setup
            .counters
            .dropped(DropReason::Macsec(Reject::NoTxSa));
        dropped.add(u64::from(missing.len()));
        job.onward.minus(missing)
    }

    /// Where a frame goes by its outside and the lane's mode.
    fn admit<B: FrameBuf>(&self, frame: &B) -> Result<Admitted, DropReason> {
        if !frame.is_contiguous() {
            return Err(DropReason::Chained);
        }
        let octets = frame.octets();
        let ethertype = outer_ethertype(octets).ok_or(DropReason::Runt)?;
        if ethertype == EtherType::MAC_CONTROL {
            return Err(DropReason::MacControl);
        }
        let admitted = match self.mode {
            LaneMode::Closed => return Err(DropReason::Closed),
            LaneMode::Wire => Admitted::Wire,
            LaneMode::Clear if self.is_key_agreement(ethertype) => {
                return Err(DropReason::EapolFromPlain);
            }
            LaneMode::Clear => Admitted::Clear,
            LaneMode::SecuredAcceptClear | LaneMode::Secured => {
                if self.setup.bypass.covers(ethertype, Direction::Protect)
                    && !self.is_key_agreement(ethertype)
                {
                    Admitted::Bypass
                } else {
                    return Ok(Admitted::Macsec);
                }
            }
        };
        if octets.len() > longest_frame(octets, self.setup.secy.params().mtu) {
            return Err(DropReason::TooLong);
        }
        Ok(admitted)
    }

    fn is_key_agreement(&self, ethertype: EtherType) -> bool {
        ethertype == EtherType::EAPOL || ethertype == self.kay_ethertype
    }
}
