//! Reads and checks `[link.mka]`: what the KaY does and accepts.

use std::path::PathBuf;

use arrayvec::ArrayVec;

use super::agreement_read::hold;
use super::cak_read::read_keychain;
use super::link::{EncryptionMode, PnShare};
use super::link_read::Place;
use super::mka::Mka;
use super::mka_timers_read::{read_rekey, read_timers};
use super::profile::Profile;
use super::ram::is_in_ram;
use super::raw::{Field, Reader, Section};
use super::redact::quoted;
use crate::ieee::{CipherSuite, EtherType, MacAddr, Ssci};
use crate::macsec::{Confidentiality, SectagSci};
use crate::mka::{IcvHeader, MAX_PEERS, Policy, Protection, SsciRule, XpnSet};

/// Keys of `[link.mka]`.
pub(super) const MKA_KEYS: [&str; 28] = [
    "key_server_priority",
    "accept_cipher_suites",
    "accept_no_macsec",
    "mka_version",
    "include_icv_indicator",
    "eapol_destination",
    "eapol_ethertype",
    "use_updated_eth_header",
    "ssci",
    "own_ssci",
    "peer_ssci",
    "xpn_set",
    "delay_protection",
    "max_peers",
    "hello_time_ms",
    "bounded_hello_time_ms",
    "life_time_ms",
    "sak_retire_time_ms",
    "transmit_delay_ms",
    "sak_gap_ms",
    "short_sak_gap",
    "ramp_ms",
    "sak_rekey_interval_s",
    "sak_rekey_volume_mib",
    "sak_rekey_pn_share",
    "sak_rekey_on_live_peer_loss",
    "hard_expiry",
    "keep_saks_dir",
];

/// What the rest of the link has settled.
pub(super) struct Terms<'a> {
    pub(super) profile: Profile,
    pub(super) encryption: EncryptionMode,
    pub(super) suites: ArrayVec<CipherSuite, 4>,
    pub(super) confidentiality: Confidentiality,
    pub(super) sectag_sci: SectagSci,
    pub(super) pn_soft_threshold: Field<PnShare>,
    pub(super) mka: &'a Section<'a>,
}

/// `[link.mka]` and `[[link.cak]]` of the link in `section`.
pub(super) fn read_mka(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    terms: &Terms<'_>,
    place: &Place<'_>,
) -> Option<Mka> {
    let table = terms.mka;
    let policy = read_policy(reader, table, terms);
    let hard_expiry = table.flag(reader, "hard_expiry", false).value;
    let keep_saks = read_keep_saks(reader, table);
    let strongest = terms.suites.iter().map(|suite| suite.sak_len()).max();
    let keychain = read_keychain(
        reader,
        section,
        terms.profile,
        strongest,
        hard_expiry,
        place,
    )?;
    Some(Mka {
        profile: terms.profile,
        policy,
        keychain,
        hard_expiry,
        keep_saks,
    })
}

fn read_policy(reader: &mut Reader<'_>, section: &Section<'_>, terms: &Terms<'_>) -> Policy {
    let (profile, rules) = (terms.profile, terms.profile.rules());
    let ethernet = read_ethernet(reader, section);
    let icv = rules.include_icv_indicator;
    let icv_indicator = section.flag(reader, "include_icv_indicator", icv.value);
    hold(reader, profile, &icv_indicator, &icv);
    let version = section.number::<u8>(reader, "mka_version", 1..=3, rules.mka_version.value);
    hold(reader, profile, &version, &rules.mka_version);
    let delay = rules.delay_protection;
    let delay_protection = section.flag(reader, "delay_protection", delay.value);
    hold(reader, profile, &delay_protection, &delay);
    let ssci = read_ssci(reader, section, terms, version.value);
    let xpn_set = section.choice(
        reader,
        "xpn_set",
        &[
            ("auto", XpnSet::Auto),
            ("always", XpnSet::Always),
            ("never", XpnSet::Never),
        ],
        XpnSet::Auto,
    );
    let timers = read_timers(reader, section);
    Policy {
        suites: terms.suites.clone(),
        protection: protection(terms.confidentiality),
        accept_no_macsec: read_accept_no_macsec(reader, section, terms.encryption),
        priority: read_priority(reader, section, profile),
        source: MacAddr([0; 6]),
        destination: ethernet.destination,
        ethertype: ethernet.ethertype,
        icv_header: ethernet.icv_header,
        icv_indicator: icv_indicator.value,
        version: version.value,
        max_peers: read_max_peers(reader, section, terms, ssci),
        ssci,
        xpn_set: xpn_set.value,
        delay_protection: delay_protection.value,
        rekey: read_rekey(reader, section, terms, &timers),
        timers,
    }
}

const fn protection(confidentiality: Confidentiality) -> Protection {
    match confidentiality {
        Confidentiality::IntegrityOnly => Protection::IntegrityOnly,
        Confidentiality::Offset0 => Protection::Offset0,
        Confidentiality::Offset30 => Protection::Offset30,
        Confidentiality::Offset50 => Protection::Offset50,
    }
}

fn read_accept_no_macsec(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    encryption: EncryptionMode,
) -> bool {
    let default = encryption == EncryptionMode::ShouldEncrypt;
    let accept = section.flag(reader, "accept_no_macsec", default);
    if encryption == EncryptionMode::MustEncrypt && accept.value {
        let what = "must_encrypt with a key server that may end MACsec";
        let right = "leave it out, or `encryption = \"should_encrypt\"`";
        reader.wrong(&accept, what, right);
    }
    accept.value && encryption != EncryptionMode::MustEncrypt
}

fn read_priority(reader: &mut Reader<'_>, section: &Section<'_>, profile: Profile) -> u8 {
    let rules = profile.rules().priority;
    let priority = section.number::<u8>(reader, "key_server_priority", 0..=255, rules.value);
    if !(rules.least..=rules.most).contains(&priority.value)
        && let super::profile::rules::Known::Fixed(words) = rules.known
    {
        let shown = priority.value.to_string();
        super::agreement_read::contradict(reader, profile, &priority, &shown, words);
    }
    priority.value
}

/// Where MKPDUs go, and what their ICV covers.
struct Ethernet {
    destination: MacAddr,
    ethertype: EtherType,
    icv_header: IcvHeader,
}

/// The EtherType of vendors whose MKPDUs are to pass bridges that keep EAPOL for themselves.
const OTHER_EAPOL: EtherType = EtherType(0x876f);

fn read_ethernet(reader: &mut Reader<'_>, section: &Section<'_>) -> Ethernet {
    let destination = read_destination(reader, section);
    let default = EtherType::EAPOL.0;
    let ethertype = section.number::<u16>(reader, "eapol_ethertype", 0..=0xffff, default);
    if ![EtherType::EAPOL.0, OTHER_EAPOL.0].contains(&ethertype.value) {
        let what = format!("{} is no EtherType of MKA", EtherType(ethertype.value));
        reader.wrong(
            &ethertype,
            what,
            "0x888E, or 0x876F where both ends have it",
        );
    }
    let updated = section.flag(reader, "use_updated_eth_header", true);
    let standard = destination == MacAddr::PAE_GROUP && ethertype.value == EtherType::EAPOL.0;
    if updated.given && !updated.value && standard {
        let what = "this has no effect: the header is the standard's";
        let right = "it is for another `eapol_destination` or `eapol_ethertype`; leave it out";
        reader.warn(&updated, what, right);
    }
    Ethernet {
        destination,
        ethertype: EtherType(ethertype.value),
        icv_header: if updated.value {
            IcvHeader::AsSent
        } else {
            IcvHeader::Standard
        },
    }
}

/// Group addresses that MKPDUs are sent to, by the names that routers give them.
const GROUPS: [(&str, MacAddr); 4] = [
    ("pae-group", MacAddr::PAE_GROUP),
    (
        "bridge-group",
        MacAddr([0x01, 0x80, 0xc2, 0x00, 0x00, 0x00]),
    ),
    ("lldp-group", MacAddr([0x01, 0x80, 0xc2, 0x00, 0x00, 0x0e])),
    ("broadcast", MacAddr([0xff; 6])),
];

fn read_destination(reader: &mut Reader<'_>, section: &Section<'_>) -> MacAddr {
    let text = section.text(reader, "eapol_destination", "pae-group");
    if let Some(&(_, group)) = GROUPS.iter().find(|(name, _)| *name == text.value) {
        return group;
    }
    let right = "\"pae-group\", \"bridge-group\", \"lldp-group\", \"broadcast\", or the address of \
                 the peer's port, such as \"02:00:00:00:00:02\"";
    let Ok(address) = text.value.parse::<MacAddr>() else {
        let names = GROUPS.map(|(name, _)| name);
        let meant = super::nearest::nearest(&text.value, &names);
        let right = meant.map_or_else(
            || right.to_owned(),
            |meant| format!("{right}; did you mean \"{meant}\"?"),
        );
        let what = format!("{} is no destination of MKPDUs", quoted(&text.value));
        reader.wrong(&text, what, right);
        return MacAddr::PAE_GROUP;
    };
    let known = GROUPS.iter().any(|&(_, group)| group == address);
    if address.0 == [0; 6] || address.is_group() && !known {
        let what = format!("{address} is no destination of MKPDUs");
        reader.wrong(&text, what, right);
    }
    address
}

/// How `ssci` is spelt; `Forced` takes its numbers from two keys of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SsciWord {
    Auto,
    BySci,
    ByLiveList,
    Forced,
}

fn read_ssci(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    terms: &Terms<'_>,
    version: u8,
) -> SsciRule {
    let choices = [
        ("auto", SsciWord::Auto),
        ("by-sci", SsciWord::BySci),
        ("by-live-list", SsciWord::ByLiveList),
        ("forced", SsciWord::Forced),
    ];
    let word = section.choice(reader, "ssci", &choices, SsciWord::Auto);
    let own = section.number::<u32>(reader, "own_ssci", 1..=0xffff_ffff, 1);
    let peer = section.number::<u32>(reader, "peer_ssci", 1..=0xffff_ffff, 2);
    if word.given && !terms.suites.iter().any(|suite| suite.is_xpn()) {
        let what = "`ssci` has no effect: no suite of this link has XPN";
        reader.warn(&word, what, "leave it out");
    }
    if word.value == SsciWord::ByLiveList && version < 3 {
        let what = format!("`ssci` is \"by-live-list\", and `mka_version` is {version}");
        let right = "the list has an order from version 3 on: `mka_version = 3`, or \"by-sci\"";
        reader.wrong(&word, what, right);
    }
    if word.value != SsciWord::Forced {
        for number in [&own, &peer].into_iter().filter(|number| number.given) {
            let right = "leave it out, or `ssci = \"forced\"`";
            reader.wrong(number, "an SSCI, but `ssci` is not \"forced\"", right);
        }
    }
    match word.value {
        SsciWord::Auto => SsciRule::Auto,
        SsciWord::BySci => SsciRule::BySci,
        SsciWord::ByLiveList => SsciRule::ByLiveList,
        SsciWord::Forced => {
            let both = section.find("own_ssci").is_some() && section.find("peer_ssci").is_some();
            if !both {
                let right = "`own_ssci` and `peer_ssci`, the other way round at the peer";
                reader.wrong(&word, "`ssci` is \"forced\" without its two numbers", right);
            } else if own.value == peer.value {
                let what = format!("`own_ssci` and `peer_ssci` are both {}", own.value);
                let right = "two members have different SSCIs; the peer's are the other way round";
                reader.wrong(&peer, what, right);
            }
            SsciRule::Forced {
                own: Ssci(own.value),
                peer: Ssci(peer.value),
            }
        }
    }
}

fn read_max_peers(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    terms: &Terms<'_>,
    ssci: SsciRule,
) -> usize {
    let rule = &terms.profile.rules().max_peers;
    let two_members = if matches!(ssci, SsciRule::Forced { .. }) {
        Some("SSCIs by force are for two members")
    } else if terms.sectag_sci != SectagSci::Explicit {
        Some("frames without an explicit SCI are for two members")
    } else {
        None
    };
    let default = if two_members.is_some() { 1 } else { rule.value };
    let most = i64::try_from(MAX_PEERS).unwrap_or(i64::MAX);
    let peers = section.number::<u8>(reader, "max_peers", 1..=most, default);
    hold(reader, terms.profile, &peers, rule);
    if let Some(why) = two_members
        && peers.value > 1
    {
        let what = format!("`max_peers` is {}, and {why}", peers.value);
        reader.wrong(&peers, what, "1: the peer");
    }
    usize::from(peers.value)
}

fn read_keep_saks(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<PathBuf> {
    let text = section.text(reader, "keep_saks_dir", "");
    if text.value.is_empty() {
        return None;
    }
    let right = "a directory in RAM, such as \"/run/macsecgw/saks\"";
    let path = PathBuf::from(&text.value);
    if !path.is_absolute() || text.value.contains('\0') {
        let what = format!("{} is not an absolute path", quoted(&text.value));
        reader.wrong(&text, what, right);
    } else if !is_in_ram(&path) {
        let what = format!(
            "{} is not in RAM: SAKs would reach a disk",
            quoted(&text.value)
        );
        reader.wrong(&text, what, right);
    }
    Some(path)
}
