//! The filter ahead of control against the codec behind it: no frame that the KaY could take is refused,
//! whoever sent it and however it is laid out.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test may end it, as its own body may"
)]

#[expect(
    dead_code,
    reason = "times, nodes and keys are for who plays a recording"
)]
#[path = "golden/recording.rs"]
mod recording;

use macsec_gateway::bus::{DropReason, EapolClass, EapolFilter};
use macsec_gateway::crypto::{AesKeyAgreement, Ick, random::SystemRandom};
use macsec_gateway::ieee::{Ckn, EtherType, MacAddr, Sci};
use macsec_gateway::mka::pdu::{Basic, Capability, Envelope, Mkpdu, PeerList, Received, encode};
use macsec_gateway::mka::{IcvHeader, Mi, Mn};
use proptest::collection::vec;
use proptest::prelude::*;
use recording::Recording;

const OWN: MacAddr = MacAddr([2, 0, 0, 0, 0, 0xee]);
const PEER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const STRANGER: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

fn ethertype() -> impl Strategy<Value = EtherType> {
    prop_oneof![Just(EtherType::EAPOL), Just(EtherType(0x876f))]
}

fn ckn() -> impl Strategy<Value = Ckn> {
    // Few names, so that known ones and unknown ones both are common.
    (1..=Ckn::MAX_LEN, 0..3_u8).prop_map(|(len, fill)| Ckn::new(&vec![fill; len]).unwrap())
}

fn address() -> impl Strategy<Value = MacAddr> {
    prop_oneof![Just(OWN), Just(PEER), Just(STRANGER)]
}

prop_compose! {
    /// A whole MKPDU, as our own encoder makes it.
    fn mkpdu()(
        ckn in ckn(),
        ethertype in ethertype(),
        source in address(),
        destination in prop_oneof![Just(MacAddr::PAE_GROUP), Just(MacAddr([0xff; 6])), Just(OWN)],
        mi in any::<[u8; 12]>(),
        mn in any::<u32>(),
        peers in 0..30_u8,
        icv_indicator in any::<bool>(),
        version in 1..4_u8,
    ) -> Vec<u8> {
        let mut pdu = Mkpdu::new(Basic {
            version,
            priority: 16,
            key_server: version == 1,
            macsec_desired: true,
            capability: Capability::Offsets,
            sci: Sci::new(source, 1),
            mi: Mi(mi),
            mn: Mn(mn),
            ckn,
        });
        pdu.live = Some(PeerList {
            key_server_ssci: 0,
            peers: (0..peers).map(|nth| (Mi([nth; 12]), Mn(mn))).collect(),
        });
        pdu.icv_indicator = icv_indicator;
        let envelope = Envelope { destination, source, ethertype, icv_header: IcvHeader::AsSent };
        let crypto = AesKeyAgreement::new(SystemRandom);
        let ick = Ick::take(&mut [7; 16]).unwrap();
        encode(&pdu, &envelope, &crypto, &ick).unwrap().to_vec()
    }
}

prop_compose! {
    /// The same, cut, lengthened, or with some octets changed.
    fn frame()(
        mut octets in mkpdu(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        // Most changes hit nothing that counts; these are the headers.
        header in vec((12..52_usize, any::<u8>()), 0..2),
        len in prop::option::weighted(0.2, 0..1600_usize),
    ) -> Vec<u8> {
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        for (at, octet) in header {
            octets[at] = octet;
        }
        octets.resize(len.unwrap_or(octets.len()), 0);
        octets
    }
}

prop_compose! {
    fn filter()(
        ethertype in ethertype(),
        ckns in vec(ckn(), 0..20),
        live in vec(address(), 0..3),
    ) -> EapolFilter {
        EapolFilter { ethertype, own: OWN, ckns, live }
    }
}

/// What the filter must say of a frame that the codec takes.
fn wanted(filter: &EapolFilter, received: &Received<'_>) -> Result<EapolClass, DropReason> {
    if received.source() == filter.own {
        Err(DropReason::EapolReflected)
    } else if !filter.ckns.contains(received.ckn()) {
        Err(DropReason::EapolUnknownCkn)
    } else if filter.live.contains(&received.source()) {
        Ok(EapolClass::Live)
    } else {
        Ok(EapolClass::Other)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_filter_refuses_no_frame_that_the_codec_takes(filter in filter(), frame in frame()) {
        let said = filter.judge(&frame);
        match Received::parse(&frame, filter.ethertype, filter.own) {
            Ok(received) => prop_assert_eq!(said, wanted(&filter, &received)),
            // What only the codec refuses still names a CKN in use.
            Err(_) => {
                if said.is_ok() {
                    let known = |ckn: &Ckn| frame.windows(ckn.octets().len()).any(|at| at == ckn.octets());
                    prop_assert!(filter.ckns.iter().any(known));
                }
            }
        }
    }

    #[test]
    fn no_octets_are_too_strange_for_it(filter in filter(), octets in vec(any::<u8>(), 0..200)) {
        let _verdict = filter.judge(&octets);
    }
}

/// What hostap, and others, sent to each other.
#[test]
fn recorded_frames_pass_by_their_name_alone() {
    for recording in Recording::all() {
        let knows = |ckns: Vec<Ckn>| EapolFilter {
            ethertype: EtherType::EAPOL,
            own: OWN,
            ckns,
            live: Vec::new(),
        };
        let ours = knows(vec![recording.ckn.clone()]);
        let others = knows(vec![Ckn::new(b"another").unwrap()]);
        for (_, frame) in &recording.frames {
            assert_eq!(ours.judge(frame), Ok(EapolClass::Other));
            assert_eq!(others.judge(frame), Err(DropReason::EapolUnknownCkn));
        }
    }
}
