//! Profiles: what each cloud fixes, leaves open, and does not say. One file per cloud, and a document
//! for people, `docs/profiles.md`, that a test compares with them.

mod alibaba;
mod aws;
mod azure;
mod generic;
mod google;
mod ibm;
mod oracle;
pub(super) mod rules;
pub(super) mod table;

pub use table::{Row, Standing};

use rules::Rules;

/// What the far end of a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// AWS Direct Connect, a port of 10 Gbit/s.
    AwsDirectConnect10g,
    /// AWS Direct Connect, a port of 100 or 400 Gbit/s.
    AwsDirectConnect100g,
    /// Google Cloud Interconnect.
    GoogleCloudInterconnect,
    /// Azure ExpressRoute Direct.
    AzureExpressrouteDirect,
    /// Oracle FastConnect.
    OracleFastconnect,
    /// IBM Cloud Direct Link Dedicated.
    IbmDirectLink,
    /// Alibaba Cloud Express Connect.
    AlibabaExpressConnect,
    /// Any other end that speaks MKA.
    Generic,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AwsDirectConnect10g,
        Self::AwsDirectConnect100g,
        Self::GoogleCloudInterconnect,
        Self::AzureExpressrouteDirect,
        Self::OracleFastconnect,
        Self::IbmDirectLink,
        Self::AlibabaExpressConnect,
        Self::Generic,
    ];

    /// The word in the config and in `status`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AwsDirectConnect10g => "aws-direct-connect-10g",
            Self::AwsDirectConnect100g => "aws-direct-connect-100g",
            Self::GoogleCloudInterconnect => "google-cloud-interconnect",
            Self::AzureExpressrouteDirect => "azure-expressroute-direct",
            Self::OracleFastconnect => "oracle-fastconnect",
            Self::IbmDirectLink => "ibm-direct-link",
            Self::AlibabaExpressConnect => "alibaba-express-connect",
            Self::Generic => "generic",
        }
    }

    /// Who is at the other end, in words.
    pub const fn cloud(self) -> &'static str {
        self.rules().cloud
    }

    /// Every setting that clouds differ in, with what holds under this profile.
    pub fn rows(self) -> Vec<Row> {
        self.rules().rows()
    }

    pub(super) const fn rules(self) -> &'static Rules {
        match self {
            Self::AwsDirectConnect10g => &aws::DIRECT_CONNECT_10G,
            Self::AwsDirectConnect100g => &aws::DIRECT_CONNECT_100G,
            Self::GoogleCloudInterconnect => &google::CLOUD_INTERCONNECT,
            Self::AzureExpressrouteDirect => &azure::EXPRESSROUTE_DIRECT,
            Self::OracleFastconnect => &oracle::FASTCONNECT,
            Self::IbmDirectLink => &ibm::DIRECT_LINK,
            Self::AlibabaExpressConnect => &alibaba::EXPRESS_CONNECT,
            Self::Generic => &generic::GENERIC,
        }
    }
}
