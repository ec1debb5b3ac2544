//! What is known of each cloud's end, as a peer to play against.

use std::time::Duration;

use macsec_gateway::{
    config::Profile,
    ieee::CipherSuite::{self, GcmAes128, GcmAes256, GcmAesXpn128, GcmAesXpn256},
    mka::{Policy, SsciRule},
};

use crate::scene;

/// When a cloud makes a new SAK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// As packet numbers run low.
    PacketNumbers,
    /// After so many seconds.
    Seconds(u64),
}

/// One cloud.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub(crate) profile: Profile,
    /// What the customer has under the profile.
    pub(crate) own_priority: u8,
    /// What the cloud has; where it does not say: better than, as good as, and worse than the customer's.
    pub(crate) priorities: &'static [u8],
    /// What it may distribute; the customer's `cipher_suite` is the same.
    pub(crate) suites: &'static [CipherSuite],
    pub(crate) rule: Rule,
    /// Why a CAK of 128 bits is refused, if it is.
    pub(crate) short_cak: Option<&'static str>,
    /// Priorities that the customer can't have, and why.
    pub(crate) refused_priorities: (&'static [u8], &'static str),
    /// Whether `should_encrypt` is taken.
    pub(crate) carries_clear: bool,
}

const UNKNOWN: &[u8] = &[0, 15, 16, 17, 255];

const AWS_CAK: &str = "a CAK has 256 bits, 64 hexadecimal digits; there is no 128-bit one";

pub(crate) const CLOUDS: [Cloud; 8] = [
    Cloud {
        profile: Profile::AwsDirectConnect10g,
        own_priority: 16,
        priorities: UNKNOWN,
        suites: &[GcmAesXpn256, GcmAes256],
        rule: Rule::PacketNumbers,
        short_cak: Some(AWS_CAK),
        refused_priorities: (&[], ""),
        carries_clear: true,
    },
    Cloud {
        profile: Profile::AwsDirectConnect100g,
        own_priority: 16,
        priorities: UNKNOWN,
        suites: &[GcmAesXpn256],
        rule: Rule::PacketNumbers,
        short_cak: Some(AWS_CAK),
        refused_priorities: (&[], ""),
        carries_clear: true,
    },
    Cloud {
        profile: Profile::GoogleCloudInterconnect,
        own_priority: 15,
        priorities: &[0, 14, 16, 255],
        suites: &[GcmAesXpn256, GcmAes256],
        rule: Rule::Seconds(28_800),
        short_cak: Some("it makes CAKs of 256 bits"),
        refused_priorities: (
            &[0, 14, 16, 255],
            "the customer's router has key server priority 15",
        ),
        carries_clear: true,
    },
    Cloud {
        profile: Profile::AzureExpressrouteDirect,
        own_priority: 16,
        priorities: UNKNOWN,
        suites: &[GcmAesXpn256, GcmAes256, GcmAesXpn128, GcmAes128],
        rule: Rule::PacketNumbers,
        short_cak: None,
        refused_priorities: (&[], ""),
        carries_clear: false,
    },
    Cloud {
        profile: Profile::OracleFastconnect,
        own_priority: 16,
        priorities: &[0],
        suites: &[GcmAesXpn256, GcmAesXpn128, GcmAes256, GcmAes128],
        rule: Rule::Seconds(3600),
        short_cak: None,
        refused_priorities: (&[0], "Oracle has priority 0 and is always key server"),
        carries_clear: true,
    },
    Cloud {
        profile: Profile::IbmDirectLink,
        own_priority: 16,
        priorities: &[255],
        suites: &[GcmAesXpn256],
        rule: Rule::PacketNumbers,
        short_cak: Some("a CAK has 64 hexadecimal digits"),
        refused_priorities: (
            &[255],
            "IBM has priority 255, so that the customer is key server",
        ),
        carries_clear: true,
    },
    Cloud {
        profile: Profile::AlibabaExpressConnect,
        own_priority: 16,
        priorities: UNKNOWN,
        suites: &[GcmAesXpn256, GcmAes256, GcmAesXpn128, GcmAes128],
        rule: Rule::PacketNumbers,
        short_cak: None,
        refused_priorities: (&[], ""),
        carries_clear: true,
    },
    Cloud {
        profile: Profile::Generic,
        own_priority: 16,
        priorities: UNKNOWN,
        suites: &[GcmAesXpn256, GcmAes256, GcmAesXpn128, GcmAes128],
        rule: Rule::PacketNumbers,
        short_cak: None,
        refused_priorities: (&[], ""),
        carries_clear: true,
    },
];

impl Cloud {
    /// Its end with this suite: the best priority that it may have, version 1, SSCIs by SCI.
    pub(crate) fn end(&self, suite: CipherSuite) -> Policy {
        let mut policy = scene::policy(1);
        policy.suites = scene::suites(&[suite]);
        policy.priority = self.priorities[0];
        policy.version = 1;
        policy.ssci = SsciRule::BySci;
        policy.icv_indicator = self.profile == Profile::GoogleCloudInterconnect;
        policy.max_peers = 1;
        if let Rule::Seconds(seconds) = self.rule {
            policy.rekey.every = Some(Duration::from_secs(seconds));
        }
        policy
    }

    /// The lines that make the customer's `cipher_suite` the one that the cloud has.
    pub(crate) fn suite_line(suite: CipherSuite) -> String {
        format!("cipher_suite = \"{}\"", suite.name())
    }
}
