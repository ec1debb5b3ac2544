//! What must hold at every moment, whatever the wire does; and, in strict times, that no frame is lost.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
};

use macsec_gateway::{
    ieee::{Ckn, KeyIdentifier, Sci},
    mka::{
        Action, AgreedKey, Discard, Event, MAX_PEERS, Mi, SaId,
        pdu::{DistributedSak, KeyUse, Mkpdu, PeerList},
    },
};

use crate::{
    crypto::FakeCrypto,
    ears::Ears,
    node::{CakSpec, Node, NodeSpec},
    plane::{Frames, Lost, Nonce},
    rng::Rng,
    world::{MS, SECOND},
};

/// Something that must never be.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    /// Its kind, by which runs are compared.
    pub(crate) kind: &'static str,
    pub(crate) what: String,
    /// When, in microseconds of the world.
    pub(crate) at: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.at / SECOND, self.at % SECOND);
        write!(f, "{seconds}.{micros:06} {}: {}", self.kind, self.what)
    }
}

#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) now: u64,
    /// No frame may be lost, and every member has to send.
    pub(crate) strict: bool,
    /// Nothing may happen but hello.
    pub(crate) quiet: bool,
    /// What nodes send can't be read: it is not checked.
    pub(crate) deaf: bool,
    /// Nodes that count; strangers are not members.
    pub(crate) members: Vec<bool>,
    /// Members that every peer is one of: the order of SCIs.
    pub(crate) scis: Vec<Sci>,
    pub(crate) crypto: FakeCrypto,
    pub(crate) tally: Tally,
    pub(crate) ears: Ears,
    trace: Option<Vec<String>>,
    nonces: HashMap<Nonce, u64>,
    ever_rx: HashSet<(usize, Sci, KeyIdentifier)>,
    ever_tx: HashSet<(usize, KeyIdentifier)>,
    sent: Vec<VecDeque<u64>>,
    last_lost: HashMap<(usize, Sci), (KeyIdentifier, Lost)>,
    ckns: HashMap<KeyIdentifier, Ckn>,
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) frames_ok: u64,
    pub(crate) frames_lost: HashMap<Lost, u64>,
    /// Frames that a member could not send, having no SA.
    pub(crate) silent: u64,
    pub(crate) mkpdus: u64,
    /// Changes of the principal, of each node.
    pub(crate) principals: Vec<u64>,
    /// Events by which a node lost its session, or a peer.
    pub(crate) lost_events: u64,
    pub(crate) peers_lost: u64,
    /// SAKs that members distributed.
    pub(crate) keys: u64,
    /// The most MKPDUs that a node sent in a second for one CAK.
    pub(crate) busiest_second: usize,
    /// After how long every run was together again.
    pub(crate) together: Vec<u64>,
}

/// A node may send so many MKPDUs in a second for one CAK, and so many in ten.
const STORM: (usize, usize) = (60, 200);

impl Watch {
    pub(crate) fn new(specs: &[NodeSpec], caks: &[CakSpec]) -> Self {
        let crypto = FakeCrypto::new(Rng::new(0));
        Self {
            now: 0,
            strict: false,
            quiet: false,
            deaf: false,
            members: vec![true; specs.len()],
            scis: specs.iter().map(|spec| spec.sci).collect(),
            ears: Ears::new(caks, &crypto),
            crypto,
            tally: Tally {
                principals: vec![0; specs.len()],
                ..Tally::default()
            },
            trace: None,
            nonces: HashMap::new(),
            ever_rx: HashSet::new(),
            ever_tx: HashSet::new(),
            sent: vec![VecDeque::new(); specs.len()],
            last_lost: HashMap::new(),
            ckns: HashMap::new(),
        }
    }

    pub(crate) fn trace(&mut self) {
        self.trace = Some(Vec::new());
    }

    pub(crate) fn traces(&self) -> bool {
        self.trace.is_some()
    }

    /// Adds a line, if anyone wants to read it.
    pub(crate) fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let (seconds, micros) = (self.now / SECOND, self.now % SECOND);
            trace.push(format!("{seconds:>4}.{micros:06} {}", line()));
        }
    }

    pub(crate) fn last_lines(&self, count: usize) -> String {
        let lines = self.trace.as_deref().unwrap_or_default();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    pub(crate) fn violation(&self, kind: &'static str, what: String) -> Violation {
        Violation {
            kind,
            what,
            at: self.now,
        }
    }

    pub(crate) fn both_members(&self, one: usize, other: usize) -> bool {
        self.members[one] && self.members[other]
    }

    /// An action leaves a KaY.
    pub(crate) fn action(
        &mut self,
        nodes: &[Node],
        node: usize,
        now: u64,
        action: &Action,
    ) -> Result<(), Violation> {
        self.say(|| format!("{node} wants {action:?}"));
        if self.quiet && !matches!(action, Action::Save(_) | Action::RaiseLowestPn { .. }) {
            return Err(self.violation("quiet", format!("{node} wants {action:?}")));
        }
        match action {
            Action::UseTx(sa) => self.use_tx(nodes, node, now, *sa),
            Action::CreateTx { key, .. } => {
                self.ckns.insert(key.id.ki, key.ckn.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A SAK reaches a node: under one KI there is only one.
    pub(crate) fn key(&mut self, this: &mut Node, key: &AgreedKey) -> Result<(), Violation> {
        let octets = key.sak.expose();
        let known = this
            .saks
            .entry(key.id.ki)
            .or_insert_with(|| octets.to_vec());
        if known != octets {
            return Err(self.violation("reused ki", format!("{} under two keys", key.id.ki)));
        }
        Ok(())
    }

    /// No one protects with a SAK that a live peer has not installed (802.1X-2020 9.10, figure 12-2).
    fn use_tx(&self, nodes: &[Node], node: usize, now: u64, sa: SaId) -> Result<(), Violation> {
        let this = &nodes[node];
        if this.remembered.contains(&sa.ki) || this.stale {
            return Ok(());
        }
        let (mi, _) = Mi::of_key(sa.ki);
        match self.ears.owner(mi) {
            Some(owner) if owner != node => {
                if self.ever_tx.contains(&(owner, sa.ki)) {
                    return Ok(());
                }
                let what = format!("{node} uses {sa:?} before its key server {owner} does");
                Err(self.violation("early client", what))
            }
            _ => self.serve_tx(this, node, now, sa),
        }
    }

    fn serve_tx(&self, this: &Node, node: usize, now: u64, sa: SaId) -> Result<(), Violation> {
        let Some(kay) = &this.kay else { return Ok(()) };
        let status = kay.status(this.time(now));
        // The members of the CA that the key is of, whether or not it is the principal by now.
        let ckn = self.ckns.get(&sa.ki).or(status.principal.as_ref());
        let own = status
            .participants
            .iter()
            .find(|part| Some(&part.ckn) == ckn);
        let live = own
            .into_iter()
            .flat_map(|part| &part.peers)
            .filter(|peer| peer.live);
        let missing: Vec<_> = live
            .filter_map(|peer| peer.sci)
            .filter(|sci| {
                let place = self.scis.iter().position(|have| have == sci);
                !place.is_some_and(|peer| self.ever_rx.contains(&(peer, this.spec.sci, sa.ki)))
            })
            .collect();
        let since = self.ears.distributed_since(sa.ki);
        let delay = this.spec.policy.timers.transmit_delay.as_micros();
        let waited = since.map(|since| u128::from(now - since));
        // The delay may be counted from when the key was made, a moment before its first MKPDU.
        let slack = u128::from(250 * MS);
        if missing.is_empty() || waited.is_some_and(|waited| waited + slack >= delay) {
            return Ok(());
        }
        let what = format!("{node} uses {sa:?} after {waited:?} us; not installed at {missing:?}");
        Err(self.violation("early server", what))
    }

    /// The data plane of a node did something: what stands there now stood there once.
    pub(crate) fn plane_changed(&mut self, node: usize, this: &mut Node) {
        for (peer, slots) in &this.plane.peers {
            for rx in slots.iter().flatten() {
                self.ever_rx.insert((node, *peer, rx.key.id.ki));
            }
        }
        if let Some(tx) = this.plane.in_use() {
            let ki = tx.key.id.ki;
            self.ever_tx.insert((node, ki));
            this.used.insert(ki);
        }
    }

    /// A MKPDU leaves a node: it must be true, and there must not be too many.
    pub(crate) fn mkpdu(
        &mut self,
        nodes: &[Node],
        node: usize,
        frame: &[u8],
    ) -> Result<(), Violation> {
        self.tally.mkpdus += 1;
        if self.deaf {
            return self.count(nodes, node);
        }
        let now = self.now;
        let seen = self.ears.hear(now, node, &nodes[node], &self.crypto, frame);
        let pdu = seen.map_err(|what| self.violation("untrue", format!("{node}: {what}")))?;
        self.say(|| format!("{node} sends {}", brief(&pdu)));
        self.count(nodes, node)
    }

    fn count(&mut self, nodes: &[Node], node: usize) -> Result<(), Violation> {
        let times = &mut self.sent[node];
        times.push_back(self.now);
        while times
            .front()
            .is_some_and(|first| first + 10 * SECOND < self.now)
        {
            times.pop_front();
        }
        let second = times
            .iter()
            .rev()
            .take_while(|at| **at + SECOND > self.now)
            .count();
        let caks = nodes[node].caks.len().max(1);
        self.tally.busiest_second = self.tally.busiest_second.max(second / caks);
        if second > STORM.0 * caks || times.len() > STORM.1 * caks {
            let what = format!(
                "{node} sends {second} MKPDUs in 1 s, {} in 10 s",
                times.len()
            );
            return Err(self.violation("storm", what));
        }
        Ok(())
    }

    /// Memory is bounded.
    pub(crate) fn storms(&mut self, nodes: &[Node]) -> Result<(), Violation> {
        if self.now % SECOND > 50 * MS {
            return Ok(());
        }
        for (node, this) in nodes.iter().enumerate() {
            let Some(kay) = &this.kay else { continue };
            let status = kay.status(this.time(self.now));
            for part in &status.participants {
                if part.peers.len() > 4 * MAX_PEERS {
                    let what = format!("{node} holds {} peers", part.peers.len());
                    return Err(self.violation("memory", what));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn event(&mut self, node: usize, event: &Event) -> Result<(), Violation> {
        self.say(|| format!("{node} tells {event:?}"));
        match event {
            Event::Principal(_) => self.tally.principals[node] += 1,
            Event::PeerLost { .. } => self.tally.peers_lost += 1,
            Event::SakDistributed { .. } if self.members[node] => self.tally.keys += 1,
            Event::Lost(_) => {
                self.tally.lost_events += 1;
                if self.strict && self.members[node] {
                    return Err(self.violation("lost", format!("{node} tells {event:?}")));
                }
            }
            _ => {}
        }
        // Somebody's CAK that is not everybody's is heard, and said to be unknown.
        if self.quiet && *event != Event::Discarded(Discard::UnknownCkn) {
            return Err(self.violation("quiet", format!("{node} tells {event:?}")));
        }
        Ok(())
    }

    /// A node had nothing to protect a frame with.
    pub(crate) fn silent(&mut self, node: usize) -> Result<(), Violation> {
        self.tally.silent += 1;
        if self.strict && self.members[node] {
            return Err(self.violation("outage", format!("{node} has no SA to send with")));
        }
        Ok(())
    }

    /// Frames leave: no packet number twice under one nonce's rest, over all lives.
    pub(crate) fn sent(&mut self, node: usize, frames: &Frames) -> Result<(), Violation> {
        let highest = self.nonces.entry((*frames.nonce).clone()).or_insert(0);
        if frames.first <= *highest {
            let what = format!(
                "{node} sends PN {} again under {} (up to {highest} was sent)",
                frames.first, frames.ki
            );
            return Err(self.violation("nonce", what));
        }
        *highest = frames.last;
        Ok(())
    }

    pub(crate) fn received(
        &mut self,
        to: usize,
        frames: &Frames,
        taken: Result<(), Lost>,
        strict: bool,
    ) -> Result<(), Violation> {
        let Err(why) = taken else {
            self.tally.frames_ok += 1;
            self.last_lost.remove(&(to, frames.sender));
            return Ok(());
        };
        *self.tally.frames_lost.entry(why).or_insert(0) += 1;
        let what = || {
            let (sender, an, ki) = (frames.sender, frames.an, frames.ki);
            format!(
                "{to} does not take a frame of {sender}, {an} {ki} PN {}: {why:?}",
                frames.first
            )
        };
        if strict && self.strict {
            return Err(self.violation("outage", what()));
        }
        // A run of frames that are lost alike is one line.
        let now = (frames.ki, why);
        if self.last_lost.insert((to, frames.sender), now) != Some(now) {
            self.say(what);
        }
        Ok(())
    }
}

/// A MKPDU in a line.
fn brief(pdu: &Mkpdu) -> String {
    let basic = &pdu.basic;
    let server = if basic.key_server { " KS" } else { "" };
    let list = |name: &str, list: &Option<PeerList>| {
        let peers = list.as_ref().map(|list| {
            let peers = list
                .peers
                .iter()
                .map(|(mi, mn)| format!("{}:{}", short(*mi), mn.0));
            format!(" {name}[{}]", peers.collect::<Vec<_>>().join(" "))
        });
        peers.unwrap_or_default()
    };
    let slot = |name: &str, key: Option<KeyUse>| {
        key.map_or_else(String::new, |key| {
            let (tx, rx) = (
                ["", "T"][usize::from(key.tx)],
                ["", "R"][usize::from(key.rx)],
            );
            format!(
                " {name}({}/{} an{} {tx}{rx})",
                short(key.mi),
                key.kn.0,
                key.an
            )
        })
    };
    let uses = pdu.sak_use.map_or_else(String::new, |uses| {
        slot(" latest", uses.latest)
            + &slot("old", uses.old)
            + if uses.latest.or(uses.old).is_none() {
                " use()"
            } else {
                ""
            }
    });
    let sak = match &pdu.distributed_sak {
        Some(DistributedSak::Key(key)) => format!(" SAK kn{} an{}", key.kn.0, key.an),
        Some(DistributedSak::NoMacsec) => " SAK none".into(),
        None => String::new(),
    };
    let ckn = basic.ckn.octets()[0];
    let (live, potential) = (list("live", &pdu.live), list("potential", &pdu.potential));
    format!(
        "ckn{ckn:x} {}:{}{server}{live}{potential}{uses}{sak}",
        short(basic.mi),
        basic.mn.0
    )
}

fn short(mi: Mi) -> String {
    format!("{:02x}{:02x}", mi.0[0], mi.0[1])
}
