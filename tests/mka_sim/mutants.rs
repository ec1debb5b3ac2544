//! A test that can't fail is a defect: with nodes, wires and memories that are broken on purpose, each
//! invariant fires.

use macsec_gateway::{
    ieee::{An, KeyIdentifier, Ssci},
    mka::{SaId, SsciRule},
};

use crate::{
    node::{Memory, NodeSpec},
    plan::{Op, Plan},
    plane::Habits,
    scene::{self, TOGETHER, scene},
    watch::Violation,
    wire::Path,
    world::{MS, SECOND, World},
};

fn strict(change: impl Fn(usize, &mut NodeSpec)) -> World {
    let mut world = scene(1, 2, change);
    world.get_together(TOGETHER).unwrap();
    world.run_for(15 * SECOND).unwrap();
    world.be_strict();
    world
}

/// The violation that a rekey ends in, where a node's data plane has this habit.
fn rekey_with(node: usize, habits: Habits) -> Violation {
    let mut world = strict(|_, _| {});
    world.nodes[node].plane.habits = habits;
    let rekey = world.with(0, |kay, now| kay.rekey(now));
    rekey
        .map(drop)
        .and_then(|()| world.run_for(20 * SECOND))
        .unwrap_err()
}

#[test]
fn a_data_plane_that_says_that_it_receives_and_does_not() {
    let violation = rekey_with(
        1,
        Habits {
            lies: true,
            ..Habits::default()
        },
    );
    assert!(
        ["untrue", "outage", "early server"].contains(&violation.kind),
        "{violation}"
    );
}

#[test]
fn a_data_plane_that_transmits_before_it_is_told_to() {
    let violation = rekey_with(
        0,
        Habits {
            eager: true,
            ..Habits::default()
        },
    );
    assert_eq!(violation.kind, "outage", "{violation}");
}

#[test]
fn a_data_plane_that_lets_the_last_key_go_too_early() {
    let mut world = strict(|_, spec| spec.latency = (20 * MS, 50 * MS));
    world.nodes[1].plane.habits.hasty = true;
    world.nodes[0].plane.habits.hasty = true;
    let rekey = world.with(0, |kay, now| kay.rekey(now));
    let violation = rekey
        .map(drop)
        .and_then(|()| world.run_for(20 * SECOND))
        .unwrap_err();
    assert!(
        ["untrue", "outage"].contains(&violation.kind),
        "{violation}"
    );
}

#[test]
fn packet_numbers_that_were_spent_already() {
    let mut world = strict(|_, _| {});
    world.watch.strict = false;
    world.kill(1);
    world.run_for(100 * MS).unwrap();
    let violation = world
        .start(1, Memory::SpentKeys)
        .and_then(|()| world.run_for(5 * SECOND))
        .unwrap_err();
    assert_eq!(violation.kind, "nonce", "{violation}");
}

/// Two members with one SSCI: what an operator must never force.
#[test]
fn one_ssci_for_two_members() {
    let mut world = scene(1, 2, |_, spec| {
        let (own, peer) = (Ssci(1), Ssci(2));
        spec.policy.ssci = SsciRule::Forced { own, peer };
    });
    let violation = world.run_for(5 * SECOND).unwrap_err();
    assert_eq!(violation.kind, "nonce", "{violation}");
}

/// The plane itself refuses an AN that stands, and a key that is not there.
#[test]
fn an_an_that_stands_and_an_sa_that_does_not() {
    use macsec_gateway::{ieee::Pn, mka::Action};

    let mut world = strict(|_, _| {});
    let plane = &mut world.nodes[0].plane;
    let tx = plane.in_use().unwrap().clone();
    let again = Action::CreateTx {
        key: tx.key.clone(),
        ssci: tx.ssci,
        next_pn: Pn::FIRST,
    };
    assert!(plane.apply(again).is_err());
    let peer = world.nodes[1].spec.sci;
    let plane = &mut world.nodes[0].plane;
    let again = Action::CreateRx {
        key: tx.key,
        peer,
        ssci: tx.ssci,
        lowest_pn: Pn::FIRST,
    };
    assert!(plane.apply(again).is_err());
    let nobodys = SaId {
        an: An::ALL[0],
        ki: KeyIdentifier([9; 16]),
    };
    assert!(plane.apply(Action::UseTx(nobodys)).is_err());
}

/// The rules that a KaY follows before it transmits, broken.
#[test]
fn a_key_that_nobody_installed_and_one_that_its_server_does_not_use() {
    let mut world = strict(|_, _| {});
    let mi = |world: &World, node: usize| world.status(node).participants[0].mi;
    let sa = |mi: macsec_gateway::mka::Mi| SaId {
        an: An::ALL[3],
        ki: mi.key(macsec_gateway::mka::Kn(99)),
    };
    let (server, client) = (sa(mi(&world, 0)), sa(mi(&world, 1)));
    let mut ask = |node: usize, sa: SaId| {
        let now = world.now;
        let use_it = macsec_gateway::mka::Action::UseTx(sa);
        world
            .watch
            .action(&world.nodes, node, now, &use_it)
            .unwrap_err()
            .kind
    };
    assert_eq!(ask(0, server), "early server");
    assert_eq!(ask(1, server), "early client");
    assert_eq!(ask(0, client), "early client");
}

/// A wire that the run takes for whole and that is not.
#[test]
fn a_wire_that_is_cut_unknown_to_the_run() {
    let mut world = strict(|_, _| {});
    world.wire.path(0, 1).cut = true;
    let violation = world.run_for(30 * SECOND).unwrap_err();
    assert!(["lost", "outage"].contains(&violation.kind), "{violation}");
}

#[test]
fn a_pair_that_never_hears_each_other() {
    let mut world = scene(1, 2, |_, _| {});
    world.wire.all(Path {
        cut: true,
        ..Path::GOOD
    });
    assert_eq!(world.get_together(TOGETHER).unwrap_err().kind, "apart");
}

/// What was sent is sent again, by the node itself: the listener hears it.
#[test]
fn a_message_number_twice_and_a_mkpdu_of_anothers() {
    let mut world = strict(|_, _| {});
    world.recording = Some(Vec::new());
    world.run_for(5 * SECOND).unwrap();
    for frame in world.recording.take().unwrap() {
        for node in [0, 1] {
            let violation = world.watch.mkpdu(&world.nodes, node, &frame).unwrap_err();
            assert_eq!(violation.kind, "untrue", "{violation}");
        }
    }
}

#[test]
fn a_rekey_in_a_quiet_minute() {
    let mut world = strict(|_, _| {});
    world.watch.quiet = true;
    let violation = world
        .with(0, |kay, now| kay.rekey(now))
        .map(drop)
        .unwrap_err();
    assert_eq!(violation.kind, "quiet", "{violation}");
}

#[test]
fn a_node_that_sends_all_the_time() {
    let mut world = strict(|_, _| {});
    world.recording = Some(Vec::new());
    world.run_for(5 * SECOND).unwrap();
    world.watch.deaf = true;
    let frame = world.recording.take().unwrap()[0].clone();
    let mut send = || world.watch.mkpdu(&world.nodes, 0, &frame);
    let violation = (0..100).find_map(|_| send().err()).unwrap();
    assert_eq!(violation.kind, "storm", "{violation}");
}

/// A plan that fails is made short, and still fails in the same way.
#[test]
fn a_failing_plan_is_shrunk_and_printed_with_its_seed() {
    let idle = |at: u64| (at * SECOND, Op::Nudge(0));
    let plan = Plan {
        seed: 77,
        nodes: (0..2).map(scene::spec).collect(),
        caks: scene::caks(),
        chains: vec![vec![0]; 2],
        last_chains: vec![vec![0]; 2],
        faults: vec![
            (0, Op::Start(0, Memory::Nothing)),
            (0, Op::Start(1, Memory::Nothing)),
            idle(3),
            idle(5),
        ],
        faults_end: 10 * SECOND,
        works: (1..6)
            .map(idle)
            .chain([(
                6 * SECOND,
                Op::OnePath(
                    0,
                    1,
                    Path {
                        cut: true,
                        ..Path::GOOD
                    },
                ),
            )])
            .chain((8..12).map(idle))
            .collect(),
        works_end: 30 * SECOND,
    };
    assert!(plan.check().unwrap_err().starts_with("seed 77: "));
    let text = plan.report();
    assert!(text.starts_with("seed 77: "), "{text}");
    assert!(text.contains("MKA_SIM_SEED=77"), "{text}");
    assert!(text.contains("OnePath"), "{text}");
    assert!(
        !text.contains("Nudge"),
        "what does not matter is left out: {text}"
    );
}
