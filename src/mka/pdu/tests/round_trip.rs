//! What is sent is what is heard: each set alone, and all of them together.

use proptest::prelude::*;

use super::{
    set::{Set, Sets, kind},
    *,
};

/// The one set that `emit` appends, taken apart again by `parse`.
fn again<T>(
    emit: impl FnOnce(&mut Frame) -> Option<()>,
    parse: impl FnOnce(Set<'_>) -> Result<T, Discard>,
) -> T {
    let mut out = Frame::new();
    emit(&mut out).unwrap();
    assert_eq!(out.len() % 4, 0);
    let mut sets = Sets(&out);
    let set = sets.next().unwrap().unwrap();
    assert!(sets.next().is_none());
    parse(set).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_basic_set(basic in strategy::basic()) {
        let mut out = Frame::new();
        basic.emit(&mut out).unwrap();
        let (parsed, agility, rest) = Basic::parse(&out).unwrap();
        prop_assert_eq!(parsed, basic);
        prop_assert_eq!(agility, [0x00, 0x80, 0xc2, 0x01]);
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn a_live_peer_list(list in strategy::peer_list(any::<u8>())) {
        prop_assert_eq!(&again(|out| list.emit(kind::LIVE, out), PeerList::parse), &list);
    }

    #[test]
    fn a_potential_peer_list(list in strategy::peer_list(Just(0))) {
        prop_assert_eq!(&again(|out| list.emit(kind::POTENTIAL, out), PeerList::parse), &list);
    }

    #[test]
    fn a_sak_use(set in strategy::sak_use()) {
        prop_assert_eq!(again(|out| set.emit(out), SakUse::parse), set);
    }

    #[test]
    fn a_distributed_sak(set in strategy::distributed_sak()) {
        prop_assert_eq!(&again(|out| set.emit(out), DistributedSak::parse), &set);
    }

    #[test]
    fn a_kmd(set in strategy::kmd()) {
        let parse = |set: Set<'_>| Kmd::parse(set).ok_or(Discard::Malformed);
        prop_assert_eq!(&again(|out| set.emit(out), parse), &set);
    }

    #[test]
    fn an_announcement(set in strategy::announcement()) {
        prop_assert_eq!(&again(|out| set.emit(out), |set| Ok(Announcement::parse(set))), &set);
    }

    #[test]
    fn an_xpn(set in strategy::xpn()) {
        prop_assert_eq!(again(|out| set.emit(out), Xpn::parse), set);
    }

    #[test]
    fn a_whole_mkpdu(pdu in strategy::mkpdu(), padding in 0usize..64) {
        let mut frame = sent(&pdu).to_vec();
        prop_assert_eq!((frame.len() - MKPDU) % 4, 0);
        frame.resize(frame.len() + padding, 0xa5);
        prop_assert_eq!(heard(&frame), Ok(pdu));
    }

    #[test]
    fn a_mkpdu_under_either_header(
        pdu in strategy::mkpdu(), group in any::<[u8; 6]>(), ethertype in any::<u16>(),
        wire in any::<bool>(),
    ) {
        let [first, rest @ ..] = group;
        let [b, c, d, e, f] = rest;
        let envelope = Envelope {
            destination: MacAddr([first | 1, b, c, d, e, f]),
            ethertype: EtherType(ethertype),
            icv_header: if wire { IcvHeader::AsSent } else { IcvHeader::Standard },
            ..ENVELOPE
        };
        let frame = encode(&pdu, &envelope, &seeded(1), &ick()).unwrap();
        let received = Received::parse(&frame, EtherType(ethertype), OWN).unwrap();
        prop_assert_eq!(received.source(), SOURCE);
        prop_assert_eq!(received.ckn(), &pdu.basic.ckn);
        prop_assert_eq!(received.verify(&seeded(1), &ick(), envelope.icv_header), Ok(pdu));
        let other = if wire { IcvHeader::Standard } else { IcvHeader::AsSent };
        prop_assert_eq!(received.verify(&seeded(1), &ick(), other), Err(Discard::Icv));
    }
}
