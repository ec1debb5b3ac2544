//! What a profile is made of: one rule for each setting that a cloud may have an opinion on.

use crate::ieee::CipherSuite;

/// One setting: the value that holds where the config gives none, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Rule<T> {
    pub(in crate::config) value: T,
    pub(in crate::config) known: Known,
}

/// Who says what a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Known {
    /// The cloud takes nothing else; its rule, in words that follow its name and a colon.
    Fixed(&'static str),
    /// A good value, and others work as well.
    Free,
    /// The cloud publishes nothing; the value is ours.
    Unpublished,
}

pub(super) const fn fixed<T>(value: T, rule: &'static str) -> Rule<T> {
    Rule {
        value,
        known: Known::Fixed(rule),
    }
}

pub(super) const fn free<T>(value: T) -> Rule<T> {
    Rule {
        value,
        known: Known::Free,
    }
}

pub(super) const fn unpublished<T>(value: T) -> Rule<T> {
    Rule {
        value,
        known: Known::Unpublished,
    }
}

/// Cipher suites.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Suites {
    /// What the cloud takes.
    pub(in crate::config) taken: &'static [CipherSuite],
    /// `cipher_suite` where the config gives none.
    pub(in crate::config) preferred: CipherSuite,
    /// What is accepted besides `cipher_suite` where the config gives no `accept_cipher_suites`;
    /// `cipher_suite` itself may be among them.
    pub(in crate::config) accepted: &'static [CipherSuite],
    /// The cloud's rule.
    pub(in crate::config) rule: &'static str,
}

/// Octets of a CAK or of a CKN, least and most.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Lengths {
    pub(in crate::config) least: usize,
    pub(in crate::config) most: usize,
    pub(in crate::config) known: Known,
}

/// How many pairs there are, and when.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Keys {
    /// Pairs that the cloud holds at the same time; `None`: it does not matter.
    pub(in crate::config) held: Option<usize>,
    /// Pairs that may stand here besides, while keys are changed.
    pub(in crate::config) rotating: usize,
    /// What a pair with `fallback = true` is there.
    pub(in crate::config) fallback: Fallback,
    /// Whether CAK and CKN must be of one length.
    pub(in crate::config) of_one_length: bool,
    /// Where the cloud has a calendar of its own: seconds between two starts, at least. Then every
    /// one of several pairs has a start, in ascending order, and none has an end.
    pub(in crate::config) starts_apart: Option<i64>,
    /// The cloud's rule.
    pub(in crate::config) rule: &'static str,
}

/// What a fallback is at a cloud.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) enum Fallback {
    /// One of the pairs that it holds.
    Counted,
    /// One more pair.
    Besides,
    /// Of no use; the reason.
    Refused(&'static str),
}

/// Key server priorities.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Priority {
    pub(in crate::config) least: u8,
    pub(in crate::config) most: u8,
    /// Where the config gives none.
    pub(in crate::config) value: u8,
    pub(in crate::config) known: Known,
}

/// All that a profile says.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Rules {
    /// The other end, as messages name it.
    pub(in crate::config) cloud: &'static str,
    pub(in crate::config) suites: Suites,
    pub(in crate::config) cak: Lengths,
    pub(in crate::config) ckn: Lengths,
    pub(in crate::config) keys: Keys,
    pub(in crate::config) priority: Priority,
    pub(in crate::config) confidentiality: Rule<bool>,
    pub(in crate::config) confidentiality_offset: Rule<u8>,
    /// The SecTAG carries the SCI.
    pub(in crate::config) explicit_sci: Rule<bool>,
    pub(in crate::config) clear_vlan_tags: Rule<u8>,
    pub(in crate::config) replay_window: Rule<u32>,
    pub(in crate::config) include_icv_indicator: Rule<bool>,
    pub(in crate::config) mka_version: Rule<u8>,
    /// Always "auto"; whether the cloud publishes its order.
    pub(in crate::config) ssci: Known,
    pub(in crate::config) delay_protection: Rule<bool>,
    /// The standard's address, EtherType and intervals; whether the cloud publishes its own.
    pub(in crate::config) eapol: Known,
    pub(in crate::config) timers: Known,
    /// Seconds; 0: not by time.
    pub(in crate::config) sak_rekey_interval: Rule<u32>,
    pub(in crate::config) max_peers: Rule<u8>,
    /// Whether `should_encrypt` can ever carry a clear frame there.
    pub(in crate::config) carries_clear: Rule<bool>,
}
