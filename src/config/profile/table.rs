//! A profile as a table for people: `docs/profiles.md` and `macsecgw check` show it.

use core::fmt::Display;

use super::rules::{Fallback, Known, Lengths, Priority, Rules, Suites};
use crate::ieee::CipherSuite;

/// A line of a profile's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key in the config.
    pub key: &'static str,
    /// Its value where the config gives none, and what else is taken.
    pub value: String,
    /// How much of it is left to the operator, and who says so.
    pub standing: Standing,
}

/// How a setting stands in a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The cloud takes nothing else.
    Fixed,
    /// The cloud takes what is listed.
    Limited,
    /// A good value; others work.
    Default,
    /// The cloud publishes nothing; the value is ours.
    Unknown,
}

impl Standing {
    /// The word in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Limited => "limited",
            Self::Default => "default",
            Self::Unknown => "unknown",
        }
    }
}

/// How a setting stands of which `whole` says whether one value is all that is taken.
const fn standing(known: Known, whole: bool) -> Standing {
    match known {
        Known::Fixed(_) if whole => Standing::Fixed,
        Known::Fixed(_) => Standing::Limited,
        Known::Free => Standing::Default,
        Known::Unpublished => Standing::Unknown,
    }
}

impl Suites {
    /// What is accepted besides `suite`, where the config does not say.
    pub(in crate::config) fn besides(&self, suite: CipherSuite) -> Vec<CipherSuite> {
        let others = self.accepted.iter().filter(|&&other| other != suite);
        others.copied().collect()
    }
}

impl Rules {
    /// Every setting that clouds differ in.
    pub(super) fn rows(&self) -> Vec<Row> {
        let row = |key, value, standing| Row {
            key,
            value,
            standing,
        };
        let mut rows = vec![
            self.suite_row(),
            row(
                "accept_cipher_suites",
                list(&self.suites.besides(self.suites.preferred)),
                Standing::Default,
            ),
            row(
                "cak_file",
                cak_digits(&self.cak),
                standing(self.cak.known, self.cak.least == self.cak.most),
            ),
            row(
                "ckn",
                digits(&self.ckn),
                standing(self.ckn.known, self.ckn.least == self.ckn.most),
            ),
            self.key_row(),
            self.priority_row(),
        ];
        rows.extend(self.plain_rows().into_iter().map(|(key, value, known)| {
            let value = value.to_string();
            row(key, value, standing(known, true))
        }));
        rows
    }

    /// The settings that have one value.
    fn plain_rows(&self) -> [(&'static str, &dyn Display, Known); 15] {
        let sci: &dyn Display = if self.explicit_sci.value {
            &"explicit"
        } else {
            &"none"
        };
        let encryption: &dyn Display = if self.carries_clear.value {
            &"must_encrypt or should_encrypt"
        } else {
            &"must_encrypt"
        };
        let (conf, offset) = (&self.confidentiality, &self.confidentiality_offset);
        let (vlan, icv) = (&self.clear_vlan_tags, &self.include_icv_indicator);
        let (version, delay) = (&self.mka_version, &self.delay_protection);
        let (rekey, window) = (&self.sak_rekey_interval, &self.replay_window);
        [
            ("confidentiality", &conf.value, conf.known),
            ("confidentiality_offset", &offset.value, offset.known),
            ("sectag_sci", sci, self.explicit_sci.known),
            ("clear_vlan_tags", &vlan.value, vlan.known),
            ("include_icv_indicator", &icv.value, icv.known),
            ("mka_version", &version.value, version.known),
            ("ssci", &"auto", self.ssci),
            ("delay_protection", &delay.value, delay.known),
            ("eapol_destination", &"pae-group", self.eapol),
            ("eapol_ethertype", &"0x888e", self.eapol),
            ("life_time_ms", &6000, self.timers),
            ("sak_rekey_interval_s", &rekey.value, rekey.known),
            ("replay_window", &window.value, window.known),
            ("max_peers", &self.max_peers.value, self.max_peers.known),
            ("encryption", encryption, self.carries_clear.known),
        ]
    }

    fn suite_row(&self) -> Row {
        let preferred = self.suites.preferred;
        let (value, standing) = match self.suites.taken {
            [only] => (only.to_string(), Standing::Fixed),
            all if all.len() == CipherSuite::ALL.len() => {
                (preferred.to_string(), Standing::Default)
            }
            some => (format!("{preferred}, of {}", list(some)), Standing::Limited),
        };
        Row {
            key: "cipher_suite",
            value,
            standing,
        }
    }

    fn key_row(&self) -> Row {
        let (value, standing) = self.keys.held.map_or_else(
            || ("any number, one fallback".to_owned(), Standing::Default),
            |held| (self.key_words(held), Standing::Limited),
        );
        Row {
            key: "[[link.cak]]",
            value,
            standing,
        }
    }

    fn key_words(&self, held: usize) -> String {
        let mut words = format!("{held}");
        if self.keys.rotating > 0 {
            words += &format!(", {} while keys change", held + self.keys.rotating);
        }
        if let Some(apart) = self.keys.starts_apart {
            words += &format!(", starts {} h apart or more, no end", apart / 3600);
        }
        words
            + match self.keys.fallback {
                Fallback::Counted => ", a fallback among them",
                Fallback::Besides => ", and a fallback",
                Fallback::Refused(_) => ", no fallback",
            }
    }

    fn priority_row(&self) -> Row {
        let Priority {
            least,
            most,
            value,
            known,
        } = self.priority;
        let value = if least == most || (least, most) == (0, 255) {
            value.to_string()
        } else {
            format!("{value}, of {least} to {most}")
        };
        Row {
            key: "key_server_priority",
            value,
            standing: standing(known, least == most),
        }
    }
}

/// "64 digits", or "2 to 64 digits".
pub(in crate::config) fn digits(lengths: &Lengths) -> String {
    let (least, most) = (2 * lengths.least, 2 * lengths.most);
    if least == most {
        format!("{most} digits")
    } else {
        format!("{least} to {most} digits")
    }
}

/// The same of a CAK, of which there are two lengths.
pub(in crate::config) fn cak_digits(lengths: &Lengths) -> String {
    if lengths.least == lengths.most {
        digits(lengths)
    } else {
        "32 or 64 digits".to_owned()
    }
}

/// Suites as people list them.
pub(in crate::config) fn list(suites: &[CipherSuite]) -> String {
    if suites.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<&str> = suites.iter().map(|suite| suite.name()).collect();
    names.join(", ")
}
