//! Announcements and the key management domain: nothing depends on them, so nothing is refused.

use super::*;

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    let header = u16::from(kind) << 9 | u16::try_from(value.len()).unwrap();
    [&header.to_be_bytes()[..], value].concat()
}

#[test]
fn every_tlv_is_told_apart() {
    let suite = |ability: u8, suite: CipherSuite| [&[0, ability][..], &suite.identifier()].concat();
    let suites = [
        suite(2, CipherSuite::GcmAesXpn256),
        suite(3, CipherSuite::GcmAes128),
        vec![0xff; 10],
    ]
    .concat();
    let octets = [
        tlv(111, &[0x50, 0x10]),
        tlv(112, &suites),
        tlv(113, b"domain"),
        tlv(114, b"network"),
        tlv(126, &[1, 2, 3]),
        tlv(9, &[0; 511]),
        tlv(112, &suites[..15]),
        tlv(113, &[b'x'; 254]),
    ]
    .concat();
    let announcement = Announcement::new(&octets);
    let tlvs: Vec<_> = announcement.tlvs().collect();
    let other = |kind, value| Tlv::Other { kind, value };
    let Tlv::Suites(told) = tlvs[1] else {
        panic!("{tlvs:?}");
    };
    let known = SuiteField::Known;
    let wanted = [
        (known(CipherSuite::GcmAesXpn256), Capability::Offset0),
        (known(CipherSuite::GcmAes128), Capability::Offsets),
        (SuiteField::Unknown([0xff; 8]), Capability::Offsets),
    ];
    assert!(told.suites().eq(wanted));
    assert_eq!(tlvs[0], Tlv::Access(&[0x50, 0x10]));
    assert_eq!(
        tlvs[2..],
        [
            Tlv::Kmd(Kmd::new(b"domain").unwrap()),
            Tlv::Nid(b"network"),
            other(126, &[1, 2, 3]),
            other(9, &[0; 511]),
            other(112, &suites[..15]),
            other(113, &[b'x'; 254]),
        ]
    );
}

#[test]
fn a_tlv_that_does_not_fit_ends_the_announcement_and_not_the_mkpdu() {
    let octets = [tlv(113, b"here"), vec![112 << 1, 20, 1, 2, 3]].concat();
    let mut pdu = Mkpdu::new(basic());
    pdu.announcement = Some(Announcement::new(&octets));
    let heard = heard(&sent(&pdu)).unwrap();
    assert_eq!(heard, pdu);
    let tlvs: Vec<_> = heard.announcement.as_ref().unwrap().tlvs().collect();
    assert_eq!(tlvs, [Tlv::Kmd(Kmd::new(b"here").unwrap())]);
    for cut in 0..octets.len() {
        assert!(Announcement::new(&octets[..cut]).tlvs().count() <= 1);
    }
}

#[test]
fn a_domain_is_at_most_253_octets_and_shown_escaped() {
    assert!(Kmd::new(&[b'a'; 253]).is_some());
    assert!(Kmd::new(&[b'a'; 254]).is_none());
    let domain = Kmd::new(b"ok\x1b[2J\n\xff").unwrap();
    assert_eq!(format!("{domain}"), r"ok\x1b[2J\n\xff");
    assert_eq!(format!("{domain:?}"), r"Kmd(ok\x1b[2J\n\xff)");
    // In a MKPDU, a longer one is passed over.
    let set = [&[6, 0, 0, 254][..], &[b'a'; 256]].concat();
    assert_eq!(heard(&with_sets(&set)), Ok(Mkpdu::new(basic())));
}
