//! What a reload applies, what it leaves to a restart and what it refuses.

#![expect(
    clippy::unwrap_used,
    reason = "test code outside a test function; a failure here is a failed test"
)]

#[path = "config/desk.rs"]
mod desk;

use desk::Desk;
use macsec_gateway::config::reload::{Change, Changes, compare};

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
