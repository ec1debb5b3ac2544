//! The validate lane: secure to plain.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use super::{
    Piece,
    eapol::Punt,
    ethernet::{ethertype_behind_tags, outer_ethertype},
    fate::{Admitted, Fates, ahead, settle},
    protect::lend,
};
use crate::{
    bus::{
        Bypass, Direction, DropReason, EapolFilter, EapolSlots, LaneCommand, LaneCounters,
        LaneMode, LaneReport,
    },
    crypto::{BURST_CAPACITY, SaKey},
    ieee::EtherType,
    macsec::{FrameBuf, FrameSet, OpenPlans, RxSecy, Verdicts, longest_frame},
};

/// What a validate lane is made of.
#[derive(Debug)]
pub struct ValidateSetup {
    /// The receive half of the link's SecY.
    pub secy: RxSecy,
    /// Clear VLAN tags that may stand ahead of a SecTAG.
    pub clear_vlan_tags: u8,
    /// What passes in clear.
    pub bypass: Box<Bypass>,
    /// Where EAPOL goes.
    pub eapol: Arc<EapolSlots>,
    /// The lane's counters.
    pub counters: Arc<LaneCounters>,
}

/// A validate lane. It starts closed.
#[derive(Debug)]
pub struct ValidateLane {
    setup: ValidateSetup,
    mode: LaneMode,
    filter: Option<Box<EapolFilter>>,
    /// Of bursts that are dealt with at once.
    job: Option<Box<ValidateJob>>,
}

/// A burst of a validate lane between its first piece and its last. It goes with its frames, from thread
/// to thread; made once and used again. Any number of bursts may be under way.
pub struct ValidateJob {
    onward: FrameSet,
    /// What MACsec decides over.
    macsec: FrameSet,
    plans: OpenPlans,
    verdicts: Verdicts,
    /// In the order of the plans' runs.
    keys: [Option<SaKey>; BURST_CAPACITY],
}

impl ValidateJob {
    /// The second piece: opens the frames with the keys that were lent. The one piece that costs much.
    pub fn run<B: FrameBuf>(&mut self, frames: &mut [B]) {
        let keys = &self.keys;
        self.plans.open(frames, |nth, _| keys.get(nth)?.as_deref());
    }

    /// Lets go of the keys that were lent: a retired one is wiped where its last reference ends.
    pub fn forget_keys(&mut self) {
        self.keys.fill(None);
    }

    /// Takes one of the keys that were lent out of a burst that nobody waits for any more, to be sent home.
    pub fn take_key(&mut self) -> Option<SaKey> {
        self.keys.iter_mut().find_map(Option::take)
    }

    /// How many frames of a prepared burst MACsec has to look at.
    #[must_use]
    pub const fn protected(&self) -> u32 {
        self.macsec.len()
    }

    /// How many frames of a prepared burst are in no count yet but that of those that came in.
    #[must_use]
    pub const fn undecided(&self) -> u32 {
        self.onward.union(self.macsec).len()
    }
}

impl Default for ValidateJob {
    fn default() -> Self {
        Self {
            onward: FrameSet::EMPTY,
            macsec: FrameSet::EMPTY,
            plans: OpenPlans::new(),
            verdicts: Verdicts::new(),
            keys: [const { None }; BURST_CAPACITY],
        }
    }
}

impl fmt::Debug for ValidateJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidateJob")
            .field("onward", &self.onward)
            .field("macsec", &self.macsec)
            .finish_non_exhaustive()
    }
}

impl ValidateLane {
    /// A closed lane.
    pub fn new(setup: ValidateSetup) -> Self {
        Self {
            setup,
            mode: LaneMode::Closed,
            filter: None,
            job: Some(Box::default()),
        }
    }

    /// The lane's counters.
    pub fn counters(&self) -> &LaneCounters {
        &self.setup.counters
    }

    /// Whether nothing passes but what is protected, and what the bypass list lets through.
    pub fn is_secured(&self) -> bool {
        self.mode == LaneMode::Secured
    }

    /// Carries a command out, and says so. Commands that are a protect lane's or the port's come back.
    pub fn command(
        &mut self,
        command: LaneCommand,
        say: &mut impl FnMut(LaneReport),
    ) -> Option<LaneCommand> {
        let secy = &mut self.setup.secy;
        match command {
            LaneCommand::Mode(mode) => {
                self.mode = mode;
                say(LaneReport::Mode(mode));
            }
            LaneCommand::AddRxSc(sci, counters) => {
                say(match secy.add_sc_with(sci, counters) {
                    Ok(()) => LaneReport::RxScAdded(sci),
                    Err(unused) => LaneReport::RxScRefused(sci, unused),
                });
            }
            LaneCommand::RemoveRxSc(sci) => {
                say(secy
                    .take_sc(sci)
                    .map_or(LaneReport::NoSuchRxSc(sci), LaneReport::RxScRemoved));
            }
            LaneCommand::InstallRxSa(sci, sa) => {
                let (an, ki) = (sa.an(), sa.ki());
                match secy.install_sa(sci, sa) {
                    Ok(replaced) => {
                        if let Some(retired) = replaced {
                            say(LaneReport::RxSaRetired(sci, retired));
                        }
                        say(LaneReport::RxSaInstalled(sci, an, ki));
                    }
                    Err(unused) => say(LaneReport::NoSuchSc(sci, unused)),
                }
            }
            LaneCommand::RetireRxSa(sci, an, ki) => {
                say(match secy.retire_sa(sci, an, ki) {
                    Some(retired) => LaneReport::RxSaRetired(sci, retired),
                    None => LaneReport::NoSuchRxSa(sci, an, ki),
                });
            }
            LaneCommand::RaiseLowestPn(sci, an, ki, pn) => {
                say(if secy.raise_lowest_pn(sci, an, ki, pn) {
                    LaneReport::LowestPnRaised(sci, an, ki)
                } else {
                    LaneReport::NoSuchRxSa(sci, an, ki)
                });
            }
            LaneCommand::EapolFilter(filter) => {
                say(LaneReport::EapolFilterReplaced(core::mem::replace(
                    &mut self.filter,
                    filter,
                )));
            }
            LaneCommand::Replay(replay) => secy.set_replay(replay),
            LaneCommand::Validate(validate) => secy.set_validate(validate),
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

    /// Decides over a burst of at most 64 frames, validates what is protected, and returns the frames
    /// that leave by the plain port. All others are counted under their reason.
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
        self.classify(frames, &mut job);
        done(Piece::Classify);
        self.sort_out(frames, &mut job);
        done(Piece::Prepare);
        let secy = &self.setup.secy;
        job.plans
            .open(frames, |_, run| secy.key(run).map(|key| &**key));
        done(Piece::Crypto);
        let onward = self.finish(frames, &mut job, say);
        self.job = Some(job);
        done(Piece::Finish);
        onward
    }

    /// The first piece: decides over a burst of at most 64 frames and finds the SAs of what is protected.
    pub fn prepare<B: FrameBuf>(&mut self, frames: &mut [B], job: &mut ValidateJob) {
        self.classify(frames, job);
        self.sort_out(frames, job);
    }

    /// Decides by each frame's outside.
    fn classify<B: FrameBuf>(&self, frames: &[B], job: &mut ValidateJob) {
        let mut fates = Fates::of(frames, &self.setup.counters);
        let mut punt = Punt::new(self.filter.as_deref(), &self.setup.eapol);
        // Then all that matters of a whole frame is whether it starts with a SecTAG.
        let secured = self.mode == LaneMode::Secured
            && !punt.is_for(EtherType::MACSEC)
            && !self
                .setup
                .bypass
                .covers(EtherType::MACSEC, Direction::Validate);
        for (at, frame) in ahead(frames).enumerate() {
            let octets = frame.octets();
            fates.octets += octets.len() as u64;
            if secured
                && frame.is_contiguous()
                && outer_ethertype(octets) == Some(EtherType::MACSEC)
            {
                fates.macsec.insert(at);
                continue;
            }
            fates.take(at, self.admit(frame, &mut punt));
        }
        fates.count();
        job.onward = fates.onward;
        job.macsec = fates.macsec;
    }

    /// Finds the SAs of what is protected.
    fn sort_out<B: FrameBuf>(&mut self, frames: &mut [B], job: &mut ValidateJob) {
        if job.macsec.is_empty() {
            job.plans.clear();
        } else {
            let secy = &mut self.setup.secy;
            secy.prepare(frames, job.macsec, &mut job.plans, &mut job.verdicts);
        }
    }

    /// Gives a prepared burst the keys that it needs, so that [`ValidateJob::run`] can do the second piece
    /// anywhere, also after their SAs were retired. The job keeps them until it is lent others or told to
    /// forget them, so that bursts under the same keys cost no reference count.
    pub fn lend_keys(&self, job: &mut ValidateJob) {
        let secy = &self.setup.secy;
        for (place, run) in job.keys.iter_mut().zip(job.plans.runs()) {
            lend(place, secy.key(run));
        }
    }

    /// The last piece, in the order of the first: judges, and returns the frames that leave by the plain
    /// port.
    pub fn finish<B: FrameBuf>(
        &mut self,
        frames: &mut [B],
        job: &mut ValidateJob,
        say: &mut impl FnMut(LaneReport),
    ) -> FrameSet {
        let validated = job.macsec;
        let mut onward = job.onward;
        if validated.is_empty() {
            return onward;
        }
        let secy = &mut self.setup.secy;
        secy.finish(frames, &job.plans, &mut job.verdicts);
        settle(&job.verdicts, validated, &mut onward, &self.setup.counters);
        self.note_peer(job.verdicts.passed().intersection(validated), say);
        self.end_inner_control(frames, validated, &mut onward);
        onward
    }

    /// Takes EAPOL out of frames that have to wait for their turn, so that it doesn't, and returns those
    /// that stay. Only what was taken out is counted.
    pub fn look_ahead<B: FrameBuf>(&mut self, frames: &[B]) -> FrameSet {
        let mut stay = FrameSet::first(frames.len());
        if self.mode == LaneMode::Wire {
            return stay;
        }
        let counters = &self.setup.counters;
        let mut punt = Punt::new(self.filter.as_deref(), &self.setup.eapol);
        for (at, frame) in frames.iter().enumerate() {
            let octets = frame.octets();
            let for_control = frame.is_contiguous()
                && outer_ethertype(octets).is_some_and(|ethertype| punt.is_for(ethertype));
            if for_control {
                stay.remove(at);
                counters.frames_in.add(1);
                counters.octets_in.add(octets.len() as u64);
                match punt.copy(octets) {
                    Ok(()) => counters.to_control.add(1),
                    Err(reason) => counters.dropped(reason).add(1),
                }
            }
        }
        stay
    }

    /// Counts frames that can't wait, because as many as may do already.
    pub fn overload<B: FrameBuf>(&self, frames: &[B]) {
        let counters = &self.setup.counters;
        counters.frames_in.add(frames.len() as u64);
        let octets = frames.iter().map(|frame| frame.octets().len() as u64);
        counters.octets_in.add(octets.sum());
        counters
            .dropped(DropReason::Overload)
            .add(frames.len() as u64);
    }

    /// Where a frame goes by its outside and the lane's mode.
    fn admit<B: FrameBuf>(&self, frame: &B, punt: &mut Punt<'_>) -> Result<Admitted, DropReason> {
        if !frame.is_contiguous() {
            return Err(DropReason::Chained);
        }
        let octets = frame.octets();
        let ethertype = outer_ethertype(octets).ok_or(DropReason::Runt)?;
        if ethertype == EtherType::MAC_CONTROL {
            return Err(DropReason::MacControl);
        }
        let admitted = match self.mode {
            LaneMode::Wire => Admitted::Wire,
            _ if punt.is_for(ethertype) => {
                return punt.copy(octets).map(|()| Admitted::Control);
            }
            LaneMode::Closed => return Err(DropReason::Closed),
            LaneMode::Clear | LaneMode::SecuredAcceptClear if !self.is_protected(octets) => {
                Admitted::Clear
            }
            LaneMode::Secured if self.setup.bypass.covers(ethertype, Direction::Validate) => {
                Admitted::Bypass
            }
            LaneMode::Clear | LaneMode::SecuredAcceptClear | LaneMode::Secured => {
                return Ok(Admitted::Macsec);
            }
        };
        if octets.len() > longest_frame(octets, self.setup.secy.params().mtu) {
            return Err(DropReason::TooLong);
        }
        Ok(admitted)
    }

    fn is_protected(&self, octets: &[u8]) -> bool {
        ethertype_behind_tags(octets, self.setup.clear_vlan_tags) == Some(EtherType::MACSEC)
    }

    /// The first valid frame proves that the peer protects: clear is refused from here on.
    fn note_peer(&mut self, passed: FrameSet, say: &mut impl FnMut(LaneReport)) {
        if self.mode == LaneMode::SecuredAcceptClear && !passed.is_empty() {
            self.mode = LaneMode::Secured;
            say(LaneReport::PeerProtects);
        }
    }

    /// Pause frames end at every hop, inside MACsec too.
    fn end_inner_control<B: FrameBuf>(
        &self,
        frames: &[B],
        validated: FrameSet,
        onward: &mut FrameSet,
    ) {
        for at in onward.intersection(validated) {
            let ethertype = frames
                .get(at)
                .and_then(|frame| outer_ethertype(frame.octets()));
            if ethertype == Some(EtherType::MAC_CONTROL) {
                onward.remove(at);
                self.setup.counters.dropped(DropReason::MacControl).add(1);
            }
        }
    }
}
