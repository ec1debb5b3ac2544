//! Alibaba Cloud Express Connect.

use super::{
    generic::UNPUBLISHED,
    rules::{Fallback, Keys, Known, Lengths, Rules, Suites, unpublished},
};
use crate::ieee::CipherSuite;

pub(super) const EXPRESS_CONNECT: Rules = Rules {
    cloud: "Alibaba Express Connect",
    suites: Suites {
        taken: &CipherSuite::ALL,
        preferred: CipherSuite::GcmAesXpn256,
        accepted: &[],
        rule: "",
    },
    cak: Lengths {
        known: Known::Fixed("a CAK has 32 or 64 hexadecimal digits"),
        ..UNPUBLISHED.cak
    },
    ckn: Lengths {
        least: 16,
        most: 32,
        known: Known::Fixed("a CKN is as long as its CAK: 32 or 64 hexadecimal digits"),
    },
    keys: Keys {
        held: Some(3),
        rotating: 0,
        fallback: Fallback::Counted,
        of_one_length: true,
        starts_apart: None,
        rule: "a port holds three pairs",
    },
    // What its port does with clear frames is not published.
    carries_clear: unpublished(true),
    ..UNPUBLISHED
};
