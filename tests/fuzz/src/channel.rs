//! A secure channel whose keys and parameters are those of IEEE 802.1AE-2018 Annex C, so that its
//! figures are inputs that pass.

use std::sync::{Arc, OnceLock};

use macsec_gateway::crypto::engine::RingEngine;
use macsec_gateway::crypto::{AeadFrame, AeadKey, KeyFactory, Opened, SaKey, Sak};
use macsec_gateway::ieee::{An, CipherSuite, KeyIdentifier, Pn, Salt, Sci, Ssci};
use macsec_gateway::macsec::{
    Confidentiality, Replay, RxParams, RxSa, RxSaParams, RxSaShared, SectagSci, TxParams, TxSa,
    TxSaParams, TxSaShared, ValidateFrames, XpnParams,
};

use crate::input::Input;

pub(crate) const KI: KeyIdentifier = KeyIdentifier([0x11; 16]);
/// The short frames of Annex C.5 come from this channel.
const ANNEX_C_SCI: Sci = Sci(0xf076_1e8d_cd3d_0001);
const DEPTH: usize = 64;
/// So that both a frame that fits and one that does not are short inputs.
pub(crate) const MTU: usize = 300;

/// Numbers about which something happens: the first, those of Annex C, and those at the ends.
const PNS: [u64; 6] = [
    1,
    0x76d4_57ed,
    0xb0df_459c_76d4_57ed,
    0xffff_fffd,
    0x1_0000_0000,
    u64::MAX - 3,
];

/// What one input says of the channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channel {
    pub(crate) suite: CipherSuite,
    pub(crate) confidentiality: Confidentiality,
    pub(crate) sectag_sci: SectagSci,
    pub(crate) clear_vlan_tags: u8,
    pub(crate) validate: ValidateFrames,
    pub(crate) replay: Replay,
    pub(crate) first_pn: Pn,
    pub(crate) lenient: bool,
}

impl Channel {
    pub(crate) fn read(input: &mut Input<'_>) -> Self {
        let suite = input.choose(&CipherSuite::ALL);
        let confidentiality = if suite.is_xpn() {
            input.choose(&[Confidentiality::Offset0, Confidentiality::IntegrityOnly])
        } else {
            input.choose(&[
                Confidentiality::Offset0,
                Confidentiality::IntegrityOnly,
                Confidentiality::Offset30,
                Confidentiality::Offset50,
            ])
        };
        let last = suite.pn_space().last();
        Self {
            suite,
            confidentiality,
            sectag_sci: input.choose(&[
                SectagSci::EndStation,
                SectagSci::Explicit,
                SectagSci::SingleCopyBroadcast,
                SectagSci::None,
            ]),
            clear_vlan_tags: input.choose(&[0, 1, 2]),
            validate: input.choose(&[
                ValidateFrames::Strict,
                ValidateFrames::Check,
                ValidateFrames::Disabled,
            ]),
            replay: input.choose(&[
                Replay::Strict,
                Replay::Off,
                Replay::Window(3),
                Replay::Window(u32::MAX),
            ]),
            first_pn: Pn(input.choose(&PNS)).min(last),
            lenient: input.choose(&[false, true]),
        }
    }

    pub(crate) fn sci(&self) -> Sci {
        match self.sectag_sci {
            SectagSci::SingleCopyBroadcast => Sci::new(ANNEX_C_SCI.address(), 0),
            _ => ANNEX_C_SCI,
        }
    }

    fn xpn(&self) -> Option<XpnParams> {
        self.suite.is_xpn().then_some(XpnParams {
            ssci: Ssci(0x7a30_c118),
            salt: Salt([
                0xe6, 0x30, 0xe8, 0x1a, 0x48, 0xde, 0x86, 0xa2, 0x1c, 0x66, 0xfa, 0x6d,
            ]),
        })
    }

    fn key(&self) -> SaKey {
        if self.lenient {
            Arc::new(Lenient)
        } else {
            annex_c_key(self.suite)
        }
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

    pub(crate) fn tx_sa(&self, an: An) -> Box<TxSa> {
        let sa = TxSa::new(TxSaParams {
            an,
            ki: KI,
            suite: self.suite,
            key: self.key(),
            sci: self.sci(),
            xpn: self.xpn(),
            confidentiality: self.confidentiality,
            next_pn: self.first_pn,
            shared: TxSaShared::new(Pn(u64::MAX)),
        });
        Box::new(sa.unwrap())
    }

    pub(crate) fn rx_sa(&self, an: An) -> Box<RxSa> {
        let sa = RxSa::new(RxSaParams {
            an,
            ki: KI,
            suite: self.suite,
            key: self.key(),
            sci: self.sci(),
            xpn: self.xpn(),
            confidentiality: self.confidentiality,
            lowest_pn: self.first_pn,
            duplicate_depth: DEPTH,
            shared: RxSaShared::new(),
        });
        Box::new(sa.unwrap())
    }
}

/// The SAKs of Annex C.5.
fn annex_c_key(suite: CipherSuite) -> SaKey {
    static KEYS: [OnceLock<SaKey>; 2] = [const { OnceLock::new() }; 2];
    let make = |sak: &[u8]| {
        let sak = Sak::take(&mut sak.to_vec()).unwrap();
        RingEngine.make_key(&sak).unwrap()
    };
    let key = if suite.sak_len() == 16 {
        KEYS[0].get_or_init(|| make(&0x071b_113b_0ca7_43fe_cccf_3d05_1f73_7382_u128.to_be_bytes()))
    } else {
        KEYS[1].get_or_init(|| {
            let halves = [
                0x691d_3ee9_09d7_f541_67fd_1ca0_b5d7_6908_u128.to_be_bytes(),
                0x1f2b_de1a_ee65_5fdb_ab80_bd52_95ae_6be7_u128.to_be_bytes(),
            ];
            make(halves.as_flattened())
        })
    };
    Arc::clone(key)
}

/// No cipher: half of all tags are right, so that what comes behind a valid ICV meets any frame.
struct Lenient;

impl AeadKey for Lenient {
    fn seal(&self, burst: &mut [AeadFrame<'_>]) {
        for frame in burst {
            if let Some((_, _, tag)) = frame.parts() {
                *tag = [0; 16];
            }
        }
    }

    fn open(&self, burst: &mut [AeadFrame<'_>]) -> Opened {
        let mut opened = Opened::default();
        for (at, frame) in burst.iter_mut().enumerate() {
            match frame.parts() {
                Some((_, _, tag)) if tag[0] & 1 == 0 => opened.set_ok(at),
                Some((_, text, _)) => text.fill(0),
                None => {}
            }
        }
        opened
    }
}
