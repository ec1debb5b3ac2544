//! A good config becomes the typed values that it stands for; keys are checked and not kept.

#[path = "config/desk.rs"]
mod desk;

use desk::Desk;
use macsec_gateway::config::{
    AfterSecured, Bypass, BypassDirection, DeviceKind, EncryptionMode, EngineChoice, HelpersWhen,
    Idle, Memory, PnShare,
};
use macsec_gateway::ieee::{CipherSuite, EtherType, Ssci};
use macsec_gateway::macsec::{Confidentiality, Replay, SectagSci, ValidateFrames};

#[test]
fn what_is_not_given_has_its_default() {
    let desk = Desk::new();
    let config = desk.load(desk::MINIMAL).unwrap();
    assert_eq!(config.gateway.name, "macsecgw");
    assert_eq!(
        config.gateway.runtime_dir.to_str(),
        Some("/run/macsecgw/macsecgw")
    );
    assert_eq!(
        config.gateway.state_dir.to_str(),
        Some("/var/lib/macsecgw/macsecgw")
    );
    assert_eq!(config.gateway.group, "macsecgw");
    assert_eq!(config.eal.memory, Memory::Auto);
    assert_eq!(config.eal.memory_mib, None);
    assert!(config.eal.pdump && config.eal.args.is_empty() && config.eal.drivers.is_none());
    assert!(config.workers.cores.is_empty());
    assert_eq!(config.workers.idle, Idle::Auto);
    assert_eq!(config.workers.idle_after_polls, 256);
    assert_eq!(config.workers.idle_sleep_max.as_micros(), 100);
    assert_eq!(config.engine, EngineChoice::Auto);
    assert_eq!(config.metrics.listen, "127.0.0.1:9464".parse().ok());
    assert_eq!(config.port_count(), 2);
    let link = &config.links[0];
    assert_eq!(link.mtu, 1500);
    assert_eq!(link.encryption, EncryptionMode::MustEncrypt);
    assert_eq!(link.after_secured, AfterSecured::Clear);
    assert_eq!(link.clear_wait.as_secs(), 6);
    assert_eq!(link.sci, None);
    assert_eq!(link.cipher_suite, CipherSuite::GcmAesXpn256);
    assert_eq!(link.confidentiality, Confidentiality::Offset0);
    assert_eq!(link.sectag_sci, SectagSci::Explicit);
    assert_eq!(link.clear_vlan_tags, 0);
    assert_eq!(link.replay, Replay::Window(64));
    assert_eq!(link.duplicate_depth, 4096);
    assert_eq!(link.validate_frames, ValidateFrames::Strict);
    assert_eq!(link.pn_soft_threshold, PnShare(750_000));
    assert!(link.bypass.is_empty() && config.warnings.is_empty());
    assert_eq!((link.protect_worker, link.validate_worker), (None, None));
    assert_eq!((link.protect_helpers, link.validate_helpers), (0, 0));
    assert_eq!(link.plain_queues, 1);
    let workers = &config.workers;
    assert!(workers.helper_cores.is_empty());
    assert_eq!(workers.helpers_when, HelpersWhen::Load);
    assert_eq!(workers.helper_patience.as_millis(), 10);
}

#[test]
fn what_is_given_is_typed() {
    let desk = Desk::new();
    let text = desk::MINIMAL
        .replace(
            "[[link]]",
            "[workers]\ncores = [2, 5]\nidle = \"spin\"\nhelper_cores = [7, 6, 4]\nhelpers_when = \"always\"\n\
             [[link]]\nprotect_worker = 1\nprotect_helpers = 2\nvalidate_helpers = 1\nplain_queues = 4\n\
             sci = \"02:00:00:00:00:01/7\"\nreplay = \"strict\"\nencryption = \"should_encrypt\"\n\
             after_secured = \"close\"\nmtu = 9001\nvalidate_frames = \"check\"\n\
             bypass = [{ ethertype = 0x88_CC, direction = \"protect\" }]",
        )
        .replace("net_ring0", "0000:3b:00.1");
    let config = desk.load(&text).unwrap();
    let link = &config.links[0];
    assert_eq!(config.workers.cores, [2, 5]);
    assert!(matches!(link.plain.kind(), DeviceKind::Pci(address) if address.bus == 0x3b));
    assert_eq!(link.protect_worker, Some(1));
    assert_eq!(config.workers.helper_cores, [7, 6, 4]);
    assert_eq!(config.workers.helpers_when, HelpersWhen::Always);
    assert_eq!((link.protect_helpers, link.validate_helpers), (2, 1));
    assert_eq!(link.plain_queues, 4);
    assert_eq!(link.sci.unwrap().port(), 7);
    assert_eq!(link.replay, Replay::Strict);
    assert_eq!(link.mtu, 9001);
    assert_eq!(
        link.bypass,
        [Bypass {
            ethertype: EtherType(0x88cc),
            direction: BypassDirection::Protect
        }]
    );
    let keys = link.static_keys().unwrap();
    assert_eq!(keys.peer_sci.to_string(), "02:00:00:00:00:02/1");
    assert_eq!(keys.tx.xpn.unwrap().ssci, Ssci(1));
    assert_eq!(keys.rx.xpn.unwrap().ssci, Ssci(2));
    assert_eq!(keys.tx.xpn.unwrap().salt, keys.rx.xpn.unwrap().salt);
    assert_ne!(keys.tx.key.fingerprint, keys.rx.key.fingerprint);
}

#[test]
fn a_key_is_read_again_and_must_be_the_same() {
    let desk = Desk::new();
    let config = desk.load(desk::MINIMAL).unwrap();
    let key = &config.links[0].static_keys().unwrap().tx.key;
    assert_eq!(key.read().unwrap().expose(), [0x11; 32]);
    desk.key("tx.sak", 0x55, 32);
    let error = key.read().unwrap_err().to_string();
    assert!(error.contains(&key.fingerprint.to_string()), "{error}");
    let shown = format!("{config:?}");
    assert!(!shown.contains("1111111111111111"), "{shown}");
    assert!(!shown.contains("17, 17, 17, 17, 17"), "{shown}");
}

#[test]
fn no_encrypt_needs_no_keys() {
    let desk = Desk::new();
    let text = "[[link]]\nname = \"a\"\nplain = \"net_ring0\"\nsecure = \"net_ring1\"\n\
                encryption = \"no_encrypt\"\n";
    let config = desk.load(text).unwrap();
    assert_eq!(config.links[0].agreement, None);
}
