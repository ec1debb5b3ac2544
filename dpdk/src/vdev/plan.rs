//! From a vdev, its side of the gateway and the link's MTU to arguments and buffer sizes.

use core::fmt;

use super::driver::{Driver, Facts};
use super::{Vdev, af_packet, af_xdp};

/// Two VLAN tags, the most that the gateway carries on top of the MTU.
pub const LONGEST_VLAN_TAGS: u16 = 8;
/// SecTAG with SCI (16 octets) and ICV (16 octets), IEEE 802.1AE-2018 9.3 and 9.4.
pub const MACSEC_OVERHEAD: u16 = 32;
/// Two addresses and the EtherType.
const ETHERNET_HEADER: u16 = 14;
/// The smallest MTU that IP can live with (RFC 791).
const SMALLEST_MTU: u16 = 68;
/// An mbuf's room is a 16-bit number and has the headroom (128 octets) in it.
const ROOM_LIMIT: u32 = u16::MAX as u32 - 128;
/// The room that DPDK's own tools give an mbuf; nobody gains from less.
const USUAL_ROOM: u32 = 2048;

/// The side of the gateway that a port serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Towards the customer: clear frames.
    Plain,
    /// Towards the cloud: frames with SecTAG and ICV.
    Secure,
}

impl Side {
    /// The longest frame on this side of a link, in octets without FCS: MTU, Ethernet header, two
    /// VLAN tags and, on the secure side, SecTAG and ICV.
    #[must_use]
    pub const fn largest_frame(self, mtu: u16) -> u32 {
        ETHERNET_HEADER as u32 + self.interface_mtu(mtu)
    }

    /// The MTU that a kernel interface on this side needs, so that it carries such a frame: all of
    /// it behind the Ethernet header, tags too.
    ///
    /// The kernel drops what an `AF_PACKET` socket sends beyond its MTU, and `net_af_packet` counts
    /// it as sent.
    #[must_use]
    pub const fn interface_mtu(self, mtu: u16) -> u32 {
        let macsec = match self {
            Self::Plain => 0,
            Self::Secure => MACSEC_OVERHEAD as u32,
        };
        mtu as u32 + LONGEST_VLAN_TAGS as u32 + macsec
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Secure => "secure",
        })
    }
}

/// How to start a vdev, and what its frames need.
///
/// Leave ethdev's own MTU of such a port alone (`rxmode.mtu` 0): `net_af_packet`, `net_tap` and
/// `net_memif` of 22.11 advertise 1,518 or 1,522 octets whatever they carry and refuse any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The device string for EAL, every argument spelt out.
    pub vdev: String,
    /// The octets that an mbuf of this port's receive pool must hold behind its headroom.
    ///
    /// Always enough for the driver's longest copy, and for a plain frame that MACsec lengthens.
    pub mbuf_room: u16,
    /// The longest frame that may be received, in octets without FCS.
    ///
    /// **A longer one must be dropped and counted by who receives it.** It may have been cut: a
    /// `net_af_packet` ring slot is always longer than this, so that a cut frame is longer too.
    pub largest_frame: u16,
    /// The least MTU of the kernel interface behind the device, if there is one that must fit.
    pub interface_mtu: Option<u16>,
    /// The queues to configure, each way.
    pub queues: u16,
    /// The receive mempool must be one contiguous piece of memory.
    pub contiguous_pool: bool,
}

impl Vdev {
    /// Works out how to start this device on a side of a link.
    ///
    /// # Errors
    /// [`PlanError`] when the MTU does not fit the driver, or an argument that the operator gave
    /// would let frames be cut or overrun a buffer; it says which value would be right.
    pub fn plan(&self, side: Side, mtu: u16) -> Result<Plan, PlanError> {
        let frame = self.fitting_frame(side, mtu)?;
        // The same room on both sides: a plain frame grows in place.
        let grown = Side::Secure.largest_frame(mtu);
        let plan = match self.driver() {
            Driver::AfPacket => af_packet::plan(self, grown)?,
            Driver::AfXdp => af_xdp::plan(self, grown)?,
            _ => {
                self.refuse_traps(frame)?;
                (self.clone(), usual_room(grown))
            }
        };
        let (vdev, room) = plan;
        let too_large = || self.mtu_too_large(side, mtu);
        Ok(Plan {
            vdev: vdev.to_string(),
            mbuf_room: small(room)
                .filter(|r| u32::from(*r) <= ROOM_LIMIT)
                .ok_or_else(too_large)?,
            largest_frame: frame,
            interface_mtu: match self.driver() {
                Driver::AfPacket | Driver::AfXdp | Driver::Pcap if self.interface().is_some() => {
                    Some(small(side.interface_mtu(mtu)).ok_or_else(too_large)?)
                }
                _ => None,
            },
            queues: 1,
            contiguous_pool: self.driver().facts().contiguous_pool,
        })
    }

    fn fitting_frame(&self, side: Side, mtu: u16) -> Result<u16, PlanError> {
        if mtu < SMALLEST_MTU {
            return Err(PlanError::MtuTooSmall { mtu });
        }
        let fits = self.limiting_side(side).largest_frame(mtu) <= u32::from(self.frame_limit());
        let frame = small(side.largest_frame(mtu)).filter(|_| fits);
        frame.ok_or_else(|| self.mtu_too_large(side, mtu))
    }

    /// The side whose longest frame the driver's limit is about. The limit of `net_af_xdp` is that
    /// of its buffers, in which a plain frame grows.
    fn limiting_side(&self, side: Side) -> Side {
        if self.driver() == Driver::AfXdp {
            Side::Secure
        } else {
            side
        }
    }

    /// The longest frame that the driver carries, in octets without FCS.
    fn frame_limit(&self) -> u16 {
        let Facts { frame_limit, .. } = self.driver().facts();
        frame_limit.unwrap_or(af_packet::LARGEST_FRAME)
    }

    fn mtu_too_large(&self, side: Side, mtu: u16) -> PlanError {
        let limit = self.frame_limit();
        let overhead = self.limiting_side(side).largest_frame(0);
        let largest = small(u32::from(limit) - overhead).unwrap_or_default();
        PlanError::MtuTooLarge {
            driver: self.driver(),
            side,
            mtu,
            limit,
            largest,
        }
    }

    /// Arguments of drivers without a plan of their own that would do harm.
    fn refuse_traps(&self, frame: u16) -> Result<(), PlanError> {
        match self.driver() {
            Driver::Null => {
                let why = "the driver would read or write past the mbuf";
                self.at_most("size", u32::from(frame), why)
            }
            Driver::Pcap if self.arg("rx_iface").is_some() => Err(self.wrong(
                "rx_iface",
                "iface, or rx_iface_in beside tx_iface".to_owned(),
                "it receives what the port itself sends, and frames would go round",
            )),
            _ => Ok(()),
        }
    }

    /// A numeric argument as the driver will read it, which is decimal.
    pub(super) fn number(&self, key: &str) -> Result<Option<u32>, PlanError> {
        let Some(text) = self.arg(key) else {
            return Ok(None);
        };
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(value) if digits => Ok(Some(value)),
            _ => Err(self.wrong(key, "a decimal number".to_owned(), "it cannot be read")),
        }
    }

    /// Refuses a numeric argument above a limit.
    fn at_most(&self, key: &str, limit: u32, why: &'static str) -> Result<(), PlanError> {
        match self.number(key)? {
            Some(value) if value > limit => Err(self.wrong(key, format!("at most {limit}"), why)),
            _ => Ok(()),
        }
    }

    /// Refuses a queue count other than one.
    pub(super) fn one_queue(&self, key: &str) -> Result<(), PlanError> {
        match self.number(key)? {
            None | Some(1) => Ok(()),
            Some(_) => Err(self.wrong(
                key,
                "1".to_owned(),
                "a lane reads one queue; the kernel would spread frames over the others, out of \
                 order or never read",
            )),
        }
    }

    pub(super) fn wrong(&self, key: &str, right: String, why: &'static str) -> PlanError {
        PlanError::Argument {
            device: self.name().to_owned(),
            key: key.to_owned(),
            given: self.arg(key).unwrap_or_default().to_owned(),
            right,
            why,
        }
    }
}

/// Room for a frame and one octet more, so that one that is too long is seen to be.
fn usual_room(frame: u32) -> u32 {
    (frame + 1).next_multiple_of(64).max(USUAL_ROOM)
}

fn small(value: u32) -> Option<u16> {
    u16::try_from(value).ok()
}

/// Why a vdev cannot serve a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// The MTU is below what IP needs.
    MtuTooSmall {
        /// The MTU asked for.
        mtu: u16,
    },
    /// The driver does not carry frames of that MTU.
    MtuTooLarge {
        /// The driver.
        driver: Driver,
        /// The side it was to serve.
        side: Side,
        /// The MTU asked for.
        mtu: u16,
        /// The longest frame it carries, without FCS.
        limit: u16,
        /// The largest MTU that fits.
        largest: u16,
    },
    /// An argument of the operator breaks the rule that frames are never cut.
    Argument {
        /// The device.
        device: String,
        /// The argument.
        key: String,
        /// What was given.
        given: String,
        /// What would be right.
        right: String,
        /// What would happen.
        why: &'static str,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MtuTooSmall { mtu } => {
                write!(
                    f,
                    "mtu {mtu} is too small; at least {SMALLEST_MTU} is needed"
                )
            }
            Self::MtuTooLarge {
                driver,
                side,
                mtu,
                limit,
                largest,
            } => write!(
                f,
                "mtu {mtu} does not fit {driver} on the {side} side: with two VLAN tags{} that is a \
                 frame of {} octets and the driver carries {limit}; the largest mtu that fits is \
                 {largest}",
                if *side == Side::Secure {
                    " and MACsec"
                } else {
                    ""
                },
                side.largest_frame(*mtu),
            ),
            Self::Argument {
                device,
                key,
                given,
                right,
                why,
            } => {
                write!(
                    f,
                    "{device}: {key}={given} is refused: {why}; right would be {right}"
                )
            }
        }
    }
}

impl core::error::Error for PlanError {}
