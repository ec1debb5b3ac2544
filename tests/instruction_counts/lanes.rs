//! A protect lane and the validate lane that faces it, with a cipher that does nothing: what is counted
//! is the path around the engine.

use std::sync::Arc;

use macsec_gateway::{
    bus::{Bypass, EapolSlots, LaneCommand, LaneCounters, LaneMode},
    crypto::{AeadFrame, AeadKey, Opened, SaKey},
    ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Pn, Salt, Sci, Ssci},
    macsec::{
        Confidentiality, FrameSet, Replay, RxParams, RxSa, RxSaParams, RxSaShared, RxSecy,
        SectagSci, TxParams, TxSa, TxSaParams, TxSaShared, TxSecy, ValidateFrames, XpnParams,
    },
    pipeline::{ProtectLane, ProtectSetup, ValidateLane, ValidateSetup},
};

use crate::vec_frame::VecFrame;

const SCI: Sci = Sci::new(MacAddr([2, 0, 0, 0, 0, 1]), 1);
const SUITE: CipherSuite = CipherSuite::GcmAesXpn256;
const AN: An = An::ALL[0];
const KI: KeyIdentifier = KeyIdentifier([0x11; 16]);
const XPN: XpnParams = XpnParams {
    ssci: Ssci(1),
    salt: Salt([0xE0; 12]),
};

/// Every frame is authentic, and stays as it is.
struct NoCipher;

impl AeadKey for NoCipher {
    fn seal(&self, _: &mut [AeadFrame<'_>]) {}

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        Opened(FrameSet::first(burst.len()).0)
    }
}

pub(crate) struct Bed {
    protect: ProtectLane,
    validate: ValidateLane,
}

impl Bed {
    pub(crate) fn new() -> Self {
        let key: SaKey = Arc::new(NoCipher);
        Self {
            protect: protect_lane(Arc::clone(&key)),
            validate: validate_lane(key),
        }
    }

    /// A burst of `count` frames of 64 octets, through one lane and then the other; `each` is given the
    /// work of each lane.
    pub(crate) fn protect_and_validate(
        &mut self,
        count: usize,
        mut each: impl FnMut(&mut dyn FnMut()),
    ) {
        let mut frames = vec![VecFrame::new(64); count];
        let mut onward = FrameSet::EMPTY;
        each(&mut || onward = self.protect.process(&mut frames, &mut |_| ()));
        assert_eq!(onward, FrameSet::first(count));
        each(&mut || onward = self.validate.process(&mut frames, &mut |_| ()));
        assert_eq!(onward, FrameSet::first(count));
    }
}

fn protect_lane(key: SaKey) -> ProtectLane {
    let secy = TxSecy::new(TxParams {
        sci: SCI,
        sectag_sci: SectagSci::Explicit,
        clear_vlan_tags: 0,
        mtu: 1500,
    });
    let mut lane = ProtectLane::new(ProtectSetup {
        secy,
        bypass: Box::new(Bypass::default()),
        counters: Arc::new(LaneCounters::default()),
    });
    let sa = TxSa::new(TxSaParams {
        an: AN,
        ki: KI,
        suite: SUITE,
        key,
        sci: SCI,
        xpn: Some(XPN),
        confidentiality: Confidentiality::Offset0,
        next_pn: Pn(1),
        shared: TxSaShared::new(Pn(u64::MAX)),
    });
    for command in [
        LaneCommand::InstallTxSa(Box::new(sa.unwrap())),
        LaneCommand::EncodeWith(AN, KI),
        LaneCommand::Mode(LaneMode::Secured),
    ] {
        assert!(lane.command(command, &mut |_| ()).is_none());
    }
    lane
}

fn validate_lane(key: SaKey) -> ValidateLane {
    let mut secy = RxSecy::new(RxParams {
        validate: ValidateFrames::Strict,
        replay: Replay::Window(64),
        duplicate_depth: 4096,
        clear_vlan_tags: 0,
        mtu: 1500,
    });
    secy.add_sc(SCI);
    let mut lane = ValidateLane::new(ValidateSetup {
        secy,
        clear_vlan_tags: 0,
        bypass: Box::new(Bypass::default()),
        eapol: Arc::new(EapolSlots::default()),
        counters: Arc::new(LaneCounters::default()),
    });
    let sa = RxSa::new(RxSaParams {
        an: AN,
        ki: KI,
        suite: SUITE,
        key,
        sci: SCI,
        xpn: Some(XPN),
        confidentiality: Confidentiality::Offset0,
        lowest_pn: Pn(1),
        duplicate_depth: 4096,
        shared: RxSaShared::new(),
    });
    for command in [
        LaneCommand::InstallRxSa(SCI, Box::new(sa.unwrap())),
        LaneCommand::Mode(LaneMode::Secured),
    ] {
        assert!(lane.command(command, &mut |_| ()).is_none());
    }
    lane
}
