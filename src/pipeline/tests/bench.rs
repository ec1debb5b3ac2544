//! A protect lane and the validate lane that faces it, and everything that they said.

use alloc::sync::Arc;

use super::frames::{SOURCE, VecFrame};
use crate::{
    bus::{
        Bypass, BypassEntry, Direction, EapolFilter, EapolSlots, LaneCommand, LaneCounters,
        LaneMode, LaneReport,
    },
    crypto::{KeyFactory, SaKey, Sak, engine::RingEngine},
    ieee::{An, CipherSuite, Ckn, EtherType, KeyIdentifier, MacAddr, Pn, Sci},
    macsec::{
        Confidentiality, FrameBuf, FrameSet, Replay, RxParams, RxSa, RxSaParams, RxSaShared,
        RxSecy, SectagSci, TxCounters, TxParams, TxSa, TxSaParams, TxSaShared, TxSecy,
        ValidateFrames, Verdicts,
    },
    pipeline::{ProtectLane, ProtectSetup, ValidateLane, ValidateSetup},
};

pub(super) const MTU: usize = 1500;
pub(super) const SCI: Sci = Sci::new(MacAddr(SOURCE), 1);
pub(super) const OTHER_SCI: Sci = Sci::new(MacAddr(SOURCE), 9);
/// Whence our own MKPDUs come.
pub(super) const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 0xee]);
/// Passes in clear both ways.
pub(super) const BYPASSED: u16 = 0x9000;
/// Passes in clear from the plain side only.
pub(super) const BYPASSED_OUT: u16 = 0x9001;

const SUITE: CipherSuite = CipherSuite::GcmAes128;
const DEPTH: usize = 64;

pub(super) fn an(value: u8) -> An {
    An::new(value).unwrap()
}

pub(super) fn ki(value: u8) -> KeyIdentifier {
    KeyIdentifier([value; 16])
}

pub(super) fn key(value: u8) -> SaKey {
    let sak = Sak::take(&mut [value; 16]).unwrap();
    RingEngine.make_key(&sak).unwrap()
}

/// The transmit SA of AN and key number `number`.
pub(super) fn tx_sa(number: u8, key: SaKey, sci: Sci) -> Box<TxSa> {
    let params = TxSaParams {
        an: an(number),
        ki: ki(number),
        suite: SUITE,
        key,
        sci,
        xpn: None,
        confidentiality: Confidentiality::Offset0,
        next_pn: Pn::FIRST,
        shared: TxSaShared::new(Pn(1 << 20)),
    };
    Box::new(TxSa::new(params).unwrap())
}

/// The receive SA of AN and key number `number`.
pub(super) fn rx_sa(number: u8, key: SaKey, sci: Sci) -> Box<RxSa> {
    let params = RxSaParams {
        an: an(number),
        ki: ki(number),
        suite: SUITE,
        key,
        sci,
        xpn: None,
        confidentiality: Confidentiality::Offset0,
        lowest_pn: Pn::FIRST,
        duplicate_depth: DEPTH,
        shared: RxSaShared::new(),
    };
    Box::new(RxSa::new(params).unwrap())
}

/// A filter of these CKNs, with the peer's address live.
pub(super) fn filter(ckns: &[&[u8]]) -> Box<EapolFilter> {
    Box::new(EapolFilter {
        ethertype: EtherType::EAPOL,
        own: OWN,
        ckns: ckns.iter().map(|ckn| Ckn::new(ckn).unwrap()).collect(),
        live: vec![MacAddr(SOURCE)],
    })
}

fn bypass() -> Box<Bypass> {
    let entry = |ethertype, direction| BypassEntry {
        ethertype: EtherType(ethertype),
        direction,
    };
    Box::new(Bypass(vec![
        entry(BYPASSED, None),
        entry(BYPASSED_OUT, Some(Direction::Protect)),
    ]))
}

fn tx_secy() -> TxSecy {
    TxSecy::new(TxParams {
        sci: SCI,
        sectag_sci: SectagSci::Explicit,
        clear_vlan_tags: 0,
        mtu: MTU,
    })
}

fn protect_lane() -> (ProtectLane, Arc<TxCounters>) {
    let secy = tx_secy();
    let counters = secy.counters();
    let lane = ProtectLane::new(ProtectSetup {
        secy,
        bypass: bypass(),
        counters: Arc::new(LaneCounters::default()),
    });
    (lane, counters)
}

fn validate_lane(eapol: &Arc<EapolSlots>) -> ValidateLane {
    let mut secy = RxSecy::new(RxParams {
        validate: ValidateFrames::Strict,
        replay: Replay::Strict,
        duplicate_depth: DEPTH,
        clear_vlan_tags: 0,
        mtu: MTU,
    });
    secy.add_sc(SCI);
    ValidateLane::new(ValidateSetup {
        secy,
        clear_vlan_tags: 0,
        bypass: bypass(),
        eapol: Arc::clone(eapol),
        counters: Arc::new(LaneCounters::default()),
    })
}

/// A lane of either direction, for tests that hold for both.
#[derive(Debug)]
pub(super) enum AnyLane {
    Protect(ProtectLane),
    Validate(ValidateLane),
}

/// A lane with what it said.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) lane: AnyLane,
    pub(super) said: Vec<LaneReport>,
    pub(super) tx_counters: Arc<TxCounters>,
    pub(super) eapol: Arc<EapolSlots>,
}

impl Bench {
    /// A closed lane without SAs.
    pub(super) fn bare(direction: Direction) -> Self {
        let eapol = Arc::new(EapolSlots::default());
        let (protect, tx_counters) = protect_lane();
        let lane = match direction {
            Direction::Protect => AnyLane::Protect(protect),
            Direction::Validate => AnyLane::Validate(validate_lane(&eapol)),
        };
        Self {
            lane,
            said: Vec::new(),
            tx_counters,
            eapol,
        }
    }

    /// A lane with the SA of key number 1 in use, in `mode`.
    pub(super) fn keyed(direction: Direction, mode: LaneMode) -> Self {
        let mut bench = Self::bare(direction);
        match direction {
            Direction::Protect => {
                bench.command(LaneCommand::InstallTxSa(tx_sa(1, key(1), SCI)));
                bench.command(LaneCommand::EncodeWith(an(1), ki(1)));
            }
            Direction::Validate => {
                bench.command(LaneCommand::InstallRxSa(SCI, rx_sa(1, key(1), SCI)));
            }
        }
        bench.command(LaneCommand::Mode(mode));
        bench.said.clear();
        bench
    }

    pub(super) fn command(&mut self, command: LaneCommand) -> Option<LaneCommand> {
        let said = &mut self.said;
        let mut say = |report| said.push(report);
        match &mut self.lane {
            AnyLane::Protect(lane) => lane.command(command, &mut say),
            AnyLane::Validate(lane) => lane.command(command, &mut say),
        }
    }

    /// One burst. After it the lane's books must balance.
    pub(super) fn burst(&mut self, frames: &mut [VecFrame]) -> FrameSet {
        let before = self.counters().frames_in.value();
        let booked = self.booked();
        let said = &mut self.said;
        let mut say = |report| said.push(report);
        let onward = match &mut self.lane {
            AnyLane::Protect(lane) => lane.process(frames, &mut say),
            AnyLane::Validate(lane) => lane.process(frames, &mut say),
        };
        let (came, ended) = (
            self.counters().frames_in.value() - before,
            self.booked() - booked,
        );
        assert_eq!(came, frames.len() as u64);
        assert_eq!(came, u64::from(onward.len()) + ended, "{onward:?}");
        onward
    }

    /// One frame: what goes on of it, if it does.
    pub(super) fn one(&mut self, frame: VecFrame) -> Option<Vec<u8>> {
        let mut frames = [frame];
        let onward = self.burst(&mut frames);
        onward.contains(0).then(|| frames[0].octets().to_vec())
    }

    pub(super) fn counters(&self) -> &LaneCounters {
        match &self.lane {
            AnyLane::Protect(lane) => lane.counters(),
            AnyLane::Validate(lane) => lane.counters(),
        }
    }

    /// Frames that ended in the lane.
    fn booked(&self) -> u64 {
        self.counters().dropped_total() + self.counters().to_control.value()
    }
}

/// A source of frames protected with key number 1, in the order of their packet numbers.
#[derive(Debug)]
pub(super) struct Peer(Bench);

impl Peer {
    pub(super) fn new() -> Self {
        Self(Bench::keyed(Direction::Protect, LaneMode::Secured))
    }

    pub(super) fn protected(&mut self, plain: &[u8]) -> Vec<u8> {
        self.0.one(VecFrame::new(plain)).unwrap()
    }

    /// A protected pause frame, which no lane of ours sends: the SecY alone makes it.
    pub(super) fn pause() -> Vec<u8> {
        let mut secy = tx_secy();
        assert!(secy.install_sa(tx_sa(1, key(1), SCI)).is_none());
        assert!(secy.encode_with(an(1), ki(1)));
        let mut frames = [VecFrame::new(&super::frames::frame(&[0x8808], 60))];
        let mut verdicts = Verdicts::new();
        secy.protect_burst(&mut frames, FrameSet::first(1), &mut verdicts);
        assert!(verdicts.passed().contains(0));
        frames[0].octets().to_vec()
    }
}
