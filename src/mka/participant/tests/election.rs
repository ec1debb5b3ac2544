//! Elections (802.1X-2020 9.5) against a slow model.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::{
    super::{Election, Peer, election::elect},
    bench::{at, from, met, mi, sci},
};
use crate::{
    ieee::{MacAddr, Sci},
    mka::Mi,
};

#[derive(Clone, Copy, Debug)]
struct Candidate {
    priority: u8,
    sci: Sci,
    stands: bool,
}

fn mi_of(place: usize) -> Mi {
    mi(u8::try_from(place).unwrap())
}

/// What the member at `own` finds.
fn found_by(own: usize, all: &[Candidate]) -> Election {
    let peers: Vec<Peer> = all
        .iter()
        .enumerate()
        .filter(|(place, _)| *place != own)
        .map(|(place, candidate)| {
            let mut pdu = from(0, 1);
            pdu.basic.mi = mi_of(place);
            pdu.basic.sci = candidate.sci;
            pdu.basic.priority = candidate.priority;
            pdu.basic.key_server = candidate.stands;
            Peer::new(at(0), candidate.sci.address(), &pdu)
        })
        .collect();
    elect((all[own].priority, all[own].sci), peers.iter())
}

/// What the member at `own` finds, with the winner's place among all.
fn place_found_by(own: usize, all: &[Candidate]) -> usize {
    match found_by(own, all) {
        Election::Us => own,
        Election::Peer(winner) => (0..all.len())
            .find(|place| mi_of(*place) == winner)
            .unwrap(),
        Election::Nobody => panic!("nobody among {}", all.len()),
    }
}

/// The place of the winner, by sorting everyone: priority first, then the eight octets of the SCI.
fn model(all: &[Candidate]) -> usize {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|place| (all[*place].priority, all[*place].sci.octets()));
    places[0]
}

fn candidate(priority: u8, number: u8, port: u16) -> Candidate {
    Candidate {
        priority,
        sci: Sci::new(MacAddr([2, 0, 0, 0, 0, number]), port),
        stands: true,
    }
}

#[test]
fn the_table() {
    let us = Election::Us;
    let peer = Election::Peer(mi(1));
    for (own, other, expected) in [
        (candidate(16, 1, 1), candidate(32, 2, 1), us),
        (candidate(32, 1, 1), candidate(16, 2, 1), peer),
        (candidate(16, 1, 1), candidate(16, 2, 1), us),
        (candidate(16, 2, 1), candidate(16, 1, 1), peer),
        (candidate(16, 1, 1), candidate(16, 1, 2), us),
        (candidate(16, 1, 2), candidate(16, 1, 1), peer),
        (candidate(0, 2, 1), candidate(255, 1, 1), us),
        (candidate(255, 1, 1), candidate(254, 2, 1), peer),
        (candidate(255, 1, 1), candidate(255, 2, 1), us),
        (candidate(255, 2, 1), candidate(255, 1, 1), peer),
    ] {
        assert_eq!(found_by(0, &[own, other]), expected, "{own:?} {other:?}");
    }
}

#[test]
fn a_peer_that_cleared_its_bit_does_not_serve_even_if_it_would_win() {
    let mut better = candidate(0, 1, 1);
    better.stands = false;
    let others = [candidate(255, 3, 1), better, candidate(255, 4, 1)];
    assert_eq!(found_by(0, &others), Election::Us);
}

#[test]
fn without_a_live_peer_nobody_serves() {
    assert_eq!(elect((0, sci(1)), [].iter()), Election::Nobody);
    let mut member = met(at(0), 1, 2);
    assert_eq!(member.participant.elect(&member.policy), Election::Us);
    member.hear(at(0), &from(3, 1)).unwrap();
    member.expire(at(6000));
    assert_eq!(member.participant.elect(&member.policy), Election::Nobody);
}

#[test]
fn potential_peers_do_not_stand() {
    let mut member = met(at(0), 5, 6);
    let mut best = from(1, 1);
    best.basic.priority = 0;
    member.hear(at(1), &best).unwrap();
    assert_eq!(member.participant.elect(&member.policy), Election::Us);
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    // Few values, so that ties are common; no SCI twice.
    let priority = prop_oneof![Just(0), Just(16), Just(254), Just(255), any::<u8>()];
    let one = (priority, 0..4_u8, 1..4_u16, any::<bool>());
    prop::collection::vec(one, 2..12).prop_map(|all| {
        let mut candidates: Vec<Candidate> = Vec::new();
        for (priority, number, port, stands) in all {
            let new = candidate(priority, number, port);
            if candidates.iter().all(|other| other.sci != new.sci) {
                candidates.push(Candidate { stands, ..new });
            }
        }
        candidates
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_members_agree_with_the_model(mut all in candidates()) {
        prop_assume!(all.len() >= 2);
        for member in &mut all {
            member.stands = true;
        }
        let expected = model(&all);
        for own in 0..all.len() {
            prop_assert_eq!(place_found_by(own, &all), expected);
        }
    }

    /// Each member sets its bit while it finds itself elected: from any bits they settle on the model's
    /// winner, whoever speaks first.
    #[test]
    fn from_any_bits_they_come_to_agree(
        mut all in candidates(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        prop_assume!(all.len() >= 2);
        let round: Vec<usize> = (0..all.len()).collect();
        let turns = order.iter().map(|index| index.index(all.len()));
        let turns: Vec<usize> = turns.chain(round.clone()).chain(round).collect();
        for own in turns {
            all[own].stands = found_by(own, &all) == Election::Us;
        }
        let expected = model(&all);
        for own in 0..all.len() {
            prop_assert_eq!(all[own].stands, own == expected);
            prop_assert_eq!(place_found_by(own, &all), expected);
        }
    }
}
