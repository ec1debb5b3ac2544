//! Links with key agreement by MKA: what a config comes to, under each profile, and what it warns of.

#![expect(
    clippy::unwrap_used,
    reason = "test code outside a test function; a failure here is a failed test"
)]

#[path = "config/desk.rs"]
mod desk;

use std::time::Duration;

use desk::{Desk, MINIMAL_MKA};
use macsec_gateway::config::profile::Standing;
use macsec_gateway::config::{Config, Link, Mka, PnShare, Profile, Utc};
use macsec_gateway::ieee::{CipherSuite, EtherType, MacAddr, Ssci};
use macsec_gateway::macsec::Confidentiality;
use macsec_gateway::mka::{IcvHeader, Protection, Rekey, SsciRule, Timers, XpnSet};

const PROFILES: &str = include_str!("../docs/profiles.md");

/// Names of 64 digits, which every profile takes.
fn long_names(text: &str) -> String {
    (1..=9).fold(text.to_owned(), |text, number| {
        text.replace(
            &format!("ckn = \"0{number}\""),
            &format!("ckn = \"{number:064}\""),
        )
    })
}

fn under(profile: Profile) -> String {
    let line = format!("agreement = \"mka\"\nprofile = \"{}\"", profile.name());
    long_names(&MINIMAL_MKA.replace("agreement = \"mka\"", &line))
}

fn load(text: &str) -> Config {
    Desk::new().load(text).unwrap()
}

fn only(config: &Config) -> (&Link, &Mka) {
    let link = config.links.first().unwrap();
    (link, link.mka().unwrap())
}

/// The minimal config with `lines` in [link.mka].
fn with(lines: &str) -> Config {
    load(&format!("{MINIMAL_MKA}\n[link.mka]\n{lines}\n"))
}

fn warnings(config: &Config) -> Vec<&str> {
    config.warnings.iter().map(|w| w.what.as_str()).collect()
}

#[test]
fn what_is_not_given_is_the_standards() {
    let config = load(MINIMAL_MKA);
    assert_eq!(warnings(&config), [""; 0]);
    let (link, mka) = only(&config);
    assert!(link.static_keys().is_none());
    assert_eq!(link.cipher_suite, CipherSuite::GcmAesXpn256);
    assert_eq!(link.pn_soft_threshold, PnShare(900_000));
    assert_eq!((mka.profile, mka.hard_expiry), (Profile::Generic, false));
    assert_eq!(mka.keep_saks, None);
    let policy = &mka.policy;
    assert_eq!(policy.suites.as_slice(), [CipherSuite::GcmAesXpn256]);
    assert_eq!(policy.protection, Protection::Offset0);
    assert!(!policy.accept_no_macsec);
    assert_eq!((policy.priority, policy.version), (16, 3));
    assert_eq!(policy.source, MacAddr([0; 6]));
    assert_eq!(policy.destination, MacAddr::PAE_GROUP);
    assert_eq!(policy.ethertype, EtherType::EAPOL);
    assert_eq!(policy.icv_header, IcvHeader::AsSent);
    assert!(!policy.icv_indicator && !policy.delay_protection);
    assert_eq!(
        (policy.ssci, policy.xpn_set),
        (SsciRule::Auto, XpnSet::Auto)
    );
    assert_eq!(policy.timers, Timers::default());
    assert_eq!(policy.rekey, Rekey::default());
    assert_eq!(policy.max_peers, 30);
    let [key] = mka.keychain.as_slice() else {
        panic!("{mka:?}");
    };
    assert_eq!(key.ckn.octets(), [1]);
    assert_eq!((key.start, key.end, key.fallback), (None, None, false));
}

#[test]
fn every_knob_reaches_the_policy() {
    let config = with(
        "key_server_priority = 0\nmka_version = 1\ninclude_icv_indicator = true\n\
         accept_cipher_suites = [\"gcm-aes-128\"]\neapol_destination = \"02:00:00:00:00:09\"\n\
         eapol_ethertype = 0x876F\nuse_updated_eth_header = false\nssci = \"forced\"\n\
         own_ssci = 7\npeer_ssci = 9\nxpn_set = \"never\"\ndelay_protection = true\n\
         hello_time_ms = 1000\nbounded_hello_time_ms = 250\nlife_time_ms = 3000\n\
         sak_retire_time_ms = 1500\ntransmit_delay_ms = 2500\nsak_gap_ms = 500\n\
         short_sak_gap = true\nramp_ms = [50, 60]\nsak_rekey_interval_s = 1\n\
         sak_rekey_volume_mib = 3\nsak_rekey_pn_share = 0.000001\n\
         sak_rekey_on_live_peer_loss = true\nhard_expiry = true\nkeep_saks_dir = \"/dev/shm/x\"",
    );
    let (_, mka) = only(&config);
    let ms = Duration::from_millis;
    assert_eq!(mka.keep_saks.as_deref(), Some("/dev/shm/x".as_ref()));
    assert!(mka.hard_expiry);
    let policy = &mka.policy;
    assert_eq!(
        policy.suites.as_slice(),
        [CipherSuite::GcmAesXpn256, CipherSuite::GcmAes128]
    );
    assert_eq!((policy.priority, policy.version), (0, 1));
    assert!(policy.icv_indicator && policy.delay_protection);
    assert_eq!(policy.destination.to_string(), "02:00:00:00:00:09");
    assert_eq!(policy.ethertype, EtherType(0x876f));
    assert_eq!(policy.icv_header, IcvHeader::Standard);
    let forced = SsciRule::Forced {
        own: Ssci(7),
        peer: Ssci(9),
    };
    assert_eq!((policy.ssci, policy.xpn_set), (forced, XpnSet::Never));
    // SSCIs by force are for two.
    assert_eq!(policy.max_peers, 1);
    let expected = Timers {
        hello: ms(1000),
        bounded_hello: ms(250),
        life: ms(3000),
        retire: ms(1500),
        transmit_delay: ms(2500),
        sak_gap: ms(500),
        ramp: [50, 60].into_iter().map(ms).collect(),
    };
    assert_eq!(policy.timers, expected);
    let expected = Rekey {
        pn_share: 1,
        every: Some(ms(1000)),
        after_octets: Some(3 << 20),
        on_live_peer_loss: true,
    };
    assert_eq!(policy.rekey, expected);
    assert_eq!(
        warnings(&config),
        [
            "SAKs may follow each other faster than the standard allows",
            "a new SAK every 1 s",
        ]
    );
    for (word, address) in [
        ("bridge-group", "01:80:c2:00:00:00"),
        ("lldp-group", "01:80:c2:00:00:0e"),
        ("broadcast", "ff:ff:ff:ff:ff:ff"),
        ("01:80:C2:00:00:0E", "01:80:c2:00:00:0e"),
    ] {
        let config = with(&format!("eapol_destination = \"{word}\""));
        assert_eq!(only(&config).1.policy.destination.to_string(), address);
    }
}

#[test]
fn the_rest_of_the_link_reaches_the_policy() {
    let config = load(&MINIMAL_MKA.replace(
        "agreement",
        "cipher_suite = \"gcm-aes-256\"\nconfidentiality_offset = 50\n\
         encryption = \"should_encrypt\"\nagreement",
    ));
    let (link, mka) = only(&config);
    assert_eq!(link.confidentiality, Confidentiality::Offset50);
    assert_eq!(mka.policy.protection, Protection::Offset50);
    assert_eq!(mka.policy.suites.as_slice(), [CipherSuite::GcmAes256]);
    assert!(
        mka.policy.accept_no_macsec,
        "should_encrypt may fall to clear"
    );
    let config = load(&MINIMAL_MKA.replace("agreement", "confidentiality = false\nagreement"));
    assert_eq!(only(&config).1.policy.protection, Protection::IntegrityOnly);
    assert_eq!(config.warnings.len(), 1);
    let config = load(&MINIMAL_MKA.replace("agreement", "encryption = \"no_encrypt\"\nagreement"));
    assert_eq!(only(&config).1.keychain.len(), 1);
    // What only must_encrypt refuses does not bar the way to no_encrypt.
    for mode in ["no_encrypt", "should_encrypt"] {
        let line = format!("encryption = \"{mode}\"\nagreement");
        let text = MINIMAL_MKA.replace("agreement", &line);
        let config = load(&format!("{text}\n[link.mka]\naccept_no_macsec = true\n"));
        assert!(only(&config).1.policy.accept_no_macsec, "{mode}");
    }
}

#[test]
fn each_profile_sets_what_its_cloud_fixes() {
    use CipherSuite::{GcmAes256, GcmAesXpn256};
    let both: &[CipherSuite] = &[GcmAesXpn256, GcmAes256];
    let one: &[CipherSuite] = &[GcmAesXpn256];
    // Suites, priority, ICV Indicator, seconds to a rekey, version, peers.
    let expected = [
        (Profile::AwsDirectConnect10g, both, 16, false, 0, 1, 1),
        (Profile::AwsDirectConnect100g, one, 16, false, 0, 1, 1),
        (
            Profile::GoogleCloudInterconnect,
            both,
            15,
            true,
            28_800,
            1,
            1,
        ),
        (Profile::AzureExpressrouteDirect, one, 16, false, 0, 1, 1),
        (Profile::OracleFastconnect, one, 16, false, 3600, 1, 1),
        (Profile::IbmDirectLink, one, 16, false, 0, 1, 1),
        (Profile::AlibabaExpressConnect, one, 16, false, 0, 1, 1),
        (Profile::Generic, one, 16, false, 0, 3, 30),
    ];
    assert_eq!(expected.map(|row| row.0), Profile::ALL);
    for (profile, suites, priority, icv_indicator, rekey, version, peers) in expected {
        let config = load(&under(profile));
        assert_eq!(warnings(&config), [""; 0], "{profile:?}");
        let (link, mka) = only(&config);
        let policy = &mka.policy;
        assert_eq!(mka.profile, profile);
        assert_eq!(policy.suites.as_slice(), suites, "{profile:?}");
        assert_eq!(link.cipher_suite, GcmAesXpn256);
        assert_eq!(policy.priority, priority, "{profile:?}");
        assert_eq!(policy.icv_indicator, icv_indicator, "{profile:?}");
        let every = policy.rekey.every.map_or(0, |every| every.as_secs());
        assert_eq!(every, rekey, "{profile:?}");
        assert_eq!(policy.version, version, "{profile:?}");
        assert_eq!(policy.max_peers, peers, "{profile:?}");
        assert_eq!(policy.protection, Protection::Offset0);
    }
}

#[test]
fn what_a_cloud_leaves_open_can_be_changed_under_its_profile() {
    for (profile, lines) in [
        (
            Profile::AwsDirectConnect10g,
            "key_server_priority = 0\nmka_version = 3",
        ),
        (
            Profile::AwsDirectConnect100g,
            "ssci = \"by-sci\"\nmax_peers = 3",
        ),
        (
            Profile::GoogleCloudInterconnect,
            "sak_rekey_interval_s = 30",
        ),
        (
            Profile::AzureExpressrouteDirect,
            "include_icv_indicator = true",
        ),
        (Profile::OracleFastconnect, "key_server_priority = 1"),
        (
            Profile::IbmDirectLink,
            "key_server_priority = 254\nsak_rekey_interval_s = 600",
        ),
        (
            Profile::AlibabaExpressConnect,
            "sak_rekey_volume_mib = 1000",
        ),
    ] {
        let text = format!("{}\n[link.mka]\n{lines}\n", under(profile));
        assert_eq!(warnings(&load(&text)), [""; 0], "{profile:?}");
    }
    // The other suite of a cloud with two is accepted, whichever is the first.
    let text = under(Profile::AwsDirectConnect10g)
        .replace("profile", "cipher_suite = \"gcm-aes-256\"\nprofile");
    assert_eq!(
        only(&load(&text)).1.policy.suites.as_slice(),
        [CipherSuite::GcmAes256, CipherSuite::GcmAesXpn256]
    );
}

/// The minimal config and a second CAK; `first` and `second` are their further lines.
fn two(first: &str, second: &str) -> String {
    format!("{MINIMAL_MKA}{first}\n[[link.cak]]\nckn = \"02\"\ncak_file = \"b.cak\"\n{second}\n")
}

#[test]
fn a_keychain_has_windows_and_ranks() {
    let text = two(
        "start = 2026-11-01T01:00:00+01:00\nend = 2098-01-02T00:00:00Z",
        "start = \"2098-01-01T00:00:00Z\"",
    ) + "\n[[link.cak]]\nckn = \"03\"\ncak_file = \"c.cak\"\nfallback = true\n";
    let config = load(&text);
    assert_eq!(warnings(&config), [""; 0]);
    let (_, mka) = only(&config);
    let moment = |text: &str| Utc::of_datetime(&text.parse().unwrap()).unwrap();
    let first = mka.keychain.first().unwrap();
    assert_eq!(first.start, Some(moment("2026-11-01T00:00:00Z")));
    let ranks: Vec<u64> = mka.keychain.iter().map(|key| key.rank).collect();
    assert_eq!(ranks, [1, 2, 0]);
    let usable = |now| {
        let keys = mka.usable(moment(now));
        keys.map(|key| key.ckn.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(usable("2026-10-31T23:59:59Z"), ["03"]);
    assert_eq!(usable("2026-11-01T00:00:00Z"), ["01", "03"]);
    assert_eq!(usable("2098-01-01T12:00:00Z"), ["01", "02", "03"]);
    assert_eq!(usable("2098-01-02T00:00:00Z"), ["02", "03"]);
    let edges = [
        "2026-11-01T00:00:00Z",
        "2098-01-01T00:00:00Z",
        "2098-01-02T00:00:00Z",
    ];
    let mut now = moment("2020-01-01T00:00:00Z");
    for edge in edges {
        now = mka.next_change(now).unwrap();
        assert_eq!(now.to_string(), edge);
    }
    assert_eq!(mka.next_change(now), None);
}

#[test]
fn what_is_dubious_about_keys_is_told() {
    for (text, expected) in [
        (
            two("", "").replace("\"02\"", "\"0100\""),
            "this CKN is that of `link[0].cak[0]` but for zeros at its end",
        ),
        (
            MINIMAL_MKA.replace("a.cak", "g.cak"),
            "a CAK of 128 bits, which carries SAKs of 256: they are no stronger than it",
        ),
        (
            two("end = 2098-01-01T00:00:00Z", "start = 2098-01-01T00:00:00Z"),
            "the CAK before this one ends as it starts, at 2098-01-01T00:00:00Z",
        ),
        (
            two("end = 2026-01-01T00:00:00Z", ""),
            "the window of this CAK is over since 2026-01-01T00:00:00Z",
        ),
        (
            format!("{MINIMAL_MKA}start = 2098-01-01T00:00:00Z"),
            "no CAK may be used before 2098-01-01T00:00:00Z",
        ),
        (
            format!("{MINIMAL_MKA}end = 2098-01-01T00:00:00Z"),
            "no CAK follows when this one ends at 2098-01-01T00:00:00Z",
        ),
        (
            format!("{MINIMAL_MKA}end = 2098-01-01T00:00:00Z\n[link.mka]\nhard_expiry = true"),
            "no CAK follows when this one ends at 2098-01-01T00:00:00Z, and `hard_expiry` ends the \
             link",
        ),
        (
            two("end = 2098-01-01T00:00:00Z", "start = 2098-02-01T00:00:00Z")
                + "[[link.cak]]\nckn = \"03\"\ncak_file = \"c.cak\"\nfallback = true\n",
            "from 2098-01-01T00:00:00Z to 2098-02-01T00:00:00Z no CAK may be used but the fallback",
        ),
        (
            long_names(&two("", "").replace(
                "agreement = \"mka\"",
                "agreement = \"mka\"\nprofile = \"oracle-fastconnect\"",
            )),
            "2 CAKs, and Oracle FastConnect holds fewer",
        ),
    ] {
        assert_eq!(warnings(&load(&text)), [expected], "{text}");
    }
}

#[test]
fn what_is_dubious_about_knobs_is_told() {
    for (lines, expected) in [
        (
            "use_updated_eth_header = false",
            "this has no effect: the header is the standard's",
        ),
        (
            "life_time_ms = 5000",
            "a life time of less than three times the hello time",
        ),
        ("sak_rekey_interval_s = 10", "a new SAK every 10 s"),
    ] {
        assert_eq!(warnings(&with(lines)), [expected], "{lines}");
    }
    let text = MINIMAL_MKA.replace("agreement", "cipher_suite = \"gcm-aes-256\"\nagreement");
    let config = load(&format!("{text}\n[link.mka]\nssci = \"by-sci\"\n"));
    let expected = "`ssci` has no effect: no suite of this link has XPN";
    assert_eq!(warnings(&config), [expected]);
}

#[test]
fn a_cak_is_read_again_and_must_be_the_same() {
    let desk = Desk::new();
    let config = desk.load(MINIMAL_MKA).unwrap();
    let cak = &only(&config).1.keychain.first().unwrap().cak;
    assert_eq!(cak.read().unwrap().expose(), [0xa1; 32]);
    desk.key("a.cak", 0x55, 32);
    let error = cak.read().unwrap_err().to_string();
    assert!(error.contains(&cak.fingerprint.to_string()), "{error}");
    let shown = format!("{config:?}");
    assert!(
        !shown.contains("a1a1a1a1") && !shown.contains("161, 161"),
        "{shown}"
    );
}

/// The same CAK under another name is another pair.
#[test]
fn the_fingerprint_is_of_the_pair() {
    let fingerprint = |text: &str| {
        let config = load(text);
        only(&config).1.keychain.first().unwrap().cak.fingerprint
    };
    let one = fingerprint(MINIMAL_MKA);
    assert_eq!(one, fingerprint(MINIMAL_MKA));
    assert_ne!(one, fingerprint(&MINIMAL_MKA.replace("\"01\"", "\"02\"")));
    assert_ne!(one, fingerprint(&MINIMAL_MKA.replace("a.cak", "b.cak")));
}

/// The lines of the table under the heading that has the profile's name, as cells.
fn documented(profile: Profile) -> Vec<Vec<String>> {
    let heading = format!("`{}`", profile.name());
    let mut sections = PROFILES.split("\n## ");
    let section = sections.find(|section| {
        let title = section.lines().next().unwrap_or_default();
        title.contains(&heading)
    });
    let rows = section
        .unwrap_or_default()
        .lines()
        .filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells = row.trim_matches('|').split('|');
        cells
            .map(|cell| cell.trim().trim_matches('`').to_owned())
            .collect()
    })
    .collect()
}

#[test]
fn the_document_says_what_the_profiles_do() {
    let mut wrong = String::new();
    for profile in Profile::ALL {
        let documented = documented(profile);
        let expected = profile.rows();
        let mut lines = documented.iter();
        for row in &expected {
            let cells = [row.key, &row.value, row.standing.name()];
            let line = lines
                .next()
                .map(|line| line.iter().take(3).map(String::as_str));
            if !line.is_some_and(|line| line.eq(cells)) {
                let [key, value, standing] = cells;
                wrong += &format!("{}: | `{key}` | {value} | {standing} |\n", profile.name());
            }
        }
        assert!(documented.len() <= expected.len(), "{}", profile.name());
        // Fewer values are known of every cloud than of no cloud at all.
        let unknown = expected
            .iter()
            .filter(|row| row.standing == Standing::Unknown);
        assert_eq!(unknown.count() == 0, profile == Profile::Generic);
    }
    assert!(wrong.is_empty(), "docs/profiles.md lacks\n{wrong}");
}
