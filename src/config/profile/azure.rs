//! Azure ExpressRoute Direct.

use super::{
    generic::UNPUBLISHED,
    rules::{Fallback, Keys, Known, Lengths, Rules, Suites, fixed, free},
};
use crate::ieee::CipherSuite;

pub(super) const EXPRESSROUTE_DIRECT: Rules = Rules {
    cloud: "Azure ExpressRoute Direct",
    suites: Suites {
        taken: &CipherSuite::ALL,
        preferred: CipherSuite::GcmAesXpn256,
        accepted: &[],
        rule: "",
    },
    cak: Lengths {
        known: Known::Fixed(
            "a CAK has 32 or 64 hexadecimal digits; a shorter one is padded with \
                             zeros at its end",
        ),
        ..UNPUBLISHED.cak
    },
    ckn: Lengths {
        known: Known::Fixed("a CKN has an even number of hexadecimal digits, 64 at most"),
        ..UNPUBLISHED.ckn
    },
    keys: Keys {
        held: Some(1),
        rotating: 1,
        fallback: Fallback::Refused("a link holds one key there, and can't fall back"),
        of_one_length: false,
        starts_apart: None,
        rule: "a link holds one key",
    },
    // `sciState` there is to be Enabled; with Disabled, `sectag_sci` is another.
    explicit_sci: free(true),
    carries_clear: fixed(
        false,
        "it never carries clear frames, so that should_encrypt would send them in clear for nothing",
    ),
    ..UNPUBLISHED
};
