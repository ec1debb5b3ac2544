//! The forms of parameter sets: what peers send and we hear, and the one that we send.

use arrayvec::ArrayVec;

use super::*;
use crate::{
    ieee::An,
    mka::{Kn, MAX_PEERS, Protection},
};

/// What is behind the basic set in a frame of ours, without the ICV.
fn sent_sets(fill: impl FnOnce(&mut Mkpdu)) -> Vec<u8> {
    let mut pdu = Mkpdu::new(basic());
    fill(&mut pdu);
    let frame = sent(&pdu);
    frame[MKPDU + 36..frame.len() - ICV_LEN].to_vec()
}

fn heard_sets(sets: &[u8]) -> Result<Mkpdu, Discard> {
    heard(&with_sets(sets))
}

/// A set of type `kind` with a body of `len` octets, padded.
fn blank(kind: u8, len: u16) -> Vec<u8> {
    let [high, low] = len.to_be_bytes();
    let mut set = vec![kind, 0, high, low];
    set.resize(4 + usize::from(len).next_multiple_of(4), 0x5a);
    set
}

fn key(suite: SuiteField, wrapped: usize) -> DistributedSak {
    DistributedSak::Key(DistributedKey {
        an: An::new(2).unwrap(),
        protection: Protection::Offset0,
        kn: Kn(0x0102_0304),
        suite,
        wrapped: core::iter::repeat_n(0x77, wrapped).collect(),
    })
}

#[test]
fn the_basic_set_octet_for_octet() {
    let mut pdu = Mkpdu::new(basic());
    pdu.basic.ckn = Ckn::new(b"hello").unwrap();
    let frame = sent(&pdu);
    let wanted: Vec<u8> = [
        &[
            0x01, 0x80, 0xc2, 0, 0, 3, 2, 0, 0, 0, 0, 2, 0x88, 0x8e, 3, 5, 0, 56,
        ][..],
        // A CKN of 5 octets: 33 in the body, 36 with padding.
        &[1, 16, 0xe0, 33, 2, 0, 0, 0, 0, 2, 0, 1],
        &[0xc1; 12],
        &[0, 0, 0, 5, 0x00, 0x80, 0xc2, 0x01],
        b"hello\0\0\0",
    ]
    .concat();
    assert_eq!(frame[..frame.len() - ICV_LEN], wanted);
    let flags = |change: fn(&mut Basic)| {
        let mut pdu = Mkpdu::new(basic());
        change(&mut pdu.basic);
        sent(&pdu)[MKPDU + 2]
    };
    assert_eq!(flags(|basic| basic.key_server = false), 0x60);
    assert_eq!(flags(|basic| basic.macsec_desired = false), 0xa0);
    assert_eq!(flags(|basic| basic.capability = Capability::None), 0xc0);
    assert_eq!(
        flags(|basic| basic.capability = Capability::Integrity),
        0xd0
    );
    assert_eq!(flags(|basic| basic.capability = Capability::Offsets), 0xf0);
}

#[test]
fn any_mka_version_is_heard() {
    for version in 0..=255 {
        let mut pdu = Mkpdu::new(basic());
        pdu.basic.version = version;
        assert_eq!(heard(&sent(&pdu)), Ok(pdu));
    }
}

#[test]
fn sets_are_sent_in_the_order_of_their_types_and_heard_in_any() {
    let list = |octet, ssci| PeerList {
        key_server_ssci: ssci,
        peers: [(Mi([octet; 12]), Mn(9))].into_iter().collect(),
    };
    let mut pdu = Mkpdu::new(basic());
    pdu.live = Some(list(1, 3));
    pdu.potential = Some(list(2, 0));
    pdu.sak_use = Some(SakUse::default());
    pdu.distributed_sak = Some(DistributedSak::NoMacsec);
    pdu.kmd = Kmd::new(b"here");
    pdu.announcement = Some(Announcement::new(&[1, 2, 3]));
    pdu.xpn = Some(Xpn {
        suspension: 1,
        latest: 2,
        old: 3,
    });
    let frame = sent(&pdu);
    let mut sets = Vec::new();
    let mut rest = &frame[MKPDU + 36..frame.len() - ICV_LEN];
    while let [_, _, high, low, ..] = *rest {
        let len = usize::from(u16::from_be_bytes([high & 0xf, low])).next_multiple_of(4);
        sets.push(&rest[..4 + len]);
        rest = &rest[4 + len..];
    }
    let kinds: Vec<u8> = sets.iter().map(|set| set[0]).collect();
    assert_eq!(kinds, [1, 2, 3, 4, 6, 7, 8]);
    // Every rotation, forwards and backwards.
    for _ in 0..2 {
        for _ in 0..sets.len() {
            sets.rotate_left(1);
            assert_eq!(heard_sets(&sets.concat()), Ok(pdu.clone()));
        }
        sets.reverse();
    }
    pdu.icv_indicator = true;
    let frame = sent(&pdu);
    let end = frame.len() - ICV_LEN;
    assert_eq!(frame[end - 4..end], [255, 0, 0, 16]);
    assert_eq!(heard(&frame), Ok(pdu));
}

#[test]
fn types_that_we_do_not_know_are_skipped_by_their_length() {
    let xpn = [8, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2];
    for kind in (0..=254).filter(|kind| !(1..=8).contains(kind)) {
        for len in [0u16, 1, 4, 7, 300] {
            let sets = [&blank(kind, len)[..], &xpn].concat();
            let pdu = heard_sets(&sets).unwrap();
            assert_eq!(
                pdu.xpn,
                Some(Xpn {
                    suspension: 0,
                    latest: 1,
                    old: 2
                })
            );
            assert_eq!(Mkpdu { xpn: None, ..pdu }, Mkpdu::new(basic()));
        }
    }
}

#[test]
fn of_two_sets_of_one_type_the_later_is_ignored_even_if_it_is_malformed() {
    let first = [8, 7, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2];
    for second in [blank(8, 8), blank(8, 3)] {
        let pdu = heard_sets(&[&first[..], &second].concat()).unwrap();
        assert_eq!(
            pdu.xpn,
            Some(Xpn {
                suspension: 7,
                latest: 1,
                old: 2
            })
        );
    }
    for kind in [1, 2, 3, 4, 6, 7] {
        let len = if kind == 3 { 40 } else { 0 };
        let once = heard_sets(&blank(kind, len)).unwrap();
        let twice = heard_sets(&[blank(kind, len), blank(kind, 5)].concat());
        assert_eq!(twice, Ok(once), "{kind}");
    }
}

#[test]
fn a_set_that_does_not_fit_is_malformed() {
    for kind in 0..=254 {
        // Longer than what is left, with or without room for its padding.
        for len in [1u16, 4, 0xfff] {
            assert_eq!(
                heard_sets(&blank(kind, len)[..4]),
                Err(Discard::Malformed),
                "{kind} {len}"
            );
        }
        let cut = &blank(kind, 13)[..16];
        assert_eq!(heard_sets(cut), Err(Discard::Malformed), "{kind}");
    }
}

#[test]
fn a_set_whose_length_its_type_can_not_have_is_malformed() {
    let fits = |kind: u8, len: u16| match kind {
        1 | 2 => len.is_multiple_of(16),
        3 => matches!(len, 0 | 40),
        // 28 without identifier; the identifier here is unknown.
        4 => matches!(len, 0 | 28 | 36 | 44 | 52),
        8 => len == 8,
        _ => true,
    };
    for kind in 1..=8 {
        for len in 0..600 {
            let wanted = if fits(kind, len) {
                None
            } else {
                Some(Discard::Malformed)
            };
            assert_eq!(heard_sets(&blank(kind, len)).err(), wanted, "{kind} {len}");
        }
    }
}

#[test]
fn an_icv_indicator_is_last_and_tells_16_octets() {
    assert!(heard_sets(&[255, 0, 0, 16]).unwrap().icv_indicator);
    assert!(!heard_sets(&[]).unwrap().icv_indicator);
    for len in [0, 12, 15, 17, 20, 32] {
        assert_eq!(heard_sets(&[255, 0, 0, len]), Err(Discard::Malformed));
    }
    assert_eq!(heard_sets(&[255, 0, 1, 16]), Err(Discard::Malformed));
    assert_eq!(
        heard_sets(&[255, 0, 0, 16, 6, 0, 0, 0]),
        Err(Discard::Malformed)
    );
    // The upper half of the third octet belongs to nobody.
    assert!(heard_sets(&[255, 9, 0xf0, 16]).unwrap().icv_indicator);
}

#[test]
fn a_longer_peer_list_than_ours_can_be_is_cut() {
    let mut set = blank(1, 16 * 60);
    for (number, entry) in set[4..].chunks_mut(16).enumerate() {
        entry[15] = u8::try_from(number).unwrap();
    }
    let peers = heard_sets(&set).unwrap().live.unwrap().peers;
    assert_eq!(peers.len(), MAX_PEERS);
    assert_eq!(
        peers[MAX_PEERS - 1].1,
        Mn(0x5a5a_5a00 | (u32::try_from(MAX_PEERS).unwrap() - 1))
    );
}

#[test]
fn peer_lists_octet_for_octet() {
    let peers: ArrayVec<_, MAX_PEERS> = [(Mi([0xaa; 12]), Mn(0x0102_0304))].into_iter().collect();
    let list = PeerList {
        key_server_ssci: 2,
        peers,
    };
    let entry = [&[0xaa; 12][..], &[1, 2, 3, 4]].concat();
    let live = sent_sets(|pdu| pdu.live = Some(list.clone()));
    assert_eq!(live, [&[1, 2, 0, 16][..], &entry].concat());
    // Only the live list has the SSCI.
    let potential = sent_sets(|pdu| pdu.potential = Some(list));
    assert_eq!(potential, [&[2, 0, 0, 16][..], &entry].concat());
    assert_eq!(
        heard_sets(&[2, 7, 0, 0]).unwrap().potential,
        Some(PeerList::default())
    );
}

#[test]
fn sak_use_octet_for_octet() {
    let latest = KeyUse {
        an: An::new(3).unwrap(),
        mi: Mi([0xbb; 12]),
        kn: Kn(7),
        tx: false,
        rx: true,
        lowest_pn: 0x0a0b_0c0d,
    };
    let old = KeyUse {
        an: An::new(2).unwrap(),
        tx: true,
        rx: false,
        lowest_pn: 0,
        ..latest
    };
    let set = SakUse {
        latest: Some(latest),
        old: Some(old),
        plain_rx: true,
        delay_protect: true,
        ..SakUse::default()
    };
    let wanted = [
        &[3, 0b1101_1010, 0x50, 40][..],
        &[0xbb; 12],
        &[0, 0, 0, 7, 0x0a, 0x0b, 0x0c, 0x0d],
        &[0xbb; 12],
        // No packet number is 0 on the wire: hostap 2.10 changes its MI over it.
        &[0, 0, 0, 7, 0, 0, 0, 1],
    ]
    .concat();
    assert_eq!(sent_sets(|pdu| pdu.sak_use = Some(set)), wanted);
    let plain_tx = SakUse {
        plain_tx: true,
        ..SakUse::default()
    };
    assert_eq!(sent_sets(|pdu| pdu.sak_use = Some(plain_tx))[2], 0x80);
}

#[test]
fn empty_slots_of_a_sak_use_are_sent_with_packet_number_1_and_heard_with_any() {
    let sent = sent_sets(|pdu| pdu.sak_use = Some(SakUse::default()));
    let empty = [&[0; 16][..], &[0, 0, 0, 1]].concat();
    assert_eq!(sent, [&[3, 0, 0, 40][..], &empty, &empty].concat());
    // All flags, a key number and a packet number, but no key server: no key.
    let mut set = blank(3, 40);
    set[1..3].copy_from_slice(&[0xff, 0]);
    set[4..16].fill(0);
    set[24..36].fill(0);
    assert_eq!(heard_sets(&set).unwrap().sak_use, Some(SakUse::default()));
    // Without body: no MACsec, nothing in use.
    assert_eq!(
        heard_sets(&[3, 0xff, 0xf0, 0]).unwrap().sak_use,
        Some(SakUse::default())
    );
}

#[test]
fn the_key_in_use_may_stand_in_the_old_slot_with_the_latest_empty() {
    let mut set = blank(3, 40);
    set[1] = 0b0000_0111;
    set[4..20].fill(0);
    let set = heard_sets(&set).unwrap().sak_use.unwrap();
    assert_eq!(set.latest, None);
    let old = set.old.unwrap();
    assert_eq!(
        (old.an.value(), old.mi, old.tx, old.rx),
        (1, Mi([0x5a; 12]), true, true)
    );
}

#[test]
fn gcm_aes_128_is_sent_without_identifier_and_the_others_with_theirs() {
    let of = |suite: CipherSuite| {
        let set = key(SuiteField::Known(suite), suite.sak_len() + 8);
        sent_sets(|pdu| pdu.distributed_sak = Some(set))
    };
    let short = [&[4, 0b1001_0000, 0, 28, 1, 2, 3, 4][..], &[0x77; 24]].concat();
    assert_eq!(of(CipherSuite::GcmAes128), short);
    for (suite, len, last) in [
        (CipherSuite::GcmAes256, 52, 2),
        (CipherSuite::GcmAesXpn128, 36, 3),
        (CipherSuite::GcmAesXpn256, 52, 4),
    ] {
        let wrapped = vec![0x77; suite.sak_len() + 8];
        let wanted = [
            &[4, 0b1001_0000, 0, len, 1, 2, 3, 4][..],
            &[0x00, 0x80, 0xc2, 0x00, 0x01, 0x00, 0x00, last],
            &wrapped,
        ]
        .concat();
        assert_eq!(of(suite), wanted);
    }
    let none = sent_sets(|pdu| pdu.distributed_sak = Some(DistributedSak::NoMacsec));
    assert_eq!(none, [4, 0, 0, 0]);
}

#[test]
fn gcm_aes_128_is_heard_in_all_three_forms() {
    let wanted = key(SuiteField::Known(CipherSuite::GcmAes128), 24);
    let identifiers: [&[u8]; 3] = [
        &[],
        &[0x00, 0x80, 0xc2, 0x00, 0x01, 0x00, 0x00, 0x01],
        &[0x00, 0x80, 0x02, 0x00, 0x01, 0x00, 0x00, 0x01],
    ];
    for identifier in identifiers {
        let len = u8::try_from(28 + identifier.len()).unwrap();
        let set = [
            &[4, 0b1001_0000, 0, len, 1, 2, 3, 4][..],
            identifier,
            &[0x77; 24],
        ]
        .concat();
        let heard = heard_sets(&set).unwrap().distributed_sak;
        assert_eq!(heard.as_ref(), Some(&wanted), "{identifier:?}");
    }
}

#[test]
fn a_wrapped_key_is_as_long_as_its_suite_says() {
    for suite in CipherSuite::ALL {
        for wrapped in [16, 24, 32, 40, 48] {
            let mut set = blank(4, 12 + wrapped);
            set[8..16].copy_from_slice(&suite.identifier());
            let fits = usize::from(wrapped) == suite.sak_len() + 8;
            // 28 octets are the form without identifier, whatever these octets look like.
            let fits = fits || wrapped == 16;
            assert_eq!(heard_sets(&set).is_ok(), fits, "{suite} {wrapped}");
        }
        for len in (0..=40).filter(|len| *len != suite.sak_len() + 8) {
            let mut pdu = Mkpdu::new(basic());
            pdu.distributed_sak = Some(key(SuiteField::Known(suite), len));
            assert!(
                encode(&pdu, &ENVELOPE, &seeded(1), &ick()).is_none(),
                "{suite} {len}"
            );
        }
    }
}

#[test]
fn an_unknown_suite_is_heard_as_such() {
    for wrapped in [24u16, 32, 40] {
        let heard = heard_sets(&blank(4, 12 + wrapped)).unwrap().distributed_sak;
        let Some(DistributedSak::Key(key)) = heard else {
            panic!("a key");
        };
        assert_eq!(key.suite, SuiteField::Unknown([0x5a; 8]));
        assert_eq!(key.wrapped.len(), usize::from(wrapped));
    }
}

#[test]
fn a_distributed_cak_is_seen_of_any_length_and_never_sent() {
    for len in [0, 24, 28, 72, 100] {
        let pdu = heard_sets(&blank(5, len)).unwrap();
        assert!(pdu.distributed_cak);
        assert!(encode(&pdu, &ENVELOPE, &seeded(1), &ick()).is_none());
    }
    let body = [&[0x11; 24][..], b"new"].concat();
    let view = DistributedCak::parse(&body, 16).unwrap();
    assert_eq!(view.wrapped, [0x11; 24]);
    assert_eq!(view.ckn.octets(), b"new");
    assert_eq!(DistributedCak::parse(&body[..24], 16), None);
    assert_eq!(DistributedCak::parse(&body, 32), None);
    assert_eq!(DistributedCak::parse(&body, usize::MAX), None);
}

#[test]
fn the_longest_frame_is_1514_octets_and_what_is_longer_is_not_made() {
    let of = |octets: usize| {
        let mut pdu = Mkpdu::new(basic());
        pdu.announcement = Some(Announcement::new(&vec![0; octets]));
        encode(&pdu, &ENVELOPE, &seeded(1), &ick())
    };
    let most = 1514 - MKPDU - 36 - 4 - ICV_LEN;
    assert_eq!(of(most).unwrap().len(), 1514);
    for more in 1..=ICV_LEN + 8 {
        assert!(of(most + more).is_none(), "{more}");
    }
    assert!(of(5000).is_none());
}
