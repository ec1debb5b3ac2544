//! A customer from a config's text, and a cloud's end, on a wire.

use macsec_gateway::{
    config::{Mka, Profile},
    ieee::{CipherSuite, Sci, Ssci},
    mka::{Event, Policy},
};

use crate::{
    desk::{Desk, MINIMAL_MKA},
    node::{CakSpec, NodeSpec},
    plane::Habits,
    scene::{TOGETHER, address},
    world::{MS, SECOND, World},
};

/// The customer, and the cloud.
pub(crate) const OURS: usize = 0;
pub(crate) const CLOUD: usize = 1;

/// Both ends are there: secured within this time.
const SOON: u64 = SECOND;

/// A whole config with this profile; further lines of its link and of its `[link.mka]`.
pub(crate) fn text(profile: Profile, link: &str, mka: &str) -> String {
    let line = format!("profile = \"{}\"\n{link}\n\n[[link.cak]]", profile.name());
    let text = MINIMAL_MKA
        .replace("[[link.cak]]", &line)
        .replace("\"01\"", &format!("\"{:064}\"", 1));
    format!("{text}\n[link.mka]\n{mka}\n")
}

/// What such a config comes to.
pub(crate) fn load(profile: Profile, link: &str, mka: &str) -> (Mka, CakSpec) {
    let desk = Desk::new();
    let config = desk.load(&text(profile, link, mka)).unwrap();
    let mka = config.links[0].mka().unwrap().clone();
    let [key] = mka.keychain.as_slice() else {
        panic!("{mka:?}")
    };
    let cak = CakSpec {
        ckn: key.ckn.clone(),
        cak: key.cak.read().unwrap().expose().to_vec(),
        fallback: key.fallback,
        rank: key.rank,
    };
    (mka, cak)
}

/// Two ends that come up at the same time; the cloud's SCI is less or greater than ours.
pub(crate) fn pair(customer: &(Mka, CakSpec), cloud: Policy, less: bool) -> World {
    let (mka, cak) = customer;
    let addresses = [address(5), address(if less { 1 } else { 9 })];
    let specs =
        [mka.policy.clone(), cloud]
            .into_iter()
            .zip(addresses)
            .map(|(mut policy, source)| {
                policy.source = source;
                NodeSpec {
                    sci: Sci::new(source, 1),
                    policy,
                    keeps_identity: true,
                    habits: Habits::default(),
                    latency: (MS / 10, 5 * MS),
                }
            });
    let chains = vec![vec![0]; 2];
    let mut world = World::new(7, specs.collect(), vec![cak.clone()], chains);
    world.watch.trace();
    world.start_all().unwrap();
    world
}

/// Both secured in time, with the suite and the protection that the profile fixes, and by one order of
/// SSCIs; from then on no frame may be lost and nobody may be unsecured.
pub(crate) fn secured(world: &mut World, suite: CipherSuite, what: &str) {
    let took = world.get_together(TOGETHER).unwrap();
    assert!(took <= SOON, "{what}: {took} us");
    let protection = world.nodes[OURS].spec.policy.protection;
    for node in [OURS, CLOUD] {
        let key = &world.nodes[node].plane.in_use().unwrap().key;
        assert_eq!((key.suite, key.protection), (suite, protection), "{what}");
        assert!(world.status(node).secured, "{what}");
    }
    assert!(sscis_agree(world), "{what}: {:?}", sscis(world));
    world.be_strict();
}

/// Of each end: its own SSCI, and the one that it takes the other's to be.
pub(crate) fn sscis(world: &World) -> [[Option<Ssci>; 2]; 2] {
    [OURS, CLOUD].map(|node| {
        let plane = &world.nodes[node].plane;
        let tx = plane.in_use().unwrap();
        let peer = &plane.peers[&world.nodes[1 - node].spec.sci];
        let rx = peer[tx.key.id.an.index()].as_ref().unwrap();
        [tx.ssci, rx.ssci]
    })
}

pub(crate) fn sscis_agree(world: &World) -> bool {
    let [[own, peer], [its, ours]] = sscis(world);
    let xpn = world.nodes[OURS]
        .plane
        .in_use()
        .is_some_and(|tx| tx.key.suite.is_xpn());
    (own, peer) == (ours, its) && own.is_some() == xpn && (own != its || !xpn)
}

/// How often our end told of this event.
pub(crate) fn told(world: &World, event: &Event) -> usize {
    let line = format!(" {OURS} tells {event:?}");
    let lines = world.watch.last_lines(usize::MAX);
    lines.lines().filter(|have| have.ends_with(&line)).count()
}
