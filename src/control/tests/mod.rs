//! Control against a data plane that the test turns by hand, in virtual time.
//!
//! `ports` are ports that keep a journal, `plane` a worker that obeys from the real SecY halves, `bed`
//! puts a gateway together; the others are what must hold.

mod bed;
mod ending;
mod keys;
mod mka;
mod numbers;
mod opening;
mod plane;
mod ports;
mod reloading;

/// What the profile `generic` tells a KaY.
pub(super) fn generic_policy() -> crate::mka::Policy {
    use crate::mka::{IcvHeader, Policy, Protection, SsciRule, XpnSet};
    Policy {
        suites: [crate::ieee::CipherSuite::GcmAes128].into_iter().collect(),
        protection: Protection::Offset0,
        accept_no_macsec: false,
        priority: 16,
        source: crate::ieee::MacAddr([2, 0, 0, 0, 0, 1]),
        destination: crate::ieee::MacAddr::PAE_GROUP,
        ethertype: crate::ieee::EtherType::EAPOL,
        icv_header: IcvHeader::AsSent,
        icv_indicator: true,
        version: 3,
        ssci: SsciRule::Auto,
        xpn_set: XpnSet::Auto,
        delay_protection: false,
        timers: Default::default(),
        rekey: Default::default(),
        max_peers: 1,
    }
}
