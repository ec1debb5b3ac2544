//! A run as data: nodes, and what is done to them when. Made from a seed, or by a test.

use crate::{
    node::{CakSpec, Memory, NodeSpec},
    scene::{self, TOGETHER},
    watch::{Tally, Violation},
    wire::Path,
    world::{MS, World},
};

/// Something that is done to the world.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    AllPaths(Path),
    OnePath(usize, usize, Path),
    Group(usize, u8),
    Link(usize, bool),
    Kill(usize),
    Start(usize, Memory),
    AddCak(usize, usize),
    RemoveCak(usize, usize),
    Rekey(usize),
    Policy(usize, Knob),
    Latency(usize, (u64, u64)),
    Failures(usize, u32),
    /// Frames that a data frame stands for.
    Pace(u64),
    /// What was heard so far is played to everyone again.
    Replay,
    /// A node gets its own last frames back.
    Reflect(usize),
    /// What was heard last, with an octet changed.
    Garble(usize),
    /// The KaY is asked to do what is due although nothing is.
    Nudge(usize),
}

/// A setting that changes on a live link without a frame lost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Knob {
    Priority(u8),
    Version(u8),
    DelayProtection(bool),
    IcvIndicator(bool),
    RekeyEvery(Option<u64>),
    Hello(u64),
}

/// A whole run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) nodes: Vec<NodeSpec>,
    pub(crate) caks: Vec<CakSpec>,
    /// CAKs at first, of each node.
    pub(crate) chains: Vec<Vec<usize>>,
    /// CAKs from the end of the faults on.
    pub(crate) last_chains: Vec<Vec<usize>>,
    /// What goes wrong, up to `faults_end`.
    pub(crate) faults: Vec<(u64, Op)>,
    pub(crate) faults_end: u64,
    /// What an operator does, counted from when all have to be together, without a frame lost.
    pub(crate) works: Vec<(u64, Op)>,
    pub(crate) works_end: u64,
}

impl World {
    pub(crate) fn apply(&mut self, op: &Op) -> Result<(), Violation> {
        self.watch.say(|| format!("-- {op:?}"));
        match op {
            Op::AllPaths(path) => self.wire.all(*path),
            Op::OnePath(from, to, path) => *self.wire.path(*from, *to) = *path,
            Op::Group(node, group) => self.wire.groups[*node] = *group,
            Op::Link(node, up) => self.link(*node, *up)?,
            Op::Kill(node) => self.kill(*node),
            Op::Start(node, memory) if !self.nodes[*node].is_up() => self.start(*node, *memory)?,
            Op::Start(..) => {}
            Op::AddCak(node, cak) => self.add_cak(*node, *cak)?,
            Op::RemoveCak(node, cak) => self.remove_cak(*node, *cak)?,
            Op::Rekey(node) => {
                let answer = self.with(*node, |kay, now| kay.rekey(now))?;
                self.watch.say(|| format!("{node} answers {answer:?}"));
            }
            Op::Policy(node, knob) => self.turn(*node, *knob)?,
            Op::Latency(node, latency) => self.nodes[*node].spec.latency = *latency,
            Op::Failures(node, count) => self.nodes[*node].plane.habits.failures = *count,
            Op::Pace(pace) => self.pace.fill(*pace),
            Op::Replay => self.replay(),
            Op::Reflect(node) => self.reflect(*node),
            Op::Garble(node) => self.garble(*node),
            Op::Nudge(node) => self
                .with(*node, |kay, now| kay.handle_timeout(now))
                .map(drop)?,
        }
        Ok(())
    }

    pub(crate) fn turn(&mut self, node: usize, knob: Knob) -> Result<(), Violation> {
        let policy = &mut self.nodes[node].spec.policy;
        match knob {
            Knob::Priority(priority) => policy.priority = priority,
            Knob::Version(version) => policy.version = version,
            Knob::DelayProtection(on) => policy.delay_protection = on,
            Knob::IcvIndicator(on) => policy.icv_indicator = on,
            Knob::RekeyEvery(every) => {
                policy.rekey.every = every.map(std::time::Duration::from_micros);
            }
            Knob::Hello(hello) => policy.timers.hello = std::time::Duration::from_micros(hello),
        }
        let policy = policy.clone();
        self.with(node, |kay, now| kay.set_policy(now, policy))
            .map(drop)
    }

    fn replay(&mut self) {
        let heard = self.recording.take().unwrap_or_default();
        for (place, frame) in heard.iter().enumerate() {
            let delay = u64::try_from(place).unwrap() * MS;
            for to in 0..self.nodes.len() {
                self.inject(to, frame.clone(), delay);
            }
        }
        self.recording = Some(Vec::new());
    }

    fn reflect(&mut self, node: usize) {
        let source = self.nodes[node].spec.policy.source.0;
        let heard = self.recording.iter().flatten();
        let own: Vec<_> = heard
            .filter(|frame| frame[6..12] == source)
            .cloned()
            .collect();
        for frame in own.iter().rev().take(3).rev() {
            self.inject(node, frame.clone(), MS);
        }
    }

    fn garble(&mut self, node: usize) {
        let heard = self
            .recording
            .as_ref()
            .and_then(|heard| heard.last())
            .cloned();
        let Some(frame) = heard else { return };
        for _ in 0..20 {
            let mut octets = frame.to_vec();
            let place = self.rng.index(octets.len());
            octets[place] ^= 1 << self.rng.below(8);
            self.inject(node, octets.into(), MS);
        }
    }
}

impl Plan {
    /// Runs it; `world` is as it was at the end, whatever the end was.
    pub(crate) fn run(&self, traced: bool) -> (World, Result<(), Violation>) {
        let (nodes, chains) = (self.nodes.clone(), self.chains.clone());
        let mut world = World::new(self.seed, nodes, self.caks.clone(), chains);
        world.recording = Some(Vec::new());
        if traced {
            world.watch.trace();
        }
        let result = self.act(&mut world);
        (world, result)
    }

    fn act(&self, world: &mut World) -> Result<(), Violation> {
        for (at, op) in self.faults.iter().filter(|(at, _)| *at < self.faults_end) {
            world.run_until(*at)?;
            world.apply(op)?;
        }
        world.run_until(self.faults_end)?;
        self.make_good(world)?;
        world.get_together(TOGETHER)?;
        world.run_until(self.faults_end + TOGETHER)?;
        world.get_together(0)?;
        world.be_strict();
        let start = world.now;
        for (after, op) in &self.works {
            world.run_until(start + after)?;
            world.apply(op)?;
        }
        world.run_until(start + self.works_end)?;
        world.be_quiet()
    }

    /// Faults are over: whole wire, all up, honest data planes, keys that fit.
    fn make_good(&self, world: &mut World) -> Result<(), Violation> {
        world.watch.say(|| "-- faults end".into());
        world.wire.heal();
        world.pace.fill(1);
        for node in 0..world.nodes.len() {
            world.nodes[node].plane.habits.failures = 0;
            world.nodes[node].spec.habits.failures = 0;
            world.nodes[node].spec.latency = self.nodes[node].latency;
            if !world.nodes[node].link {
                world.link(node, true)?;
            }
            if !world.nodes[node].is_up() {
                world.start(node, Memory::Identity)?;
            }
            let wanted = &self.last_chains[node];
            for cak in wanted {
                world.add_cak(node, *cak)?;
            }
            for cak in world.nodes[node].caks.clone() {
                if !wanted.contains(&cak) {
                    world.remove_cak(node, cak)?;
                }
            }
        }
        Ok(())
    }

    /// Runs it. `Err`: the seed and what was violated.
    pub(crate) fn check(&self) -> Result<Tally, String> {
        let (world, result) = self.guarded(false);
        match result {
            Ok(()) => Ok(world
                .map(|world| world.watch.tally.clone())
                .unwrap_or_default()),
            Err(violation) => Err(format!("seed {}: {violation}", self.seed)),
        }
    }

    /// The shortest plan that ends in a violation of the same kind as this one, and the last of what happened
    /// in it.
    pub(crate) fn report(&self) -> String {
        let Err(violation) = self.guarded(false).1 else {
            return "no violation".into();
        };
        let short = self.shrink(violation.kind);
        let (world, again) = short.guarded(true);
        let lines = world
            .map(|world| world.watch.last_lines(400))
            .unwrap_or_default();
        format!(
            "seed {}: {violation}\nshortest plan, {} nodes: chains {:?} then {:?}\nfaults until {}: {:#?}\n\
             works: {:#?}\nnodes: {:#?}\ntrace of it:\n{lines}\nend of the shortest: {again:?}\n\
             run again: MKA_SIM_SEED={} cargo test --test mka_sim random",
            self.seed,
            short.nodes.len(),
            short.chains,
            short.last_chains,
            short.faults_end,
            short.faults,
            short.works,
            short.nodes,
            self.seed,
        )
    }

    /// Runs it; a panic of the code under test is a violation too.
    pub(crate) fn guarded(&self, traced: bool) -> (Option<World>, Result<(), Violation>) {
        let run = std::panic::catch_unwind(|| self.run(traced));
        match run {
            Ok((world, result)) => (Some(world), result),
            Err(panic) => {
                let what = panic.downcast_ref::<String>().cloned();
                let what = what.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                let what = what.unwrap_or_default();
                (
                    None,
                    Err(Violation {
                        kind: "panic",
                        what,
                        at: 0,
                    }),
                )
            }
        }
    }

    fn fails(&self, kind: &str) -> bool {
        self.guarded(false)
            .1
            .is_err_and(|violation| violation.kind == kind)
    }

    /// Leaves out what is not needed for a violation of this kind.
    fn shrink(&self, kind: &str) -> Self {
        let mut best = self.clone();
        let mut budget = 150;
        loop {
            let smaller = best.smaller().into_iter().find(|plan| {
                budget -= 1;
                budget >= 0 && plan.fails(kind)
            });
            match smaller {
                Some(plan) => best = plan,
                None => return best,
            }
        }
    }

    /// Every plan that lacks a part of this one, the big parts first.
    fn smaller(&self) -> Vec<Self> {
        let mut plans = Vec::new();
        for half in [0, 1] {
            plans.extend(without_half(&self.works, half).map(|works| Self {
                works,
                ..self.clone()
            }));
            plans.extend(without_half(&self.faults, half).map(|faults| Self {
                faults,
                ..self.clone()
            }));
        }
        for place in 0..self.works.len() {
            let mut plan = self.clone();
            plan.works.remove(place);
            plans.push(plan);
        }
        for place in 0..self.faults.len() {
            let mut plan = self.clone();
            plan.faults.remove(place);
            plans.push(plan);
        }
        for node in 0..self.nodes.len() {
            let plain = self.nodes[node].plain(node);
            if format!("{plain:?}") != format!("{:?}", self.nodes[node]) {
                let mut plan = self.clone();
                plan.nodes[node] = plain;
                plans.push(plan);
            }
        }
        plans
    }
}

impl NodeSpec {
    /// The plain node, but for what all nodes have to agree on.
    fn plain(&self, node: usize) -> Self {
        let mut plain = scene::spec(node);
        plain.keeps_identity = self.keeps_identity;
        plain.policy.suites = self.policy.suites.clone();
        plain.policy.protection = self.policy.protection;
        plain.policy.ssci = self.policy.ssci;
        plain
    }
}

fn without_half(ops: &[(u64, Op)], half: usize) -> Option<Vec<(u64, Op)>> {
    let middle = ops.len() / 2;
    let kept = if half == 0 {
        &ops[middle..]
    } else {
        &ops[..middle]
    };
    (kept.len() < ops.len() && ops.len() > 3).then(|| kept.to_vec())
}
