//! The Ethernet frame around a MKPDU (802.1X-2020 11.1, 11.3).
//!
//! ```text
//!  0           6           12     14        15     16       18                       18 + length
//!  +-----------+-----------+------+---------+------+--------+------------- - - +-----+- - - -+
//!  |    DA     |    SA     | type | version | 5    | length | parameter sets   | ICV |  pad  |
//!  +-----------+-----------+------+---------+------+--------+------------- - - +-----+- - - -+
//!                            888E   EAPOL, 3   MKA   of both                     16    ignored
//! ```
//!
//! VLAN tags are in front of none that we send, and a frame that has one is not heard: a tagged
//! logical interface is a port of its own, and a link has none of these.

use arrayvec::ArrayVec;

use crate::{
    ieee::{EtherType, MacAddr},
    mka::IcvHeader,
};

/// Octets of the longest frame: no jumbo frames for key agreement, whatever the port's MTU.
pub const FRAME_MAX: usize = 1514;

/// A whole Ethernet frame that carries a MKPDU, from the destination address on, without FCS.
pub type Frame = ArrayVec<u8, FRAME_MAX>;

/// Octets of both addresses and the EtherType.
pub(super) const ETHERNET_LEN: usize = 14;

/// Octets of the EAPOL header: version, packet type, body length.
pub(super) const EAPOL_LEN: usize = 4;

/// The EAPOL version that is sent, and the lowest that is heard (802.1X-2020 11.3.1).
pub(super) const EAPOL_VERSION: u8 = 3;

/// The packet type of EAPOL-MKA (802.1X-2020 table 11-3).
pub(super) const EAPOL_MKA: u8 = 5;

/// What goes around a MKPDU that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Destination address.
    pub destination: MacAddr,
    /// Source address: the port's own.
    pub source: MacAddr,
    /// EtherType: [`EtherType::EAPOL`], or what a carrier wants in its place.
    pub ethertype: EtherType,
    /// The header that the ICV covers.
    pub icv_header: IcvHeader,
}

/// Addresses and EtherType as the ICV covers them (802.1X-2020 9.4.1): those of the wire, or the
/// standard's around the same source.
pub(super) fn covered(wire: [u8; ETHERNET_LEN], header: IcvHeader) -> [u8; ETHERNET_LEN] {
    match header {
        IcvHeader::AsSent => wire,
        IcvHeader::Standard => {
            let [_, _, _, _, _, _, source @ .., _, _] = wire;
            ethernet(MacAddr::PAE_GROUP, MacAddr(source), EtherType::EAPOL)
        }
    }
}

/// The Ethernet header.
pub(super) fn ethernet(
    destination: MacAddr,
    source: MacAddr,
    ethertype: EtherType,
) -> [u8; ETHERNET_LEN] {
    let [a, b, c, d, e, f] = destination.0;
    let [g, h, i, j, k, l] = source.0;
    let [m, n] = ethertype.0.to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n]
}
