//! The little that the path reads of an Ethernet header.

use crate::ieee::EtherType;

/// Octets of destination, source and EtherType.
pub const HEADER_LEN: usize = 14;

/// Octets of the VLAN tags that may come on top of a link's MTU: two of them.
pub const LONGEST_TAGS: usize = 8;

/// Octets of one VLAN tag.
const TAG_LEN: usize = 4;

/// The EtherType right behind the addresses, or `None` for a frame shorter than a header.
pub(super) fn outer_ethertype(frame: &[u8]) -> Option<EtherType> {
    ethertype_at(frame, HEADER_LEN - 2)
}

/// The EtherType behind at most `tags` VLAN tags.
pub(super) fn ethertype_behind_tags(frame: &[u8], tags: u8) -> Option<EtherType> {
    let mut at = HEADER_LEN - 2;
    for _ in 0..tags {
        if !ethertype_at(frame, at)?.is_vlan() {
            break;
        }
        at += TAG_LEN;
    }
    ethertype_at(frame, at)
}

/// The longest that this frame may be on a link of `mtu`: its VLAN tags, two at most, come on top.
pub fn longest_frame(frame: &[u8], mtu: usize) -> usize {
    let mut longest = mtu + HEADER_LEN;
    let mut at = HEADER_LEN - 2;
    while at < HEADER_LEN - 2 + LONGEST_TAGS
        && ethertype_at(frame, at).is_some_and(EtherType::is_vlan)
    {
        longest += TAG_LEN;
        at += TAG_LEN;
    }
    longest
}

fn ethertype_at(frame: &[u8], at: usize) -> Option<EtherType> {
    let octets = frame.get(at..at + 2)?.first_chunk()?;
    Some(EtherType(u16::from_be_bytes(*octets)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(types: &[u16]) -> Vec<u8> {
        let mut octets = vec![0; 12];
        for ethertype in types {
            octets.extend_from_slice(&ethertype.to_be_bytes());
            if EtherType(*ethertype).is_vlan() {
                octets.extend_from_slice(&[0, 7]);
            }
        }
        octets
    }

    #[test]
    fn tags_are_looked_through_only_as_far_as_asked() {
        let tagged = frame(&[0x88a8, 0x8100, 0x88e5]);
        assert_eq!(outer_ethertype(&tagged), Some(EtherType::S_VLAN));
        assert_eq!(ethertype_behind_tags(&tagged, 1), Some(EtherType::C_VLAN));
        assert_eq!(ethertype_behind_tags(&tagged, 2), Some(EtherType::MACSEC));
        assert_eq!(
            ethertype_behind_tags(&frame(&[0x0800]), 2),
            Some(EtherType::IPV4)
        );
        assert_eq!(ethertype_behind_tags(&tagged[..17], 2), None);
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
    }
}
