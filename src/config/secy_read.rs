//! Reads and checks the keys of `[[link]]` that say what the SecY does to a frame.

use super::agreement_read::{contradict, hold};
use super::link::{Bypass, BypassDirection, EncryptionMode, PnShare};
use super::profile::Profile;
use super::profile::rules::Known;
use super::raw::{Field, Reader, Section};
use crate::ieee::{CipherSuite, EtherType, Sci};
use crate::macsec::{Confidentiality, MAX_WINDOW_XPN, Replay, SectagSci, ValidateFrames};

/// Keys of an entry of `bypass`.
pub(super) const BYPASS_KEYS: [&str; 2] = ["ethertype", "direction"];

pub(super) fn read_sectag_sci(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    sci: Option<&Field<Sci>>,
    profile: Profile,
) -> SectagSci {
    let choices = [
        ("explicit", SectagSci::Explicit),
        ("end-station", SectagSci::EndStation),
        ("single-copy-broadcast", SectagSci::SingleCopyBroadcast),
        ("none", SectagSci::None),
    ];
    let field = section.choice(reader, "sectag_sci", &choices, SectagSci::Explicit);
    if let Known::Fixed(words) = profile.rules().explicit_sci.known
        && field.value != SectagSci::Explicit
    {
        let word = choices.iter().find(|(_, choice)| *choice == field.value);
        let shown = word.map_or("", |(word, _)| word);
        contradict(reader, profile, &field, shown, words);
        return SectagSci::Explicit;
    }
    let wanted_port = match field.value {
        SectagSci::Explicit => return field.value,
        SectagSci::EndStation => Some(Sci::END_STATION_PORT),
        SectagSci::SingleCopyBroadcast => Some(Sci::SINGLE_COPY_BROADCAST_PORT),
        SectagSci::None => None,
    };
    let Some(sci) = sci else {
        let what = "frames without an explicit SCI need `sci` to be set";
        let right = "set `sci` to the one address that the plain side sends from, or \
                     `sectag_sci = \"explicit\"`: a wire carries the frames of others, whose \
                     addresses are not ours";
        reader.wrong(&field, what, right);
        return field.value;
    };
    if let Some(port) = wanted_port.filter(|&port| port != sci.value.port()) {
        let what = format!("the SCI {} does not have port {port}", sci.value);
        let right = format!(
            "with this `sectag_sci`, `sci` is \"{}/{port}\"",
            sci.value.address()
        );
        reader.wrong(sci, what, right);
    }
    field.value
}

pub(super) struct Protection {
    pub(super) confidentiality: Confidentiality,
    pub(super) clear_vlan_tags: u8,
    pub(super) pn_soft_threshold: Field<PnShare>,
}

pub(super) fn read_protection(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    suites: &[CipherSuite],
    profile: Profile,
    soft_threshold: f64,
) -> Protection {
    let rules = profile.rules();
    let confidentiality = section.flag(reader, "confidentiality", true);
    hold(reader, profile, &confidentiality, &rules.confidentiality);
    if !confidentiality.value {
        let what = "integrity only: whoever sees the secure side reads every frame";
        reader.warn(&confidentiality, what, "`confidentiality = true` encrypts");
    }
    let share = section.fraction(reader, "pn_soft_threshold", 0.01..=1.0, soft_threshold);
    let vlan_tags = section.number(reader, "clear_vlan_tags", 0..=2, 0);
    hold(reader, profile, &vlan_tags, &rules.clear_vlan_tags);
    Protection {
        confidentiality: read_offset(reader, section, suites, profile, confidentiality.value),
        clear_vlan_tags: vlan_tags.value,
        pn_soft_threshold: share.with(PnShare::of_whole(share.value)),
    }
}

fn read_offset(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    suites: &[CipherSuite],
    profile: Profile,
    encrypts: bool,
) -> Confidentiality {
    let field = section.number::<u8>(reader, "confidentiality_offset", 0..=50, 0);
    let rule = &profile.rules().confidentiality_offset;
    hold(reader, profile, &field, rule);
    let confidentiality = match field.value {
        0 => Confidentiality::Offset0,
        30 => Confidentiality::Offset30,
        50 => Confidentiality::Offset50,
        other => {
            let what = format!("`confidentiality_offset` is {other}");
            reader.wrong(&field, what, "0, 30 or 50 octets; there are no others");
            return Confidentiality::Offset0;
        }
    };
    if let Some(suite) = suites.iter().find(|suite| suite.is_xpn())
        && field.value != 0
    {
        let what = format!("{suite} has no confidentiality offset");
        reader.wrong(&field, what, "0, or a suite without XPN");
    } else if field.value != 0 && !encrypts {
        let what = "a confidentiality offset without confidentiality";
        reader.wrong(&field, what, "0, or `confidentiality = true`");
    }
    if encrypts {
        confidentiality
    } else {
        Confidentiality::IntegrityOnly
    }
}

pub(super) fn read_replay(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    suites: &[CipherSuite],
    profile: Profile,
) -> (Replay, u32) {
    let choices = [
        ("off", Replay::Off),
        ("strict", Replay::Strict),
        ("window", Replay::Window(64)),
    ];
    let replay = section.choice(reader, "replay", &choices, Replay::Window(64));
    let rule = &profile.rules().replay_window;
    let window = section.number::<u32>(reader, "replay_window", 0..=0xffff_ffff, rule.value);
    hold(reader, profile, &window, rule);
    let depth = section.number::<u32>(reader, "duplicate_depth", 64..=65_536, 4096);
    if !depth.value.is_power_of_two() {
        let what = format!("`duplicate_depth` is {}, no power of two", depth.value);
        let right = format!("{}, for example", depth.value.next_power_of_two());
        reader.wrong(&depth, what, right);
    }
    let Replay::Window(_) = replay.value else {
        if window.given {
            let what = "`replay_window` is set, but `replay` is not \"window\"";
            reader.wrong(&window, what, "leave it out, or `replay = \"window\"`");
        }
        return (replay.value, depth.value);
    };
    if let Some(suite) = suites.iter().find(|suite| suite.is_xpn())
        && window.value > MAX_WINDOW_XPN
    {
        let what = format!("a replay window of {} with {suite}", window.value);
        let right = format!("at most {MAX_WINDOW_XPN} with XPN");
        reader.wrong(&window, what, right);
    }
    (Replay::Window(window.value), depth.value)
}

pub(super) fn read_validate_frames(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    encryption: EncryptionMode,
) -> ValidateFrames {
    let choices = [
        ("strict", ValidateFrames::Strict),
        ("check", ValidateFrames::Check),
        ("disabled", ValidateFrames::Disabled),
    ];
    let field = section.choice(reader, "validate_frames", &choices, ValidateFrames::Strict);
    if encryption == EncryptionMode::MustEncrypt && field.value != ValidateFrames::Strict {
        let what = "must_encrypt with frames delivered that are not valid";
        let right = "`validate_frames = \"strict\"`, or another `encryption`";
        reader.wrong(&field, what, right);
    }
    field.value
}

/// Types that never pass in clear, and why.
const NEVER_BYPASSED: [(EtherType, &str); 8] = [
    (EtherType::EAPOL, "EAPOL is what keys are agreed with"),
    (EtherType::MACSEC, "it is MACsec's own"),
    (EtherType::IPV4, "it is IPv4: the traffic to protect"),
    (EtherType::IPV6, "it is IPv6: the traffic to protect"),
    (
        EtherType::ARP,
        "ARP in clear lets anyone redirect the traffic",
    ),
    (
        EtherType::C_VLAN,
        "a VLAN tag stands before every other type",
    ),
    (
        EtherType::S_VLAN,
        "a VLAN tag stands before every other type",
    ),
    (EtherType::MAC_CONTROL, "pause frames are never forwarded"),
];

pub(super) fn read_bypass(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    encryption: EncryptionMode,
) -> Vec<Bypass> {
    let wanted = "a list such as [{ ethertype = 0x88CC, direction = \"both\" }]";
    let sections = section.sections(reader, "bypass", wanted, &BYPASS_KEYS);
    let mut bypass: Vec<Bypass> = Vec::new();
    for entry in &sections {
        let Some(checked) = read_bypass_entry(reader, entry, encryption) else {
            continue;
        };
        if bypass.iter().any(|b| b.ethertype == checked.ethertype) {
            let field = entry.default("ethertype", ());
            let what = format!("{} is in the list twice", checked.ethertype);
            reader.wrong(
                &field,
                what,
                "one entry for a type; `direction` may be \"both\"",
            );
        }
        bypass.push(checked);
    }
    bypass
}

fn read_bypass_entry(
    reader: &mut Reader<'_>,
    entry: &Section<'_>,
    encryption: EncryptionMode,
) -> Option<Bypass> {
    let direction = entry.choice(
        reader,
        "direction",
        &[
            ("protect", Some(BypassDirection::Protect)),
            ("validate", Some(BypassDirection::Validate)),
            ("both", Some(BypassDirection::Both)),
        ],
        None,
    );
    if entry.find("direction").is_none() {
        let right = "\"protect\", \"validate\" or \"both\"";
        reader.wrong(&direction, "a bypass without `direction`", right);
    }
    let field = entry.number::<u16>(reader, "ethertype", 0..=0xffff, 0);
    if entry.find("ethertype").is_none() {
        let right = "the type of the frames to carry in clear, such as 0x88CC";
        reader.wrong(&field, "a bypass without `ethertype`", right);
    }
    if !field.given {
        return None;
    }
    let ethertype = EtherType(field.value);
    if field.value < 0x0600 {
        let what = format!("{ethertype} is no EtherType but a length");
        reader.wrong(&field, what, "EtherTypes start at 0x0600");
        return None;
    }
    if let Some((_, why)) = NEVER_BYPASSED
        .iter()
        .find(|&&(never, _)| never == ethertype)
    {
        let what = format!("{ethertype} can't be carried in clear: {why}");
        reader.wrong(&field, what, "leave the entry out");
        return None;
    }
    if encryption == EncryptionMode::MustEncrypt {
        let what = format!("frames of type {ethertype} pass in clear although must_encrypt is set");
        let right = "this keeps an alarm standing; leave it out if the peer can do without";
        reader.warn(&field, what, right);
    }
    Some(Bypass {
        ethertype,
        direction: direction.value?,
    })
}
