//! Links: what each one is, and whether it is secured.

use alloc::{string::ToString, vec};

use super::{
    Family, Kind, Source,
    family::row,
    sample::{flag, number},
};
use crate::bus::Secured;

pub(super) const TABLE: &[Family] = &[
    row(
        "macsecgw_link_info",
        Kind::Gauge,
        "1",
        "Always 1; the labels say what the configuration asks of a link.",
        "the configuration",
        Source::LinkInfo(
            &["encryption", "agreement", "cipher_suite", "sci"],
            |link| {
                vec![
                    link.encryption.to_string(),
                    link.agreement.to_string(),
                    link.cipher_suite.to_string(),
                    link.sci.to_string(),
                ]
            },
        ),
    ),
    row(
        "macsecgw_link_secured",
        Kind::Gauge,
        "1 = yes",
        "Whether a transmit SA is in use and a receive SA is installed, as the workers reported.",
        "control, from workers' reports",
        Source::Link(|link| flag(link.secured == Secured::Yes)),
    ),
    row(
        "macsecgw_link_controlled_port_open",
        Kind::Gauge,
        "1 = yes",
        "Whether the controlled port is open: whether anything but key agreement passes.",
        "control",
        Source::Link(|link| flag(link.controlled_port_open)),
    ),
    row(
        "macsecgw_link_confidentiality",
        Kind::Gauge,
        "1 = yes",
        "Whether frames are encrypted; 0 is integrity only.",
        "the configuration",
        Source::Link(|link| flag(link.confidentiality)),
    ),
    row(
        "macsecgw_link_an_changes_total",
        Kind::Counter,
        "SAs",
        "SAs that were put in use since the start, both ways.",
        "control",
        Source::Link(|link| number(link.an_changes)),
    ),
    row(
        "macsecgw_link_mtu_bytes",
        Kind::Gauge,
        "bytes",
        "Largest layer-3 payload on the plain side.",
        "the configuration",
        Source::Link(|link| f64::from(link.mtu)),
    ),
    row(
        "macsecgw_link_secure_mtu_needed_bytes",
        Kind::Gauge,
        "bytes",
        "What the secure port must take for it, with MACsec and two VLAN tags.",
        "the configuration",
        Source::Link(|link| f64::from(link.secure_mtu_needed)),
    ),
    row(
        "macsecgw_link_alarm",
        Kind::Gauge,
        "1 = standing",
        "Alarms by their fixed names: 1 while one stands, 0 once it has gone.",
        "control",
        Source::Alarm,
    ),
];
