//! The figures of 802.1AE-2018 Annex C, sent and received by the two halves of a SecY.
//!
//! Some of them are shorter than Ethernet allows, so neither half pads here.

use macsec_gateway::crypto::{KeyFactory, Sak, engine};
use macsec_gateway::ieee::{An, CipherSuite, KeyIdentifier, Pn, Salt, Sci, Ssci, decode_hex};
use macsec_gateway::macsec::{
    Confidentiality, Reject, Replay, RxParams, RxSa, RxSaParams, RxSaShared, RxSecy, SectagSci,
    Tci, TxParams, TxSa, TxSaParams, TxSaShared, TxSecy, ValidateFrames, XpnParams,
};
use serde_json::Value;

use crate::bed::{Rx, Tx};

struct Figure {
    name: String,
    suite: CipherSuite,
    sak: Vec<u8>,
    xpn: Option<XpnParams>,
    sci: Sci,
    pn: Pn,
    tci: Tci,
    plaintext: Vec<u8>,
    secured: Vec<u8>,
}

fn octets(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let mut out = vec![0; text.len() / 2];
    decode_hex(text.as_bytes(), &mut out).unwrap();
    out
}

fn figures() -> Vec<Figure> {
    let file: Value =
        serde_json::from_str(include_str!("../vectors/ieee-802.1ae-annex-c.json")).unwrap();
    let figure = |value: &Value| {
        let array = |name: &str| octets(&value[name]);
        Figure {
            name: value["ieee_annex_c"].as_str().unwrap().into(),
            suite: value["cipher_suite"]
                .as_str()
                .unwrap()
                .to_lowercase()
                .parse()
                .unwrap(),
            sak: array("sak"),
            xpn: value["xpn"].as_bool().unwrap().then(|| XpnParams {
                ssci: Ssci(u32::from_be_bytes(array("ssci").try_into().unwrap())),
                salt: Salt(array("salt").try_into().unwrap()),
            }),
            sci: Sci::from_octets(array("sci").try_into().unwrap()),
            pn: Pn(value["pn"].as_str().unwrap().parse().unwrap()),
            tci: Tci(array("tci_an")[0]),
            plaintext: array("plaintext"),
            secured: array("secured"),
        }
    };
    let figures: Vec<_> = file["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(figure)
        .collect();
    assert_eq!(figures.len(), 16);
    figures
}

const KI: KeyIdentifier = KeyIdentifier([7; 16]);

impl Figure {
    fn confidentiality(&self) -> Confidentiality {
        if self.tci.has(Tci::E) {
            Confidentiality::Offset0
        } else {
            Confidentiality::IntegrityOnly
        }
    }

    fn an(&self) -> An {
        self.tci.an()
    }

    fn tx(&self, factory: &dyn KeyFactory) -> Tx {
        let sectag_sci = if self.tci.has(Tci::SC) {
            SectagSci::Explicit
        } else {
            assert!(self.tci.has(Tci::ES), "{}", self.name);
            SectagSci::EndStation
        };
        let params = TxParams {
            sci: self.sci,
            sectag_sci,
            clear_vlan_tags: 0,
            mtu: 1500,
        };
        let mut secy = TxSecy::new(params).with_min_plain_frame(0);
        let sa = TxSa::new(TxSaParams {
            an: self.an(),
            ki: KI,
            suite: self.suite,
            key: factory
                .make_key(&Sak::take(&mut self.sak.clone()).unwrap())
                .unwrap(),
            sci: self.sci,
            xpn: self.xpn,
            confidentiality: self.confidentiality(),
            next_pn: self.pn,
            shared: TxSaShared::new(Pn(u64::MAX)),
        });
        assert!(secy.install_sa(Box::new(sa.unwrap())).is_none());
        assert!(secy.encode_with(self.an(), KI));
        Tx::new(secy)
    }

    fn rx(&self, factory: &dyn KeyFactory) -> Rx {
        let params = RxParams {
            validate: ValidateFrames::Strict,
            replay: Replay::Strict,
            duplicate_depth: 64,
            clear_vlan_tags: 0,
            mtu: 1500,
        };
        let mut rx = Rx::new(RxSecy::new(params).with_min_plain_frame(0));
        rx.add_sc(self.sci);
        let sa = RxSa::new(RxSaParams {
            an: self.an(),
            ki: KI,
            suite: self.suite,
            key: factory
                .make_key(&Sak::take(&mut self.sak.clone()).unwrap())
                .unwrap(),
            sci: self.sci,
            xpn: self.xpn,
            confidentiality: self.confidentiality(),
            lowest_pn: self.pn,
            duplicate_depth: 64,
            shared: RxSaShared::new(),
        });
        rx.install(sa.unwrap());
        rx
    }
}

#[test]
fn every_figure_is_sent_and_received_by_every_engine() {
    for candidate in engine::candidates() {
        for figure in figures() {
            let name = &figure.name;
            let mut tx = figure.tx(&*candidate.factory);
            assert_eq!(tx.protect(&figure.plaintext), figure.secured, "{name}");
            let counters = tx.secy.counters();
            let user_data = figure.plaintext.len() as u64 - 12;
            let (protected, encrypted) = match figure.confidentiality() {
                Confidentiality::IntegrityOnly => (user_data, 0),
                _ => (0, user_data),
            };
            assert_eq!(counters.out_octets_protected.value(), protected, "{name}");
            assert_eq!(counters.out_octets_encrypted.value(), encrypted, "{name}");

            let mut rx = figure.rx(&*candidate.factory);
            let delivered = rx.validate(&figure.secured);
            assert_eq!(delivered.as_ref(), Ok(&figure.plaintext), "{name}");
            assert_eq!(rx.scs[0].in_octets_validated.value(), protected, "{name}");
            assert_eq!(rx.scs[0].in_octets_decrypted.value(), encrypted, "{name}");
            assert_eq!(rx.validate(&figure.secured), Err(Reject::Late), "{name}");
        }
    }
}
