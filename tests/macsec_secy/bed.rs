//! Two SecYs back to back, and keys that see whether a nonce ever comes twice.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use macsec_gateway::crypto::engine::RingEngine;
use macsec_gateway::crypto::{AeadFrame, AeadKey, KeyFactory, NONCE_LEN, Opened, SaKey, Sak};
use macsec_gateway::ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Pn, Salt, Sci, Ssci};
use macsec_gateway::macsec::{
    Confidentiality, FrameBuf, FrameSet, Reject, Replay, RxParams, RxSa, RxSaParams, RxSaShared,
    RxScCounters, RxSecy, SectagSci, TxParams, TxSa, TxSaParams, TxSaShared, TxSecy,
    ValidateFrames, Verdicts, XpnParams,
};

use crate::frame::VecFrame;
use crate::ledger::Ledger;

pub(crate) const SOURCE: MacAddr = MacAddr([0x02, 0x00, 0x5e, 0x10, 0x00, 0x07]);
pub(crate) const KI: KeyIdentifier = KeyIdentifier([0x11; 16]);
pub(crate) const AN: An = An::ALL[1];
pub(crate) const DEPTH: usize = 128;
/// The link's MTU.
pub(crate) const MTU: usize = 9001;

/// Everything that both ends of a channel agree on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channel {
    pub(crate) suite: CipherSuite,
    pub(crate) confidentiality: Confidentiality,
    pub(crate) sectag_sci: SectagSci,
    pub(crate) clear_vlan_tags: u8,
    pub(crate) validate: ValidateFrames,
    pub(crate) replay: Replay,
    pub(crate) first_pn: u64,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            suite: CipherSuite::GcmAes128,
            confidentiality: Confidentiality::Offset0,
            sectag_sci: SectagSci::Explicit,
            clear_vlan_tags: 0,
            validate: ValidateFrames::Strict,
            replay: Replay::Strict,
            first_pn: 1,
        }
    }
}

impl Channel {
    pub(crate) fn sci(&self) -> Sci {
        let port = match self.sectag_sci {
            SectagSci::Explicit => 0x1234,
            SectagSci::EndStation | SectagSci::None => 1,
            SectagSci::SingleCopyBroadcast => 0,
        };
        Sci::new(SOURCE, port)
    }

    pub(crate) fn xpn(&self) -> Option<XpnParams> {
        self.suite.is_xpn().then_some(XpnParams {
            ssci: Ssci(0x7a30_c118),
            salt: Salt([0x5a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        })
    }

    pub(crate) fn tx_params(&self) -> TxParams {
        TxParams {
            sci: self.sci(),
            sectag_sci: self.sectag_sci,
            clear_vlan_tags: self.clear_vlan_tags,
            mtu: MTU,
        }
    }

    pub(crate) fn rx_params(&self) -> RxParams {
        RxParams {
            validate: self.validate,
            replay: self.replay,
            duplicate_depth: DEPTH,
            clear_vlan_tags: self.clear_vlan_tags,
            mtu: MTU,
        }
    }

    pub(crate) fn tx_sa_params(&self, an: An, ki: KeyIdentifier, key: SaKey) -> TxSaParams {
        TxSaParams {
            an,
            ki,
            suite: self.suite,
            key,
            sci: self.sci(),
            xpn: self.xpn(),
            confidentiality: self.confidentiality,
            next_pn: Pn(self.first_pn),
            shared: TxSaShared::new(Pn(u64::MAX)),
        }
    }

    pub(crate) fn rx_sa_params(&self, an: An, ki: KeyIdentifier, key: SaKey) -> RxSaParams {
        RxSaParams {
            an,
            ki,
            suite: self.suite,
            key,
            sci: self.sci(),
            xpn: self.xpn(),
            confidentiality: self.confidentiality,
            lowest_pn: Pn(self.first_pn),
            duplicate_depth: DEPTH,
            shared: RxSaShared::new(),
        }
    }

    /// A transmit half with one SA that protects.
    pub(crate) fn tx(&self) -> Tx {
        let mut tx = Tx::new(TxSecy::new(self.tx_params()));
        let sa = TxSa::new(self.tx_sa_params(AN, KI, watched(key(self.suite, 0)))).unwrap();
        assert!(tx.secy.install_sa(Box::new(sa)).is_none());
        assert!(tx.secy.encode_with(AN, KI));
        tx
    }

    /// A transmit half with one SA that protects and may use the numbers below `end`.
    pub(crate) fn tx_until(&self, end: Pn) -> TxSecy {
        let mut secy = TxSecy::new(self.tx_params());
        let params = TxSaParams {
            shared: TxSaShared::new(end),
            ..self.tx_sa_params(AN, KI, key(self.suite, 0))
        };
        assert!(
            secy.install_sa(Box::new(TxSa::new(params).unwrap()))
                .is_none()
        );
        assert!(secy.encode_with(AN, KI));
        secy
    }

    /// A receive half with the channel and the one SA.
    pub(crate) fn rx(&self) -> Rx {
        let mut rx = Rx::new(RxSecy::new(self.rx_params()));
        rx.add_sc(self.sci());
        rx.install(RxSa::new(self.rx_sa_params(AN, KI, key(self.suite, 0))).unwrap());
        rx
    }
}

/// A transmit half whose counters are balanced after every burst.
pub(crate) struct Tx {
    pub(crate) secy: TxSecy,
    pub(crate) verdicts: Verdicts,
    ledger: Ledger,
}

impl Tx {
    pub(crate) fn new(secy: TxSecy) -> Self {
        Self {
            secy,
            verdicts: Verdicts::new(),
            ledger: Ledger::default(),
        }
    }

    pub(crate) fn burst(&mut self, frames: &mut [VecFrame]) -> &Verdicts {
        let todo = FrameSet::first(frames.len());
        self.verdicts.clear();
        self.secy.protect_burst(frames, todo, &mut self.verdicts);
        self.ledger
            .balance_tx(&self.secy.counters(), todo, &self.verdicts);
        &self.verdicts
    }

    /// Protects one frame that must pass.
    pub(crate) fn protect(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut frames = [VecFrame::new(plain)];
        let verdicts = self.burst(&mut frames);
        assert_eq!(verdicts.reject_of(0), None);
        frames[0].octets().to_vec()
    }

    /// Protects one frame that must not pass.
    pub(crate) fn refuse(&mut self, frame: VecFrame) -> Reject {
        self.burst(&mut [frame]).reject_of(0).unwrap()
    }

    pub(crate) fn next_pn(&self) -> u64 {
        let (an, _) = self.secy.encoding().unwrap();
        let sa = self.secy.sa(an).unwrap();
        assert_eq!(sa.shared().next_pn(), sa.next_pn());
        sa.next_pn().0
    }
}

/// A receive half whose counters are balanced after every burst.
pub(crate) struct Rx {
    pub(crate) secy: RxSecy,
    pub(crate) verdicts: Verdicts,
    /// Of every channel that there ever was.
    pub(crate) scs: Vec<Arc<RxScCounters>>,
    ledger: Ledger,
}

impl Rx {
    pub(crate) fn new(secy: RxSecy) -> Self {
        Self {
            secy,
            verdicts: Verdicts::new(),
            scs: Vec::new(),
            ledger: Ledger::default(),
        }
    }

    pub(crate) fn add_sc(&mut self, sci: Sci) -> Arc<RxScCounters> {
        let counters = self.secy.add_sc(sci);
        self.scs.push(Arc::clone(&counters));
        counters
    }

    pub(crate) fn install(&mut self, sa: RxSa) -> Option<Box<RxSa>> {
        self.secy.install_sa(sa.sci(), Box::new(sa)).unwrap()
    }

    pub(crate) fn burst(&mut self, frames: &mut [VecFrame]) -> &Verdicts {
        let todo = FrameSet::first(frames.len());
        self.verdicts.clear();
        self.secy.validate_burst(frames, todo, &mut self.verdicts);
        self.ledger
            .balance_rx(&self.secy.counters(), &self.scs, todo, &self.verdicts);
        &self.verdicts
    }

    /// Validates one frame; what is delivered, or why not.
    pub(crate) fn validate(&mut self, secured: &[u8]) -> Result<Vec<u8>, Reject> {
        let mut frames = [VecFrame::new(secured)];
        match self.burst(&mut frames).reject_of(0) {
            None => Ok(frames[0].octets().to_vec()),
            Some(why) => Err(why),
        }
    }
}

/// The SAK number `nth` of a suite, as a key object of `ring`.
pub(crate) fn key(suite: CipherSuite, nth: u8) -> SaKey {
    static FIRST: [OnceLock<SaKey>; 2] = [const { OnceLock::new() }; 2];
    let make = || make_key(&mut vec![0x40 ^ nth; suite.sak_len()]);
    match nth {
        0 => Arc::clone(FIRST[usize::from(suite.sak_len() == 32)].get_or_init(make)),
        _ => make(),
    }
}

pub(crate) fn make_key(sak: &mut [u8]) -> SaKey {
    RingEngine.make_key(&Sak::take(sak).unwrap()).unwrap()
}

/// The key, and an eye on its nonces: the same one twice in `seal` ends the test.
pub(crate) fn watched(key: SaKey) -> SaKey {
    Arc::new(Watched {
        key,
        nonces: Nonces::default(),
    })
}

#[expect(
    clippy::disallowed_types,
    reason = "a test's own key object, shared with no frame path"
)]
type Nonces = std::sync::Mutex<HashSet<[u8; NONCE_LEN]>>;

struct Watched {
    key: SaKey,
    nonces: Nonces,
}

impl AeadKey for Watched {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        let mut nonces = self.nonces.lock().unwrap();
        for frame in burst.iter() {
            assert!(
                nonces.insert(frame.nonce),
                "nonce {:02x?} twice",
                frame.nonce
            );
        }
        self.key.seal(burst);
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        self.key.open(burst)
    }
}

/// A plain frame of `len` octets from [`SOURCE`] that carries `tags` VLAN tags, then `fill`.
pub(crate) fn plain(len: usize, tags: usize, mut fill: impl FnMut() -> u8) -> Vec<u8> {
    let mut frame = vec![0x02, 0x00, 0x5e, 0x20, 0x00, 0x09];
    frame.extend(SOURCE.0);
    for tag in 0..tags {
        frame.extend(if tag == 0 { [0x88, 0xa8] } else { [0x81, 0x00] });
        frame.extend([fill() & 0x7f, fill()]);
    }
    frame.extend([0x08, 0x00]);
    frame.resize_with(frame.len().max(len), fill);
    frame.truncate(len);
    frame
}

/// A plain frame whose octets count up.
pub(crate) fn counting(len: usize, tags: usize) -> Vec<u8> {
    let mut next = 0u8;
    plain(len, tags, || {
        next = next.wrapping_add(1);
        next
    })
}

/// The longest that a frame with so many VLAN tags may be: the first two come on top of the MTU.
pub(crate) fn longest(tags: usize) -> usize {
    MTU + 14 + 4 * tags.min(2)
}

/// The frame as it comes out at the other end: padded to what Ethernet demands.
pub(crate) fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    frame.resize(frame.len().max(60), 0);
    frame
}

/// Properties keep no file of failures: a failing case is printed whole and becomes a test of its own.
pub(crate) fn cases(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases,
        failure_persistence: None,
        ..Default::default()
    }
}
