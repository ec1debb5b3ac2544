//! VLAN tags that stay in the clear, between the addresses and the SecTAG.
//!
//! They are neither encrypted nor authenticated: a carrier may read and change them.

use crate::ieee::EtherType;

/// The most VLAN tags that can stay in the clear.
pub const MAX_CLEAR_VLAN_TAGS: usize = 2;

/// Octets of one VLAN tag.
pub(super) const VLAN_TAG_LEN: usize = 4;

/// Octets of both addresses.
pub(super) const ADDRESSES_LEN: usize = 12;

/// The EtherType at `at`, if the frame is long enough to have one there.
#[inline]
pub(super) fn ether_type_at(frame: &[u8], at: usize) -> Option<EtherType> {
    let octets = frame.get(at..)?.first_chunk::<2>()?;
    Some(EtherType(u16::from_be_bytes(*octets)))
}

/// Octets of the VLAN tags that stand right behind the addresses, `most` tags at most.
///
/// A tag counts only with an EtherType behind it, so that what remains still starts with one.
#[inline]
pub(super) fn clear_tags_len(frame: &[u8], most: u8) -> usize {
    let mut len = 0;
    for _ in 0..usize::from(most).min(MAX_CLEAR_VLAN_TAGS) {
        let at = ADDRESSES_LEN + len;
        let is_tag = ether_type_at(frame, at).is_some_and(EtherType::is_vlan)
            && ether_type_at(frame, at + VLAN_TAG_LEN).is_some();
        if !is_tag {
            break;
        }
        len += VLAN_TAG_LEN;
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_and_complete_tags_count() {
        let mut frame = [0; 22];
        frame[12..14].copy_from_slice(&[0x88, 0xa8]);
        frame[16..18].copy_from_slice(&[0x81, 0x00]);
        frame[20..22].copy_from_slice(&[0x08, 0x00]);
        assert_eq!(clear_tags_len(&frame, 0), 0);
        assert_eq!(clear_tags_len(&frame, 1), 4);
        assert_eq!(clear_tags_len(&frame, 2), 8);
        assert_eq!(clear_tags_len(&frame, 200), 8);
        assert_eq!(clear_tags_len(&frame[..21], 2), 4);
        assert_eq!(clear_tags_len(&frame[..14], 2), 0);
        assert_eq!(clear_tags_len(&[], 2), 0);
        frame[12] = 0;
        assert_eq!(clear_tags_len(&frame, 2), 0);
    }
}
