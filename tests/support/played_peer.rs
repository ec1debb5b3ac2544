//! The gateway's peer, played by the test with the library's own `SecY`: frames that are right, to be spoilt,
//! and an eye that sees what the gateway sent.

use super::config::StaticKeys;
use macsec_gateway::crypto::engine::RingEngine;
use macsec_gateway::crypto::{KeyFactory, SaKey, Sak, TAG_LEN};
use macsec_gateway::ieee::{An, CipherSuite, KeyIdentifier, Pn, Salt, Sci, Ssci, decode_hex};
use macsec_gateway::macsec::{
    Confidentiality, FrameBuf, FrameSet, Reject, Replay, RxParams, RxSa, RxSaParams, RxSaShared,
    RxSecy, SectagSci, TxParams, TxSa, TxSaParams, TxSaShared, TxSecy, ValidateFrames, Verdicts,
    XpnParams,
};

const KI: KeyIdentifier = KeyIdentifier([0; 16]);
/// More than any link of the bed takes: what is too long is for the gateway to find.
const LARGEST_MTU: usize = 9_600;

/// The other end of a static link.
#[derive(Debug)]
pub(crate) struct PlayedPeer {
    tx: TxSecy,
    rx: RxSecy,
    verdicts: Verdicts,
}

impl PlayedPeer {
    /// The peer of a gateway that has these keys: it sends with what they receive with. Packet numbers
    /// from `first_pn` on.
    pub(crate) fn facing(keys: &StaticKeys, first_pn: u64) -> Self {
        let mut tx = TxSecy::new(TxParams {
            sci: sci(&keys.peer_sci),
            sectag_sci: SectagSci::Explicit,
            clear_vlan_tags: 0,
            mtu: LARGEST_MTU,
        });
        let an = an(keys.rx_an);
        let sa = TxSa::new(TxSaParams {
            an,
            ki: KI,
            suite: suite(keys),
            key: key(&keys.rx_key),
            sci: sci(&keys.peer_sci),
            xpn: xpn(keys, keys.rx_ssci),
            confidentiality: Confidentiality::Offset0,
            next_pn: Pn(first_pn),
            shared: TxSaShared::new(Pn(u64::MAX)),
        });
        assert!(
            tx.install_sa(Box::new(sa.expect("a transmit SA")))
                .is_none()
        );
        assert!(tx.encode_with(an, KI));
        Self {
            tx,
            rx: receiver(keys),
            verdicts: Verdicts::new(),
        }
    }

    /// Forgets what was received: for a gateway whose packet numbers are no matter here.
    pub(crate) fn forget_replays(&mut self, keys: &StaticKeys) {
        self.rx = receiver(keys);
    }

    #[track_caller]
    pub(crate) fn protect(&mut self, frame: &[u8]) -> Vec<u8> {
        let mut burst = [Octets(frame.to_vec())];
        self.verdicts.clear();
        self.tx
            .protect_burst(&mut burst, FrameSet::first(1), &mut self.verdicts);
        assert_eq!(
            self.verdicts.reject_of(0),
            None,
            "the played peer can't send"
        );
        let [Octets(protected)] = burst;
        protected
    }

    /// The plain frame in a protected one, or why it is none of the gateway's.
    pub(crate) fn validate(&mut self, frame: &[u8]) -> Result<Vec<u8>, Reject> {
        let mut burst = [Octets(frame.to_vec())];
        self.verdicts.clear();
        self.rx
            .validate_burst(&mut burst, FrameSet::first(1), &mut self.verdicts);
        let [Octets(plain)] = burst;
        self.verdicts.reject_of(0).map_or(Ok(plain), Err)
    }
}

fn receiver(keys: &StaticKeys) -> RxSecy {
    let mut rx = RxSecy::new(RxParams {
        validate: ValidateFrames::Strict,
        replay: Replay::Strict,
        duplicate_depth: 64,
        clear_vlan_tags: 0,
        mtu: LARGEST_MTU,
    });
    let channel = sci(&keys.sci);
    rx.add_sc(channel);
    let sa = RxSa::new(RxSaParams {
        an: an(keys.tx_an),
        ki: KI,
        suite: suite(keys),
        key: key(&keys.tx_key),
        sci: channel,
        xpn: xpn(keys, keys.tx_ssci),
        confidentiality: Confidentiality::Offset0,
        lowest_pn: Pn(1),
        duplicate_depth: 64,
        shared: RxSaShared::new(),
    });
    let installed = rx.install_sa(channel, Box::new(sa.expect("a receive SA")));
    assert!(installed.is_ok_and(|old| old.is_none()));
    rx
}

fn an(value: u8) -> An {
    An::new(value).expect("an AN from 0 to 3")
}

fn suite(keys: &StaticKeys) -> CipherSuite {
    keys.suite.name.parse().expect("the name of a suite")
}

fn sci(text: &str) -> Sci {
    text.parse().expect("an SCI, MAC/port")
}

fn key(text: &str) -> SaKey {
    let mut octets = vec![0; text.len() / 2];
    decode_hex(text.as_bytes(), &mut octets).expect("a key in hex digits");
    let sak = Sak::take(&mut octets).expect("a key of 16 or 32 octets");
    RingEngine.make_key(&sak).expect("a key object")
}

fn xpn(keys: &StaticKeys, ssci: u32) -> Option<XpnParams> {
    let mut salt = Salt([0; 12]);
    decode_hex(keys.salt.as_bytes(), &mut salt.0).expect("a salt in hex digits");
    keys.suite.xpn.then_some(XpnParams {
        ssci: Ssci(ssci),
        salt,
    })
}

/// A frame in a vector.
struct Octets(Vec<u8>);

impl FrameBuf for Octets {
    fn octets(&self) -> &[u8] {
        &self.0
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    fn octets_and_room_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    fn is_contiguous(&self) -> bool {
        true
    }

    fn grow_front(&mut self, n: usize) -> bool {
        self.0.splice(..0, std::iter::repeat_n(0, n)).for_each(drop);
        true
    }

    fn grow_back(&mut self, n: usize) -> bool {
        self.0.resize(self.0.len() + n, 0);
        true
    }

    fn cut_front(&mut self, n: usize) -> bool {
        let enough = n <= self.0.len();
        if enough {
            self.0.drain(..n);
        }
        enough
    }

    fn cut_back(&mut self, n: usize) -> bool {
        let left = self.0.len().checked_sub(n);
        if let Some(left) = left {
            self.0.truncate(left);
        }
        left.is_some()
    }
}

/// Octets between a frame's addresses and its end that MACsec adds, the SCI being explicit.
pub(crate) const MACSEC_OCTETS: usize = 16 + TAG_LEN;
