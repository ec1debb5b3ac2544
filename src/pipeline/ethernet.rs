//! The little that the path reads of an Ethernet header.

use crate::ieee::EtherType;

/// Where the outermost EtherType stands: behind both addresses.
const OUTERMOST: usize = 12;

/// Octets of one VLAN tag.
const TAG_LEN: usize = 4;

/// The EtherType right behind the addresses, or `None` for a frame shorter than a header.
#[inline]
pub(super) fn outer_ethertype(frame: &[u8]) -> Option<EtherType> {
    ethertype_at(frame, OUTERMOST)
}

/// The EtherType behind at most `tags` VLAN tags.
pub(super) fn ethertype_behind_tags(frame: &[u8], tags: u8) -> Option<EtherType> {
    let mut at = OUTERMOST;
    for _ in 0..tags {
        if !ethertype_at(frame, at)?.is_vlan() {
            break;
        }
        at += TAG_LEN;
    }
    ethertype_at(frame, at)
}

#[inline]
fn ethertype_at(frame: &[u8], at: usize) -> Option<EtherType> {
    let octets = frame.get(at..)?.first_chunk()?;
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
}
