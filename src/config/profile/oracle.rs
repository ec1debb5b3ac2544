//! Oracle Cloud Infrastructure FastConnect.

use super::{
    generic::UNPUBLISHED,
    rules::{Fallback, Keys, Known, Lengths, Priority, Rules, Suites, fixed},
};
use crate::ieee::CipherSuite;

pub(super) const FASTCONNECT: Rules = Rules {
    cloud: "Oracle FastConnect",
    suites: Suites {
        taken: &CipherSuite::ALL,
        preferred: CipherSuite::GcmAesXpn256,
        accepted: &[],
        rule: "",
    },
    cak: Lengths {
        known: Known::Fixed("a CAK has 32 to 64 hexadecimal digits, and MKA knows 32 and 64"),
        ..UNPUBLISHED.cak
    },
    ckn: Lengths {
        least: 16,
        most: 32,
        known: Known::Fixed("a CKN has 32 to 64 hexadecimal digits"),
    },
    keys: Keys {
        held: Some(1),
        rotating: 1,
        fallback: Fallback::Refused("it holds one primary key, and can't fall back"),
        of_one_length: false,
        starts_apart: None,
        rule: "it holds one primary key, whose CKN and CAK change together",
    },
    priority: Priority {
        least: 1,
        most: 255,
        value: 16,
        known: Known::Fixed(
            "Oracle has priority 0 and is always key server; the customer has 1 or more",
        ),
    },
    confidentiality: fixed(true, "it encrypts, with confidentiality offset 0"),
    confidentiality_offset: fixed(0, "the confidentiality offset is 0"),
    explicit_sci: fixed(true, "the SCI is in every frame"),
    sak_rekey_interval: fixed(
        3600,
        "SAKs are renewed every 3600 s, and the customer's device must match",
    ),
    ..UNPUBLISHED
};
