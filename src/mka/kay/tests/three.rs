//! Groups of more than two.

use super::bed::{Bed, cak, ms, policy};
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
