//! Groups of more than two.

use alloc::vec::Vec;

use super::bed::{Bed, cak, ckn, ms, policy};
use crate::mka::{Event, RekeyWhy, Remembered};

#[test]
fn three_members_agree_on_one_key_and_each_hears_the_other_two() {
    let mut bed = Bed::linked(3);
    bed.run(ms(8000));
    assert!(bed.all_secured());
    bed.flow();
    bed.run(ms(10_000));
    assert_eq!(bed.traffic.lost, 0);
    assert!(bed.traffic.delivered > 59_000);
    let servers = bed
        .nodes
        .iter()
        .map(|node| node.kay.status(bed.now).key_server);
    assert!(
        servers
            .clone()
            .all(|server| server == Some(bed.nodes[0].sci))
    );
    for node in &bed.nodes {
        assert_eq!(node.plane.peers.len(), 2);
        assert_eq!(node.plane.in_use, bed.nodes[0].plane.in_use);
    }
}

#[test]
fn a_third_member_joins_and_leaves_and_the_others_lose_nothing() {
    let mut bed = Bed::linked(2);
    bed.until_secured(ms(1000));
    bed.run(ms(8000));
    bed.flow();
    let third = bed.add(policy(2), Remembered::default(), true);
    bed.kay(third, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
    bed.link(third, true);
    bed.run(ms(10_000));
    assert!(bed.all_secured());
    // The third one hears the others only with the key that was made for it.
    let missed = bed.traffic.lost;
    assert!(missed < 600, "{missed}");
    bed.run(ms(10_000));
    assert_eq!(bed.traffic.lost, missed);
    let joined = |event: &Event| {
        matches!(
            event,
            Event::SakDistributed {
                why: RekeyWhy::NewPeer,
                ..
            }
        )
    };
    assert_eq!(bed.nodes[0].had(joined), 1);
    bed.nodes.pop();
    bed.run(ms(20_000));
    assert_eq!(bed.traffic.lost, missed);
    for node in &bed.nodes {
        assert_eq!(node.had(|event| matches!(event, Event::Lost(_))), 0);
        assert!(node.secured());
    }
}

#[test]
fn the_next_member_serves_when_the_key_server_is_gone() {
    let mut bed = Bed::linked(3);
    bed.run(ms(9000));
    bed.nodes.remove(0);
    bed.flow();
    bed.run(ms(20_000));
    assert_eq!(bed.traffic.lost, 0);
    assert!(bed.all_secured());
    for node in &bed.nodes {
        assert_eq!(node.kay.status(bed.now).key_server, Some(bed.nodes[0].sci));
        assert_eq!(node.had(|event| matches!(event, Event::Lost(_))), 0);
        assert_eq!(node.plane.peers.len(), 1);
    }
}

#[test]
fn with_half_of_the_mkpdus_lost_they_get_together_and_no_key_is_used_too_early() {
    for seed in 0..20 {
        let mut bed = Bed::linked(3);
        bed.seed(seed);
        bed.loss = 50;
        bed.run(ms(30_000));
        bed.loss = 0;
        bed.run(ms(20_000));
        assert!(bed.all_secured(), "seed {seed}");
        bed.flow();
        bed.run(ms(3000));
        assert_eq!(bed.traffic.lost, 0, "seed {seed}");
    }
}

#[test]
fn a_new_cak_takes_over_once_it_leaves_nobody_behind() {
    let mut bed = Bed::linked(3);
    bed.run(ms(8000));
    bed.flow();
    for node in [0, 1] {
        bed.kay(node, |kay, now| kay.add_cak(now, cak(2, 2)).unwrap());
    }
    bed.run(ms(8000));
    let principal = |bed: &Bed| {
        let of = |node: &super::bed::Node| node.kay.status(bed.now).principal.unwrap();
        bed.nodes.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(principal(&bed), [ckn(1), ckn(1), ckn(1)]);
    bed.kay(2, |kay, now| kay.add_cak(now, cak(2, 2)).unwrap());
    bed.run(ms(8000));
    assert_eq!(principal(&bed), [ckn(2), ckn(2), ckn(2)]);
    assert_eq!(bed.traffic.lost, 0);
    assert!(bed.all_secured());
}

#[test]
fn a_key_is_not_given_to_one_who_came_after_it() {
    let mut bed = Bed::linked(2);
    bed.until_secured(ms(1000));
    // The second one misses the next key, so it is still given out when the third one comes.
    bed.run(ms(7000));
    bed.dead.insert((0, 1));
    bed.kay(0, |kay, now| kay.rekey(now)).unwrap();
    bed.run(ms(100));
    bed.dead.clear();
    bed.dead.insert((1, 0));
    // The fourth one is heard and hears nothing: as long as it may join, the gap is kept.
    bed.dead.extend([(0, 3), (1, 3), (2, 3)]);
    for node in [2, 3] {
        bed.add(policy(node), Remembered::default(), true);
        let node = usize::from(node);
        bed.kay(node, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
        bed.link(node, true);
    }
    bed.run(ms(4000));
    let keys = |bed: &Bed| bed.nodes[2].had(|event| matches!(event, Event::SakReceived { .. }));
    assert_eq!(keys(&bed), 0, "nothing that was made before it came");
    bed.dead.clear();
    bed.run(ms(20_000));
    assert!(bed.all_secured());
    assert!(keys(&bed) >= 1);
}

#[test]
fn a_member_that_was_lost_and_comes_back_is_owed_a_new_key_and_the_others_lose_nothing() {
    let mut bed = Bed::linked(3);
    bed.run(ms(8000));
    let made = |bed: &Bed| bed.nodes[0].kay.status(bed.now).counters.saks_generated;
    let before = made(&bed);
    let cut = [(0, 2), (1, 2), (2, 0), (2, 1)];
    bed.dead.extend(cut);
    bed.run(ms(10_000));
    assert_eq!(
        made(&bed),
        before,
        "nobody asked for a key because one was lost"
    );
    bed.dead.clear();
    bed.run(ms(10_000));
    assert!(made(&bed) > before);
    assert!(bed.all_secured());
    for node in &bed.nodes[..2] {
        assert_eq!(node.had(|event| matches!(event, Event::Lost(_))), 0);
    }
    bed.flow();
    bed.run(ms(2000));
    assert_eq!(bed.traffic.lost, 0);
}

#[test]
fn two_peers_that_meet_only_after_they_have_the_key_get_another_one() {
    let mut bed = Bed::linked(3);
    let between = [(1, 2), (2, 1)];
    bed.dead.extend(between);
    bed.run(ms(8000));
    assert!(bed.all_secured());
    let met = |bed: &Bed| {
        let made = why(bed, 0);
        made.iter()
            .filter(|why| **why == RekeyWhy::PeersMet)
            .count()
    };
    assert_eq!(met(&bed), 0, "they have not met yet");
    bed.dead.clear();
    bed.run(ms(8000));
    assert_eq!(met(&bed), 1);
    // They lose each other and nobody else, and find each other again.
    bed.dead.extend(between);
    bed.run(ms(10_000));
    assert_eq!(met(&bed), 1);
    bed.dead.clear();
    bed.flow();
    bed.run(ms(30_000));
    assert_eq!(met(&bed), 2, "one key for both, and no more after it");
    assert_eq!(bed.traffic.lost, 0);
}

#[test]
fn members_that_meet_one_by_one_get_one_key_for_all_and_not_sooner_than_the_gap() {
    let mut bed = Bed::linked(4);
    bed.dead
        .extend([(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)]);
    bed.run(ms(300));
    let made = |bed: &Bed| bed.nodes[0].kay.status(bed.now).counters.saks_generated;
    let before = made(&bed);
    for met in [[(1, 2), (2, 1)], [(1, 3), (3, 1)], [(2, 3), (3, 2)]] {
        met.iter().for_each(|path| assert!(bed.dead.remove(path)));
        bed.run(ms(1200));
    }
    assert_eq!(made(&bed), before);
    bed.run(ms(30_000));
    assert_eq!(made(&bed), before + 1);
}

/// Why a node made its keys, in order.
fn why(bed: &Bed, node: usize) -> Vec<RekeyWhy> {
    let why = |event: &Event| match event {
        Event::SakDistributed { why, .. } => Some(*why),
        _ => None,
    };
    let events = bed.nodes[node].events.iter();
    events.filter_map(|(_, event)| why(event)).collect()
}

#[test]
fn one_who_served_before_serves_again_when_the_key_server_is_lost() {
    let mut bed = Bed::linked(3);
    let first = [(0, 1), (1, 0), (0, 2), (2, 0)];
    bed.dead.extend(first);
    bed.run(ms(8000));
    assert_eq!(why(&bed, 1), [RekeyWhy::First]);
    bed.dead.clear();
    bed.run(ms(20_000));
    assert_eq!(why(&bed, 1), [RekeyWhy::First], "the first one serves");
    bed.dead.extend(first);
    bed.run(ms(15_000));
    assert_eq!(why(&bed, 1), [RekeyWhy::First, RekeyWhy::NewServer]);
}

#[test]
fn a_key_for_a_lost_member_does_not_wait_for_the_gap() {
    let policies = [0, 1, 2].map(|node| {
        let mut policy = policy(node);
        policy.rekey.on_live_peer_loss = true;
        policy
    });
    let mut bed = Bed::new(policies.into());
    for node in 0..3 {
        bed.kay(node, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
        bed.link(node, true);
    }
    bed.run(ms(20_000));
    let before = why(&bed, 0);
    bed.nodes.pop();
    bed.run(ms(3000));
    bed.kay(0, |kay, now| kay.rekey(now)).unwrap();
    // It is lost 6 s after it was heard last, and the operator's key is then 3 s old at the most.
    bed.run(ms(3100));
    let asked = [RekeyWhy::Operator, RekeyWhy::LostPeer];
    assert_eq!(why(&bed, 0), [&before[..], &asked].concat());
}
