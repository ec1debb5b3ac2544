//! Plans from a seed: any number of nodes, any wire, any fault; then peace, and an operator at work.

use macsec_gateway::{
    ieee::CipherSuite,
    mka::{Protection, SsciRule, XpnSet},
};

use crate::{
    node::{Memory, NodeSpec},
    plan::{Knob, Op, Plan},
    rng::Rng,
    scene::{self, FALLBACK},
    wire::Path,
    world::{MS, SECOND},
};

impl Plan {
    pub(crate) fn random(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let count = rng.pick(&[2, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8]);
        let shared = Shared::random(&mut rng, count);
        let nodes: Vec<_> = (0..count).map(|node| shared.node(&mut rng, node)).collect();
        let last_chain = chain(&mut rng);
        let chains = (0..count).map(|_| {
            if rng.chance(700) {
                last_chain.clone()
            } else {
                chain(&mut rng)
            }
        });
        let chains: Vec<_> = chains.collect();
        let faults_end = rng.between(10, 60) * SECOND;
        let mut faults = faults(&mut rng, count, faults_end);
        faults.sort_by_key(|(at, _)| *at);
        let (mut works, works_end, last_chain) = works(&mut rng, count, last_chain);
        works.sort_by_key(|(at, _)| *at);
        Self {
            seed,
            nodes,
            caks: scene::caks(),
            chains,
            last_chains: vec![last_chain; count],
            faults,
            faults_end,
            works,
            works_end,
        }
    }
}

/// What all nodes have in common.
struct Shared {
    suites: Vec<CipherSuite>,
    protection: Protection,
    ssci: SsciRule,
    max_peers: usize,
}

impl Shared {
    fn random(rng: &mut Rng, count: usize) -> Self {
        let first = rng.pick(&CipherSuite::ALL);
        let second = rng.pick(&CipherSuite::ALL);
        let suites = if second == first {
            vec![first]
        } else {
            vec![first, second]
        };
        let xpn = suites.iter().any(|suite| suite.is_xpn());
        let protections = [
            Protection::Offset0,
            Protection::IntegrityOnly,
            Protection::Offset30,
            Protection::Offset50,
        ];
        Self {
            protection: protections[rng.index(if xpn { 2 } else { 4 })],
            ssci: rng.pick(&[
                SsciRule::Auto,
                SsciRule::Auto,
                SsciRule::BySci,
                SsciRule::ByLiveList,
            ]),
            max_peers: rng.pick(&[count - 1, macsec_gateway::mka::MAX_PEERS]),
            suites,
        }
    }

    fn node(&self, rng: &mut Rng, node: usize) -> NodeSpec {
        let mut spec = scene::spec(node);
        let policy = &mut spec.policy;
        policy.suites = scene::suites(&self.suites);
        if rng.chance(300) {
            policy.suites.reverse();
        }
        policy.protection = self.protection;
        policy.ssci = self.ssci;
        policy.max_peers = self.max_peers;
        policy.priority = rng.pick(&[16, 16, 16, 0, 32, 255]);
        policy.version = rng.pick(&[1, 2, 3, 3]);
        if self.ssci == SsciRule::ByLiveList {
            policy.version = 3;
        }
        policy.xpn_set = rng.pick(&[XpnSet::Auto, XpnSet::Always, XpnSet::Never]);
        policy.icv_indicator = rng.chance(300);
        policy.delay_protection = rng.chance(150);
        policy.rekey.on_live_peer_loss = rng.chance(300);
        spec.keeps_identity = rng.chance(700);
        spec.habits.silent_removal = rng.chance(500);
        spec.latency = rng.pick(&[(0, MS), (MS / 10, 5 * MS), (10 * MS, 100 * MS)]);
        spec
    }
}

/// One to three CAKs, the fallback perhaps among them.
fn chain(rng: &mut Rng) -> Vec<usize> {
    let first = rng.index(4);
    let mut chain = vec![first];
    for _ in 0..2 {
        let next = rng.index(usize::from(FALLBACK) + 1);
        if rng.chance(400) && !chain.contains(&next) {
            chain.push(next);
        }
    }
    chain
}

fn faults(rng: &mut Rng, count: usize, end: u64) -> Vec<(u64, Op)> {
    let mut faults = Vec::new();
    for node in 0..count {
        faults.push((rng.below(3 * SECOND), Op::Start(node, Memory::Nothing)));
    }
    if rng.chance(700) {
        faults.push((0, Op::AllPaths(path(rng))));
    }
    let habit = rng.below(4);
    for _ in 0..rng.below(14) {
        let at = rng.below(end);
        match habit {
            // Mostly restarts, mostly the wire, or anything.
            0 => restart(rng, count, at, &mut faults),
            1 => wire_fault(rng, count, at, &mut faults),
            _ => any_fault(rng, count, at, &mut faults),
        }
    }
    faults
}

fn path(rng: &mut Rng) -> Path {
    Path {
        loss: rng.pick(&[0, 0, 10, 100, 300, 500]),
        duplicate: rng.pick(&[0, 0, 100, 500]),
        delay: rng.pick(&[(50, 500), (MS, 10 * MS), (MS, 300 * MS), (MS, 1500 * MS)]),
        cut: rng.chance(50),
    }
}

fn wire_fault(rng: &mut Rng, count: usize, at: u64, faults: &mut Vec<(u64, Op)>) {
    let (from, to) = (rng.index(count), rng.index(count));
    let until = at + rng.between(1, 15) * SECOND;
    let cut = Path {
        cut: true,
        ..Path::GOOD
    };
    match rng.below(4) {
        0 => faults.push((at, Op::OnePath(from, to, path(rng)))),
        1 => {
            faults.push((at, Op::OnePath(from, to, cut)));
            faults.push((until, Op::OnePath(from, to, Path::GOOD)));
        }
        2 => {
            let group = u8::try_from(rng.between(1, 2)).unwrap();
            faults.push((at, Op::Group(from, group)));
            faults.push((until, Op::Group(from, 0)));
        }
        _ => {
            faults.push((at, Op::Link(from, false)));
            faults.push((at + rng.between(10, 12_000) * MS, Op::Link(from, true)));
        }
    }
}

fn restart(rng: &mut Rng, count: usize, at: u64, faults: &mut Vec<(u64, Op)>) {
    let node = rng.index(count);
    let memory = rng.pick(&[
        Memory::Nothing,
        Memory::Identity,
        Memory::Stale,
        Memory::Keys,
        Memory::Keys,
    ]);
    faults.push((at, Op::Kill(node)));
    // SAs are not kept for longer than MKA Life Time.
    let down = match memory {
        Memory::Keys => rng.between(1, 5000) * MS,
        _ => rng.between(1, 15_000) * MS,
    };
    faults.push((at + down, Op::Start(node, memory)));
}

fn any_fault(rng: &mut Rng, count: usize, at: u64, faults: &mut Vec<(u64, Op)>) {
    let node = rng.index(count);
    match rng.below(11) {
        0 | 1 => restart(rng, count, at, faults),
        2 | 3 => wire_fault(rng, count, at, faults),
        4 => faults.push((at, Op::AddCak(node, rng.index(5)))),
        5 => faults.push((at, Op::RemoveCak(node, rng.index(5)))),
        6 => faults.push((at, Op::Rekey(node))),
        7 => faults.push((
            at,
            Op::Failures(node, u32::try_from(rng.between(1, 3)).unwrap()),
        )),
        8 => faults.push((at, Op::Latency(node, (10 * MS, rng.between(10, 3000) * MS)))),
        9 => faults.push((at, Op::Policy(node, knob(rng)))),
        _ => faults.push((at, attack(rng, node))),
    }
}

fn attack(rng: &mut Rng, node: usize) -> Op {
    match rng.below(4) {
        0 => Op::Replay,
        1 => Op::Reflect(node),
        2 => Op::Garble(node),
        _ => Op::Nudge(node),
    }
}

fn knob(rng: &mut Rng) -> Knob {
    match rng.below(6) {
        0 => Knob::Priority(rng.pick(&[0, 16, 32, 255])),
        1 => Knob::DelayProtection(rng.chance(500)),
        2 => Knob::IcvIndicator(rng.chance(500)),
        3 => Knob::Version(rng.pick(&[1, 2, 3])),
        4 => Knob::Hello(rng.pick(&[SECOND, 2 * SECOND])),
        _ => Knob::RekeyEvery(None),
    }
}

/// An operator's works, when the last of them has settled, and the CAKs that they begin with.
fn works(rng: &mut Rng, count: usize, chain: Vec<usize>) -> (Vec<(u64, Op)>, u64, Vec<usize>) {
    let mut works = Vec::new();
    let mut at = SECOND;
    if rng.chance(500) {
        let delay = rng.pick(&[(50, 500), (MS, 30 * MS), (MS, 100 * MS)]);
        let duplicate = rng.pick(&[0, 200]);
        works.push((
            0,
            Op::AllPaths(Path {
                delay,
                duplicate,
                ..Path::GOOD
            }),
        ));
    }
    let mut current = chain.clone();
    for _ in 0..rng.below(4) {
        let node = rng.index(count);
        match rng.below(6) {
            0 | 1 => at = rollover(rng, count, at, &mut current, &mut works),
            2 => works.push((at, Op::Rekey(node))),
            3 => works.push((at, Op::Policy(node, knob(rng)))),
            4 => works.push((at, attack(rng, node))),
            _ => {
                // Short packet numbers pass their threshold once; a second time has to wait for the gap.
                at += 8 * SECOND;
                works.push((at, Op::Pace(30_000_000)));
                at += rng.between(1000, 6500) * MS;
                works.push((at, Op::Pace(1)));
            }
        }
        at += rng.between(100, 12_000) * MS;
    }
    works.push((at, Op::AllPaths(Path::GOOD)));
    (works, at + 25 * SECOND, chain)
}

/// A CAK is added at every node, in any order, and an old one is taken away.
fn rollover(
    rng: &mut Rng,
    count: usize,
    mut at: u64,
    current: &mut Vec<usize>,
    works: &mut Vec<(u64, Op)>,
) -> u64 {
    let Some(new) = (0..usize::from(FALLBACK)).find(|cak| !current.contains(cak)) else {
        return at;
    };
    let old = current.remove(rng.index(current.len()));
    current.push(new);
    let turn = rng.index(count);
    for step in 0..count {
        works.push((at, Op::AddCak((step + turn) % count, new)));
        at += rng.between(0, 3000) * MS;
    }
    at += rng.between(4, 12) * SECOND;
    let turn = rng.index(count);
    for step in 0..count {
        works.push((at, Op::RemoveCak((step + turn) % count, old)));
        at += rng.between(0, 8000) * MS;
    }
    at
}
