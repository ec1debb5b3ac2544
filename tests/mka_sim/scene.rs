//! The plain case that every scenario starts from: so many nodes, one CAK, defaults; and the wish that
//! all of them get together.

use arrayvec::ArrayVec;
use macsec_gateway::{
    ieee::{CipherSuite, EtherType, MacAddr, Sci},
    mka::{
        Discard, IcvHeader, KayStatus, MAX_PEERS, Policy, Protection, Rekey, SsciRule, Timers,
        XpnSet,
    },
};

use crate::{
    node::{CakSpec, NodeSpec},
    plane::Habits,
    watch::Violation,
    world::{MS, SECOND, World},
};

/// After faults end, everyone is together again within this time: MKA Life Time to lose who is gone,
/// another to become live and to end the gap since the last SAK, the transmit delay, and some hellos.
pub(crate) const TOGETHER: u64 = 30 * SECOND;

pub(crate) fn address(node: usize) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, u8::try_from(node + 10).unwrap()])
}

pub(crate) fn policy(node: usize) -> Policy {
    Policy {
        suites: [CipherSuite::GcmAesXpn256].into_iter().collect(),
        protection: Protection::Offset0,
        accept_no_macsec: false,
        priority: 16,
        source: address(node),
        destination: MacAddr::PAE_GROUP,
        ethertype: EtherType::EAPOL,
        icv_header: IcvHeader::AsSent,
        icv_indicator: false,
        version: 3,
        ssci: SsciRule::Auto,
        xpn_set: XpnSet::Auto,
        delay_protection: false,
        timers: Timers::default(),
        rekey: Rekey::default(),
        max_peers: MAX_PEERS,
    }
}

pub(crate) fn spec(node: usize) -> NodeSpec {
    NodeSpec {
        sci: Sci::new(address(node), 1),
        policy: policy(node),
        keeps_identity: true,
        habits: Habits::default(),
        latency: (MS / 10, 5 * MS),
    }
}

pub(crate) fn suites(list: &[CipherSuite]) -> ArrayVec<CipherSuite, 4> {
    list.iter().copied().collect()
}

pub(crate) fn caks() -> Vec<CakSpec> {
    (0..5)
        .map(|number| CakSpec::new(number, number == FALLBACK))
        .collect()
}

/// The index of the CAK that is only a fallback.
pub(crate) const FALLBACK: u8 = 4;

/// `count` nodes with CAK 0, changed by `change`, all up.
pub(crate) fn scene(seed: u64, count: usize, change: impl Fn(usize, &mut NodeSpec)) -> World {
    scene_of(seed, vec![vec![0]; count], change)
}

/// Nodes with these CAKs, all up.
pub(crate) fn scene_of(
    seed: u64,
    chains: Vec<Vec<usize>>,
    change: impl Fn(usize, &mut NodeSpec),
) -> World {
    let mut world = scene_down(seed, chains, change);
    world.start_all().unwrap();
    world
}

/// Nodes with these CAKs, none up.
pub(crate) fn scene_down(
    seed: u64,
    chains: Vec<Vec<usize>>,
    change: impl Fn(usize, &mut NodeSpec),
) -> World {
    let specs = (0..chains.len()).map(|node| {
        let mut spec = spec(node);
        change(node, &mut spec);
        spec
    });
    let mut world = World::new(seed, specs.collect(), caks(), chains);
    world.watch.trace();
    world
}

impl World {
    pub(crate) fn status(&self, node: usize) -> KayStatus {
        let this = &self.nodes[node];
        this.kay.as_ref().unwrap().status(this.time(self.now))
    }

    /// Why the members are not together: all secured, with one key, by one key server.
    pub(crate) fn apart(&self) -> Option<String> {
        let members = (0..self.nodes.len()).filter(|node| self.watch.members[*node]);
        let members: Vec<_> = members.collect();
        let in_use = |node: usize| self.nodes[node].plane.in_use().map(|tx| tx.key.id);
        let first = members.first().and_then(|node| in_use(*node));
        for node in &members {
            let mine = in_use(*node);
            if mine.is_none() || mine != first {
                return Some(format!("{node} uses {mine:?}, the first one {first:?}"));
            }
        }
        let server = self.status(members[0]).key_server;
        for node in &members {
            let status = self.status(*node);
            if !status.secured || status.key_server != server || server.is_none() {
                let (secured, key_server) = (status.secured, status.key_server);
                return Some(format!(
                    "{node}: secured {secured}, key server {key_server:?} {server:?}"
                ));
            }
            let Some(sa) = first else { continue };
            for peer in members.iter().filter(|peer| *peer != node) {
                let slots = self.nodes[*node]
                    .plane
                    .peers
                    .get(&self.nodes[*peer].spec.sci);
                let rx = slots.and_then(|slots| slots[sa.an.index()].as_ref());
                if !rx.is_some_and(|rx| rx.key.id == sa) {
                    return Some(format!("{node} does not receive {peer} under {sa:?}"));
                }
            }
        }
        None
    }

    /// Runs until all members are together; how long it took.
    pub(crate) fn get_together(&mut self, limit: u64) -> Result<u64, Violation> {
        let took = self.run_while(limit, |world| world.apart().is_none())?;
        let Some(took) = took else {
            let why = self.apart().unwrap_or_default();
            let states: Vec<_> = (0..self.nodes.len())
                .filter(|node| self.nodes[*node].is_up())
                .map(|node| {
                    let status = self.status(node);
                    let parts = status.participants.iter().map(|part| {
                        let live = part.peers.iter().filter(|peer| peer.live).count();
                        (part.ckn.octets()[0], part.principal, live, part.peers.len())
                    });
                    format!("{node} {} {:?}", status.cp_state, parts.collect::<Vec<_>>())
                })
                .collect();
            let what = format!("{why}; {}", states.join("; "));
            return Err(self.watch.violation("apart", what));
        };
        if limit > 0 {
            self.watch.tally.together.push(took);
        }
        self.watch.say(|| "together".into());
        Ok(took)
    }

    /// From now on no frame may be lost.
    pub(crate) fn be_strict(&mut self) {
        self.watch.strict = true;
    }

    /// Sixty seconds in which nothing but hello may happen, and no frame be lost.
    pub(crate) fn be_quiet(&mut self) -> Result<(), Violation> {
        self.watch.strict = true;
        self.watch.quiet = true;
        let before = self.watch.tally.mkpdus;
        self.run_for(60 * SECOND)?;
        let sent = self.watch.tally.mkpdus - before;
        let hellos = self.hellos_a_minute();
        self.watch.quiet = false;
        if sent > hellos {
            let what = format!("{sent} MKPDUs in a quiet minute, more than {hellos}");
            return Err(self.watch.violation("quiet", what));
        }
        if let Some(why) = self.apart() {
            return Err(self.watch.violation("apart", why));
        }
        Ok(())
    }

    /// How often a node discarded for this reason, in the KaY or in a participant.
    pub(crate) fn discarded(&self, node: usize, why: Discard) -> u64 {
        let status = self.status(node);
        let place = Discard::ALL
            .iter()
            .position(|reason| *reason == why)
            .unwrap();
        let parts = status
            .participants
            .iter()
            .map(|part| part.counters.discarded[place]);
        status.counters.discarded[place] + parts.sum::<u64>()
    }
}

impl World {
    /// MKPDUs in a quiet minute at the most. Delay protection is asked for by one, and binds all.
    fn hellos_a_minute(&self) -> u64 {
        let up = self.nodes.iter().filter(|node| node.is_up());
        let bounded = up.clone().any(|node| node.spec.policy.delay_protection);
        let each = up.map(|node| {
            let timers = &node.spec.policy.timers;
            let hello = if bounded {
                timers.bounded_hello
            } else {
                timers.hello
            };
            let a_minute = 60_000 / u64::try_from(hello.as_millis()).unwrap();
            (a_minute + 2) * u64::try_from(node.caks.len()).unwrap()
        });
        each.sum()
    }
}
