//! The protect lane: plain to secure.

use alloc::{boxed::Box, sync::Arc};

use super::{
    ethernet::outer_ethertype,
    fate::{Admitted, Fates},
};
use crate::{
    bus::{Bypass, Direction, DropReason, LaneCommand, LaneCounters, LaneMode, LaneReport},
    ieee::EtherType,
    macsec::{FrameBuf, FrameSet, Reject, TxSecy, Verdicts, longest_frame},
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
        }
    }

    /// The lane's counters.
    pub fn counters(&self) -> &LaneCounters {
        &self.setup.counters
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
        let mut fates = Fates::of(frames, &self.setup.counters);
        let mut too_long = FrameSet::default();
        for (at, frame) in frames.iter().enumerate() {
            let admitted = self.admit(frame);
            if admitted == Err(DropReason::TooLong) {
                too_long.insert(at);
            }
            fates.take(at, admitted);
        }
        if !fates.macsec.is_empty() {
            self.setup
                .secy
                .protect_burst(frames, fates.macsec, &mut self.verdicts);
            fates.settle(&self.verdicts);
        }
        let (onward, macsec) = (fates.onward, fates.macsec);
        if !self.too_long_said {
            let verdicts = &self.verdicts;
            let rejected = verdicts.rejected().intersection(macsec).iter();
            rejected
                .filter(|at| verdicts.reject_of(*at) == Some(Reject::TooLong))
                .for_each(|at| too_long.insert(at));
            self.say_too_long(frames, too_long, say);
        }
        onward
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

    fn say_too_long<B: FrameBuf>(
        &mut self,
        frames: &[B],
        too_long: FrameSet,
        say: &mut impl FnMut(LaneReport),
    ) {
        let first = too_long.into_iter().next();
        if let Some(frame) = first.and_then(|at| frames.get(at)) {
            self.too_long_said = true;
            say(LaneReport::TooLong(frame.octets().len()));
        }
    }
}
