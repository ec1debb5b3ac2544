#![expect(clippy::indexing_slicing, reason = "a test that reaches too far fails")]

use super::*;

const SOURCE: MacAddr = MacAddr([2, 0, 0, 0, 0, 7]);

fn octets(tci: u8, sl: u8) -> [u8; 16] {
    [
        0x88, 0xe5, tci, sl, 1, 2, 3, 4, 2, 0, 0, 0, 0, 9, 0x12, 0x34,
    ]
}

#[test]
fn every_pair_of_control_octets_is_read_back_or_refused_for_the_right_reason() {
    for tci in 0..=255u8 {
        for sl in 0..=255u8 {
            let wire = octets(tci, sl);
            let sc = tci & Tci::SC != 0;
            let wanted = if tci & Tci::V != 0 {
                Err(SecTagError::Version)
            } else if sc && tci & Tci::ES != 0 {
                Err(SecTagError::EndStationWithSci)
            } else if sc && tci & Tci::SCB != 0 {
                Err(SecTagError::SingleCopyBroadcastWithSci)
            } else if sl >= 48 {
                Err(SecTagError::ShortLength { found: sl })
            } else {
                Ok(SecTag {
                    tci: Tci(tci),
                    short_length: sl,
                    pn: 0x0102_0304,
                    sci: sc.then_some(Sci(0x0200_0000_0009_1234)),
                })
            };
            let parsed = SecTag::parse(&wire);
            assert_eq!(parsed, wanted, "tci {tci:#x} sl {sl}");
            if let Ok(tag) = parsed {
                let mut out = [0xaa; 16];
                let len = tag.emit(&mut out).unwrap();
                assert_eq!(len, tag.len());
                assert_eq!(out[..len], wire[..len]);
                assert!(out[len..].iter().all(|&octet| octet == 0xaa));
            }
        }
    }
}

#[test]
fn a_cut_sectag_is_truncated_at_any_length() {
    for (tci, whole) in [(0x00, 8), (0x20, 16)] {
        let wire = octets(tci, 0);
        for len in 0..whole {
            let found = SecTag::parse(&wire[..len]);
            assert!(
                matches!(found, Err(SecTagError::Truncated { found, .. }) if found == len),
                "{found:?}"
            );
        }
        assert!(SecTag::parse(&wire[..whole]).is_ok());
    }
    assert_eq!(SecTag::parse(&[0; 16]), Err(SecTagError::EtherType));
}

#[test]
fn emit_refuses_what_it_could_not_read_back() {
    let tag = SecTag {
        tci: Tci(Tci::SC),
        short_length: 0,
        pn: 1,
        sci: None,
    };
    assert_eq!(tag.emit(&mut [0; 16]), None);
    let tag = SecTag {
        sci: Some(Sci(1)),
        ..tag
    };
    let mut short = [7; 15];
    assert_eq!(tag.emit(&mut short), None);
    assert_eq!(short, [7; 15]);
}

#[test]
fn the_length_of_user_data_is_told_by_the_frame_or_by_the_short_length() {
    for (tci, overhead) in [(0x00, 24), (0x20, 32)] {
        let long = SecTag::parse(&octets(tci, 0)).unwrap();
        assert_eq!(
            long.data_len(overhead + 47),
            Err(SecTagError::TooShort {
                wanted: overhead + 48,
                found: overhead + 47
            })
        );
        assert_eq!(long.data_len(overhead + 48), Ok(48));
        assert_eq!(long.data_len(overhead + 9000), Ok(9000));
        for sl in 1..48u8 {
            let tag = SecTag::parse(&octets(tci, sl)).unwrap();
            let told = usize::from(sl);
            assert!(tag.data_len(overhead + told - 1).is_err());
            assert_eq!(tag.data_len(overhead + told), Ok(told));
            assert_eq!(tag.data_len(overhead + told + 30), Ok(told));
        }
    }
}

#[test]
fn the_channel_follows_the_bits() {
    let channel = |tci| SecTag::parse(&octets(tci, 0)).unwrap().channel(SOURCE);
    assert_eq!(channel(0x20), Some(Sci(0x0200_0000_0009_1234)));
    assert_eq!(channel(0x40), Some(Sci::new(SOURCE, 1)));
    assert_eq!(channel(0x10), Some(Sci::new(SOURCE, 0)));
    assert_eq!(channel(0x50), Some(Sci::new(SOURCE, 0)));
    assert_eq!(channel(0x00), None);
}

#[test]
fn packet_number_zero_is_for_xpn_only() {
    let mut wire = octets(0, 0);
    wire[4..8].fill(0);
    let tag = SecTag::parse(&wire).unwrap();
    assert_eq!(tag.check_pn(PnSpace::Short), Err(SecTagError::ZeroPn));
    assert_eq!(tag.check_pn(PnSpace::Extended), Ok(()));
}
