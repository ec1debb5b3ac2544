//! One link for people.

use alloc::{
    format,
    string::{String, ToString},
};

use super::{
    super::{
        quantity::grouped,
        table::{Align, Table},
    },
    rates::Interval,
};
use crate::api::{LaneStatus, LinkStatus, PortStatus};

const NONE: &str = "-";

pub(super) fn render(
    before: Option<&LinkStatus>,
    link: &LinkStatus,
    interval: Option<Interval>,
) -> String {
    let mut text = format!("link {}: {}\n", link.name, state(link));
    let wire = link.encryption == "no_encrypt";
    for (what, said) in facts(link) {
        if wire && matches!(what, "suite" | "replay") {
            continue;
        }
        text.push_str(&format!("  {what:<9}{said}\n"));
    }
    for alarm in &link.alarms {
        text.push_str(&format!("  ALARM    {}: {}\n", alarm.name, alarm.text));
    }
    text.push('\n');
    text.push_str(&ports(link));
    text.push('\n');
    text.push_str(&lanes(before, link, interval));
    if let Some(mka) = &link.mka {
        text.push('\n');
        text.push_str(&super::mka::render(mka));
    }
    let sas = sas(link);
    if sas.has_rows() {
        text.push('\n');
        text.push_str(&sas.render(2));
    }
    text
}

fn state(link: &LinkStatus) -> String {
    let secured = match (link.encryption.as_str(), link.secured) {
        ("no_encrypt", _) => "a wire, nothing is encrypted",
        (_, true) => "secured",
        (_, false) => "NOT SECURED",
    };
    let port = if link.controlled_port_open {
        "open"
    } else {
        "CLOSED"
    };
    format!("{secured}, controlled port {port}")
}

fn mode(link: &LinkStatus) -> String {
    let keys = match link.agreement.as_str() {
        "static" => "static keys",
        "none" => "no keys",
        other => other,
    };
    format!("{}, {keys}", link.encryption)
}

fn facts(link: &LinkStatus) -> [(&'static str, String); 5] {
    let protection = match (link.confidentiality, link.confidentiality_offset) {
        (false, _) => String::from("INTEGRITY ONLY, nothing is encrypted"),
        (true, 0) => String::from("encrypted"),
        (true, offset) => format!("encrypted but for the first {offset} octets"),
    };
    [
        ("state", link.reason.clone()),
        ("mode", mode(link)),
        (
            "suite",
            format!(
                "{}, {protection}; SCI {} ({}), {} clear VLAN tags, validation {}",
                link.cipher_suite,
                link.sci,
                link.sectag_sci,
                link.clear_vlan_tags,
                link.validate_frames
            ),
        ),
        (
            "replay",
            format!("{}: {}", link.replay.mode, link.replay.meaning),
        ),
        (
            "mtu",
            format!(
                "{} on the plain side; needs {} of the secure port, which takes {}",
                link.mtu, link.secure_mtu_needed, link.secure.mtu
            ),
        ),
    ]
}

fn ports(link: &LinkStatus) -> String {
    let columns = [
        ("PORT", Align::Left),
        ("LINK", Align::Left),
        ("MBIT/S", Align::Right),
        ("MTU", Align::Right),
        ("MBUFS FREE", Align::Right),
        ("ERRORS", Align::Right),
        ("MISSED", Align::Right),
        ("LINK DOWN BY", Align::Left),
        ("ADDRESS", Align::Left),
        ("DRIVER", Align::Left),
        ("DEVICE", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for (side, port) in [("plain", &link.plain), ("secure", &link.secure)] {
        table.row([
            side.to_string(),
            link_word(port).to_string(),
            if port.speed_mbps == 0 {
                NONE.to_string()
            } else {
                grouped(port.speed_mbps.into())
            },
            port.mtu.to_string(),
            format!("{} of {}", port.mbufs_free, port.mbufs),
            grouped(port.rx_errors.saturating_add(port.tx_errors)),
            grouped(port.rx_missed.saturating_add(port.rx_no_mbuf)),
            port.link_down_way.clone(),
            port.mac.clone(),
            port.driver.clone(),
            port.device.clone(),
        ]);
    }
    table.render(2)
}

const fn link_word(port: &PortStatus) -> &'static str {
    match (port.started, port.link_up) {
        (false, _) => "stopped",
        (true, true) => "up",
        (true, false) => "down",
    }
}

fn lanes(before: Option<&LinkStatus>, link: &LinkStatus, interval: Option<Interval>) -> String {
    let columns = [
        ("LANE", Align::Left),
        ("PASSES", Align::Left),
        ("IN/S", Align::Right),
        ("IN BIT/S", Align::Right),
        ("OUT/S", Align::Right),
        ("OUT BIT/S", Align::Right),
        ("FRAMES IN", Align::Right),
        ("FRAMES OUT", Align::Right),
        ("DROPPED", Align::Right),
        ("CLEAR", Align::Right),
        ("BYPASSED", Align::Right),
    ];
    let mut table = Table::new(&columns);
    let earlier = [
        before.map(|link| &link.protect),
        before.map(|link| &link.validate),
    ];
    let now = [("protect", &link.protect), ("validate", &link.validate)];
    for ((name, lane), before) in now.into_iter().zip(earlier) {
        let rate = |field: fn(&LaneStatus) -> u64, weight| {
            let both = interval.zip(before);
            both.and_then(|(interval, before)| interval.rate(field(before), field(lane), weight))
                .unwrap_or_else(|| NONE.to_string())
        };
        table.row([
            name.to_string(),
            lane.mode.clone(),
            rate(|lane| lane.frames_in, 1.0),
            rate(|lane| lane.octets_in, 8.0),
            rate(|lane| lane.frames_out, 1.0),
            rate(|lane| lane.octets_out, 8.0),
            grouped(lane.frames_in),
            grouped(lane.frames_out),
            grouped(lane.dropped),
            grouped(lane.clear),
            grouped(lane.bypassed),
        ]);
    }
    table.render(2)
}

fn sas(link: &LinkStatus) -> Table {
    let columns = [
        ("SA", Align::Left),
        ("AN", Align::Right),
        ("SCI", Align::Left),
        ("NEXT PN", Align::Right),
        ("RESERVED UNTIL", Align::Right),
        ("LOWEST PN", Align::Right),
        ("", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for sa in &link.tx_sas {
        let spent = if sa.soft_threshold_passed {
            ", PACKET NUMBERS RUN LOW"
        } else {
            ""
        };
        table.row([
            "transmit".to_string(),
            sa.an.to_string(),
            link.sci.clone(),
            grouped(sa.next_pn),
            grouped(sa.reserved_until),
            NONE.to_string(),
            format!(
                "{}{spent}",
                if sa.encoding { "in use" } else { "installed" }
            ),
        ]);
    }
    for sc in &link.rx_scs {
        for sa in &sc.sas {
            table.row([
                "receive".to_string(),
                sa.an.to_string(),
                sc.sci.clone(),
                grouped(sa.next_pn),
                NONE.to_string(),
                grouped(sa.lowest_pn),
                "installed".to_string(),
            ]);
        }
    }
    table
}
