//! CAKs come and go under a live link: no frame is lost, the principal does not flap.

use macsec_gateway::ieee::Ckn;

use crate::{
    node::NodeSpec,
    scene::{FALLBACK, TOGETHER, scene_of},
    world::{MS, SECOND, World},
};

fn strict(seed: u64, chains: &[&[usize]], change: impl Fn(usize, &mut NodeSpec)) -> World {
    let chains = chains.iter().map(|chain| chain.to_vec()).collect();
    let mut world = scene_of(seed, chains, change);
    world.get_together(TOGETHER).unwrap();
    world.run_for(15 * SECOND).unwrap();
    world.get_together(0).unwrap();
    world.watch.tally.principals.fill(0);
    world.be_strict();
    world
}

fn ckn(world: &World, cak: usize) -> Option<Ckn> {
    Some(world.caks[cak].ckn.clone())
}

/// All follow this CAK, and changed to it once.
fn settled(mut world: World, cak: usize, changes: u64) {
    world.run_for(15 * SECOND).unwrap();
    world.be_quiet().unwrap();
    let wanted = ckn(&world, cak);
    for node in 0..world.nodes.len() {
        assert_eq!(world.status(node).principal, wanted, "{node}");
        assert_eq!(
            world.nodes[node]
                .plane
                .in_use()
                .map(|tx| tx.key.ckn.clone()),
            wanted
        );
    }
    assert_eq!(
        world.watch.tally.principals,
        vec![changes; world.nodes.len()]
    );
}

#[test]
fn a_cak_is_added_at_one_end_then_at_the_other_and_the_old_one_removed() {
    for order in 0..8 {
        for pause in [10 * MS, SECOND, 9 * SECOND] {
            for priorities in [[16, 16], [16, 0], [255, 255]] {
                let mut world = strict(order, &[&[0], &[0]], |node, spec| {
                    spec.policy.priority = priorities[node];
                });
                let end = |bit: u64| usize::from(order >> bit & 1 == 1);
                world.add_cak(end(0), 1).unwrap();
                world.run_for(pause).unwrap();
                world.add_cak(1 - end(0), 1).unwrap();
                world
                    .run_for(if order & 4 == 0 {
                        10 * SECOND
                    } else {
                        1500 * MS
                    })
                    .unwrap();
                world.remove_cak(end(1), 0).unwrap();
                world.run_for(pause).unwrap();
                world.remove_cak(1 - end(1), 0).unwrap();
                settled(world, 1, 1);
            }
        }
    }
}

#[test]
fn a_whole_group_rolls_over() {
    for seed in 0..4 {
        let mut world = strict(seed, &[&[0], &[0], &[0], &[0]], |_, _| {});
        for node in [2, 0, 3, 1] {
            world.add_cak(node, 1).unwrap();
            world.run_for(700 * MS).unwrap();
        }
        world.run_for(10 * SECOND).unwrap();
        for node in [1, 3, 2, 0] {
            world.remove_cak(node, 0).unwrap();
            world.run_for(3 * SECOND).unwrap();
        }
        world.run_for(15 * SECOND).unwrap();
        world.be_quiet().unwrap();
    }
}

/// One end never gets the new CAK: the old one goes on, and nothing else happens.
#[test]
fn an_end_that_never_gets_the_new_cak_changes_nothing() {
    for end in [0, 1] {
        let mut world = strict(1, &[&[0], &[0]], |_, _| {});
        world.add_cak(end, 1).unwrap();
        world.run_for(30 * SECOND).unwrap();
        settled(world, 0, 0);
    }
}

/// Both have a fallback; one end's old CAK is taken away, and the other end's stays.
#[test]
fn the_fallback_takes_over_when_no_other_cak_is_live_and_gives_back() {
    let fallback = usize::from(FALLBACK);
    for end in [0, 1] {
        for shift in 0..20 {
            let mut world = strict(shift, &[&[0, fallback], &[0, fallback]], |_, _| {});
            world.run_for(shift * 100 * MS).unwrap();
            assert_eq!(world.status(0).principal, ckn(&world, 0));
            world.remove_cak(end, 0).unwrap();
            world.run_for(20 * SECOND).unwrap();
            assert_eq!(world.status(0).principal, ckn(&world, fallback));
            assert_eq!(world.status(1).principal, ckn(&world, fallback));
            world.add_cak(end, 1).unwrap();
            world.run_for(5 * SECOND).unwrap();
            world.add_cak(1 - end, 1).unwrap();
            settled(world, 1, 2);
        }
    }
}

/// Three CAKs at both ends, as AWS holds: the newest is used, and when it goes the next one is.
#[test]
fn of_three_caks_the_newest_is_used_and_they_go_one_by_one() {
    let mut world = strict(3, &[&[0, 1, 2], &[2, 1, 0]], |_, _| {});
    assert_eq!(world.status(0).principal, ckn(&world, 2));
    world.remove_cak(0, 2).unwrap();
    world.run_for(12 * SECOND).unwrap();
    world.remove_cak(1, 2).unwrap();
    world.run_for(12 * SECOND).unwrap();
    assert_eq!(world.status(1).principal, ckn(&world, 1));
    world.remove_cak(1, 1).unwrap();
    world.run_for(12 * SECOND).unwrap();
    world.remove_cak(0, 1).unwrap();
    world.run_for(15 * SECOND).unwrap();
    world.be_quiet().unwrap();
    assert_eq!(world.status(1).principal, ckn(&world, 0));
    assert_eq!(world.watch.tally.principals, [2, 2]);
}

/// The two ends don't agree which CAK is the newest: the key server's word counts.
#[test]
fn ends_that_rank_caks_differently_still_agree() {
    for (seed, priorities) in (0..).zip([[16, 16], [0, 16], [16, 0]]) {
        let mut world = strict(seed, &[&[0], &[0]], |node, spec| {
            spec.policy.priority = priorities[node];
        });
        world.caks[1].rank = 10;
        world.caks[2].rank = 20;
        world.add_cak(0, 1).unwrap();
        world.add_cak(0, 2).unwrap();
        world.caks[1].rank = 20;
        world.caks[2].rank = 10;
        world.add_cak(1, 1).unwrap();
        world.add_cak(1, 2).unwrap();
        world.run_for(30 * SECOND).unwrap();
        world.be_quiet().unwrap();
        assert_eq!(world.status(0).principal, world.status(1).principal);
    }
}

/// The principal changes while the SA before the last is in its three seconds of retirement.
#[test]
fn the_principal_changes_while_the_previous_sa_retires() {
    for after in (0..40).map(|step| step * 100 * MS) {
        let mut world = strict(after, &[&[0], &[0]], |_, _| {});
        world.with(0, |kay, now| kay.rekey(now)).unwrap();
        world.run_for(after).unwrap();
        world.add_cak(0, 1).unwrap();
        world.add_cak(1, 1).unwrap();
        settled(world, 1, 1);
    }
}

/// Rollover after rollover, every few seconds.
#[test]
fn rollovers_in_a_row_never_reuse_an_an_that_stands() {
    let mut world = strict(9, &[&[0], &[0]], |_, _| {});
    for turn in 0..20 {
        let (old, new) = (turn % 3, (turn + 1) % 3);
        world.caks[new].rank = 100 + u64::try_from(turn).unwrap();
        world.add_cak(0, new).unwrap();
        world.add_cak(1, new).unwrap();
        world.run_for(4 * SECOND).unwrap();
        world.remove_cak(1, old).unwrap();
        world.remove_cak(0, old).unwrap();
        world.run_for(SECOND).unwrap();
    }
    world.run_for(15 * SECOND).unwrap();
    world.be_quiet().unwrap();
}
