//! Message numbers that leave only once they are reserved on disk.

use alloc::{boxed::Box, vec, vec::Vec};

use super::bed::{at, cak, ckn, policy};
use crate::{
    crypto::seeded,
    ieee::{An, EtherType, MacAddr, Sci},
    mka::{
        Action, Identity, Kay, KaySetup, Kn, Member, Mi, Mn, Remembered, Report,
        pdu::{Frame, Received},
    },
};

const SCI: Sci = Sci::new(MacAddr([2, 0, 0, 0, 0, 0]), 1);

/// A KaY that remembers a member whose next number is `mn`, with a link.
fn resumed(mn: u32) -> Kay {
    let identity = Identity {
        generation: 5,
        sci: SCI,
        members: vec![Member {
            ckn: ckn(1),
            mi: Mi([9; 12]),
            mn_reserved: Mn(mn),
            kn_reserved: Kn(1),
        }],
        latest: None,
        next_an: An::ALL[0],
    };
    let setup = KaySetup {
        sci: SCI,
        policy: policy(0),
        crypto: Box::new(seeded(1)),
        remembered: Remembered {
            identity: Some(identity),
            keys: Vec::new(),
        },
        keeps_identity: true,
    };
    let mut kay = Kay::new(at(0), setup).unwrap();
    kay.add_cak(at(0), cak(1, 1)).unwrap();
    kay.handle_report(at(0), Report::Link(true));
    kay
}

/// What is to be written.
fn saves(kay: &mut Kay) -> Vec<Identity> {
    let actions = core::iter::from_fn(|| kay.poll_action());
    let saves = actions.filter_map(|action| match action {
        Action::Save(identity) => Some(*identity),
        _ => None,
    });
    saves.collect()
}

/// Who sent a frame, and its number.
fn sender(frame: &Frame) -> (Mi, Mn) {
    let own = MacAddr([2, 0, 0, 0, 0, 9]);
    let received = Received::parse(frame, EtherType::EAPOL, own).unwrap();
    let pdu = received
        .verify(&seeded(2), &cak(1, 1).keys.ick, policy(0).icv_header)
        .unwrap();
    (pdu.basic.mi, pdu.basic.mn)
}

#[test]
fn nothing_leaves_before_it_is_reserved() {
    let mut kay = resumed(700);
    let [identity] = &saves(&mut kay)[..] else {
        panic!("one writing");
    };
    assert!(identity.generation > 5 && identity.members[0].mn_reserved > Mn(700));
    for ms in 0..100 {
        kay.handle_timeout(at(ms));
        assert_eq!(kay.poll_transmit(at(ms)), None);
    }
    kay.handle_report(at(100), Report::Saved(identity.generation));
    let sent = kay.poll_transmit(at(120)).unwrap();
    assert_eq!(sender(&sent), (Mi([9; 12]), Mn(700)));
}

/// What was reserved for the old identifier must not let the new one send.
#[test]
fn a_new_identifier_waits_for_its_own_reservation() {
    let mut kay = resumed(u32::MAX);
    let writing = saves(&mut kay).pop().unwrap().generation;
    kay.handle_report(at(0), Report::Saved(writing));
    // However often it is asked, and whether or not anything else was said in between.
    for ms in 0..100 {
        assert_eq!(kay.poll_transmit(at(ms)), None, "{ms}");
    }
    kay.handle_timeout(at(100));
    let identity = saves(&mut kay).pop().unwrap();
    let member = &identity.members[0];
    assert!(member.mi != Mi([9; 12]) && member.mn_reserved > Mn(1));
    assert_eq!(kay.poll_transmit(at(130)), None);
    kay.handle_report(at(130), Report::Saved(identity.generation));
    let sent = kay.poll_transmit(at(150)).unwrap();
    assert_eq!(sender(&sent), (member.mi, Mn(1)));
}
