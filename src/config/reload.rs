//! What changed between two configs, and which of it a running gateway can take without losing a
//! frame. Data only: control applies it.

mod effective;
mod mka;

use core::fmt;

pub use effective::effective;

use super::{Agreement, Config, EncryptionMode, Link, StaticSa};
use crate::ieee::Ckn;

/// The difference between the running config and a new one.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Changes {
    /// What can be applied while frames pass.
    pub applied: Vec<Change>,
    /// What only a restart brings.
    pub needs_restart: Vec<NeedsRestart>,
    /// What would harm: the new config has to be put right first.
    pub refused: Vec<NeedsRestart>,
}

impl Changes {
    /// Whether the two configs mean the same.
    pub const fn is_empty(&self) -> bool {
        self.applied.is_empty() && self.needs_restart.is_empty() && self.refused.is_empty()
    }
}

/// Something that changes while frames pass. Its value is in the new config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A link's transmit SA: the new one is installed and takes over at once.
    TxSa {
        /// The link.
        link: String,
    },
    /// A link's receive SA: the new one is installed beside the old one, which stays until its
    /// association number is taken or the next change comes.
    RxSa {
        /// The link.
        link: String,
    },
    /// `encryption`, `after_secured` or `clear_wait_s` of a link.
    EncryptionMode {
        /// The link.
        link: String,
    },
    /// `replay`, `replay_window` of a link.
    Replay {
        /// The link.
        link: String,
    },
    /// `validate_frames` of a link.
    ValidateFrames {
        /// The link.
        link: String,
    },
    /// `pn_soft_threshold` of a link.
    SoftThreshold {
        /// The link.
        link: String,
    },
    /// `bypass` of a link.
    Bypass {
        /// The link.
        link: String,
    },
    /// A CAK that was not there before.
    CakAdded {
        /// The link.
        link: String,
        /// Its name.
        ckn: Ckn,
    },
    /// Window of a CAK, or whether it is the fallback.
    CakChanged {
        /// The link.
        link: String,
        /// Its name.
        ckn: Ckn,
    },
    /// A CAK that is no longer there.
    CakRemoved {
        /// The link.
        link: String,
        /// Its name.
        ckn: Ckn,
    },
    /// Which of a link's CAKs is newer.
    CakOrder {
        /// The link.
        link: String,
    },
    /// `profile`, or what `[link.mka]` says.
    KeyAgreement {
        /// The link.
        link: String,
    },
}

impl Change {
    /// The name of the link that changes.
    pub fn link(&self) -> &str {
        match self {
            Self::TxSa { link }
            | Self::RxSa { link }
            | Self::EncryptionMode { link }
            | Self::Replay { link }
            | Self::ValidateFrames { link }
            | Self::SoftThreshold { link }
            | Self::Bypass { link }
            | Self::CakAdded { link, .. }
            | Self::CakChanged { link, .. }
            | Self::CakRemoved { link, .. }
            | Self::CakOrder { link }
            | Self::KeyAgreement { link } => link,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (link, what) = match self {
            Self::TxSa { link } => (link, "transmit key"),
            Self::RxSa { link } => (link, "receive key"),
            Self::EncryptionMode { link } => (link, "encryption mode"),
            Self::Replay { link } => (link, "replay protection"),
            Self::ValidateFrames { link } => (link, "frame validation"),
            Self::SoftThreshold { link } => (link, "soft threshold of packet numbers"),
            Self::Bypass { link } => (link, "bypass"),
            Self::CakAdded { link, ckn } => return write!(f, "link {link}: CAK {ckn} added"),
            Self::CakChanged { link, ckn } => {
                return write!(f, "link {link}: window or role of CAK {ckn}");
            }
            Self::CakRemoved { link, ckn } => return write!(f, "link {link}: CAK {ckn} removed"),
            Self::CakOrder { link } => (link, "order of CAKs"),
            Self::KeyAgreement { link } => (link, "settings of key agreement"),
        };
        write!(f, "link {link}: {what}")
    }
}

/// Something that a running gateway does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedsRestart {
    /// The key in the config: `workers.cores`, `link dx1: mtu`.
    pub key: String,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for NeedsRestart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.why)
    }
}

const EAL: &str = "DPDK is started once per process";
const FILES: &str = "sockets, locks and state of the running gateway lie there";
const PORTS: &str = "ports are made and started once";
const LANES: &str = "lanes are placed when workers start";
const SC: &str = "the secure channel is known to the peer by it; a new one starts with new keys";

/// Compares the config that runs with the one that should.
pub fn compare(old: &Config, new: &Config) -> Changes {
    let mut changes = Changes::default();
    compare_process(&mut changes, old, new);
    for link in &new.links {
        match old.links.iter().find(|running| running.name == link.name) {
            Some(running) => compare_link(&mut changes, running, link),
            None => changes.restart(format!("link {}", link.name), PORTS),
        }
    }
    for gone in &old.links {
        if !new.links.iter().any(|link| link.name == gone.name) {
            changes.restart(format!("link {}", gone.name), PORTS);
        }
    }
    changes
}

impl Changes {
    fn restart(&mut self, key: impl Into<String>, why: &'static str) {
        let key = key.into();
        self.needs_restart.push(NeedsRestart { key, why });
    }

    fn refuse(&mut self, key: impl Into<String>, why: &'static str) {
        let key = key.into();
        self.refused.push(NeedsRestart { key, why });
    }
}

fn compare_process(changes: &mut Changes, old: &Config, new: &Config) {
    let differences = [
        ("gateway.name", old.gateway.name != new.gateway.name, FILES),
        (
            "gateway.runtime_dir",
            old.gateway.runtime_dir != new.gateway.runtime_dir,
            FILES,
        ),
        (
            "gateway.state_dir",
            old.gateway.state_dir != new.gateway.state_dir,
            FILES,
        ),
        (
            "gateway.group",
            old.gateway.group != new.gateway.group,
            "the socket's group is set when it is made",
        ),
        ("eal", old.eal != new.eal, EAL),
        ("workers", old.workers != new.workers, LANES),
        (
            "crypto.engine",
            old.engine != new.engine,
            "keys in use belong to the engine that made them",
        ),
        (
            "metrics.listen",
            old.metrics != new.metrics,
            "the address is bound at start",
        ),
    ];
    for (key, differs, why) in differences {
        if differs {
            changes.restart(key, why);
        }
    }
}

fn compare_link(changes: &mut Changes, old: &Link, new: &Link) {
    let suite = "the suite belongs to the keys and the secure channel in use";
    let differences = [
        ("plain", old.plain != new.plain, PORTS),
        ("secure", old.secure != new.secure, PORTS),
        (
            "mtu",
            old.mtu != new.mtu,
            "buffers and ports are sized for it",
        ),
        ("sci", old.sci != new.sci, SC),
        ("cipher_suite", old.cipher_suite != new.cipher_suite, suite),
        (
            "confidentiality",
            old.confidentiality != new.confidentiality,
            "the two sides must change at the same frame",
        ),
        ("sectag_sci", old.sectag_sci != new.sectag_sci, SC),
        (
            "clear_vlan_tags",
            old.clear_vlan_tags != new.clear_vlan_tags,
            "the two sides must change at the same frame",
        ),
        (
            "duplicate_depth",
            old.duplicate_depth != new.duplicate_depth,
            "the memory for it is set aside at start",
        ),
        (
            "protect_worker",
            old.protect_worker != new.protect_worker,
            LANES,
        ),
        (
            "validate_worker",
            old.validate_worker != new.validate_worker,
            LANES,
        ),
        (
            "protect_helpers",
            old.protect_helpers != new.protect_helpers,
            LANES,
        ),
        (
            "validate_helpers",
            old.validate_helpers != new.validate_helpers,
            LANES,
        ),
        ("plain_queues", old.plain_queues != new.plain_queues, PORTS),
    ];
    for (key, differs, why) in differences {
        if differs {
            changes.restart(format!("link {}: {key}", new.name), why);
        }
    }
    // Keys of another suite or SC are no keys for the running one.
    let same_channel = old.cipher_suite == new.cipher_suite && old.sci == new.sci;
    compare_modes(changes, old, new);
    compare_keys(changes, old, new, same_channel);
}

fn compare_modes(changes: &mut Changes, old: &Link, new: &Link) {
    let link = || new.name.clone();
    let modes = |link: &Link| (link.encryption, link.after_secured, link.clear_wait);
    let runs_macsec = |link: &Link| link.encryption != EncryptionMode::NoEncrypt;
    let agreed_live = old.mka().is_some() && new.mka().is_some();
    if runs_macsec(old) != runs_macsec(new) && !agreed_live {
        let key = format!("link {}: encryption", new.name);
        changes.restart(key, "static keys are taken into use at the start, or never");
    } else if modes(old) != modes(new) {
        changes
            .applied
            .push(Change::EncryptionMode { link: link() });
    }
    if old.replay != new.replay {
        changes.applied.push(Change::Replay { link: link() });
    }
    if old.validate_frames != new.validate_frames {
        changes
            .applied
            .push(Change::ValidateFrames { link: link() });
    }
    if old.pn_soft_threshold != new.pn_soft_threshold {
        changes.applied.push(Change::SoftThreshold { link: link() });
    }
    if old.bypass != new.bypass {
        changes.applied.push(Change::Bypass { link: link() });
    }
}

fn compare_keys(changes: &mut Changes, old: &Link, new: &Link, same_channel: bool) {
    let key = |name: &str| format!("link {}: {name}", new.name);
    let (old_keys, new_keys) = match (&old.agreement, &new.agreement) {
        (Some(Agreement::Static(old)), Some(Agreement::Static(new))) => (old, new),
        (Some(Agreement::Mka(running)), Some(Agreement::Mka(wanted))) => {
            return mka::compare(changes, new, running, wanted);
        }
        (None, None) => return,
        _ => return changes.restart(key("agreement"), "keys are agreed from the start or not"),
    };
    if old_keys.peer_sci != new_keys.peer_sci {
        changes.restart(key("static.peer_sci"), SC);
    }
    if !same_channel {
        return;
    }
    let same_key = |old: &StaticSa, new: &StaticSa| old.key.fingerprint == new.key.fingerprint;
    // Where the key lies is no matter of a running gateway, as long as it is the same key.
    let same_sa = |old: &StaticSa, new: &StaticSa| {
        same_key(old, new) && old.an == new.an && old.xpn == new.xpn
    };
    for (name, old_sa, new_sa, change) in [
        (
            "tx",
            &old_keys.tx,
            &new_keys.tx,
            Change::TxSa {
                link: new.name.clone(),
            },
        ),
        (
            "rx",
            &old_keys.rx,
            &new_keys.rx,
            Change::RxSa {
                link: new.name.clone(),
            },
        ),
    ] {
        if same_sa(old_sa, new_sa) {
            continue;
        }
        if same_key(old_sa, new_sa) {
            let why = "this key serves another association; a new one needs a new key \
                       (macsecgw keygen sak)";
            changes.refuse(key(&format!("static.{name}_an")), why);
        } else if old_sa.an == new_sa.an {
            let why = "the association number is in use with another key; take the next one";
            changes.refuse(key(&format!("static.{name}_an")), why);
        } else {
            changes.applied.push(change);
        }
    }
}
