//! Each parameter set of a MKPDU alone. An input is the second octet of its header, the third one, and
//! its body; the type is the target's. What is sent for what was read is compared octet for octet.

use macsec_gateway::ieee::CipherSuite;
use macsec_gateway::mka::Discard;
use macsec_gateway::mka::pdu::{Announcement, DistributedCak, Tlv, set_again};

/// A set as it was read, and what would be sent for it: header and body, without padding.
struct Case<'a> {
    flags: u8,
    more_flags: u8,
    body: &'a [u8],
    sent: Vec<u8>,
}

/// Reads and writes the set; `None` where it is malformed, which `fits` must deny.
fn case(kind: u8, octets: &[u8], fits: impl FnOnce(usize) -> bool) -> Option<Case<'_>> {
    let (&[flags, more_flags], body) = octets.split_first_chunk()?;
    let sent = match set_again([kind, flags, more_flags], body) {
        Ok(sent) => sent,
        Err(reason) => {
            assert!(!fits(body.len()), "{} octets are refused", body.len());
            assert_eq!(reason, Discard::Malformed);
            return None;
        }
    };
    assert!(fits(body.len()), "{} octets are taken", body.len());
    Some(Case {
        flags,
        more_flags,
        body,
        sent: stripped(kind, sent),
    })
}

/// Without padding, which is zero; what is written is itself read and written as the same.
fn stripped(kind: u8, mut sent: Vec<u8>) -> Vec<u8> {
    let Some(&[type_, flags, more_flags, low]) = sent.first_chunk() else {
        return sent;
    };
    let len = usize::from(u16::from_be_bytes([more_flags & 0x0f, low]));
    assert_eq!(type_, kind);
    assert_eq!(sent.len(), 4 + len.next_multiple_of(4));
    assert!(sent.split_off(4 + len).iter().all(|octet| *octet == 0));
    let again = set_again([kind, flags, more_flags], &sent[4..]).unwrap();
    assert_eq!(again[..sent.len()], sent);
    sent
}

/// Both peer lists.
pub fn peer_list(octets: &[u8]) {
    for kind in [1, 2] {
        let Some(case) = case(kind, octets, |len| len % 16 == 0) else {
            return;
        };
        let kept = case.body.len().min(30 * 16);
        assert_eq!(case.sent[4..], case.body[..kept]);
        assert_eq!(case.sent[1], if kind == 1 { case.flags } else { 0 });
    }
}

/// SAK Use.
pub fn sak_use(octets: &[u8]) {
    let Some(case) = case(3, octets, |len| len == 0 || len == 40) else {
        return;
    };
    let slot = |at: usize, mask: u8| {
        let read = case
            .body
            .get(at..at + 20)
            .filter(|read| read[..12] != [0; 12]);
        let Some(read) = read else {
            return (0, [[0; 4], [0; 4], [0; 4], [0; 4], [0, 0, 0, 1]].concat());
        };
        let mut octets = read.to_vec();
        if octets[16..] == [0; 4] {
            octets[19] = 1;
        }
        (case.flags & mask, octets)
    };
    let ((latest_flags, latest), (old_flags, old)) = (slot(0, 0xf0), slot(20, 0x0f));
    let more_flags = if case.body.is_empty() {
        0
    } else {
        case.more_flags & 0xd0
    };
    let header = [3, latest_flags | old_flags, more_flags, 40];
    assert_eq!(case.sent, [&header[..], &latest, &old].concat());
}

/// Distributed SAK.
pub fn distributed_sak(octets: &[u8]) {
    const OLD: [u8; 8] = [0x00, 0x80, 0x02, 0x00, 0x01, 0x00, 0x00, 0x01];
    let body = octets.get(2..).unwrap_or_default();
    let identifier = body.get(4..12).unwrap_or_default();
    let suite = CipherSuite::ALL
        .into_iter()
        .find(|suite| suite.identifier() == identifier)
        .or((identifier == OLD).then_some(CipherSuite::GcmAes128));
    let fits = |len| match (len, suite) {
        (0 | 28, _) => true,
        (_, Some(suite)) => len == 12 + 8 + suite.sak_len(),
        (_, None) => matches!(len, 36 | 44 | 52),
    };
    let Some(case) = case(4, octets, fits) else {
        return;
    };
    let sent = &case.sent[4..];
    if suite == Some(CipherSuite::GcmAes128) && body.len() == 36 {
        assert_eq!(sent, [&body[..4], &body[12..]].concat());
    } else {
        assert_eq!(sent, body);
    }
    assert_eq!(
        case.sent[1],
        if body.is_empty() {
            0
        } else {
            case.flags & 0xf0
        }
    );
}

/// Distributed CAK: a body.
pub fn distributed_cak(octets: &[u8]) {
    for cak_len in [16, 32] {
        let ckn_len = octets.len().checked_sub(8 + cak_len);
        match DistributedCak::parse(octets, cak_len) {
            Some(set) => assert_eq!([set.wrapped, set.ckn.octets()].concat(), octets),
            None => assert!(!ckn_len.is_some_and(|len| (1..=32).contains(&len))),
        }
    }
}

/// KMD: longer names are passed over.
pub fn kmd(octets: &[u8]) {
    if let Some(case) = case(6, octets, |_| true) {
        let kept: &[u8] = if case.body.len() <= 253 {
            case.body
        } else {
            &[]
        };
        assert_eq!(case.sent.get(4..).unwrap_or_default(), kept);
    }
}

/// Announcement, and its TLVs.
pub fn announcement(octets: &[u8]) {
    if let Some(case) = case(7, octets, |_| true) {
        assert_eq!(case.sent[4..], *case.body);
    }
    let announcement = Announcement::new(octets);
    // Printing costs more than all the rest: short ones are enough.
    if octets.len() < 32 {
        assert!(!format!("{announcement:?}").is_empty());
    }
    let mut rest = octets;
    for tlv in announcement.tlvs() {
        let header = u16::from_be_bytes([rest[0], rest[1]]);
        let (kind, len) = (header >> 9, usize::from(header & 0x1ff));
        let value = &rest[2..2 + len];
        rest = &rest[2 + len..];
        match tlv {
            Tlv::Access(read) => assert_eq!((kind, read), (111, value)),
            Tlv::Suites(read) => assert_eq!((kind, read.suites().count() * 10), (112, len)),
            Tlv::Kmd(read) => assert_eq!((kind, read.octets()), (113, value)),
            Tlv::Nid(read) => assert_eq!((kind, read), (114, value)),
            Tlv::Other {
                kind: told,
                value: read,
            } => {
                assert_eq!((u16::from(told), read), (kind, value));
            }
        }
    }
    // What is left has no TLV in front.
    if let [first, second, ..] = *rest {
        let len = usize::from(u16::from_be_bytes([first, second]) & 0x1ff);
        assert!(rest.len() < 2 + len);
    }
}

/// XPN.
pub fn xpn(octets: &[u8]) {
    if let Some(case) = case(8, octets, |len| len == 8) {
        assert_eq!(case.sent, [&[8, case.flags, 0, 8], case.body].concat());
    }
}
