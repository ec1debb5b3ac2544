//! The checks of 802.1X-2020 11.11.2, each by its reason and in its order.

use super::*;

/// A right frame with these octets over the ones from `at` on, and no new ICV.
fn changed(at: usize, octets: &[u8]) -> Vec<u8> {
    let mut frame = sent(&Mkpdu::new(basic())).to_vec();
    frame[at..at + octets.len()].copy_from_slice(octets);
    frame
}

fn reason(frame: &[u8]) -> Discard {
    heard(frame).unwrap_err()
}

#[test]
fn a_right_frame_is_taken_and_padding_behind_it_ignored() {
    let mut frame = sent(&Mkpdu::new(basic())).to_vec();
    assert_eq!(frame.len(), 14 + 4 + 36 + 16);
    assert_eq!(heard(&frame), Ok(Mkpdu::new(basic())));
    frame.extend([0xee; 30]);
    assert_eq!(heard(&frame), Ok(Mkpdu::new(basic())));
}

#[test]
fn a_group_or_our_own_address_is_heard_and_no_other_stations() {
    let to = |destination| {
        let envelope = Envelope {
            destination,
            ..ENVELOPE
        };
        heard(&encode(&Mkpdu::new(basic()), &envelope, &seeded(1), &ick()).unwrap())
    };
    for group in [
        [0x01, 0x80, 0xc2, 0, 0, 0x03],
        [0x01, 0x80, 0xc2, 0, 0, 0x00],
        [0x01, 0x80, 0xc2, 0, 0, 0x0e],
        [0xff; 6],
    ] {
        assert!(to(MacAddr(group)).is_ok());
    }
    assert!(to(OWN).is_ok());
    assert_eq!(to(MacAddr([2, 0, 0, 0, 0, 3])), Err(Discard::NotMka));
}

#[test]
fn another_ethertype_version_or_packet_type_is_not_mka() {
    assert_eq!(reason(&changed(12, &[0x88, 0x8f])), Discard::NotMka);
    assert_eq!(reason(&changed(14, &[2])), Discard::NotMka);
    assert_eq!(reason(&changed(15, &[0])), Discard::NotMka);
    // A VLAN tag in front: the frame belongs to another, tagged, interface.
    let mut tagged = sent(&Mkpdu::new(basic())).to_vec();
    tagged.splice(12..12, [0x81, 0x00, 0x00, 0x64]);
    assert_eq!(reason(&tagged), Discard::NotMka);
}

#[test]
fn a_later_eapol_version_is_heard() {
    let mut frame = changed(14, &[9]);
    frame.truncate(frame.len() - ICV_LEN);
    assert!(heard(&signed(frame)).is_ok());
}

#[test]
fn the_ethertype_is_the_one_of_the_link() {
    let wan = EtherType(0x876f);
    let envelope = Envelope {
        ethertype: wan,
        ..ENVELOPE
    };
    let frame = encode(&Mkpdu::new(basic()), &envelope, &seeded(1), &ick()).unwrap();
    assert_eq!(reason(&frame), Discard::NotMka);
    let received = Received::parse(&frame, wan, OWN).unwrap();
    assert!(
        received
            .verify(&seeded(1), &ick(), IcvHeader::AsSent)
            .is_ok()
    );
}

#[test]
fn a_body_that_is_short_odd_or_cut_is_of_wrong_length() {
    for len in [0u16, 4, 28, 31] {
        assert_eq!(
            reason(&changed(16, &len.to_be_bytes())),
            Discard::Length,
            "{len}"
        );
    }
    // 52 octets are there.
    for len in [33u16, 50, 51, 53, 56, 1500, 0xfffc, 0xffff] {
        assert_eq!(
            reason(&changed(16, &len.to_be_bytes())),
            Discard::Length,
            "{len}"
        );
    }
}

#[test]
fn a_basic_set_leaves_room_for_the_icv_and_has_a_ckn_of_1_to_32_octets() {
    let mut longest = basic();
    longest.ckn = Ckn::new(&[0x61; 32]).unwrap();
    assert!(heard(&sent(&Mkpdu::new(longest))).is_ok());
    // The set says 28 to 32 octets of CKN: 29 of them would reach into the ICV.
    for (len, wanted) in [
        (0u16, Discard::Basic),
        (28, Discard::Basic),
        (29, Discard::Icv),
        (33, Discard::Basic),
        (60, Discard::Basic),
        (0xfff, Discard::Basic),
    ] {
        let [high, low] = len.to_be_bytes();
        assert_eq!(
            reason(&changed(MKPDU + 2, &[0xe0 | high, low])),
            wanted,
            "{len}"
        );
    }
    // 33 octets of CKN, all of them there.
    let mut frame = sent(&Mkpdu::new(basic())).to_vec();
    frame.truncate(frame.len() - ICV_LEN);
    frame.extend([0; 32]);
    frame[MKPDU + 3] = 28 + 33;
    assert_eq!(reason(&signed(frame)), Discard::Basic);
}

#[test]
fn the_first_failed_check_is_the_reason() {
    // Everything is wrong; then each reason is put right in its turn.
    let mut frame = with_sets(&[3, 0, 0, 4, 0, 0, 0, 0]);
    let last = frame.len() - 1;
    frame[12] = 0;
    frame[17] += 2;
    frame[MKPDU + 3] = 28;
    frame[MKPDU + 28] = 9;
    frame[last] ^= 1;
    assert_eq!(reason(&frame), Discard::NotMka);
    frame[12] = 0x88;
    assert_eq!(reason(&frame), Discard::Length);
    frame[17] -= 2;
    assert_eq!(reason(&frame), Discard::Basic);
    frame[MKPDU + 3] = 32;
    assert_eq!(reason(&frame), Discard::Agility);
    frame[MKPDU + 28] = 0;
    assert_eq!(reason(&frame), Discard::Icv);
    frame[last] ^= 1;
    assert_eq!(reason(&frame), Discard::Malformed);
}

#[test]
fn another_key_is_another_icv() {
    let frame = sent(&Mkpdu::new(basic()));
    let received = Received::parse(&frame, EtherType::EAPOL, OWN).unwrap();
    let other = Ick::take(&mut [8; 16]).unwrap();
    assert_eq!(
        received.verify(&seeded(1), &other, IcvHeader::AsSent),
        Err(Discard::Icv)
    );
}
