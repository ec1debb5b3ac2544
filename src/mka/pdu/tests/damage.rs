//! Damage: cut at every octet, flipped in every bit, and octets that nobody sent. Nothing is taken, and
//! with the ICV out of the way nothing panics, and no more work is done than the frame is long.

use proptest::{collection::vec, prelude::*};

use super::{
    set::{Set, Sets, kind},
    *,
};

/// A frame with everything in it that is sent.
fn full(pdu: Mkpdu) -> Mkpdu {
    Mkpdu {
        live: Some(pdu.live.unwrap_or_default()),
        sak_use: Some(pdu.sak_use.unwrap_or_default()),
        distributed_sak: Some(pdu.distributed_sak.unwrap_or(DistributedSak::NoMacsec)),
        xpn: Some(pdu.xpn.unwrap_or_default()),
        icv_indicator: true,
        ..pdu
    }
}

/// What the sets say, with the ICV out of the way.
fn unverified(frame: &[u8]) -> Result<Mkpdu, Discard> {
    Received::parse(frame, EtherType::EAPOL, OWN)?.parameter_sets()
}

/// Every decoder of a set alone, whatever the type says.
fn every_decoder(set: Set<'_>) {
    let any = Set {
        kind: kind::LIVE,
        ..set
    };
    let _ = PeerList::parse(any).map(|list| assert!(list.peers.len() * 16 <= set.body.len()));
    let _ = SakUse::parse(set);
    let _ = DistributedSak::parse(set);
    let _ = Xpn::parse(set);
    let _ = Kmd::parse(set);
    let _ = DistributedCak::parse(set.body, 16);
    let announcement = Announcement::parse(set);
    assert!(announcement.tlvs().count() <= set.body.len() / 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cut_at_any_octet_it_is_refused(pdu in strategy::mkpdu()) {
        let frame = sent(&full(pdu));
        for len in 0..frame.len() {
            let reason = heard(&frame[..len]).unwrap_err();
            let wanted = if len < MKPDU { Discard::NotMka } else { Discard::Length };
            prop_assert_eq!(reason, wanted, "{} octets", len);
            let _ = unverified(&frame[..len]);
        }
    }

    #[test]
    fn cut_behind_any_octet_under_a_right_length_it_is_refused(pdu in strategy::mkpdu()) {
        let frame = sent(&full(pdu));
        for len in (MKPDU..frame.len()).step_by(4) {
            let mut cut = frame[..len].to_vec();
            let body = u16::try_from(len - MKPDU).unwrap();
            cut[16..18].copy_from_slice(&body.to_be_bytes());
            prop_assert!(heard(&cut).is_err(), "{} octets", len);
            let _ = unverified(&cut);
        }
    }

    #[test]
    fn with_any_bit_flipped_it_is_refused(pdu in strategy::mkpdu()) {
        let mut frame = sent(&full(pdu)).to_vec();
        for bit in 0..frame.len() * 8 {
            frame[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(heard(&frame).is_err(), "bit {}", bit);
            let _ = unverified(&frame);
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        prop_assert!(heard(&frame).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_octets_cost_no_more_than_the_frame_is_long(
        pdu in strategy::mkpdu(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut frame = sent(&full(pdu)).to_vec();
        for (at, octet) in changes {
            let sets = &mut frame[MKPDU..];
            let at = at.index(sets.len());
            sets[at] = octet;
        }
        prop_assert!(heard(&frame).is_err() || frame == sent(&heard(&frame).unwrap())[..]);
        let _ = unverified(&frame);
    }

    #[test]
    fn noise_is_taken_apart_into_no_more_sets_than_fit(octets in vec(any::<u8>(), 0..400)) {
        prop_assert!(Sets(&octets).count() <= octets.len() / 4 + 1);
        for set in Sets(&octets).flatten() {
            every_decoder(set);
        }
        every_decoder(Set { kind: 0, flags: 0xff, more_flags: 0xf0, body: &octets });
        let _ = heard(&octets);
        let _ = heard(&with_sets(&octets[..octets.len() / 4 * 4]));
    }
}

#[test]
fn a_frame_of_nothing_but_empty_sets_is_one_pass() {
    for kind in 0..=254u8 {
        let octets = [kind, 0, 0, 0].repeat(361);
        assert_eq!(Sets(&octets).count(), 361);
        let frame = with_sets(&octets);
        assert_eq!(frame.len(), 1514);
        assert_eq!(heard(&frame).is_err(), kind == 8, "{kind}");
    }
}
