//! AWS Direct Connect: dedicated ports of 10 Gbit/s, and of 100 and 400 Gbit/s.

use super::{
    generic::UNPUBLISHED,
    rules::{Fallback, Keys, Known, Lengths, Rules, Suites, fixed},
};
use crate::ieee::CipherSuite;

pub(super) const DIRECT_CONNECT_10G: Rules = Rules {
    cloud: "AWS Direct Connect at 10 Gbit/s",
    suites: Suites {
        taken: &[CipherSuite::GcmAesXpn256, CipherSuite::GcmAes256],
        preferred: CipherSuite::GcmAesXpn256,
        // Both are in use there, and who picks is not published.
        accepted: &[CipherSuite::GcmAesXpn256, CipherSuite::GcmAes256],
        rule: "keys have 256 bits only, with XPN or without",
    },
    cak: Lengths {
        least: 32,
        most: 32,
        known: Known::Fixed("a CAK has 256 bits, 64 hexadecimal digits; there is no 128-bit one"),
    },
    ckn: Lengths {
        least: 32,
        most: 32,
        known: Known::Fixed("a CKN has 64 hexadecimal digits"),
    },
    keys: Keys {
        held: Some(3),
        rotating: 0,
        fallback: Fallback::Counted,
        of_one_length: false,
        starts_apart: None,
        rule: "a connection or LAG holds three pairs",
    },
    confidentiality: fixed(true, "it encrypts, with confidentiality offset 0"),
    confidentiality_offset: fixed(0, "the confidentiality offset is 0"),
    explicit_sci: fixed(true, "the SCI is in every frame, and that can't be changed"),
    clear_vlan_tags: fixed(0, "no VLAN tag stays in clear (dot1q-in-clear)"),
    include_icv_indicator: fixed(false, "MKPDUs have no ICV Indicator"),
    ..UNPUBLISHED
};

pub(super) const DIRECT_CONNECT_100G: Rules = Rules {
    cloud: "AWS Direct Connect at 100 and 400 Gbit/s",
    suites: Suites {
        taken: &[CipherSuite::GcmAesXpn256],
        preferred: CipherSuite::GcmAesXpn256,
        accepted: &[],
        rule: "ports of 100 and 400 Gbit/s have GCM-AES-XPN-256 and nothing else",
    },
    ..DIRECT_CONNECT_10G
};
