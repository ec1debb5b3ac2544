//! What a SecY is told: the parameters of both halves, and why some are refused.

use core::fmt;

use super::MAX_CLEAR_VLAN_TAGS;
use crate::ieee::{CipherSuite, PnSpace, Salt, Sci, Ssci};

/// Octets of the shortest Ethernet frame without FCS: shorter plain frames are padded to it.
pub const MIN_PLAIN_FRAME: usize = 60;

/// The widest replay window with an XPN suite (802.1AE-2018 10.7.8): wider ones would make the
/// recovery of the upper half of a PN ambiguous.
pub const MAX_WINDOW_XPN: u32 = (1 << 30) - 1;

/// How a transmitted SecTAG tells the channel (802.1AE-2018 9.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectagSci {
    /// The SCI is in every frame.
    Explicit,
    /// ES set: the SCI is the source address and port 1.
    EndStation,
    /// SCB set: the SCI is the source address and port 0.
    SingleCopyBroadcast,
    /// Nothing: the receiver has one peer only.
    None,
}

/// What is done to the user data (802.1AE-2018 10.7.17, and the confidentiality offset of 14.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidentiality {
    /// Authenticated and in the clear.
    IntegrityOnly,
    /// All encrypted.
    Offset0,
    /// Encrypted but for the first 30 octets. Not with XPN.
    Offset30,
    /// Encrypted but for the first 50 octets. Not with XPN.
    Offset50,
}

impl Confidentiality {
    /// Whether user data is encrypted: the bits E and C.
    #[must_use]
    pub const fn encrypts(self) -> bool {
        !matches!(self, Self::IntegrityOnly)
    }

    /// How many octets at the front of encrypted user data stay in the clear.
    #[must_use]
    pub const fn offset(self) -> usize {
        match self {
            Self::IntegrityOnly | Self::Offset0 => 0,
            Self::Offset30 => 30,
            Self::Offset50 => 50,
        }
    }
}

/// What the nonce of an XPN suite is made of besides the PN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XpnParams {
    /// The transmitter's SSCI.
    pub ssci: Ssci,
    /// The SAK's salt.
    pub salt: Salt,
}

/// The management control `validateFrames` (802.1AE-2018 10.7.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidateFrames {
    /// Integrity-only frames are delivered without a look at their ICV.
    Disabled,
    /// Integrity-only frames are checked, and delivered all the same.
    Check,
    /// Only valid frames are delivered.
    Strict,
}

/// Replay protection: `replayProtect` and `replayWindow` in one (802.1AE-2018 10.7.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// Late frames are counted as delayed and delivered; duplicates too.
    Off,
    /// Only ascending packet numbers: a window of 0.
    Strict,
    /// Packet numbers down to so many below the next expected one.
    Window(u32),
}

impl Replay {
    /// How far below the next expected number the lowest acceptable one lies.
    #[must_use]
    pub const fn window(self) -> u32 {
        match self {
            Self::Off | Self::Strict => 0,
            Self::Window(window) => window,
        }
    }

    /// Whether late frames and duplicates are dropped.
    #[must_use]
    pub const fn protects(self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Whether the window suits `suite`.
    ///
    /// # Errors
    /// [`ParamError::Window`] for more than [`MAX_WINDOW_XPN`] with an XPN suite.
    pub const fn check(self, suite: CipherSuite) -> Result<(), ParamError> {
        if suite.is_xpn() && self.window() > MAX_WINDOW_XPN {
            return Err(ParamError::Window {
                window: self.window(),
                most: MAX_WINDOW_XPN,
            });
        }
        Ok(())
    }
}

/// What the transmit half of a SecY is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxParams {
    /// The SecY's own channel.
    pub sci: Sci,
    /// How the SecTAG tells it.
    pub sectag_sci: SectagSci,
    /// The most VLAN tags of a frame that stay ahead of the SecTAG, 0 to 2.
    pub clear_vlan_tags: u8,
    /// The link's MTU: octets behind the Ethernet header of a plain frame. VLAN tags, up to two, come
    /// on top (see [`longest_frame`](super::longest_frame)).
    pub mtu: usize,
}

impl TxParams {
    /// Whether the parameters agree with each other.
    ///
    /// # Errors
    /// [`ParamError::ClearVlanTags`] and [`ParamError::SciPort`].
    pub const fn check(&self) -> Result<(), ParamError> {
        let wanted = match self.sectag_sci {
            SectagSci::EndStation => Sci::END_STATION_PORT,
            SectagSci::SingleCopyBroadcast => Sci::SINGLE_COPY_BROADCAST_PORT,
            SectagSci::Explicit | SectagSci::None => self.sci.port(),
        };
        if self.sci.port() != wanted {
            return Err(ParamError::SciPort {
                found: self.sci.port(),
                wanted,
            });
        }
        check_clear_vlan_tags(self.clear_vlan_tags)
    }
}

/// What the receive half of a SecY is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RxParams {
    /// What becomes of frames that are not valid.
    pub validate: ValidateFrames,
    /// What becomes of late frames and duplicates.
    pub replay: Replay,
    /// How many of the newest packet numbers are remembered to find duplicates: a power of two from
    /// 64 to 65,536. Every SA that is installed must have been made with the same depth.
    pub duplicate_depth: usize,
    /// The most VLAN tags that may stand ahead of a SecTAG, 0 to 2.
    pub clear_vlan_tags: u8,
    /// The link's MTU: octets behind the Ethernet header of a plain frame. VLAN tags, up to two, come
    /// on top (see [`longest_frame`](super::longest_frame)).
    pub mtu: usize,
}

impl RxParams {
    /// Whether the parameters can be used.
    ///
    /// # Errors
    /// [`ParamError::ClearVlanTags`] and [`ParamError::DuplicateDepth`].
    pub const fn check(&self) -> Result<(), ParamError> {
        if let Err(error) = check_duplicate_depth(self.duplicate_depth) {
            return Err(error);
        }
        check_clear_vlan_tags(self.clear_vlan_tags)
    }
}

const fn check_clear_vlan_tags(found: u8) -> Result<(), ParamError> {
    if found as usize > MAX_CLEAR_VLAN_TAGS {
        Err(ParamError::ClearVlanTags { found })
    } else {
        Ok(())
    }
}

pub(super) const fn check_duplicate_depth(found: usize) -> Result<(), ParamError> {
    if found.is_power_of_two() && found >= 64 && found <= 65_536 {
        Ok(())
    } else {
        Err(ParamError::DuplicateDepth { found })
    }
}

/// What suite, XPN parameters and confidentiality of one SA must agree on.
pub(super) const fn check_suite(
    suite: CipherSuite,
    xpn: Option<XpnParams>,
    confidentiality: Confidentiality,
) -> Result<(), ParamError> {
    match (suite.pn_space(), xpn) {
        (PnSpace::Short, Some(_)) => Err(ParamError::XpnParamsUnwanted { suite }),
        (PnSpace::Extended, None) => Err(ParamError::XpnParamsMissing { suite }),
        (PnSpace::Extended, Some(_)) if confidentiality.offset() != 0 => {
            Err(ParamError::OffsetWithXpn {
                offset: confidentiality.offset(),
            })
        }
        _ => Ok(()),
    }
}

/// Why parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParamError {
    /// An XPN suite without SSCI and salt.
    XpnParamsMissing {
        /// The suite.
        suite: CipherSuite,
    },
    /// SSCI and salt for a suite without XPN.
    XpnParamsUnwanted {
        /// The suite.
        suite: CipherSuite,
    },
    /// A confidentiality offset with an XPN suite.
    OffsetWithXpn {
        /// The offset.
        offset: usize,
    },
    /// A first packet number that is 0 or past the suite's end.
    FirstPn {
        /// The number.
        found: u64,
        /// The last one of the suite.
        last: u64,
    },
    /// The shared part of a transmit SA that served another one: a used SA is never built again.
    SharedInUse,
    /// A depth of duplicate detection that is no power of two from 64 to 65,536.
    DuplicateDepth {
        /// The depth.
        found: usize,
    },
    /// A replay window that is too wide.
    Window {
        /// The window.
        window: u32,
        /// The widest.
        most: u32,
    },
    /// More clear VLAN tags than 2.
    ClearVlanTags {
        /// How many.
        found: u8,
    },
    /// An SCI whose port does not suit the way in which the SecTAG tells it.
    SciPort {
        /// The port.
        found: u16,
        /// The port it must have.
        wanted: u16,
    },
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::XpnParamsMissing { suite } => {
                write!(f, "{suite} needs an SSCI and a salt, and there are none")
            }
            Self::XpnParamsUnwanted { suite } => {
                write!(
                    f,
                    "{suite} has no use for an SSCI and a salt; leave them out"
                )
            }
            Self::OffsetWithXpn { offset } => write!(
                f,
                "confidentiality offset {offset} with an XPN suite; only offset 0 goes with XPN"
            ),
            Self::FirstPn { found, last } => {
                write!(
                    f,
                    "packet number {found} to start with; 1 to {last} can be used"
                )
            }
            Self::SharedInUse => f.write_str(
                "the shared state of a transmit SA that is or was in use; a new SA needs a new one",
            ),
            Self::DuplicateDepth { found } => write!(
                f,
                "duplicate depth {found}; it is a power of two from 64 to 65536"
            ),
            Self::Window { window, most } => {
                write!(f, "replay window {window}; with this suite at most {most}")
            }
            Self::ClearVlanTags { found } => {
                write!(
                    f,
                    "{found} clear VLAN tags; there can be 0 to {MAX_CLEAR_VLAN_TAGS}"
                )
            }
            Self::SciPort { found, wanted } => write!(
                f,
                "an SCI of port {found}; sent in this way the SCI must have port {wanted}"
            ),
        }
    }
}

impl core::error::Error for ParamError {}
