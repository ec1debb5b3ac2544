//! The cloud does what it says that it does not: what must be refused is, counted and told, and what does
//! no harm does none.

use std::{rc::Rc, time::Duration};

use macsec_gateway::{
    ieee::{CipherSuite, Ssci},
    mka::{
        Event, LostWhy, Policy, Protection, SakRefusal, SsciRule,
        pdu::{DistributedSak, Envelope, Received, encode},
    },
};

use crate::{
    bed::{CLOUD, OURS, load, pair, secured, sscis, sscis_agree, told},
    clouds::{CLOUDS, Cloud},
    scene::{TOGETHER, suites},
    world::{MS, SECOND, World},
};

/// The cloud's end as it should be, and serving.
fn good(cloud: &Cloud) -> Policy {
    let mut policy = cloud.end(cloud.suites[0]);
    policy.priority = 0;
    policy
}

/// The same with what it must not distribute, and our word on it.
fn bad(cloud: &Cloud, ours: &Policy) -> Vec<(Policy, SakRefusal)> {
    let with = |suite: CipherSuite, protection| {
        let mut policy = good(cloud);
        policy.suites = suites(&[suite]);
        policy.protection = protection;
        policy
    };
    let takes = |suite| ours.suites.contains(&suite);
    let plain = CipherSuite::GcmAes256;
    let offset = if takes(plain) {
        SakRefusal::Protection
    } else {
        SakRefusal::Suite
    };
    let mut all = vec![
        (
            with(ours.suites[0], Protection::IntegrityOnly),
            SakRefusal::IntegrityOnly,
        ),
        (with(plain, Protection::Offset30), offset),
        (with(plain, Protection::Offset50), offset),
    ];
    let others = CipherSuite::ALL.into_iter().filter(|suite| !takes(*suite));
    all.extend(others.map(|suite| (with(suite, Protection::Offset0), SakRefusal::Suite)));
    all
}

/// It was refused for this, counted, and told.
fn refused(world: &World, why: SakRefusal, what: &str) {
    let counters = world.status(OURS).counters;
    let (suite, other) = (counters.sak_suite_errors, counters.saks_refused);
    assert!(
        if why == SakRefusal::Suite {
            suite >= 1 && other == 0
        } else {
            other >= 1 && suite == 0
        },
        "{what}: {counters:?}"
    );
    let from = world.nodes[CLOUD].spec.sci;
    assert!(
        told(world, &Event::SakRefused { from, why }) >= 1,
        "{what}: {why:?}"
    );
}

#[test]
fn what_must_not_be_distributed_is_refused_from_the_start() {
    for cloud in &CLOUDS {
        let customer = load(cloud.profile, "encryption = \"must_encrypt\"", "");
        for (policy, why) in bad(cloud, &customer.0.policy) {
            let what = format!("{:?} {policy:?}", cloud.profile);
            let mut world = pair(&customer, policy, true);
            world.run_for(30 * SECOND).unwrap();
            refused(&world, why, &what);
            assert!(!world.status(OURS).secured, "{what}");
            assert!(world.nodes[OURS].plane.in_use().is_none(), "{what}");
            assert_eq!(world.watch.tally.frames_ok, 0, "{what}");
        }
    }
}

/// The cloud changes its mind on a live link: our end keeps what it has while the cloud does, and never
/// uses the other.
#[test]
fn what_must_not_be_distributed_is_refused_on_a_live_link() {
    for cloud in &CLOUDS {
        let customer = load(cloud.profile, "encryption = \"must_encrypt\"", "");
        for (mut policy, why) in bad(cloud, &customer.0.policy) {
            let what = format!("{:?} {policy:?}", cloud.profile);
            let mut world = pair(&customer, good(cloud), true);
            secured(&mut world, cloud.suites[0], &what);
            world.run_for(10 * SECOND).unwrap();
            let key = world.nodes[OURS].plane.in_use().unwrap().key.id;
            policy.source = world.nodes[CLOUD].spec.policy.source;
            world
                .with(CLOUD, |kay, now| kay.set_policy(now, policy))
                .unwrap();
            // The cloud waits so long for us, and no frame is lost meanwhile.
            world.run_for(5 * SECOND).unwrap();
            refused(&world, why, &what);
            assert!(world.status(OURS).secured, "{what}");
            assert_eq!(world.nodes[OURS].plane.in_use().unwrap().key.id, key);
            world.watch.strict = false;
            world.run_for(30 * SECOND).unwrap();
            let used = world.nodes[OURS].plane.in_use();
            assert!(used.is_none_or(|tx| tx.key.id == key), "{what}");
        }
    }
}

/// The cloud's last MKPDU with the next number and an empty Distributed SAK.
fn end_macsec(world: &mut World) {
    world.recording = Some(Vec::new());
    world.run_for(5 * SECOND).unwrap();
    let heard = world.recording.take().unwrap();
    let policy = world.nodes[CLOUD].spec.policy.clone();
    let frame = heard
        .iter()
        .rev()
        .find(|frame| frame[6..12] == policy.source.0)
        .unwrap();
    let crypto = &world.watch.crypto;
    let keys = world.caks[0].start(crypto).keys;
    let received = Received::parse(frame, policy.ethertype, policy.destination).unwrap();
    let mut pdu = received
        .verify(crypto, &keys.ick, policy.icv_header)
        .unwrap();
    pdu.basic.mn.0 += 1;
    pdu.distributed_sak = Some(DistributedSak::NoMacsec);
    let envelope = Envelope {
        destination: policy.destination,
        source: policy.source,
        ethertype: policy.ethertype,
        icv_header: policy.icv_header,
    };
    let frame = encode(&pdu, &envelope, crypto, &keys.ick).unwrap();
    world.inject(OURS, Rc::from(frame.as_slice()), MS);
}

#[test]
fn must_encrypt_refuses_an_end_of_macsec_and_stays_secured() {
    for cloud in &CLOUDS {
        let customer = load(cloud.profile, "encryption = \"must_encrypt\"", "");
        assert!(!customer.0.policy.accept_no_macsec);
        let mut world = pair(&customer, good(cloud), true);
        secured(&mut world, cloud.suites[0], "");
        end_macsec(&mut world);
        world.run_for(20 * SECOND).unwrap();
        refused(
            &world,
            SakRefusal::NoMacsec,
            &format!("{:?}", cloud.profile),
        );
        world.get_together(0).unwrap();
    }
}

#[test]
fn should_encrypt_follows_an_end_of_macsec_and_says_so() {
    for cloud in CLOUDS.iter().filter(|cloud| cloud.carries_clear) {
        let customer = load(cloud.profile, "encryption = \"should_encrypt\"", "");
        assert!(customer.0.policy.accept_no_macsec);
        let mut world = pair(&customer, good(cloud), true);
        secured(&mut world, cloud.suites[0], "");
        end_macsec(&mut world);
        world.watch.strict = false;
        // The cloud's own KaY did not send that, and would go on if it heard of it.
        world.wire.path(OURS, CLOUD).cut = true;
        world.run_for(2 * SECOND).unwrap();
        let from = world.nodes[CLOUD].spec.sci;
        assert_eq!(told(&world, &Event::NoMacsec { from }), 1);
        assert_eq!(told(&world, &Event::Lost(LostWhy::NoMacsec)), 1);
        assert!(!world.status(OURS).secured, "{:?}", cloud.profile);
        assert!(world.nodes[OURS].plane.in_use().is_none());
        world.wire.path(OURS, CLOUD).cut = false;
        world.get_together(TOGETHER).unwrap();
    }
    // Unless the operator took that leave back.
    let keeps = "accept_no_macsec = false";
    for cloud in CLOUDS.iter().filter(|cloud| cloud.carries_clear) {
        let customer = load(cloud.profile, "encryption = \"should_encrypt\"", keeps);
        let mut world = pair(&customer, good(cloud), true);
        secured(&mut world, cloud.suites[0], "");
        end_macsec(&mut world);
        world.run_for(20 * SECOND).unwrap();
        refused(
            &world,
            SakRefusal::NoMacsec,
            &format!("{:?}", cloud.profile),
        );
    }
}

/// The trap of XPN: a cloud that counts SSCIs the other way round. Both ends say secured, and `forced`
/// brings them together. No frame is sent before that: two ends with one SSCI use one nonce twice.
#[test]
fn ssci_by_another_order_is_cured_by_force() {
    for cloud in &CLOUDS {
        for (less, own) in [(true, 2), (false, 1)] {
            let (own, its) = (Ssci(own), Ssci(3 - own));
            let mut policy = good(cloud);
            policy.ssci = SsciRule::Forced {
                own: its,
                peer: own,
            };
            let mut world = pair(&load(cloud.profile, "", ""), policy.clone(), less);
            world.data = false;
            world.get_together(TOGETHER).unwrap();
            assert!(world.status(OURS).secured && world.status(CLOUD).secured);
            assert!(!sscis_agree(&world), "{:?}", sscis(&world));
            let [[ours, _], [theirs, _]] = sscis(&world);
            assert_eq!(ours, theirs);
            let forced = format!(
                "ssci = \"forced\"\nown_ssci = {}\npeer_ssci = {}",
                own.0, its.0
            );
            let mut world = pair(&load(cloud.profile, "", &forced), policy, less);
            secured(&mut world, cloud.suites[0], &forced);
            world.run_for(10 * SECOND).unwrap();
            assert_eq!(sscis(&world)[OURS], [Some(own), Some(its)]);
        }
    }
}

/// Rules whose breach does no harm: another priority than the published one, SAKs more often than told,
/// an ICV Indicator or none.
#[test]
fn a_breach_that_does_no_harm_does_none() {
    for cloud in &CLOUDS {
        let customer = load(cloud.profile, "", "");
        for priority in [0, 15, 16, 255] {
            let mut policy = good(cloud);
            policy.priority = priority;
            policy.icv_indicator = !customer.0.policy.icv_indicator;
            policy.rekey.every = Some(Duration::from_secs(10));
            let mut world = pair(&customer, policy, true);
            let what = format!("{:?} {priority}", cloud.profile);
            secured(&mut world, cloud.suites[0], &what);
            world.run_for(35 * SECOND).unwrap();
            world.get_together(0).unwrap();
            let serves = priority <= cloud.own_priority;
            let keys = if serves { 4 } else { 1 };
            assert_eq!(world.watch.tally.keys, keys, "{what}");
        }
    }
}
