//! An exchange of MKPDUs that real implementations had, with its keys: `NAME.pcap` and
//! `NAME.keys.json` beside this file.

use std::{fs, path::Path};

use macsec_gateway::{
    crypto::Cak,
    ieee::{An, Ckn, KeyIdentifier, Salt, Sci, Ssci, decode_hex},
};
use serde_json::Value;

/// Every recording, by name.
pub(crate) const NAMES: [&str; 6] = [
    "h210_2peer_128",
    "h210_2peer_cak256_ckn32",
    "h210_rekey_pn",
    "h211_2peer_aes256",
    "hhead_2peer_icvind",
    "sonic_2peer_xpn256",
];

/// Octets of a pcap file's header, and of each record's.
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// One exchange.
pub(crate) struct Recording {
    pub(crate) name: &'static str,
    pub(crate) cak: Vec<u8>,
    pub(crate) ckn: Ckn,
    /// Microseconds since the start, and the frame.
    pub(crate) frames: Vec<(u64, Vec<u8>)>,
    /// What the two nodes did with SAs.
    pub(crate) sa_events: Vec<SaEvent>,
}

/// What a node did with an SA.
pub(crate) struct SaEvent {
    /// Microseconds since the start.
    pub(crate) at: u64,
    /// `A` or `B`.
    pub(crate) node: String,
    /// Such as `create_rx_sa`.
    pub(crate) event: String,
    pub(crate) an: An,
    pub(crate) ki: KeyIdentifier,
    pub(crate) sak: Vec<u8>,
    pub(crate) sci: Sci,
    /// With an XPN suite.
    pub(crate) ssci: Option<Ssci>,
    pub(crate) salt: Option<Salt>,
}

impl Recording {
    /// Reads one of [`NAMES`].
    pub(crate) fn read(name: &'static str) -> Self {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let keys = fs::read(place.join(format!("{name}.keys.json"))).unwrap();
        let keys: Value = serde_json::from_slice(&keys).unwrap();
        let start = keys["t0_epoch_s"].as_u64().unwrap() * 1_000_000;
        let events = keys["sa_events"].as_array().unwrap();
        Self {
            name,
            cak: hex(&keys["cak"]),
            ckn: keys["ckn"].as_str().unwrap().parse().unwrap(),
            frames: frames(
                &fs::read(place.join(format!("{name}.pcap"))).unwrap(),
                start,
            ),
            sa_events: events.iter().map(SaEvent::read).collect(),
        }
    }

    /// Every recording.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(Self::read)
    }

    /// Its CAK, as the gateway holds it.
    pub(crate) fn cak(&self) -> Cak {
        Cak::take(&mut self.cak.clone()).unwrap()
    }
}

impl SaEvent {
    fn read(event: &Value) -> Self {
        let number = |key: &str| event[key].as_u64().unwrap();
        let mut ki = hex(&event["ki_mi"]);
        ki.extend(u32::try_from(number("kn")).unwrap().to_be_bytes());
        Self {
            at: number("t_us"),
            node: event["node"].as_str().unwrap().to_owned(),
            event: event["event"].as_str().unwrap().to_owned(),
            an: An::new(u8::try_from(number("an")).unwrap()).unwrap(),
            ki: KeyIdentifier(ki.try_into().unwrap()),
            sak: hex(&event["sak"]),
            sci: Sci::from_octets(hex(&event["sci"]).try_into().unwrap()),
            ssci: event["ssci"]
                .as_u64()
                .map(|ssci| Ssci(u32::try_from(ssci).unwrap())),
            salt: event
                .get("salt")
                .map(|salt| Salt(hex(salt).try_into().unwrap())),
        }
    }
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes();
    let mut octets = vec![0; digits.len() / 2];
    decode_hex(digits, &mut octets).unwrap();
    octets
}

/// The frames of a pcap file in little-endian form with microseconds, each with its time since `start`.
fn frames(file: &[u8], start: u64) -> Vec<(u64, Vec<u8>)> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(word(0), 0xa1b2_c3d4, "a pcap file of this form");
    let mut frames = Vec::new();
    let mut at = FILE_HEADER;
    while at < file.len() {
        let time = u64::from(word(at)) * 1_000_000 + u64::from(word(at + 4));
        let len = usize::try_from(word(at + 8)).unwrap();
        at += RECORD_HEADER;
        frames.push((time - start, file[at..at + len].to_vec()));
        at += len;
    }
    frames
}
