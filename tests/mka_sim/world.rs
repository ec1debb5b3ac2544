//! The world: nodes on a wire, one queue of happenings, virtual time.

use std::{cmp::Ordering, collections::BinaryHeap, rc::Rc};

use macsec_gateway::mka::{Action, Event, Identity, Kay, Report, Time};

use crate::{
    node::{CakSpec, Memory, Node, NodeSpec},
    plane::Frames,
    rng::Rng,
    watch::{Violation, Watch},
    wire::Wire,
};

pub(crate) const MS: u64 = 1000;
pub(crate) const SECOND: u64 = 1_000_000;

/// Between two data frames of a node while nothing changes; at every change there is one at once.
const TICK: u64 = 50 * MS;
/// A data plane says how far its SAs are at least so often.
const PROGRESS: u64 = 100 * MS;
/// Octets of a data frame.
const OCTETS: u64 = 1000;
/// Polls of one KaY at one moment, and wake-ups without time going on, before it counts as stuck.
const BUSY: u32 = 500;

#[derive(Debug)]
enum Happening {
    Mkpdu {
        to: usize,
        frame: Rc<[u8]>,
    },
    Frames {
        to: usize,
        frames: Rc<Frames>,
        strict: bool,
    },
    Command {
        node: usize,
        life: u32,
        lane: usize,
        action: Action,
    },
    Word {
        node: usize,
        life: u32,
        report: Report,
    },
    Written {
        node: usize,
        life: u32,
        identity: Box<Identity>,
    },
    Wake {
        node: usize,
        life: u32,
    },
    Tick,
    Progress,
}

#[derive(Debug)]
struct Due {
    at: u64,
    seq: u64,
    what: Happening,
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.seq).cmp(&(self.at, self.seq))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) caks: Vec<CakSpec>,
    pub(crate) wire: Wire,
    pub(crate) rng: Rng,
    pub(crate) watch: Watch,
    /// Frames that one data frame of each node stands for.
    pub(crate) pace: Vec<u64>,
    /// What is heard on the wire is kept here, while it is wanted.
    pub(crate) recording: Option<Vec<Rc<[u8]>>>,
    /// Whether data flows at all.
    pub(crate) data: bool,
    seq: u64,
    queue: BinaryHeap<Due>,
    busy: (u64, u32),
}

impl World {
    pub(crate) fn new(
        seed: u64,
        specs: Vec<NodeSpec>,
        caks: Vec<CakSpec>,
        chains: Vec<Vec<usize>>,
    ) -> Self {
        let mut rng = Rng::new(seed);
        let wire = Wire::new(specs.len(), rng.fork());
        let watch = Watch::new(&specs, &caks);
        let pace = vec![1; specs.len()];
        let nodes = specs
            .into_iter()
            .zip(chains)
            .map(|(spec, chain)| Node::new(spec, chain));
        let mut world = Self {
            now: 0,
            nodes: nodes.collect(),
            caks,
            wire,
            rng,
            watch,
            pace,
            recording: None,
            data: true,
            seq: 0,
            queue: BinaryHeap::new(),
            busy: (0, 0),
        };
        world.push(TICK, Happening::Tick);
        world.push(PROGRESS, Happening::Progress);
        world
    }

    fn push(&mut self, at: u64, what: Happening) {
        self.seq += 1;
        let seq = self.seq;
        self.queue.push(Due { at, seq, what });
    }

    pub(crate) fn run_for(&mut self, micros: u64) -> Result<(), Violation> {
        self.run_until(self.now + micros)
    }

    pub(crate) fn run_until(&mut self, until: u64) -> Result<(), Violation> {
        while let Some(due) = self.queue.peek()
            && due.at <= until
        {
            let Some(due) = self.queue.pop() else { break };
            self.now = due.at;
            self.watch.now = due.at;
            self.happen(due.what)?;
        }
        self.now = until;
        self.watch.now = until;
        Ok(())
    }

    /// Runs until `done` says so, looked at every 10 ms; how long it took, or nothing within `limit`.
    pub(crate) fn run_while(
        &mut self,
        limit: u64,
        mut done: impl FnMut(&mut Self) -> bool,
    ) -> Result<Option<u64>, Violation> {
        let start = self.now;
        while !done(self) {
            if self.now - start >= limit {
                return Ok(None);
            }
            self.run_for(10 * MS)?;
        }
        Ok(Some(self.now - start))
    }

    fn happen(&mut self, what: Happening) -> Result<(), Violation> {
        match what {
            Happening::Mkpdu { to, frame } => self.hear(to, &frame),
            Happening::Frames { to, frames, strict } => self.receive(to, &frames, strict),
            Happening::Command {
                node,
                life,
                lane,
                action,
            } => {
                if self.nodes[node].life == life {
                    self.command(node, lane, action)?;
                }
                Ok(())
            }
            Happening::Word { node, life, report } => {
                if self.nodes[node].life == life {
                    self.report(node, report)?;
                }
                Ok(())
            }
            Happening::Written {
                node,
                life,
                identity,
            } => {
                if self.nodes[node].life == life {
                    self.written(node, *identity);
                }
                Ok(())
            }
            Happening::Wake { node, life } => {
                if self.nodes[node].life == life && self.nodes[node].wake == Some(self.now) {
                    self.nodes[node].wake = None;
                    self.wake(node)?;
                }
                Ok(())
            }
            Happening::Tick => {
                self.push(self.now + TICK, Happening::Tick);
                self.traffic()
            }
            Happening::Progress => {
                self.push(self.now + PROGRESS, Happening::Progress);
                self.progress();
                Ok(())
            }
        }
    }

    /// Asks a node's KaY something, and does what it then wants.
    pub(crate) fn with<R>(
        &mut self,
        node: usize,
        ask: impl FnOnce(&mut Kay, Time) -> R,
    ) -> Result<Option<R>, Violation> {
        let now = self.nodes[node].time(self.now);
        let Some(kay) = &mut self.nodes[node].kay else {
            return Ok(None);
        };
        let answer = ask(kay, now);
        self.drain(node)?;
        Ok(Some(answer))
    }

    fn hear(&mut self, to: usize, frame: &[u8]) -> Result<(), Violation> {
        if !self.nodes[to].link {
            return Ok(());
        }
        if let Some(Err(why)) = self.with(to, |kay, now| kay.handle_mkpdu(now, frame))? {
            self.watch.say(|| format!("{to} discards: {}", why.name()));
        }
        Ok(())
    }

    fn report(&mut self, node: usize, report: Report) -> Result<(), Violation> {
        self.with(node, |kay, now| kay.handle_report(now, report))
            .map(drop)
    }

    fn wake(&mut self, node: usize) -> Result<(), Violation> {
        self.with(node, |kay, now| kay.handle_timeout(now))
            .map(drop)
    }

    /// Polls until nothing is left.
    fn drain(&mut self, node: usize) -> Result<(), Violation> {
        for _ in 0..BUSY {
            let now = self.nodes[node].time(self.now);
            let Some(kay) = &mut self.nodes[node].kay else {
                return Ok(());
            };
            if let Some(action) = kay.poll_action() {
                self.act(node, action)?;
            } else if let Some(frame) = kay.poll_transmit(now) {
                self.transmit(node, Rc::from(frame.as_slice()))?;
            } else if let Some(event) = kay.poll_event() {
                self.tell(node, &event)?;
            } else {
                return self.set_alarm(node);
            }
        }
        Err(self
            .watch
            .violation("busy", format!("{node} wants something for ever")))
    }

    fn set_alarm(&mut self, node: usize) -> Result<(), Violation> {
        let this = &mut self.nodes[node];
        let Some(at) = this.kay.as_ref().and_then(Kay::poll_timeout) else {
            return Ok(());
        };
        let at = this.world(at).max(self.now);
        if this.wake.is_some_and(|wake| wake <= at) {
            return Ok(());
        }
        if at == self.now {
            self.busy = if self.busy.0 == at {
                (at, self.busy.1 + 1)
            } else {
                (at, 0)
            };
            if self.busy.1 > BUSY {
                return Err(self
                    .watch
                    .violation("busy", format!("{node} wakes without time going on")));
            }
        }
        this.wake = Some(at);
        let life = this.life;
        self.push(at, Happening::Wake { node, life });
        Ok(())
    }

    fn act(&mut self, node: usize, action: Action) -> Result<(), Violation> {
        self.watch.action(&self.nodes, node, self.now, &action)?;
        let lane = match &action {
            Action::CreateTx { .. } | Action::UseTx(_) | Action::RetireTx(_) => 0,
            Action::Save(_) => 2,
            _ => 1,
        };
        let this = &mut self.nodes[node];
        let (low, high) = this.spec.latency;
        let at = (self.now + self.rng.between(low, high)).max(this.commands[lane]);
        this.commands[lane] = at;
        let life = this.life;
        let what = match action {
            Action::Save(identity) => Happening::Written {
                node,
                life,
                identity,
            },
            action => Happening::Command {
                node,
                life,
                lane,
                action,
            },
        };
        self.push(at, what);
        Ok(())
    }

    /// The data plane does it; its word on it follows.
    fn command(&mut self, node: usize, lane: usize, action: Action) -> Result<(), Violation> {
        let used = matches!(action, Action::UseTx(_));
        if let Action::CreateRx { key, .. } | Action::CreateTx { key, .. } = &action {
            self.watch.key(&mut self.nodes[node], key)?;
        }
        let text = self.watch.traces().then(|| format!("{action:?}"));
        let words = self.nodes[node].plane.apply(action);
        let words = words.map_err(|why| self.watch.violation("plane", format!("{node}: {why}")))?;
        self.watch
            .say(|| format!("{node} plane: {} -> {words:?}", text.unwrap_or_default()));
        self.watch.plane_changed(node, &mut self.nodes[node]);
        for word in words {
            self.word(node, lane, word);
        }
        if used {
            self.burst()
        } else {
            self.send_from(node, 1)
        }
    }

    fn word(&mut self, node: usize, lane: usize, report: Report) {
        let this = &mut self.nodes[node];
        let (low, high) = this.spec.latency;
        let at = (self.now + self.rng.between(low, high)).max(this.words[lane]);
        this.words[lane] = at;
        let life = this.life;
        self.push(at, Happening::Word { node, life, report });
    }

    fn written(&mut self, node: usize, identity: Identity) {
        let generation = identity.generation;
        let this = &mut self.nodes[node];
        if let Some(old) = this.disk.replace(identity) {
            this.old_disks.push(old);
        }
        self.word(node, 2, Report::Saved(generation));
    }

    fn transmit(&mut self, node: usize, frame: Rc<[u8]>) -> Result<(), Violation> {
        self.watch.mkpdu(&self.nodes, node, &frame)?;
        if let Some(recording) = &mut self.recording {
            recording.push(frame.clone());
        }
        if !self.nodes[node].link {
            return Ok(());
        }
        for to in (0..self.nodes.len()).filter(|to| *to != node) {
            for delay in self.wire.copies(node, to) {
                self.inject(to, frame.clone(), delay);
            }
        }
        Ok(())
    }

    /// A frame arrives out of nowhere.
    pub(crate) fn inject(&mut self, to: usize, frame: Rc<[u8]>, delay: u64) {
        self.push(self.now + delay, Happening::Mkpdu { to, frame });
    }

    fn tell(&mut self, node: usize, event: &Event) -> Result<(), Violation> {
        self.watch.event(node, event)
    }

    fn progress(&mut self) {
        for node in 0..self.nodes.len() {
            if !self.nodes[node].is_up() {
                continue;
            }
            for report in self.nodes[node].plane.progress() {
                let lane = usize::from(matches!(report, Report::RxProgress { .. }));
                self.word(node, lane, report);
            }
        }
    }

    fn traffic(&mut self) -> Result<(), Violation> {
        if self.watch.strict {
            self.watch.storms(&self.nodes)?;
        }
        (0..self.nodes.len()).try_for_each(|node| self.send_from(node, self.pace[node]))
    }

    /// Every node sends a frame at once.
    fn burst(&mut self) -> Result<(), Violation> {
        (0..self.nodes.len()).try_for_each(|node| self.send_from(node, 1))
    }

    fn send_from(&mut self, node: usize, count: u64) -> Result<(), Violation> {
        let this = &mut self.nodes[node];
        if !self.data || !this.is_up() || !this.link {
            return Ok(());
        }
        let Some(frames) = this.plane.send(count, OCTETS) else {
            return self.watch.silent(node);
        };
        self.watch.sent(node, &frames)?;
        let frames = Rc::new(frames);
        let strict = self.watch.strict;
        for to in (0..self.nodes.len()).filter(|to| *to != node) {
            let delay = self.wire.copies(node, to).next();
            if let Some(delay) = delay.filter(|_| self.watch.both_members(node, to)) {
                let frames = frames.clone();
                self.push(self.now + delay, Happening::Frames { to, frames, strict });
            }
        }
        Ok(())
    }

    fn receive(&mut self, to: usize, frames: &Frames, strict: bool) -> Result<(), Violation> {
        let this = &mut self.nodes[to];
        if !this.is_up() || !this.link {
            return Ok(());
        }
        let taken = this.plane.receive(frames, OCTETS);
        self.watch.received(to, frames, taken, strict)
    }

    pub(crate) fn start(&mut self, node: usize, memory: Memory) -> Result<(), Violation> {
        self.watch.say(|| format!("{node} starts with {memory:?}"));
        let this = &mut self.nodes[node];
        this.start(self.now, memory, &self.caks, &mut self.rng);
        if this.stale {
            self.watch.ears.taint(node);
        }
        this.link = true;
        self.report(node, Report::Link(true))
    }

    pub(crate) fn start_all(&mut self) -> Result<(), Violation> {
        (0..self.nodes.len()).try_for_each(|node| self.start(node, Memory::Nothing))
    }

    pub(crate) fn kill(&mut self, node: usize) {
        self.watch.say(|| format!("{node} is killed"));
        self.nodes[node].kill();
    }

    pub(crate) fn link(&mut self, node: usize, up: bool) -> Result<(), Violation> {
        self.watch.say(|| format!("{node} link {up}"));
        self.nodes[node].link = up;
        self.report(node, Report::Link(up))
    }

    pub(crate) fn add_cak(&mut self, node: usize, cak: usize) -> Result<(), Violation> {
        if self.nodes[node].caks.contains(&cak) {
            return Ok(());
        }
        self.watch.say(|| format!("{node} gets CAK {cak}"));
        self.nodes[node].caks.push(cak);
        let spec = self.caks[cak].clone();
        let keys = spec.start(&self.watch.crypto);
        let added = self.with(node, |kay, now| kay.add_cak(now, keys))?;
        assert!(added.is_none_or(|added| added.is_ok()), "{added:?}");
        Ok(())
    }

    pub(crate) fn remove_cak(&mut self, node: usize, cak: usize) -> Result<(), Violation> {
        if !self.nodes[node].caks.contains(&cak) {
            return Ok(());
        }
        self.watch.say(|| format!("{node} loses CAK {cak}"));
        self.nodes[node].caks.retain(|have| *have != cak);
        let ckn = self.caks[cak].ckn.clone();
        let removed = self.with(node, |kay, now| kay.remove_cak(now, &ckn))?;
        assert!(removed.is_none_or(|removed| removed), "not there");
        Ok(())
    }
}

/// A scenario that fails tells what happened.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() && self.watch.traces() {
            eprintln!("{}", self.watch.last_lines(300));
        }
    }
}
