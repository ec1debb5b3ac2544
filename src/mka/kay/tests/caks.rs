//! Several CAKs on one link: the principal, the fallback, and the change from one to the next.

use alloc::vec::Vec;

use super::bed::{Bed, cak, ckn, ms, policy};
use crate::{
    crypto::seeded,
    ieee::{EtherType, MacAddr},
    mka::{
        AddCakError, Event, LostWhy, MAX_CAKS, NewCak, RekeyWhy, Time,
        pdu::{Frame, Received, SakUse},
    },
};

fn principal(bed: &Bed, node: usize) -> Option<u8> {
    let principal = bed.nodes[node].kay.status(bed.now).principal;
    principal.map(|ckn| ckn.octets()[0])
}

fn fallback(name: u8) -> NewCak {
    NewCak {
        fallback: true,
        ..cak(name, 100)
    }
}

fn secured_pair() -> Bed {
    let mut bed = Bed::pair();
    bed.until_secured(ms(1000));
    bed.run(ms(7000));
    bed.flow();
    bed
}

#[test]
fn a_name_is_added_once_and_there_is_an_end_to_them() {
    let mut bed = Bed::pair();
    let again = bed.kay(0, |kay, now| kay.add_cak(now, cak(1, 9)));
    assert_eq!(again, Err(AddCakError::Duplicate));
    let most = u8::try_from(MAX_CAKS).unwrap();
    for name in 2..=most {
        bed.kay(0, |kay, now| kay.add_cak(now, cak(name, 2)).unwrap());
    }
    let more = bed.kay(0, |kay, now| kay.add_cak(now, cak(most + 1, 2)));
    assert_eq!(more, Err(AddCakError::TooMany));
    assert_eq!(bed.nodes[0].kay.ckns().count(), MAX_CAKS);
    assert!(bed.kay(0, |kay, now| kay.remove_cak(now, &ckn(2))));
    assert!(!bed.kay(0, |kay, now| kay.remove_cak(now, &ckn(2))));
}

#[test]
fn a_new_cak_takes_over_without_loss_whichever_end_gets_it_first() {
    for order in [[0, 1], [1, 0]] {
        let mut bed = secured_pair();
        for node in order {
            bed.kay(node, |kay, now| kay.add_cak(now, cak(2, 2)).unwrap());
            bed.run(ms(3000));
        }
        bed.run(ms(4000));
        assert_eq!((principal(&bed, 0), principal(&bed, 1)), (Some(2), Some(2)));
        for node in order {
            bed.kay(node, |kay, now| assert!(kay.remove_cak(now, &ckn(1))));
            bed.run(ms(1000));
        }
        bed.run(ms(15_000));
        assert!(bed.all_secured());
        assert_eq!(bed.traffic.lost, 0);
        for node in &bed.nodes {
            assert_eq!(node.had(|event| matches!(event, Event::Lost(_))), 0);
        }
        let why = |event: &Event| {
            matches!(
                event,
                Event::SakDistributed {
                    why: RekeyWhy::Principal,
                    ..
                }
            )
        };
        assert_eq!(bed.nodes[0].had(why), 1);
    }
}

#[test]
fn the_principal_changes_while_the_old_key_retires() {
    let mut bed = secured_pair();
    bed.kay(0, |kay, now| kay.rekey(now)).unwrap();
    bed.run(ms(500));
    assert_eq!((bed.cp(0), bed.cp(1)), ("TRANSMITTING", "TRANSMITTING"));
    for node in [0, 1] {
        bed.kay(node, |kay, now| kay.add_cak(now, cak(2, 2)).unwrap());
    }
    bed.run(ms(500));
    assert_eq!(bed.cp(0), "TRANSMITTING");
    assert_eq!(principal(&bed, 0), Some(2));
    bed.run(ms(10_000));
    assert_eq!(principal(&bed, 1), Some(2));
    assert_eq!(bed.traffic.lost, 0);
    assert!(bed.all_secured());
    assert_eq!(bed.nodes[0].kay.status(bed.now).rekeys, 2);
}

#[test]
fn an_end_that_never_gets_the_new_cak_stays_on_the_old_one() {
    let mut bed = secured_pair();
    bed.kay(0, |kay, now| kay.add_cak(now, cak(2, 2)).unwrap());
    bed.run(ms(30_000));
    assert_eq!((principal(&bed, 0), principal(&bed, 1)), (Some(1), Some(1)));
    assert_eq!(bed.traffic.lost, 0);
}

#[test]
fn ranks_that_differ_at_both_ends_still_make_one_principal() {
    let mut bed = secured_pair();
    bed.kay(0, |kay, now| kay.add_cak(now, cak(2, 2)).unwrap());
    bed.kay(1, |kay, now| kay.add_cak(now, cak(2, 0)).unwrap());
    bed.run(ms(10_000));
    assert_eq!((principal(&bed, 0), principal(&bed, 1)), (Some(2), Some(2)));
    bed.kay(0, |kay, now| kay.set_rank(now, &ckn(2), 0));
    bed.kay(1, |kay, now| kay.set_rank(now, &ckn(2), 9));
    bed.run(ms(10_000));
    assert_eq!((principal(&bed, 0), principal(&bed, 1)), (Some(1), Some(1)));
    assert_eq!(bed.traffic.lost, 0);
}

#[test]
fn the_fallback_is_used_when_nothing_else_is_live_and_gives_back() {
    let mut bed = secured_pair();
    for node in [0, 1] {
        bed.kay(node, |kay, now| kay.add_cak(now, fallback(9)).unwrap());
    }
    bed.run(ms(10_000));
    assert_eq!((principal(&bed, 0), principal(&bed, 1)), (Some(1), Some(1)));
    // The client loses its key: it is on the fallback at once, and its server when it misses the other.
    bed.kay(1, |kay, now| kay.remove_cak(now, &ckn(1)));
    bed.run(ms(15_000));
    assert_eq!((principal(&bed, 0), principal(&bed, 1)), (Some(9), Some(9)));
    bed.kay(1, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
    bed.run(ms(15_000));
    assert_eq!((principal(&bed, 0), principal(&bed, 1)), (Some(1), Some(1)));
    assert_eq!(bed.traffic.lost, 0);
    for node in &bed.nodes {
        assert_eq!(node.had(|event| matches!(event, Event::Lost(_))), 0);
    }
}

#[test]
fn a_cak_that_is_taken_away_leaves_its_keys_to_a_successor_and_without_one_takes_them_along() {
    let mut bed = secured_pair();
    bed.kay(0, |kay, now| kay.remove_cak(now, &ckn(1)));
    assert!(!bed.nodes[0].secured());
    let removed = |event: &Event| *event == Event::Lost(LostWhy::CakRemoved);
    assert_eq!(bed.nodes[0].had(removed), 1);

    // Both ends change at the same time: the new one is not live yet when the old one goes.
    let mut bed = secured_pair();
    for node in [0, 1] {
        bed.kay(node, |kay, now| {
            kay.add_cak(now, cak(2, 2)).unwrap();
            assert!(kay.remove_cak(now, &ckn(1)));
        });
    }
    bed.run(ms(10_000));
    assert_eq!((principal(&bed, 0), principal(&bed, 1)), (Some(2), Some(2)));
    assert_eq!(bed.traffic.lost, 0);

    // A successor that never comes is waited for no longer than for a peer.
    let mut bed = secured_pair();
    bed.kay(0, |kay, now| {
        kay.add_cak(now, cak(2, 2)).unwrap();
        assert!(kay.remove_cak(now, &ckn(1)));
    });
    bed.run(ms(5900));
    assert!(bed.nodes[0].secured());
    bed.run(ms(200));
    assert!(!bed.nodes[0].secured());
    assert_eq!(bed.nodes[0].had(removed), 1);
}

/// What a node's MKPDUs of a CAK said of keys since then.
fn said(bed: &Bed, node: usize, name: u8, since: Time) -> Vec<SakUse> {
    let ick = cak(name, 1).keys.ick;
    let read = |(when, frame): &(Time, Frame)| {
        let received = Received::parse(frame, EtherType::EAPOL, MacAddr([2; 6])).unwrap();
        let ours = *when >= since && *received.ckn() == ckn(name);
        ours.then(|| received.verify(&seeded(9), &ick, policy(0).icv_header))
    };
    let read = bed.nodes[node].sent.iter().filter_map(read);
    let read: Vec<_> = read.map(Result::unwrap).collect();
    assert!(read.len() > 2);
    read.iter().filter_map(|pdu| pdu.sak_use).collect()
}

#[test]
fn a_cak_that_is_not_in_force_says_nothing_of_another_ones_keys() {
    let mut bed = secured_pair();
    let begun = bed.now;
    for node in [0, 1] {
        bed.kay(node, |kay, now| kay.add_cak(now, fallback(2)).unwrap());
    }
    // The key is the latest one for some seconds, and then the old one.
    bed.run(ms(500));
    bed.kay(0, |kay, now| kay.rekey(now)).unwrap();
    bed.run(ms(15_000));
    assert_eq!(principal(&bed, 0), Some(1));
    for node in [0, 1] {
        assert!(!said(&bed, node, 1, begun).is_empty());
        assert_eq!(said(&bed, node, 2, begun), []);
    }
}

#[test]
fn the_cak_in_force_tells_of_the_old_key_that_came_by_another() {
    let mut bed = secured_pair();
    let old = bed.nodes[0].plane.in_use.unwrap();
    let begun = bed.now;
    for node in [0, 1] {
        bed.kay(node, |kay, now| kay.add_cak(now, cak(2, 2)).unwrap());
    }
    bed.run(ms(3000));
    assert_eq!(principal(&bed, 0), Some(2));
    for node in [0, 1] {
        let said = said(&bed, node, 2, begun);
        let tells = |said: &&SakUse| said.old.is_some_and(|key| key.id() == old && key.rx);
        assert!(said.iter().any(|said| tells(&said)), "{said:?}");
    }
}
