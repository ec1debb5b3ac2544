//! Getting together: suites, versions, CAKs and CKNs of every length, elections, groups.

use macsec_gateway::{
    ieee::{CipherSuite, MacAddr, Sci, Ssci},
    mka::{Protection, SsciRule, XpnSet},
};

use crate::{
    node::{Memory, NodeSpec},
    plane::Lost,
    scene::{TOGETHER, scene, scene_down, scene_of, suites},
    watch::Violation,
    world::{MS, SECOND, World},
};

/// Both ends are there: secured within this time.
const SOON: u64 = SECOND;

fn together_soon(world: &mut World) -> u64 {
    let took = world.get_together(TOGETHER).unwrap();
    assert!(took <= SOON, "{took} us");
    world.run_for(8 * SECOND).unwrap();
    world.be_quiet().unwrap();
    took
}

#[test]
fn two_nodes_are_secured_within_a_second_with_every_suite_and_protection() {
    for (seed, suite) in (1..).zip(CipherSuite::ALL) {
        for protection in [
            Protection::Offset0,
            Protection::IntegrityOnly,
            Protection::Offset30,
            Protection::Offset50,
        ] {
            if suite.is_xpn() && matches!(protection, Protection::Offset30 | Protection::Offset50) {
                continue;
            }
            let mut world = scene(seed, 2, |_, spec| {
                spec.policy.suites = suites(&[suite]);
                spec.policy.protection = protection;
            });
            together_soon(&mut world);
            let key = world.nodes[1].plane.in_use().unwrap().key.clone();
            assert_eq!((key.suite, key.protection), (suite, protection));
            assert_eq!(world.watch.tally.keys, 1, "one SAK is enough");
        }
    }
}

#[test]
fn every_length_of_cak_and_ckn_will_do() {
    for cak in 0..4 {
        together_soon(&mut scene_of(1, vec![vec![cak]; 2], |_, _| {}));
    }
}

#[test]
fn every_mix_of_versions_agrees_on_ssci() {
    for versions in 0..9_u8 {
        for xpn_set in [XpnSet::Auto, XpnSet::Always, XpnSet::Never] {
            let mut world = scene(u64::from(versions), 2, |node, spec| {
                spec.policy.version = 1 + if node == 0 {
                    versions / 3
                } else {
                    versions % 3
                };
                spec.policy.xpn_set = xpn_set;
            });
            together_soon(&mut world);
        }
    }
}

/// SSCIs of all nodes, which every peer has to know.
fn sscis(world: &World) -> Vec<u32> {
    let own = |node: usize| {
        let sa = world.nodes[node].plane.in_use().unwrap();
        sa.ssci.unwrap().0
    };
    (0..world.nodes.len()).map(own).collect()
}

#[test]
fn by_sci_the_greatest_has_ssci_1() {
    for count in [2, 3, 5] {
        let mut world = scene(1, count, |node, spec| {
            spec.policy.ssci = SsciRule::BySci;
            spec.policy.priority = if node == 1 { 0 } else { 16 };
        });
        world.get_together(TOGETHER).unwrap();
        world.run_for(15 * SECOND).unwrap();
        world.be_quiet().unwrap();
        let expected: Vec<_> = (1..=u32::try_from(count).unwrap()).rev().collect();
        assert_eq!(sscis(&world), expected);
    }
}

#[test]
fn by_the_list_every_member_has_an_ssci_of_its_own() {
    for count in [2, 3, 5] {
        let mut world = scene(1, count, |_, spec| spec.policy.ssci = SsciRule::ByLiveList);
        world.get_together(TOGETHER).unwrap();
        world.run_for(15 * SECOND).unwrap();
        world.be_quiet().unwrap();
        let mut found = sscis(&world);
        found.sort_unstable();
        found.dedup();
        assert_eq!(found.len(), count);
    }
}

#[test]
fn a_group_of_mixed_versions_agrees_on_ssci() {
    for mix in 0..27_u8 {
        let mut world = scene(u64::from(mix), 3, |node, spec| {
            spec.policy.version = 1 + [mix / 9, mix / 3 % 3, mix % 3][node];
        });
        world.get_together(TOGETHER).unwrap();
        world.run_for(15 * SECOND).unwrap();
        world.be_quiet().unwrap();
    }
}

#[test]
fn forced_ssci_is_used_as_the_operator_says() {
    let mut world = scene(1, 2, |node, spec| {
        let (own, peer) = [(Ssci(7), Ssci(9)), (Ssci(9), Ssci(7))][node];
        spec.policy.ssci = SsciRule::Forced { own, peer };
    });
    together_soon(&mut world);
    assert_eq!(sscis(&world), [7, 9]);
}

/// The order of SSCIs that two ends don't share: both are secured, and no frame is taken. The watch sees
/// it, and so must the operator's alarm.
#[test]
fn forced_ssci_that_disagrees_is_seen_as_loss() {
    let mut world = scene(1, 2, |node, spec| {
        let (own, peer) = [(Ssci(1), Ssci(2)), (Ssci(3), Ssci(1))][node];
        spec.policy.ssci = SsciRule::Forced { own, peer };
    });
    world.get_together(TOGETHER).unwrap();
    let lost = |world: &World| world.watch.tally.frames_lost.get(&Lost::NotValid).copied();
    world.run_for(5 * SECOND).unwrap();
    assert!(
        lost(&world).is_some_and(|lost| lost > 90),
        "{:?}",
        lost(&world)
    );
    world.be_strict();
    assert_eq!(world.run_for(SECOND).unwrap_err().kind, "outage");
}

fn server(change: impl Fn(usize, &mut NodeSpec)) -> usize {
    let mut world = scene(3, 2, change);
    together_soon(&mut world);
    let server = world.status(0).key_server.unwrap();
    (0..2)
        .find(|node| world.nodes[*node].spec.sci == server)
        .unwrap()
}

#[test]
fn the_lower_priority_value_serves_and_then_the_lower_sci() {
    assert_eq!(server(|_, _| {}), 0);
    assert_eq!(server(|node, spec| spec.policy.priority = [16, 0][node]), 1);
    assert_eq!(
        server(|node, spec| spec.policy.priority = [255, 254][node]),
        1
    );
    // Two that had rather not: hostap's default at both ends.
    assert_eq!(server(|_, spec| spec.policy.priority = 255), 0);
    // One address, two port numbers: the whole SCI decides.
    let port = |node: usize| [2, 1][node];
    let address = MacAddr([2, 0, 0, 0, 0, 1]);
    assert_eq!(
        server(|node, spec| spec.sci = Sci::new(address, port(node))),
        1
    );
}

#[test]
fn groups_of_up_to_eight_get_together_and_stay() {
    for count in 3..=8 {
        let mut world = scene(u64::try_from(count).unwrap(), count, |_, _| {});
        let took = world.get_together(TOGETHER).unwrap();
        assert!(took < 10 * SECOND, "{count} nodes: {took} us");
        world.run_for(20 * SECOND).unwrap();
        world.be_quiet().unwrap();
    }
}

#[test]
fn members_join_and_leave_a_group_without_a_frame_lost_among_the_rest() {
    let mut world = scene_down(5, vec![vec![0]; 4], |_, _| {});
    world.watch.members = vec![true, true, false, false];
    world.start(0, Memory::Nothing).unwrap();
    world.start(1, Memory::Nothing).unwrap();
    world.get_together(TOGETHER).unwrap();
    world.be_strict();
    for node in [2, 3] {
        world.run_for(9 * SECOND).unwrap();
        world.start(node, Memory::Nothing).unwrap();
        world.run_for(15 * SECOND).unwrap();
        world.watch.members[node] = true;
        world.get_together(0).unwrap();
    }
    for node in [3, 2] {
        world.run_for(9 * SECOND).unwrap();
        world.watch.members[node] = false;
        world.kill(node);
    }
    world.run_for(20 * SECOND).unwrap();
    world.be_quiet().unwrap();
}

/// Two members go, one of them comes back, and the key that is made for it is made for three: the one that
/// takes it when the third is lost must not count two, or it gives itself another's SSCI.
#[test]
fn a_member_lost_while_a_key_is_on_its_way_changes_no_ssci() {
    for rule in [SsciRule::Auto, SsciRule::BySci, SsciRule::ByLiveList] {
        for (server, gone, back) in [(0, 2, 1), (1, 2, 0), (1, 0, 2), (2, 0, 1)] {
            for down in [50 * MS, 300 * MS, 2 * SECOND, 5 * SECOND] {
                let mut world = scene(down, 3, |node, spec| {
                    spec.policy.ssci = rule;
                    spec.policy.priority = if node == server { 0 } else { 16 };
                });
                world.get_together(TOGETHER).unwrap();
                world.run_for(10 * SECOND).unwrap();
                world.kill(gone);
                world.kill(back);
                world.run_for(down).unwrap();
                world.start(back, Memory::Nothing).unwrap();
                world.watch.members[gone] = false;
                world.run_for(20 * SECOND).unwrap();
                world.get_together(0).unwrap();
                world.be_quiet().unwrap();
            }
        }
    }
}

/// A CAK that is not the other's, or a CKN that is not: never secured, nothing is sent.
#[test]
fn another_cak_or_another_ckn_is_never_secured() -> Result<(), Violation> {
    for same_ckn in [true, false] {
        let mut world = scene_down(1, vec![vec![0], vec![1]], |_, _| {});
        if same_ckn {
            world.caks[1].ckn = world.caks[0].ckn.clone();
            world.watch.deaf = true;
        }
        world.start(0, Memory::Nothing)?;
        world.start(1, Memory::Nothing)?;
        world.run_for(60 * SECOND)?;
        assert!(!world.status(0).secured && !world.status(1).secured);
        assert_eq!(
            (world.watch.tally.frames_ok, world.watch.tally.keys),
            (0, 0)
        );
    }
    Ok(())
}
