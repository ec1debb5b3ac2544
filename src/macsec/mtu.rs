//! The one rule for how long a frame may be: a link's MTU counts what stands behind the Ethernet
//! header, and a frame's own VLAN tags, two at most, come on top.

use super::clear_tags::{ADDRESSES_LEN, MAX_CLEAR_VLAN_TAGS, VLAN_TAG_LEN, ether_type_at};
use super::sectag::SecTag;
use crate::crypto::TAG_LEN;
use crate::ieee::EtherType;

/// Octets of an Ethernet header without tags: less is no frame.
pub const ETHERNET_HEADER_LEN: usize = 14;

/// The most VLAN tags that come on top of the MTU. What stands behind them is user data.
const TAGS_ON_TOP: usize = MAX_CLEAR_VLAN_TAGS;

/// The longest that this plain frame may be on a link of `mtu`, in octets without FCS.
///
/// Depends on the frame: 14 octets more than the MTU, and 4 for each of its VLAN tags up to two.
#[must_use]
pub fn longest_frame(frame: &[u8], mtu: usize) -> usize {
    let mut tags_len = 0;
    while tags_len < TAGS_ON_TOP * VLAN_TAG_LEN
        && ether_type_at(frame, ADDRESSES_LEN + tags_len).is_some_and(EtherType::is_vlan)
    {
        tags_len += VLAN_TAG_LEN;
    }
    mtu + ETHERNET_HEADER_LEN + tags_len
}

/// The longest that any protected frame may be on a link of `mtu`, in octets without FCS: two VLAN
/// tags, wherever they stand, the longest SecTAG, and the ICV.
///
/// A longer one is nothing that a peer of this link sends; it may even have been cut to its length.
#[must_use]
pub const fn longest_secure_frame(mtu: usize) -> usize {
    mtu + ETHERNET_HEADER_LEN + TAGS_ON_TOP * VLAN_TAG_LEN + SecTag::LEN_WITH_SCI + TAG_LEN
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn frame(types: &[u16]) -> Vec<u8> {
        let mut octets = Vec::from([0; 12]);
        for ethertype in types {
            octets.extend_from_slice(&ethertype.to_be_bytes());
            if EtherType(*ethertype).is_vlan() {
                octets.extend_from_slice(&[0, 7]);
            }
        }
        octets
    }

    #[test]
    fn up_to_two_tags_come_on_top_of_the_mtu() {
        for (types, longest) in [
            (&[0x0800][..], 1514),
            (&[0x8100, 0x0800], 1518),
            (&[0x88a8, 0x8100, 0x0800], 1522),
            (&[0x88a8, 0x8100, 0x8100, 0x0800], 1522),
        ] {
            assert_eq!(longest_frame(&frame(types), 1500), longest);
        }
        assert_eq!(longest_frame(&[], 1500), 1514);
        assert_eq!(longest_secure_frame(1500), 1554);
    }
}
