//! Nodes, their wire and virtual time.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};
use core::time::Duration;

use super::plane::{Plane, key};
use crate::{
    crypto::{Cak, KeyAgreement, seeded},
    ieee::{CipherSuite, Ckn, EtherType, MacAddr, Sci},
    mka::{
        Event, IcvHeader, Kay, KaySetup, NewCak, Policy, Protection, Rekey, Remembered, Report,
        SsciRule, Time, Timers, XpnSet, pdu::Frame,
    },
};

pub(super) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn at(millis: u64) -> Time {
    Time(ms(millis))
}

pub(super) fn policy(node: u8) -> Policy {
    Policy {
        suites: [CipherSuite::GcmAes128, CipherSuite::GcmAesXpn256]
            .into_iter()
            .collect(),
        protection: Protection::Offset0,
        accept_no_macsec: false,
        priority: 16 + node,
        source: MacAddr([2, 0, 0, 0, 0, node]),
        destination: MacAddr([1, 0x80, 0xc2, 0, 0, 3]),
        ethertype: EtherType::EAPOL,
        icv_header: IcvHeader::AsSent,
        icv_indicator: true,
        version: 3,
        ssci: SsciRule::Auto,
        xpn_set: XpnSet::Auto,
        delay_protection: false,
        timers: Timers::default(),
        rekey: Rekey::default(),
        max_peers: 30,
    }
}

pub(super) fn ckn(name: u8) -> Ckn {
    Ckn::new(&[name; 16]).unwrap()
}

pub(super) fn cak(name: u8, rank: u64) -> NewCak {
    let keys = seeded(1)
        .derive(&Cak::take(&mut [name; 16]).unwrap(), &ckn(name))
        .unwrap();
    NewCak {
        ckn: ckn(name),
        keys,
        fallback: false,
        rank,
    }
}

pub(super) struct Node {
    pub(super) kay: Kay,
    pub(super) plane: Plane,
    pub(super) sci: Sci,
    pub(super) events: Vec<(Time, Event)>,
    /// Frames sent.
    pub(super) sent: Vec<(Time, Frame)>,
}

impl Node {
    pub(super) fn secured(&self) -> bool {
        self.kay.status(at(0)).secured
    }

    pub(super) fn had(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events
            .iter()
            .filter(|(_, event)| wanted(event))
            .count()
    }
}

/// Data frames that reached somebody, and those that nobody could read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) delivered: u64,
    pub(super) lost: u64,
}

pub(super) struct Bed {
    pub(super) now: Time,
    pub(super) nodes: Vec<Node>,
    wire: Vec<(Time, usize, Frame)>,
    pub(super) delay: Duration,
    /// Share of MKPDUs that are lost, in percent.
    pub(super) loss: u64,
    /// Directions that are dead.
    pub(super) dead: BTreeSet<(usize, usize)>,
    seed: u64,
    pub(super) traffic: Traffic,
    pub(super) flowing: bool,
    /// (SAK, SCI, PN) that were sent.
    sent_pns: BTreeSet<(Vec<u8>, u64, u64)>,
}

impl Bed {
    pub(super) fn new(policies: Vec<Policy>) -> Self {
        let mut bed = Self {
            now: at(1_000_000),
            nodes: Vec::new(),
            wire: Vec::new(),
            delay: ms(1),
            loss: 0,
            dead: BTreeSet::new(),
            seed: 7,
            traffic: Traffic::default(),
            flowing: false,
            sent_pns: BTreeSet::new(),
        };
        for policy in policies {
            bed.add(policy, Remembered::default(), true);
        }
        bed
    }

    /// Two nodes with one CAK and a link: the first is key server.
    pub(super) fn pair() -> Self {
        Self::linked(2)
    }

    pub(super) fn linked(nodes: u8) -> Self {
        let mut bed = Self::new((0..nodes).map(policy).collect());
        for node in 0..bed.nodes.len() {
            bed.kay(node, |kay, now| kay.add_cak(now, cak(1, 1)).unwrap());
            bed.link(node, true);
        }
        bed
    }

    pub(super) fn add(&mut self, policy: Policy, remembered: Remembered, keeps: bool) -> usize {
        let sci = Sci::new(policy.source, 1);
        self.seed += 1;
        let setup = KaySetup {
            sci,
            policy,
            crypto: Box::new(seeded(self.seed)),
            remembered,
            keeps_identity: keeps,
        };
        self.nodes.push(Node {
            kay: Kay::new(self.now, setup).unwrap(),
            plane: Plane::new(),
            sci,
            events: Vec::new(),
            sent: Vec::new(),
        });
        self.drain(self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// The node starts over.
    pub(super) fn restart(&mut self, node: usize, policy: Policy, remembered: Remembered) {
        let last = self.add(policy, remembered, true);
        self.nodes.swap_remove(node);
        assert_eq!(self.nodes.len(), last);
        self.wire.retain(|(_, to, _)| *to != node);
    }

    pub(super) const fn seed(&mut self, seed: u64) {
        self.seed = seed + 1;
    }

    pub(super) fn link(&mut self, node: usize, up: bool) {
        self.kay(node, |kay, now| kay.handle_report(now, Report::Link(up)));
    }

    /// Does something to a KaY, and what follows from it.
    pub(super) fn kay<T>(&mut self, node: usize, act: impl FnOnce(&mut Kay, Time) -> T) -> T {
        let now = self.now;
        let result = act(&mut self.nodes[node].kay, now);
        self.drain(node);
        result
    }

    fn random(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed
    }

    fn drain(&mut self, from: usize) {
        let now = self.now;
        loop {
            let node = &mut self.nodes[from];
            while let Some(action) = node.kay.poll_action() {
                node.plane.act(now, action);
            }
            while let Some(event) = node.kay.poll_event() {
                node.events.push((now, event));
            }
            let due = node.plane.reports.iter().position(|(when, _)| *when <= now);
            if let Some(due) = due {
                let (_, report) = node.plane.reports.remove(due);
                node.kay.handle_report(now, report);
                continue;
            }
            let Some(frame) = node.kay.poll_transmit(now) else {
                break;
            };
            node.sent.push((now, frame.clone()));
            for to in (0..self.nodes.len()).filter(|to| *to != from) {
                if self.dead.contains(&(from, to)) || self.random() % 100 < self.loss {
                    continue;
                }
                self.wire.push((now + self.delay, to, frame.clone()));
            }
        }
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 2_000_000, "time stands still at {:?}", self.now);
            let tick = Time(ms(u64::try_from(self.now.0.as_millis()).unwrap() + 1));
            let mut next = end;
            if self.flowing {
                next = next.min(tick);
            }
            next = self
                .wire
                .iter()
                .map(|(when, _, _)| *when)
                .fold(next, Time::min);
            for node in &self.nodes {
                next = node
                    .plane
                    .reports
                    .iter()
                    .map(|(when, _)| *when)
                    .fold(next, Time::min);
                next = node.kay.poll_timeout().into_iter().fold(next, Time::min);
            }
            self.now = self.now.max(next);
            let mut delivered = false;
            while let Some(due) = self.wire.iter().position(|(when, _, _)| *when <= self.now) {
                let (_, to, frame) = self.wire.remove(due);
                if to >= self.nodes.len() {
                    continue;
                }
                delivered = true;
                let _ = self.kay(to, |kay, now| kay.handle_mkpdu(now, &frame));
            }
            for node in 0..self.nodes.len() {
                let due = self.nodes[node]
                    .kay
                    .poll_timeout()
                    .is_some_and(|when| when <= self.now);
                let report = self.nodes[node]
                    .plane
                    .reports
                    .iter()
                    .any(|(when, _)| *when <= self.now);
                if due || report || delivered {
                    self.kay(node, Kay::handle_timeout);
                }
            }
            if self.flowing && self.now == tick {
                self.data();
            }
            if self.now >= end {
                break;
            }
        }
    }

    /// One data frame from each node that protects.
    fn data(&mut self) {
        for from in 0..self.nodes.len() {
            let Some(id) = self.nodes[from].plane.in_use else {
                continue;
            };
            let sci = self.nodes[from].sci;
            let tx = self.nodes[from].plane.tx.get_mut(&key(id)).unwrap();
            let (pn, sak, ssci) = (tx.next_pn, tx.fingerprint.clone(), tx.ssci);
            tx.next_pn += 1;
            assert!(
                self.sent_pns.insert((sak.clone(), sci.0, pn)),
                "packet number {pn} used twice"
            );
            for to in (0..self.nodes.len()).filter(|to| *to != from) {
                let rx = self.nodes[to].plane.rx.get_mut(&(sci.0, key(id)));
                match rx {
                    Some(rx) if rx.fingerprint == sak && rx.ssci == ssci && pn >= rx.lowest => {
                        rx.next_pn = rx.next_pn.max(pn + 1);
                        self.traffic.delivered += 1;
                    }
                    _ => self.traffic.lost += 1,
                }
            }
        }
        if self.now.0.as_millis().is_multiple_of(100) {
            for node in &mut self.nodes {
                node.plane.progress(self.now);
            }
        }
    }

    pub(super) fn all_secured(&self) -> bool {
        self.nodes.iter().all(Node::secured)
    }

    /// Runs until everybody is secured; how long that took.
    pub(super) fn until_secured(&mut self, most: Duration) -> Duration {
        let start = self.now;
        while !self.all_secured() && self.now.since(start) < most {
            self.run(ms(1));
        }
        assert!(self.all_secured(), "not secured after {most:?}");
        self.now.since(start)
    }

    /// From here on no data frame may be lost.
    pub(super) fn flow(&mut self) {
        self.flowing = true;
        self.traffic = Traffic::default();
    }

    pub(super) fn cp(&self, node: usize) -> &'static str {
        self.nodes[node].kay.status(self.now).cp_state
    }
}
