//! The cloud does what it says: every profile is secured with it, and stays so over its rekeys.

use macsec_gateway::{ieee::CipherSuite, mka::Policy};

use crate::{
    bed::{CLOUD, OURS, load, pair, secured, sscis_agree},
    clouds::{CLOUDS, Cloud, Rule},
    world::{SECOND, World},
};

/// Who serves: the lower priority, then the lower SCI.
fn server(cloud: &Cloud, policy: &Policy, less: bool) -> usize {
    let own = cloud.own_priority;
    usize::from(policy.priority < own || policy.priority == own && less)
}

/// Whatever the cloud does not say does not matter: its priority, its MKA version, its ICV Indicator,
/// which SCI is greater.
#[test]
fn each_profile_is_secured_with_its_cloud_whichever_end_serves() {
    for cloud in &CLOUDS {
        for suite in cloud.suites {
            let customer = load(cloud.profile, &Cloud::suite_line(*suite), "");
            assert_eq!(customer.0.policy.priority, cloud.own_priority);
            for place in 0..cloud.priorities.len() * 12 {
                let mut policy = cloud.end(*suite);
                policy.priority = cloud.priorities[place / 12];
                policy.version = [1, 2, 3][place % 3];
                policy.icv_indicator ^= place % 2 == 1;
                let less = place / 6 % 2 == 1;
                let expected = server(cloud, &policy, less);
                let what = format!("{:?} {policy:?}", cloud.profile);
                let mut world = pair(&customer, policy, less);
                secured(&mut world, *suite, &what);
                let served = world.status(OURS).key_server;
                assert_eq!(served, Some(world.nodes[expected].spec.sci), "{what}");
                world.run_for(10 * SECOND).unwrap();
                assert_eq!(world.watch.tally.keys, 1, "{what}");
            }
        }
    }
}

/// A cloud with two suites may pick either, whichever is ours.
#[test]
fn where_the_profile_accepts_two_suites_the_cloud_picks() {
    for cloud in &CLOUDS {
        let customer = load(cloud.profile, "", "");
        for suite in customer.0.policy.suites.clone() {
            let mut policy = cloud.end(suite);
            policy.priority = 0;
            let mut world = pair(&customer, policy, true);
            secured(&mut world, suite, &format!("{:?}", cloud.profile));
            world.run_for(10 * SECOND).unwrap();
        }
    }
}

/// A new SAK by `rule`, while frames flow: none is lost, and the link is never unsecured.
fn rekeys(world: &mut World, rule: Rule, suite: CipherSuite, busy: usize) {
    let keys = world.watch.tally.keys;
    let limit = match rule {
        // From 0 to the end of the packet numbers in 9 s.
        Rule::PacketNumbers => {
            world.run_for(10 * SECOND).unwrap();
            let last = suite.pn_space().last().0;
            world.pace[busy] = last / 180;
            15 * SECOND
        }
        // Hours without a frame, and then frames when it is due.
        Rule::Seconds(seconds) => {
            world.data = false;
            world.run_for((seconds - 20) * SECOND).unwrap();
            assert_eq!(world.watch.tally.keys, keys, "too early");
            world.data = true;
            25 * SECOND
        }
    };
    let made = world.run_while(limit, |world| world.watch.tally.keys > keys);
    assert!(made.unwrap().is_some(), "no new SAK");
    world.pace[busy] = 1;
    world.run_for(10 * SECOND).unwrap();
    world.get_together(0).unwrap();
    assert_eq!(world.watch.tally.keys, keys + 1);
    assert!(sscis_agree(world));
    assert_eq!(
        (world.watch.tally.lost_events, world.watch.tally.peers_lost),
        (0, 0)
    );
    assert_eq!(world.status(OURS).rekeys, 1);
}

/// The cloud's own rule where it serves, and the profile's where we do.
#[test]
fn a_rekey_by_the_clouds_rule_costs_no_frame() {
    for cloud in &CLOUDS {
        for (place, priority) in cloud.priorities.iter().enumerate() {
            let suite = cloud.suites[place % cloud.suites.len()];
            let customer = load(cloud.profile, &Cloud::suite_line(suite), "");
            let mut policy = cloud.end(suite);
            policy.priority = *priority;
            let mut world = pair(&customer, policy, place % 2 == 0);
            secured(&mut world, suite, &format!("{:?}", cloud.profile));
            rekeys(&mut world, cloud.rule, suite, [OURS, CLOUD][place % 2]);
        }
    }
}

/// Oracle's customers are to have Oracle's interval: they would keep it if they ever served.
#[test]
fn the_rule_is_in_the_customers_policy_too() {
    for cloud in &CLOUDS {
        let every = load(cloud.profile, "", "").0.policy.rekey.every;
        let seconds = every.map(|every| Rule::Seconds(every.as_secs()));
        assert_eq!(seconds.unwrap_or(Rule::PacketNumbers), cloud.rule);
    }
}
