//! Profiles: what each cloud fixes, leaves open, and does not say. One file per cloud.

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
}
