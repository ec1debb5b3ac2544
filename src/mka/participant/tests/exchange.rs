//! Two and three members over a wire that loses, repeats and reorders, with restarts.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use proptest::prelude::*;

use super::{
    super::Election,
    bench::{Member, at, mi},
};
use crate::mka::{Mi, Mn, Time, pdu::Mkpdu};

/// A wire between all, in steps of a millisecond, and every chance it takes.
#[derive(Debug)]
struct Wire {
    now: u64,
    seed: u64,
    /// Of a thousand copies.
    lost: u64,
    members: Vec<Member>,
    on_the_way: Vec<(u64, usize, Mkpdu)>,
    highest: BTreeMap<Mi, Mn>,
    sent: usize,
    /// What the next life's identifiers are made of: chance gives nobody the same twice.
    fresh: u8,
}

impl Wire {
    fn new(members: u8, seed: u64) -> Self {
        Self {
            now: 0,
            seed,
            lost: 0,
            members: Vec::new(),
            on_the_way: Vec::new(),
            highest: BTreeMap::new(),
            sent: 0,
            fresh: 10,
        }
        .with(members)
    }

    fn with(mut self, members: u8) -> Self {
        for number in 1..=members {
            let mut member = Member::new(number);
            member.chance.next = Some(self.fresh());
            self.members.push(member);
        }
        self
    }

    /// Room for the identifiers that one life may pick.
    fn fresh(&mut self) -> u8 {
        let fresh = self.fresh;
        self.fresh += 10;
        fresh
    }

    /// A number below `end` (splitmix64).
    fn chance(&mut self, end: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    /// Puts up to two copies on the way to each other member, each with its own delay.
    fn broadcast(&mut self, from: usize, pdu: &Mkpdu) {
        let basic = &pdu.basic;
        let before = self.highest.insert(basic.mi, basic.mn);
        assert!(
            before < Some(basic.mn),
            "numbers rise: {before:?} {basic:?}"
        );
        self.sent += 1;
        for to in (0..self.members.len()).filter(|to| *to != from) {
            let copies = if self.lost > 0 && self.chance(4) == 0 {
                2
            } else {
                1
            };
            for _ in 0..copies {
                if self.chance(1000) >= self.lost {
                    let delay = if self.lost > 0 { self.chance(300) } else { 1 };
                    self.on_the_way.push((self.now + delay, to, pdu.clone()));
                }
            }
        }
    }

    fn step(&mut self) {
        let now = at(self.now);
        let due = self
            .on_the_way
            .extract_if(.., |(when, ..)| *when <= self.now);
        for (_, to, pdu) in due.collect::<Vec<_>>() {
            let _ = self.members[to].hear(now, &pdu);
        }
        for from in 0..self.members.len() {
            self.members[from].expire(now);
            // As a KaY does: the bit says that it serves, or would.
            let member = &mut self.members[from];
            let elected = member.participant.elect(&member.policy);
            member.key.key_server = !matches!(elected, Election::Peer(_));
            if let Some(pdu) = member.send_if_due(now) {
                self.broadcast(from, &pdu);
            }
        }
        self.now += 1;
    }

    fn run(&mut self, ms: u64) {
        for _ in 0..ms {
            self.step();
        }
    }

    /// A member without memory in the place of this one.
    fn restart(&mut self, which: usize) {
        let number = u8::try_from(which + 1).unwrap();
        let fresh = self.fresh();
        self.members[which] = Member::again(at(self.now), number, mi(fresh), Mn(1));
        self.members[which].chance.next = Some(fresh + 1);
    }

    /// A member that remembers in the place of this one, from a copy that may be old.
    fn resume(&mut self, which: usize, mn: Mn) {
        let number = u8::try_from(which + 1).unwrap();
        let identifier = self.members[which].participant.mi();
        self.members[which] = Member::again(at(self.now), number, identifier, mn);
        self.members[which].chance.next = Some(self.fresh());
        self.highest.insert(identifier, Mn(mn.0 - 1));
    }

    /// Whether everyone has exactly everyone else as live peers, and all elect the same.
    fn agrees(&self) -> bool {
        let all: Vec<Mi> = self.members.iter().map(|m| m.participant.mi()).collect();
        let mut servers = Vec::new();
        for member in &self.members {
            let own = member.participant.mi();
            let mut seen = member.live();
            seen.push(own);
            seen.sort_unstable();
            let mut expected = all.clone();
            expected.sort_unstable();
            if seen != expected {
                return false;
            }
            servers.push(match member.participant.elect(&member.policy) {
                Election::Us => own,
                Election::Peer(mi) => mi,
                Election::Nobody => return false,
            });
        }
        servers.windows(2).all(|pair| pair[0] == pair[1])
    }

    /// Milliseconds until all agree, at most so many.
    fn agreed_within(&mut self, ms: u64) -> Option<u64> {
        (0..=ms).find(|_| {
            let agrees = self.agrees();
            if !agrees {
                self.step();
            }
            agrees
        })
    }
}

#[test]
fn members_that_start_together_agree_within_a_quarter_of_a_second() {
    for members in [2, 3, 8] {
        let mut wire = Wire::new(members, 1);
        let agreed = wire.agreed_within(250);
        assert!(agreed.is_some(), "{members}: {:?}", wire.members[0].live());
    }
}

#[test]
fn a_member_that_comes_late_is_in_at_once() {
    let mut wire = Wire::new(3, 1);
    wire.agreed_within(1000).unwrap();
    wire.run(10_337);
    wire.restart(2);
    assert!(wire.agreed_within(100).is_some());
}

#[test]
fn a_member_that_remembers_is_never_missed() {
    let mut wire = Wire::new(2, 1);
    wire.agreed_within(1000).unwrap();
    wire.run(10_000);
    let reserved = Mn(wire.members[1].participant.next_mn().0 + 64);
    wire.members[0].told();
    wire.resume(1, reserved);
    assert!(wire.agreed_within(100).is_some());
    wire.run(20_000);
    assert!(wire.agrees());
    assert_eq!(wire.members[0].told(), []);
}

#[test]
fn a_member_with_an_old_memory_finds_out() {
    let mut wire = Wire::new(2, 1);
    wire.agreed_within(1000).unwrap();
    let old = wire.members[1].participant.next_mn();
    wire.run(10_000);
    let (before, highest) = (wire.members[1].participant.mi(), wire.highest.clone());
    wire.resume(1, old);
    assert!(wire.agreed_within(3000).is_some());
    assert_ne!(wire.members[1].participant.mi(), before);
    assert!(highest[&before] > old, "the copy was old");
}

#[test]
fn the_loss_of_one_direction_is_found_by_both_ends() {
    let mut wire = Wire::new(2, 1);
    wire.agreed_within(1000).unwrap();
    wire.run(5000);
    for _ in 0..9000 {
        wire.on_the_way.retain(|(_, to, _)| *to != 1);
        wire.step();
    }
    assert_eq!(wire.members.each_ref_live(), [vec![], vec![]]);
    assert!(wire.agreed_within(2100).is_some());
}

trait EachLive {
    fn each_ref_live(&self) -> Vec<Vec<Mi>>;
}

impl EachLive for Vec<Member> {
    fn each_ref_live(&self) -> Vec<Vec<Mi>> {
        self.iter().map(Member::live).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Run(u64),
    Restart(usize),
    Resume(usize),
    OldCopy(usize),
    LinkUp(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..3_usize;
    prop_oneof![
        4 => (0..9000_u64).prop_map(Step::Run),
        1 => which.clone().prop_map(Step::Restart),
        1 => which.clone().prop_map(Step::Resume),
        1 => which.clone().prop_map(Step::OldCopy),
        1 => which.prop_map(Step::LinkUp),
    ]
}

fn play(wire: &mut Wire, steps: &[Step]) {
    let members = wire.members.len();
    for step in steps {
        match *step {
            Step::Run(ms) => wire.run(ms),
            Step::Restart(which) => wire.restart(which % members),
            Step::Resume(which) => {
                let member = &wire.members[which % members];
                let reserved = member.participant.next_mn().0 + 64;
                wire.resume(which % members, Mn(reserved));
            }
            Step::OldCopy(which) => {
                let member = &wire.members[which % members];
                let old = member.participant.next_mn().0.saturating_sub(7).max(1);
                wire.resume(which % members, Mn(old));
            }
            Step::LinkUp(which) => {
                let now: Time = at(wire.now);
                wire.members[which % members].participant.link_up(now);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happened before, a wire that loses nothing more brings all to agree within the life time
    /// of what is left of the dead.
    #[test]
    fn once_the_loss_ends_all_agree(
        members in 2..4_u8,
        seed in any::<u64>(),
        lost in 0..500_u64,
        steps in prop::collection::vec(step(), 0..8),
    ) {
        let mut wire = Wire::new(members, seed);
        wire.lost = lost;
        play(&mut wire, &steps);
        wire.lost = 0;
        let sent = wire.sent;
        let (before, budget) = (wire.now, 12_000);
        let agreed = wire.agreed_within(budget);
        prop_assert!(agreed.is_some(), "{:?}", wire.members.each_ref_live());
        // And it stays so, with hellos only.
        wire.run(10_000);
        prop_assert!(wire.agrees());
        let ms = usize::try_from(wire.now - before).unwrap();
        let bound = usize::from(members) * (16 + ms / 100 + 8);
        prop_assert!(wire.sent - sent <= bound, "{} in {ms} ms", wire.sent - sent);
    }
}
