//! What a reload applies, what it leaves to a restart and what it refuses.

#![expect(
    clippy::unwrap_used,
    reason = "test code outside a test function; a failure here is a failed test"
)]

#[path = "config/desk.rs"]
mod desk;

use desk::Desk;
use macsec_gateway::config::reload::{Change, Changes, compare, effective};
use macsec_gateway::ieee::Ckn;

/// The changes from the minimal config to the one that `edit` makes of it.
fn changes(edit: impl Fn(&str) -> String) -> Changes {
    let desk = Desk::new();
    desk.key("tx2.sak", 0x66, 32);
    desk.key("rx2.sak", 0x77, 32);
    let old = desk.load(desk::MINIMAL).unwrap();
    let new = desk.load(&edit(desk::MINIMAL)).unwrap();
    assert!(compare(&new, &new).is_empty());
    compare(&old, &new)
}

fn with_link_keys(lines: &str) -> Changes {
    changes(|text| text.replace("[link.static]", &format!("{lines}\n[link.static]")))
}

fn restarts(changes: &Changes) -> Vec<&str> {
    assert!(
        changes.applied.is_empty() && changes.refused.is_empty(),
        "{changes:?}"
    );
    changes
        .needs_restart
        .iter()
        .map(|c| c.key.as_str())
        .collect()
}

const LINK: &str = "dx1";

fn applied(changes: &Changes) -> &[Change] {
    assert!(
        changes.needs_restart.is_empty() && changes.refused.is_empty(),
        "{changes:?}"
    );
    &changes.applied
}

#[test]
fn keys_with_the_next_association_number_are_applied() {
    let found = changes(|text| {
        text.replace("tx.sak\"", "tx2.sak\"\ntx_an = 1")
            .replace("rx.sak\"", "rx2.sak\"\nrx_an = 1")
    });
    let link = || LINK.to_owned();
    assert_eq!(
        applied(&found),
        [Change::TxSa { link: link() }, Change::RxSa { link: link() }]
    );
}

#[test]
fn a_key_file_that_moved_is_no_change() {
    let desk = Desk::new();
    let old = desk.load(desk::MINIMAL).unwrap();
    std::fs::rename(desk.path.join("tx.sak"), desk.path.join("moved.sak")).unwrap();
    let new = desk
        .load(&desk::MINIMAL.replace("tx.sak", "moved.sak"))
        .unwrap();
    assert!(compare(&old, &new).is_empty());
}

#[test]
fn a_key_keeps_its_association_number_and_a_number_its_key() {
    for edit in [
        ("tx.sak\"", "tx.sak\"\ntx_an = 1"),
        ("tx.sak\"", "tx2.sak\""),
        ("rx.sak\"", "rx2.sak\""),
    ] {
        let found = changes(|text| text.replace(edit.0, edit.1));
        assert!(found.applied.is_empty() && found.needs_restart.is_empty());
        assert_eq!(found.refused.len(), 1, "{edit:?}");
    }
}

#[test]
fn how_frames_are_judged_is_applied() {
    let link = || LINK.to_owned();
    let cases = [
        (
            "encryption = \"should_encrypt\"",
            Change::EncryptionMode { link: link() },
        ),
        ("replay = \"strict\"", Change::Replay { link: link() }),
        ("replay_window = 0", Change::Replay { link: link() }),
        (
            "pn_soft_threshold = 0.5",
            Change::SoftThreshold { link: link() },
        ),
        (
            "bypass = [{ ethertype = 0x88CC, direction = \"both\" }]",
            Change::Bypass { link: link() },
        ),
    ];
    for (line, change) in cases {
        assert_eq!(applied(&with_link_keys(line)), [change], "{line}");
    }
    let both = with_link_keys("encryption = \"should_encrypt\"\nvalidate_frames = \"check\"");
    assert!(applied(&both).contains(&Change::ValidateFrames { link: link() }));
}

#[test]
fn what_ports_and_memory_were_made_for_waits_for_a_restart() {
    for (line, key) in [
        ("mtu = 9001", "link dx1: mtu"),
        ("sci = \"02:00:00:00:00:01/1\"", "link dx1: sci"),
        ("clear_vlan_tags = 1", "link dx1: clear_vlan_tags"),
        ("duplicate_depth = 64", "link dx1: duplicate_depth"),
        ("confidentiality = false", "link dx1: confidentiality"),
        ("encryption = \"no_encrypt\"", "link dx1: encryption"),
    ] {
        assert_eq!(restarts(&with_link_keys(line)), [key]);
    }
    for (table, key) in [
        ("[workers]\ncores = [1]", "workers"),
        ("[eal]\nmemory = \"no-huge\"", "eal"),
        ("[crypto]\nengine = \"ring\"", "crypto.engine"),
        ("[metrics]\nlisten = \"\"", "metrics.listen"),
        ("[gateway]\ngroup = \"wheel\"", "gateway.group"),
    ] {
        let found = changes(|text| format!("{table}\n{text}"));
        assert_eq!(restarts(&found), [key]);
    }
    let named = changes(|text| format!("[gateway]\nname = \"other\"\n{text}"));
    assert_eq!(
        restarts(&named),
        ["gateway.name", "gateway.runtime_dir", "gateway.state_dir"]
    );
    let renamed = changes(|text| text.replace("dx1", "dx2"));
    assert_eq!(restarts(&renamed), ["link dx2", "link dx1"]);
    let ports = changes(|text| text.replace("net_ring0", "net_ring7"));
    assert_eq!(restarts(&ports), ["link dx1: plain"]);
}

#[test]
fn another_suite_takes_its_keys_to_the_restart() {
    let found = changes(|text| {
        text.replace("agreement", "cipher_suite = \"gcm-aes-128\"\nagreement")
            .replace("tx.sak", "tx128.sak")
            .replace("rx.sak", "rx128.sak")
            .replace("tx_ssci = 1\n", "")
            .replace("rx_ssci = 2\n", "")
            .replace("salt =", "# salt =")
    });
    assert_eq!(restarts(&found), ["link dx1: cipher_suite"]);
}

/// The changes of a link with MKA and a second CAK that is usable till 2098, by an edit of its text.
fn mka_changes(edit: impl Fn(&str) -> String) -> Changes {
    let desk = Desk::new();
    let second = "\n[[link.cak]]\nckn = \"02\"\ncak_file = \"b.cak\"\n";
    let text = format!("{}{second}", desk::MINIMAL_MKA);
    let old = desk.load(&text).unwrap();
    let new = desk.load(&edit(&text)).unwrap();
    let changes = compare(&old, &new);
    // What is applied is all that a second look finds.
    if changes.refused.is_empty() && changes.needs_restart.is_empty() {
        let effective = effective(&old, &new, &changes.applied);
        assert_eq!(effective.links, new.links);
        assert!(compare(&effective, &new).is_empty());
    }
    changes
}

fn ckn(text: &str) -> Ckn {
    text.parse().unwrap()
}

#[test]
fn caks_come_before_others_go() {
    let link = || LINK.to_owned();
    let found = mka_changes(|text| text.replace("\"01\"", "\"03\"").replace("a.cak", "c.cak"));
    assert_eq!(
        applied(&found),
        [
            Change::CakAdded {
                link: link(),
                ckn: ckn("03")
            },
            Change::CakRemoved {
                link: link(),
                ckn: ckn("01")
            },
        ]
    );
    assert_eq!(applied(&found)[0].to_string(), "link dx1: CAK 03 added");
}

#[test]
fn windows_and_roles_are_applied_and_nothing_else_is_told() {
    let changed = |name: &str| Change::CakChanged {
        link: LINK.to_owned(),
        ckn: ckn(name),
    };
    let found = mka_changes(|text| format!("{text}fallback = true\n"));
    assert_eq!(applied(&found), [changed("02")]);
    let found = mka_changes(|text| format!("{text}end = 2098-01-01T00:00:00Z\n"));
    assert_eq!(applied(&found), [changed("02")]);
    // A key file that moved is no change, and is found when the key's time comes.
    let desk = Desk::new();
    let old = desk.load(desk::MINIMAL_MKA).unwrap();
    std::fs::rename(desk.path.join("a.cak"), desk.path.join("moved.cak")).unwrap();
    let text = desk::MINIMAL_MKA.replace("a.cak", "moved.cak");
    let new = desk.load(&text).unwrap();
    let changes = compare(&old, &new);
    assert!(changes.is_empty());
    let effective = effective(&old, &new, &changes.applied);
    let key = effective.links[0].mka().unwrap().keychain[0].cak.read();
    assert!(key.is_ok(), "{key:?}");
}

#[test]
fn the_order_of_caks_is_applied() {
    let found = mka_changes(|text| {
        text.replace("\"01\"", "\"xx\"")
            .replace("a.cak", "y.cak")
            .replace("\"02\"", "\"01\"")
            .replace("b.cak", "a.cak")
            .replace("\"xx\"", "\"02\"")
            .replace("y.cak", "b.cak")
    });
    let link = LINK.to_owned();
    assert_eq!(applied(&found), [Change::CakOrder { link }]);
}

#[test]
fn a_ckn_keeps_its_cak() {
    let found = mka_changes(|text| text.replace("a.cak", "c.cak"));
    assert!(found.applied.is_empty() && found.needs_restart.is_empty());
    let [refused] = found.refused.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(refused.key, "link dx1: cak[0]");
    assert!(refused.why.contains("CKN of its own"));
}

#[test]
fn knobs_and_modes_are_applied_to_the_live_session() {
    let settings = || Change::KeyAgreement {
        link: LINK.to_owned(),
    };
    let mode = || Change::EncryptionMode {
        link: LINK.to_owned(),
    };
    for lines in [
        "key_server_priority = 3",
        "mka_version = 1",
        "sak_rekey_interval_s = 600",
        "ssci = \"by-sci\"",
        "hello_time_ms = 1000",
        "accept_cipher_suites = [\"gcm-aes-xpn-128\"]",
        "eapol_destination = \"lldp-group\"",
        "hard_expiry = true",
    ] {
        let found = mka_changes(|text| format!("{text}\n[link.mka]\n{lines}\n"));
        assert_eq!(applied(&found), [settings()], "{lines}");
    }
    let with =
        |line: &str| mka_changes(|text| text.replace("agreement", &format!("{line}\nagreement")));
    assert_eq!(
        applied(&with("profile = \"azure-expressroute-direct\"")),
        [settings()]
    );
    assert_eq!(applied(&with("encryption = \"no_encrypt\"")), [mode()]);
    // The key server may end MACsec then, unless the config says that it may not.
    let found = with("encryption = \"should_encrypt\"");
    assert_eq!(applied(&found), [mode(), settings()]);
}

#[test]
fn what_lanes_and_state_were_made_for_waits_for_a_restart() {
    for (lines, key) in [
        ("eapol_ethertype = 0x876F", "link dx1: mka.eapol_ethertype"),
        (
            "keep_saks_dir = \"/dev/shm\"",
            "link dx1: mka.keep_saks_dir",
        ),
    ] {
        let found = mka_changes(|text| format!("{text}\n[link.mka]\n{lines}\n"));
        assert_eq!(restarts(&found), [key]);
    }
    let found =
        mka_changes(|text| text.replace("agreement", "cipher_suite = \"gcm-aes-256\"\nagreement"));
    assert_eq!(restarts(&found), ["link dx1: cipher_suite"]);
    let found = mka_changes(|text| text.replace("agreement", "confidentiality = false\nagreement"));
    assert_eq!(restarts(&found), ["link dx1: confidentiality"]);
    let desk = Desk::new();
    let old = desk.load(desk::MINIMAL).unwrap();
    let new = desk.load(desk::MINIMAL_MKA).unwrap();
    let found = compare(&old, &new).needs_restart;
    assert!(
        found.iter().any(|c| c.key == "link dx1: agreement"),
        "{found:?}"
    );
}

/// A change that is applied takes nothing along that only a restart brings.
#[test]
fn what_waits_for_a_restart_is_not_applied_with_the_rest() {
    let desk = Desk::new();
    let old = desk.load(desk::MINIMAL_MKA).unwrap();
    let text = desk::MINIMAL_MKA.replace(
        "agreement",
        "cipher_suite = \"gcm-aes-256\"\nconfidentiality_offset = 30\nagreement",
    );
    let lines = "\n[link.mka]\nkey_server_priority = 3\neapol_ethertype = 0x876F\n";
    let new = desk.load(&format!("{text}{lines}")).unwrap();
    let changes = compare(&old, &new);
    assert_eq!(changes.needs_restart.len(), 3, "{changes:?}");
    let effective = effective(&old, &new, &changes.applied);
    let (before, after) = (
        old.links[0].mka().unwrap(),
        effective.links[0].mka().unwrap(),
    );
    let mut expected = before.policy.clone();
    expected.priority = 3;
    assert_eq!(after.policy, expected);
}
