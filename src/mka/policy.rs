//! What a KaY is told to do and to accept. Plain data; the config makes it.

use core::time::Duration;

use arrayvec::ArrayVec;

use crate::ieee::{CipherSuite, EtherType, MacAddr, PnSpace, Ssci};

/// What one link's KaY does and accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Suites that are accepted; the first is the one that we distribute. Never empty.
    pub suites: ArrayVec<CipherSuite, 4>,
    /// The one protection that is distributed and accepted.
    pub protection: Protection,
    /// Whether a key server may say that no MACsec is to be used (an empty Distributed SAK). Never in
    /// `must_encrypt`.
    pub accept_no_macsec: bool,
    /// Key server priority: 0 is first, 255 never serves (802.1X-2020 table 9-2).
    pub priority: u8,
    /// Source address of our MKPDUs.
    pub source: MacAddr,
    /// Destination address of our MKPDUs.
    pub destination: MacAddr,
    /// EtherType of our MKPDUs, and the only one that is heard.
    pub ethertype: EtherType,
    /// Which header the ICV covers where `destination` or `ethertype` is not the standard's.
    pub icv_header: IcvHeader,
    /// Whether an ICV Indicator is sent; with and without is heard.
    pub icv_indicator: bool,
    /// MKA version that is sent: 1, 2 or 3; any is heard.
    pub version: u8,
    /// How SSCIs are given with the XPN suites.
    pub ssci: SsciRule,
    /// Whether the XPN parameter set is sent.
    pub xpn_set: XpnSet,
    /// Whether we ask peers to bound delay, and send at the bounded interval ourselves.
    pub delay_protection: bool,
    /// All intervals.
    pub timers: Timers,
    /// When a new SAK is made.
    pub rekey: Rekey,
    /// Live peers of one CAK at the most, 1 to [`MAX_PEERS`].
    pub max_peers: usize,
}

/// Peers that a participant can ever hold.
pub const MAX_PEERS: usize = 30;

/// What is done to frames, as a Distributed SAK says it (802.1X-2020 figure 11-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Authenticated, not encrypted.
    IntegrityOnly,
    /// Encrypted from the first octet on.
    Offset0,
    /// Encrypted but for the first 30 octets; not with XPN.
    Offset30,
    /// Encrypted but for the first 50 octets; not with XPN.
    Offset50,
}

/// The header that the ICV of a MKPDU covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcvHeader {
    /// As it is on the wire.
    AsSent,
    /// The PAE group address and EtherType 0x888E, whatever is on the wire.
    Standard,
}

/// How members get their SSCIs (802.1AE-2018 10.7.13, 802.1X-2020 9.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsciRule {
    /// By the key server's live list where both ends speak MKA version 3, otherwise by SCI.
    Auto,
    /// The greatest SCI has SSCI 1, the next one 2.
    BySci,
    /// In the order of the key server's live list.
    ByLiveList,
    /// As the operator says; two members only.
    Forced {
        /// Our own.
        own: Ssci,
        /// The peer's.
        peer: Ssci,
    },
}

/// Whether the XPN parameter set is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XpnSet {
    /// With an XPN suite, once a live peer speaks MKA version 2 or later.
    Auto,
    /// With an XPN suite.
    Always,
    /// Never.
    Never,
}

/// Intervals (802.1X-2020 table 9-3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timers {
    /// MKA Hello Time.
    pub hello: Duration,
    /// MKA Bounded Hello Time, under delay protection.
    pub bounded_hello: Duration,
    /// MKA Life Time.
    pub life: Duration,
    /// SAK Retire Time.
    pub retire: Duration,
    /// How long a key server waits for every peer to receive before it transmits all the same.
    pub transmit_delay: Duration,
    /// Between two SAKs that are distributed.
    pub sak_gap: Duration,
    /// Intervals of the first MKPDUs after link up, before hello time.
    pub ramp: ArrayVec<Duration, 8>,
}

impl Default for Timers {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self {
            hello: ms(2000),
            bounded_hello: ms(500),
            life: ms(6000),
            retire: ms(3000),
            transmit_delay: ms(6000),
            sak_gap: ms(6000),
            ramp: [100, 200, 400, 800, 800].into_iter().map(ms).collect(),
        }
    }
}

/// When a key server makes a new SAK, besides on the operator's word and for a new live peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rekey {
    /// At this share of the packet number space, in millionths; 750,000 is the standard's 0xC0000000.
    pub pn_share: u32,
    /// After so long.
    pub every: Option<Duration>,
    /// After so many octets under one key, sent or received.
    pub after_octets: Option<u64>,
    /// When a live peer is gone and others remain.
    pub on_live_peer_loss: bool,
}

impl Rekey {
    /// The packet number that calls for a new SAK.
    pub fn pn_threshold(&self, space: PnSpace) -> u64 {
        let at = u128::from(space.last().0) * u128::from(self.pn_share) / 1_000_000;
        u64::try_from(at).unwrap_or(u64::MAX)
    }
}

impl Default for Rekey {
    fn default() -> Self {
        Self {
            pn_share: 750_000,
            every: None,
            after_octets: None,
            on_live_peer_loss: false,
        }
    }
}
