//! Any other end: the standard's values, and every choice that it leaves.

use super::rules::{Fallback, Keys, Known, Lengths, Priority, Rules, Suites, free};
use crate::{ieee::CipherSuite, mka::MAX_PEERS};

pub(super) const GENERIC: Rules = Rules {
    cloud: "any other end",
    suites: Suites {
        taken: &CipherSuite::ALL,
        preferred: CipherSuite::GcmAesXpn256,
        accepted: &[],
        rule: "",
    },
    cak: Lengths {
        least: 16,
        most: 32,
        known: Known::Free,
    },
    ckn: Lengths {
        least: 1,
        most: 32,
        known: Known::Free,
    },
    keys: Keys {
        held: None,
        rotating: 0,
        fallback: Fallback::Counted,
        of_one_length: false,
        starts_apart: None,
        rule: "",
    },
    // What routers have: better than hostap's 255, no better than a switch that is to serve.
    priority: Priority {
        least: 0,
        most: 255,
        value: 16,
        known: Known::Free,
    },
    confidentiality: free(true),
    confidentiality_offset: free(0),
    explicit_sci: free(true),
    clear_vlan_tags: free(0),
    replay_window: free(64),
    include_icv_indicator: free(false),
    mka_version: free(3),
    ssci: Known::Free,
    delay_protection: free(false),
    eapol: Known::Free,
    timers: Known::Free,
    sak_rekey_interval: free(0),
    #[expect(clippy::cast_possible_truncation, reason = "30")]
    max_peers: free(MAX_PEERS as u8),
    carries_clear: free(true),
};

/// A cloud of which nothing is known: what is of use with most, and marked as not published.
pub(super) const UNPUBLISHED: Rules = {
    use super::rules::unpublished;
    Rules {
        confidentiality: unpublished(true),
        confidentiality_offset: unpublished(0),
        explicit_sci: unpublished(true),
        clear_vlan_tags: unpublished(0),
        replay_window: unpublished(64),
        include_icv_indicator: unpublished(false),
        // Under version 1 there is one rule for SSCIs, by SCI, and no way to differ about it.
        mka_version: unpublished(1),
        ssci: Known::Unpublished,
        delay_protection: unpublished(false),
        eapol: Known::Unpublished,
        timers: Known::Unpublished,
        sak_rekey_interval: unpublished(0),
        // A port is one station. A third one with the key would be a surprise.
        max_peers: free(1),
        priority: Priority {
            known: Known::Unpublished,
            ..GENERIC.priority
        },
        ..GENERIC
    }
};
