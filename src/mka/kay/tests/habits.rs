//! Everything that is sent, read as strictly as wpa_supplicant reads it: where it is stricter than the
//! standard it changes its member identifier, or drops what it got.

use alloc::vec::Vec;

use super::bed::{Bed, Node, at, cak, ms, policy};
use crate::{
    crypto::seeded,
    ieee::{EtherType, MacAddr},
    mka::{
        Mi, Mn, Time,
        pdu::{Frame, Mkpdu, PeerList, Received},
    },
};

/// What a node sent, and when.
fn sent(node: &Node) -> Vec<(Time, Mkpdu)> {
    let keys = cak(1, 1).keys;
    let read = |(when, frame): &(Time, Frame)| {
        let received = Received::parse(frame, EtherType::EAPOL, MacAddr([2; 6])).unwrap();
        let pdu = received.verify(&seeded(9), &keys.ick, policy(0).icv_header);
        (*when, pdu.unwrap())
    };
    node.sent.iter().map(read).collect()
}

/// The number of this member in the sender's lists, and whether it is in the live one.
fn listed(pdu: &Mkpdu, member: Mi) -> Option<(Mn, bool)> {
    let find = |list: &Option<PeerList>, live| {
        let mut peers = list.iter().flat_map(|list| &list.peers);
        let (_, mn) = peers.find(|(mi, _)| *mi == member)?;
        Some((*mn, live))
    };
    find(&pdu.live, true).or_else(|| find(&pdu.potential, false))
}

/// Two nodes from their first MKPDU over three rekeys; the second one answers as the first one's peer would.
fn exchange(delay_protection: bool) -> [Vec<(Time, Mkpdu)>; 2] {
    let mut policies = [policy(0), policy(1)];
    for policy in &mut policies {
        policy.delay_protection = delay_protection;
    }
    let mut bed = Bed::new(policies.into());
    for node in 0..2 {
        bed.kay(node, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
        bed.link(node, true);
        bed.run(ms(333));
    }
    bed.until_secured(ms(1000));
    bed.flow();
    bed.run(ms(10_000));
    for _ in 0..3 {
        bed.kay(0, |kay, now| kay.rekey(now)).unwrap();
        bed.run(ms(7000));
    }
    assert_eq!(bed.traffic.lost, 0);
    [sent(&bed.nodes[0]), sent(&bed.nodes[1])]
}

/// Every pair of directions of both exchanges: what was sent, and by the other one.
fn directions(mut check: impl FnMut(&[(Time, Mkpdu)], &[(Time, Mkpdu)])) {
    for delay_protection in [false, true] {
        let [a, b] = exchange(delay_protection);
        check(&a, &b);
        check(&b, &a);
    }
}

#[test]
fn sak_use_goes_to_live_peers_only_and_then_in_every_message() {
    directions(|own, other| {
        let peer = other[0].1.basic.mi;
        let first = own.iter().position(|(_, pdu)| pdu.sak_use.is_some());
        let (before, from_there) = own.split_at(first.unwrap());
        assert!(before.len() >= 2 && from_there.len() > 20);
        for (_, pdu) in from_there {
            assert!(pdu.sak_use.is_some(), "without SAK Use: {pdu:?}");
            assert!(listed(pdu, peer).unwrap().1, "not live: {pdu:?}");
        }
        for (_, pdu) in before {
            assert_eq!((&pdu.sak_use, &pdu.distributed_sak), (&None, &None));
        }
    });
}

#[test]
fn a_peer_finds_its_current_or_its_previous_number_in_what_it_gets() {
    directions(|own, other| {
        let mut found = 0;
        for (when, pdu) in own {
            let arrived = *when + ms(1);
            let current = other.iter().take_while(|(sent, _)| *sent <= arrived);
            let Some((_, current)) = current.last() else {
                continue;
            };
            if let Some((mn, _)) = listed(pdu, current.basic.mi) {
                assert!(mn.0 + 1 >= current.basic.mn.0, "{mn:?} is old: {current:?}");
                found += 1;
            }
        }
        assert!(found > 20);
    });
}

#[test]
fn the_one_that_lost_the_election_clears_its_bit_and_the_other_keeps_it() {
    for delay_protection in [false, true] {
        let [server, client] = exchange(delay_protection);
        assert!(server.iter().all(|(_, pdu)| pdu.basic.key_server));
        let live = |(_, pdu): &&(Time, Mkpdu)| pdu.live.is_some();
        assert!(client.iter().any(|sent| !live(&sent)));
        assert!(client.iter().filter(live).count() > 20);
        for (_, pdu) in &client {
            assert_eq!(pdu.basic.key_server, pdu.live.is_none(), "{pdu:?}");
        }
    }
}

#[test]
fn numbers_rise_by_one() {
    directions(|own, _| {
        for (number, (_, pdu)) in (1..).zip(own) {
            assert_eq!(pdu.basic.mn, Mn(number));
            assert_eq!(pdu.basic.mi, own[0].1.basic.mi);
        }
        assert!(own[0].0 >= at(1_000_000));
    });
}
