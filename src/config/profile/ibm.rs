//! IBM Cloud Direct Link Dedicated.

use super::{
    generic::UNPUBLISHED,
    rules::{Fallback, Keys, Known, Lengths, Priority, Rules, Suites, fixed, free},
};
use crate::ieee::CipherSuite;

pub(super) const DIRECT_LINK: Rules = Rules {
    cloud: "IBM Direct Link",
    suites: Suites {
        taken: &[CipherSuite::GcmAesXpn256],
        preferred: CipherSuite::GcmAesXpn256,
        accepted: &[],
        rule: "it has GCM-AES-XPN-256 and nothing else",
    },
    cak: Lengths {
        least: 32,
        most: 32,
        known: Known::Fixed(
            "a CAK has 64 hexadecimal digits; a shorter one is padded with zeros at its end",
        ),
    },
    ckn: Lengths {
        known: Known::Fixed("a CKN has an even number of hexadecimal digits, 2 to 64"),
        ..UNPUBLISHED.ckn
    },
    keys: Keys {
        held: Some(1),
        rotating: 1,
        fallback: Fallback::Besides,
        of_one_length: false,
        starts_apart: None,
        rule: "it holds one primary key and at most one fallback",
    },
    priority: Priority {
        least: 0,
        most: 254,
        value: 16,
        known: Known::Fixed(
            "IBM has priority 255, so that the customer is key server; any other one wins",
        ),
    },
    // The customer picks it there: by packet numbers, or a timer with the interval given here.
    sak_rekey_interval: free(0),
    replay_window: free(64),
    max_peers: fixed(1, "several peers on one port are not supported"),
    ..UNPUBLISHED
};
