//! Offloads that must be off: what they do to a frame, and the command that ends it.

use super::ethtool::Feature;
use super::findings::{Finding, shell_name};
use crate::vdev::Backing;

/// An offload that must be off.
struct Offload {
    /// The kernel's features: one name, or its beginning and a `*` and its end.
    features: &'static str,
    /// What ethtool(8) calls them.
    flag: &'static str,
    what: &'static str,
    why: &'static str,
    /// Whether it matters too where the kernel is the peer: what it does on transmit is what
    /// we receive.
    of_peer: bool,
}

const JOINS: &str = "received frames are joined into longer ones, which are then dropped";
const TAGS: &str = "VLAN tags are kept beside the frame, where they can be lost or changed";
const UNFINISHED: &str = "the kernel hands over frames without a checksum";
const UNCUT: &str = "the kernel hands over frames longer than the MTU, which are then dropped";

const fn offload(
    features: &'static str,
    flag: &'static str,
    what: &'static str,
    why: &'static str,
) -> Offload {
    Offload {
        features,
        flag,
        what,
        why,
        of_peer: false,
    }
}

const OFFLOADS: [Offload; 13] = [
    offload("rx-gro", "gro", "generic receive offload", JOINS),
    offload(
        "rx-gro-hw",
        "rx-gro-hw",
        "receive offload in hardware",
        JOINS,
    ),
    offload(
        "rx-gro-list",
        "rx-gro-list",
        "receive offload by lists",
        JOINS,
    ),
    offload(
        "rx-udp-gro-forwarding",
        "rx-udp-gro-forwarding",
        "UDP receive offload",
        JOINS,
    ),
    offload("rx-lro", "lro", "large receive offload", JOINS),
    offload(
        "tx-generic-segmentation",
        "gso",
        "generic segmentation offload",
        UNCUT,
    ),
    Offload {
        of_peer: true,
        ..offload("tx-tcp*-segmentation", "tso", "TCP segmentation", UNCUT)
    },
    Offload {
        of_peer: true,
        ..offload("tx-checksum-*", "tx", "transmit checksums", UNFINISHED)
    },
    offload(
        "rx-checksum",
        "rx",
        "receive checksums",
        "frames may arrive without a checksum",
    ),
    offload("tx-vlan-hw-insert", "txvlan", "VLAN tag insertion", TAGS),
    offload("rx-vlan-hw-parse", "rxvlan", "VLAN tag stripping", TAGS),
    offload(
        "tx-vlan-stag-hw-insert",
        "tx-vlan-stag-hw-insert",
        "service tag insertion",
        TAGS,
    ),
    offload(
        "rx-vlan-stag-hw-parse",
        "rx-vlan-stag-hw-parse",
        "service tag stripping",
        TAGS,
    ),
];

impl Offload {
    fn is(&self, feature: &str) -> bool {
        match self.features.split_once('*') {
            Some((head, tail)) => feature.starts_with(head) && feature.ends_with(tail),
            None => feature == self.features,
        }
    }

    fn finding(&self, interface: &str, features: &[Feature]) -> Option<Finding> {
        let on: Vec<&Feature> = features.iter().filter(|f| self.is(&f.name)).collect();
        let names: Vec<&str> = on.iter().map(|f| f.name.as_str()).collect();
        let command = || format!("ethtool -K {} {} off", shell_name(interface), self.flag);
        (!on.is_empty()).then(|| Finding {
            what: format!("{interface}: {} is on ({})", self.what, names.join(", ")),
            why: self.why,
            remedy: on.iter().all(|f| !f.fixed).then(command),
        })
    }
}

/// The offloads that are on and must not be.
pub(super) fn offloads(interface: &str, features: &[Feature], backing: Backing) -> Vec<Finding> {
    let matters = |offload: &&Offload| offload.of_peer || backing == Backing::Shared;
    OFFLOADS
        .iter()
        .filter(matters)
        .filter_map(|o| o.finding(interface, features))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feature(name: &str, fixed: bool) -> Feature {
        Feature {
            name: name.to_owned(),
            fixed,
        }
    }

    #[test]
    fn a_family_of_features_is_one_finding() {
        let on = [
            "tx-tcp-segmentation",
            "tx-tcp6-segmentation",
            "tx-udp-segmentation",
        ];
        let features = on.map(|name| feature(name, false));
        for backing in [Backing::Shared, Backing::Peer] {
            let [finding] = &offloads("p0", &features, backing)[..] else {
                panic!("one finding")
            };
            assert_eq!(finding.remedy.as_deref(), Some("ethtool -K p0 tso off"));
            assert!(
                finding
                    .what
                    .contains("(tx-tcp-segmentation, tx-tcp6-segmentation)")
            );
        }
    }

    #[test]
    fn what_cannot_be_switched_off_has_no_command() {
        let features = [feature("rx-lro", true)];
        let [finding] = &offloads("p0", &features, Backing::Shared)[..] else {
            panic!("one finding")
        };
        assert_eq!(finding.remedy, None);
        assert!(
            finding.to_string().ends_with("use another interface"),
            "{finding}"
        );
        assert_eq!(offloads("p0", &features, Backing::Peer), []);
    }
}
