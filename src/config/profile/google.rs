//! Google Cloud Interconnect, Dedicated and Partner.

use super::{
    generic::UNPUBLISHED,
    rules::{Fallback, Keys, Known, Lengths, Priority, Rules, Suites, fixed, free},
};
use crate::ieee::CipherSuite;

pub(super) const CLOUD_INTERCONNECT: Rules = Rules {
    cloud: "Google Cloud Interconnect",
    suites: Suites {
        taken: &[CipherSuite::GcmAesXpn256, CipherSuite::GcmAes256],
        preferred: CipherSuite::GcmAesXpn256,
        accepted: &[CipherSuite::GcmAesXpn256, CipherSuite::GcmAes256],
        rule: "keys have 256 bits only, best with XPN",
    },
    cak: Lengths {
        least: 32,
        most: 32,
        known: Known::Fixed("it makes CAKs of 256 bits, 64 hexadecimal digits"),
    },
    ckn: Lengths {
        known: Known::Unpublished,
        ..UNPUBLISHED.ckn
    },
    keys: Keys {
        held: Some(5),
        rotating: 0,
        fallback: Fallback::Refused(
            "it uses the newest key whose start has come, and never goes back to another",
        ),
        of_one_length: false,
        starts_apart: Some(6 * 3600),
        rule: "it holds up to five keys; each of several has a start, at least 6 hours after the one \
               before; none has an end",
    },
    priority: Priority {
        least: 15,
        most: 15,
        value: 15,
        known: Known::Fixed("the customer's router has key server priority 15"),
    },
    confidentiality: fixed(true, "it encrypts, with confidentiality offset 0"),
    confidentiality_offset: fixed(0, "the confidentiality offset is 0"),
    explicit_sci: fixed(true, "the SCI is in every frame"),
    replay_window: free(64),
    include_icv_indicator: fixed(true, "MKPDUs have an ICV Indicator"),
    sak_rekey_interval: free(28_800),
    ..UNPUBLISHED
};
