//! SSCIs, salt and 64-bit packet numbers.

use alloc::vec::Vec;

use super::{
    super::ssci::{Sscis, salt},
    bed::{Bed, cak, ms, policy},
    plane::Manner,
};
use crate::{
    ieee::{CipherSuite, Salt, Sci, Ssci},
    mka::{Event, Kn, Mi, RekeyWhy, SsciRule},
};

fn bed(nodes: u8, change: impl Fn(u8, &mut crate::mka::Policy)) -> Bed {
    let policies = (0..nodes).map(|node| {
        let mut policy = policy(node);
        policy.suites = [CipherSuite::GcmAesXpn256].into_iter().collect();
        change(node, &mut policy);
        policy
    });
    let mut bed = Bed::new(policies.collect());
    for node in 0..bed.nodes.len() {
        bed.kay(node, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
        bed.link(node, true);
    }
    bed.run(ms(8000));
    bed
}

/// The data planes agree on everybody's SSCI: the bed compares them with each frame.
fn agree(mut bed: Bed) -> Vec<u32> {
    assert!(bed.all_secured());
    bed.flow();
    bed.run(ms(1000));
    assert_eq!(bed.traffic.lost, 0);
    let own = |node: &super::bed::Node| {
        let id = node.plane.in_use.unwrap();
        node.plane.tx[&super::plane::key(id)].ssci.unwrap()
    };
    bed.nodes.iter().map(own).collect()
}

#[test]
fn by_sci_the_greatest_is_the_first_and_by_list_the_numbers_are_the_same() {
    for rule in [SsciRule::Auto, SsciRule::BySci, SsciRule::ByLiveList] {
        for version in [1, 2, 3] {
            let bed = bed(4, |_, policy| {
                policy.ssci = rule;
                policy.version = version;
            });
            assert_eq!(agree(bed), [4, 3, 2, 1], "{rule:?} {version}");
        }
    }
}

#[test]
fn forced_ones_are_used_as_they_are() {
    let bed = bed(2, |node, policy| {
        let (own, peer) = if node == 0 { (1, 2) } else { (2, 1) };
        policy.ssci = SsciRule::Forced {
            own: Ssci(own),
            peer: Ssci(peer),
        };
    });
    assert_eq!(agree(bed), [1, 2]);
}

#[test]
fn the_list_leaves_out_the_servers_own_number() {
    let (own, server) = (Sci(5), Sci(9));
    let list = [Sci(3), Sci(5), Sci(1)];
    let told = |number| Sscis::by_list(own, server, number, &list);
    let numbers = |number| {
        let sscis = told(number).unwrap();
        let mut all: Vec<u32> = sscis.peers.iter().map(|(_, ssci)| ssci.0).collect();
        all.push(sscis.own.unwrap().0);
        all
    };
    // Sci 3, Sci 1, the server, and us.
    assert_eq!(numbers(1), [2, 4, 1, 3]);
    assert_eq!(numbers(2), [1, 4, 2, 3]);
    assert_eq!(numbers(4), [1, 3, 4, 2]);
    assert_eq!(told(0), None, "no number");
    assert_eq!(told(5), None, "beyond the members");
    assert_eq!(
        Sscis::by_list(Sci(8), server, 1, &list),
        None,
        "not in the list"
    );
}

#[test]
fn the_salt_is_the_servers_identifier_and_the_key_number() {
    let mi = Mi([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(salt(mi, Kn(0)), Salt(mi.0));
    let with_number = [
        1 ^ 0xcc,
        2 ^ 0xdd,
        3 ^ 0xaa,
        4 ^ 0xbb,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
    ];
    assert_eq!(salt(mi, Kn(0xaabb_ccdd)), Salt(with_number));
}

#[test]
fn a_member_that_leaves_before_everybody_has_the_key_leaves_no_number_to_another() {
    let mut bed = bed(3, |_, _| {});
    bed.run(ms(7000));
    // The second one does not hear the new key; the third one, which has the greatest SCI, takes it and goes.
    bed.dead.insert((0, 1));
    bed.kay(0, |kay, now| kay.rekey(now)).unwrap();
    bed.run(ms(300));
    let third = bed.nodes.pop().unwrap();
    let taken = third
        .plane
        .tx
        .iter()
        .filter(|(_, sa)| sa.ssci == Some(1))
        .count();
    assert_eq!(taken, 2, "the old key and the new one");
    bed.dead.clear();
    bed.run(ms(20_000));
    for node in &bed.nodes {
        for (id, sa) in &node.plane.tx {
            if let Some(gone) = third.plane.tx.get(id) {
                assert_ne!(gone.ssci, sa.ssci, "an SSCI under one key twice");
            }
        }
    }
    assert!(bed.all_secured());
}

#[test]
fn one_who_was_not_done_with_a_key_when_another_member_left_is_owed_a_new_one() {
    let mut bed = bed(3, |_, _| {});
    bed.run(ms(7000));
    // The data plane of the second one hangs. The third one takes the key and goes: from then on the key can be
    // given to nobody, because its list of members is no longer the one that it was numbered by.
    bed.nodes[1].plane.manner = Manner::Silent;
    bed.kay(0, |kay, now| kay.rekey(now)).unwrap();
    bed.run(ms(300));
    bed.nodes.pop();
    bed.run(ms(5000));
    bed.nodes[1].plane.manner = Manner::Answers;
    bed.run(ms(20_000));
    let lost = |event: &Event| {
        matches!(
            event,
            Event::SakDistributed {
                why: RekeyWhy::LostPeer,
                ..
            }
        )
    };
    assert_eq!(bed.nodes[0].had(lost), 1);
    bed.flow();
    bed.run(ms(1000));
    assert_eq!(bed.traffic.lost, 0);
}
