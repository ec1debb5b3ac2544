//! A client before a key server that does right, and wrong.

use super::{
    bed::{ms, policy},
    played::Played,
};
use crate::{
    crypto::UnwrapError,
    ieee::{CipherSuite, MacAddr, Sci},
    mka::{
        Event, LostWhy, NewMiWhy, Protection, SakRefusal, SsciRule,
        pdu::{DistributedSak, SuiteField},
    },
};

const SHORT: CipherSuite = CipherSuite::GcmAes128;

#[test]
fn a_key_is_received_with_first_and_transmitted_with_once_the_server_does() {
    let mut server = Played::server();
    let key = server.key(1, 0, SHORT);
    server.give(&key, false);
    assert_eq!(server.uses(), [(1, 0, true, false)]);
    server.stay(8000, |_| {});
    assert_eq!(
        server.uses(),
        [(1, 0, true, false)],
        "never before its server"
    );
    assert_eq!(server.bed.cp(0), "READY");
    server.give(&key, true);
    assert_eq!(server.uses(), [(1, 0, true, true)]);
    assert_eq!(server.bed.cp(0), "RETIRE");
    assert!(server.node().secured());
    assert_eq!(server.refusals(), []);
}

#[test]
fn a_server_that_transmits_at_once_and_keeps_its_key_in_the_old_slot_is_understood() {
    let mut server = Played::server();
    let key = server.key(1, 0, SHORT);
    // Without SAK Use, as wpa_supplicant's first one is.
    server
        .say(|pdu| pdu.distributed_sak = Some(DistributedSak::Key(key.clone())))
        .unwrap();
    assert_eq!(server.uses(), [(1, 0, true, false)]);
    let said = server.sak_use(1, 0, true);
    server
        .say(|pdu| {
            let mut said = said;
            core::mem::swap(&mut said.latest, &mut said.old);
            pdu.sak_use = Some(said);
        })
        .unwrap();
    assert_eq!(server.uses(), [(1, 0, true, true)]);
    assert!(server.node().secured());
}

#[test]
fn a_new_key_is_taken_while_the_old_one_is_used_and_the_old_one_goes_after_its_time() {
    let mut server = Played::server();
    let (first, second) = (server.key(1, 0, SHORT), server.key(2, 1, SHORT));
    server.give(&first, true);
    server.stay(4000, |_| {});
    server.give(&second, false);
    assert_eq!(server.uses(), [(2, 1, true, false), (1, 0, true, true)]);
    assert_eq!(server.node().plane.in_use, Some(server.id(1, 0)));
    server.give(&second, true);
    assert_eq!(server.node().plane.in_use, Some(server.id(2, 1)));
    assert_eq!(server.uses(), [(2, 1, true, true), (1, 0, true, false)]);
    let said = server.sak_use(2, 1, true);
    server.stay(4000, |pdu| pdu.sak_use = Some(said));
    assert_eq!(server.uses(), [(2, 1, true, true)]);
    assert_eq!(server.node().plane.tx.len(), 1);
    assert_eq!(
        server.node().had(|event| matches!(event, Event::Lost(_))),
        0
    );
}

#[test]
fn what_the_policy_does_not_allow_is_refused_once_and_told_by_its_reason() {
    let refused = |change: fn(&mut Played) -> DistributedSak| {
        let mut server = Played::server();
        let wrong = change(&mut server);
        for _ in 0..3 {
            server
                .say(|pdu| pdu.distributed_sak = Some(wrong.clone()))
                .unwrap();
        }
        assert!(server.node().plane.rx.is_empty());
        let counters = server.node().kay.status(server.bed.now).counters;
        let counted =
            counters.saks_refused + counters.sak_suite_errors + counters.sak_unwrap_errors;
        assert_eq!(counted, 1);
        // A right one is taken all the same.
        let right = server.key(7, 2, SHORT);
        server.give(&right, true);
        assert!(server.node().secured());
        let refusals = server.refusals();
        assert_eq!(refusals.len(), 1);
        refusals[0]
    };
    assert_eq!(refused(|_| DistributedSak::NoMacsec), SakRefusal::NoMacsec);
    assert_eq!(
        refused(|server| {
            let mut key = server.key(1, 0, CipherSuite::GcmAes256);
            key.suite = SuiteField::Known(CipherSuite::GcmAes256);
            DistributedSak::Key(key)
        }),
        SakRefusal::Suite
    );
    assert_eq!(
        refused(|server| {
            let mut key = server.key(1, 0, SHORT);
            key.suite = SuiteField::Unknown([9; 8]);
            DistributedSak::Key(key)
        }),
        SakRefusal::Suite
    );
    assert_eq!(
        refused(|server| {
            let mut key = server.key(1, 0, SHORT);
            key.protection = Protection::IntegrityOnly;
            DistributedSak::Key(key)
        }),
        SakRefusal::IntegrityOnly
    );
    assert_eq!(
        refused(|server| {
            let mut key = server.key(1, 0, SHORT);
            key.protection = Protection::Offset30;
            DistributedSak::Key(key)
        }),
        SakRefusal::Protection
    );
    assert_eq!(
        refused(|server| {
            let mut key = server.key(1, 0, SHORT);
            key.wrapped[5] ^= 1;
            DistributedSak::Key(key)
        }),
        SakRefusal::Unwrap(UnwrapError::Check)
    );
}

#[test]
fn integrity_only_is_taken_where_that_is_what_is_wanted_and_encryption_is_not() {
    let mut wanted = policy(9);
    wanted.protection = Protection::IntegrityOnly;
    let mut server = Played::new(wanted, 1);
    server.say(|_| {}).unwrap();
    let mut key = server.key(1, 0, SHORT);
    server.give(&key, true);
    assert_eq!(server.refusals(), [SakRefusal::Protection]);
    key.protection = Protection::IntegrityOnly;
    server.give(&key, true);
    assert!(server.node().secured());
}

#[test]
fn macsec_ends_by_the_servers_word_where_the_policy_takes_it() {
    let mut trusting = policy(9);
    trusting.accept_no_macsec = true;
    let mut server = Played::new(trusting, 1);
    server.say(|_| {}).unwrap();
    let key = server.key(1, 0, SHORT);
    server.give(&key, true);
    assert!(server.node().secured());
    server
        .say(|pdu| pdu.distributed_sak = Some(DistributedSak::NoMacsec))
        .unwrap();
    assert!(!server.node().secured());
    assert_eq!(server.bed.cp(0), "AUTHENTICATED");
    assert!(server.node().plane.tx.is_empty() && server.node().plane.rx.is_empty());
    let lost = |event: &Event| *event == Event::Lost(LostWhy::NoMacsec);
    assert_eq!(server.node().had(lost), 1);
    assert_eq!(
        server
            .node()
            .had(|event| matches!(event, Event::NoMacsec { .. })),
        1
    );
    let next = server.key(2, 1, SHORT);
    server.give(&next, true);
    assert!(server.node().secured());
}

#[test]
fn a_key_is_not_taken_a_second_time_nor_another_one_under_its_name() {
    let mut server = Played::server();
    let (first, second) = (server.key(4, 0, SHORT), server.key(5, 1, SHORT));
    server.give(&first, true);
    server.give(&second, true);
    let said = server.sak_use(5, 1, true);
    server.stay(4000, |pdu| pdu.sak_use = Some(said));
    let mut other = server.key(4, 2, SHORT);
    other.wrapped = server.key(77, 2, SHORT).wrapped;
    let mut standing = server.key(5, 1, SHORT);
    standing.wrapped = server.key(78, 1, SHORT).wrapped;
    for wrong in [first, server.key(5, 3, SHORT), other, standing] {
        server.give(&wrong, false);
        assert_eq!(server.node().plane.in_use, Some(server.id(5, 1)));
        assert_eq!(server.node().plane.rx.len(), 1);
    }
    let refusals = server.refusals();
    assert!(refusals.len() >= 2 && refusals.iter().all(|why| *why == SakRefusal::Reused));
    // One that was never there may have an earlier number: its server counts from an old memory.
    let earlier = server.key(3, 2, SHORT);
    server.give(&earlier, true);
    assert_eq!(server.node().plane.in_use, Some(server.id(3, 2)));
}

#[test]
fn a_server_may_not_put_a_new_key_under_the_number_of_the_one_in_use_but_one_that_started_over_may()
{
    let mut server = Played::server();
    let first = server.key(1, 0, SHORT);
    server.give(&first, true);
    server.stay(1000, |_| {});
    let same_number = server.key(2, 0, SHORT);
    server.give(&same_number, true);
    assert_eq!(server.refusals(), [SakRefusal::Reused]);
    assert_eq!(server.node().plane.in_use, Some(server.id(1, 0)));
    server.mi = crate::mka::Mi([2; 12]);
    let again = server.key(1, 0, SHORT);
    server.listen(2500);
    server.say(|_| {}).unwrap();
    server.give(&again, true);
    server.give(&again, true);
    assert_eq!(server.node().plane.in_use, Some(server.id(1, 0)));
    assert!(server.node().secured());
}

#[test]
fn a_key_from_one_who_is_not_the_server_is_refused() {
    let mut peer = Played::client();
    let key = peer.key(1, 3, SHORT);
    peer.give(&key, true);
    assert_eq!(peer.refusals(), [SakRefusal::NotKeyServer]);
    assert!(!peer.node().plane.rx.keys().any(|(_, sa)| sa[0] == 3));
}

#[test]
fn a_key_in_a_mkpdu_that_does_not_name_us_is_not_for_us() {
    let mut server = Played::server();
    let key = server.key(1, 0, SHORT);
    server
        .say(|pdu| {
            pdu.distributed_sak = Some(DistributedSak::Key(key));
            pdu.potential = pdu.live.take();
        })
        .unwrap();
    assert!(server.node().plane.rx.is_empty());
    assert_eq!(server.refusals(), []);
}

#[test]
fn a_client_whose_server_counts_on_a_key_that_it_may_not_take_becomes_a_new_member() {
    let mut server = Played::server();
    let (first, second) = (server.key(4, 0, SHORT), server.key(5, 1, SHORT));
    server.give(&first, true);
    server.give(&second, true);
    let mi = server.heard.as_ref().unwrap().basic.mi;
    server.bed.run(ms(3500));
    let old = server.key(4, 2, SHORT);
    for _ in 0..6 {
        server.give(&old, true);
        server.listen(1000);
    }
    assert_ne!(server.heard.as_ref().unwrap().basic.mi, mi);
    let renewed = |event: &Event| {
        matches!(
            event,
            Event::NewMemberIdentifier {
                why: NewMiWhy::KeyLost,
                ..
            }
        )
    };
    assert_eq!(server.node().had(renewed), 1);
}

#[test]
fn a_peers_lowest_packet_number_is_enforced_where_either_end_wants_it_and_never_beyond_what_was_heard()
 {
    for (ours, theirs) in [(false, false), (false, true), (true, false)] {
        let mut bounded = policy(9);
        bounded.delay_protection = ours;
        let mut server = Played::new(bounded, 1);
        server.say(|_| {}).unwrap();
        let key = server.key(1, 0, SHORT);
        server.give(&key, true);
        let sa = super::plane::key(server.id(1, 0));
        let sci = server.sci.0;
        let rx = |server: &Played| server.node().plane.rx[&(sci, sa)].lowest;
        server.bed.nodes[0]
            .plane
            .rx
            .get_mut(&(sci, sa))
            .unwrap()
            .next_pn = 1000;
        let now = server.bed.now;
        server.bed.nodes[0].plane.progress(now);
        server.listen(1);
        let mut tell = |pn: u32| {
            let mut said = server.sak_use(1, 0, true);
            said.delay_protect = theirs;
            said.latest.as_mut().unwrap().lowest_pn = pn;
            server.say(|pdu| pdu.sak_use = Some(said)).unwrap();
            rx(&server)
        };
        let enforced = ours || theirs;
        assert_eq!(tell(900), if enforced { 900 } else { 1 });
        assert_eq!(tell(800), if enforced { 900 } else { 1 });
        assert_eq!(tell(5000), if enforced { 900 } else { 1 });
        server.listen(3000);
        let before = server.node().sent.len();
        server.listen(2000);
        let sent = server.node().sent.len() - before;
        assert_eq!(sent, if enforced { 4 } else { 1 }, "{ours} {theirs}");
    }
}

#[test]
fn a_forced_ssci_is_for_two_members_only() {
    let mut forced = policy(9);
    forced.ssci = SsciRule::Forced {
        own: crate::ieee::Ssci(7),
        peer: crate::ieee::Ssci(9),
    };
    let mut server = Played::new(forced, 1);
    server.say(|_| {}).unwrap();
    let key = server.key(1, 0, CipherSuite::GcmAesXpn256);
    server.give(&key, true);
    let rx = server.node().plane.rx.values().next().unwrap();
    assert_eq!(rx.ssci, Some(9));
    assert_eq!(
        server.node().plane.tx.values().next().unwrap().ssci,
        Some(7)
    );
    assert_eq!(Sci::new(MacAddr([2, 0, 0, 0, 0, 9]), 1), server.node().sci);
}

#[test]
fn a_key_that_could_not_be_installed_is_tried_again_with_its_repetition() {
    let mut server = Played::server();
    server.bed.nodes[0].plane.manner = super::plane::Manner::FailsInstalls;
    let key = server.key(1, 0, SHORT);
    server.give(&key, false);
    assert_eq!(server.uses(), []);
    assert_eq!(
        server
            .node()
            .had(|event| matches!(event, Event::InstallFailed(_))),
        2
    );
    server.bed.nodes[0].plane.manner = super::plane::Manner::Answers;
    server.listen(1100);
    server.give(&key, false);
    assert_eq!(server.uses(), [(1, 0, true, false)]);
    assert_eq!(server.refusals(), []);
}

#[test]
fn a_data_plane_that_never_answers_leaves_the_key_in_use() {
    let mut server = Played::server();
    let (first, second) = (server.key(1, 0, SHORT), server.key(2, 1, SHORT));
    server.give(&first, true);
    server.bed.nodes[0].plane.manner = super::plane::Manner::Silent;
    server.give(&second, false);
    assert_eq!(server.bed.cp(0), "RECEIVE");
    server.stay(7000, |_| {});
    assert_eq!(server.bed.cp(0), "ABANDON");
    assert_eq!(server.uses(), [(1, 0, true, true)]);
    assert!(server.node().secured());
}

#[test]
fn a_data_plane_that_does_not_say_that_it_transmits_is_told_to_go_back_to_the_old_key() {
    let mut server = Played::server();
    let (first, second) = (server.key(1, 0, SHORT), server.key(2, 1, SHORT));
    server.give(&first, true);
    server.give(&second, false);
    server.bed.nodes[0].plane.manner = super::plane::Manner::Silent;
    server.give(&second, true);
    assert_eq!(server.bed.cp(0), "TRANSMIT");
    assert_eq!(server.node().plane.in_use, Some(server.id(2, 1)));
    let said = server.sak_use(2, 1, true);
    server.stay(7000, |pdu| pdu.sak_use = Some(said));
    assert_eq!(server.bed.cp(0), "ABANDON");
    assert_eq!(server.node().plane.in_use, Some(server.id(1, 0)));
    // What may have been transmitted with is never taken again.
    server.give(&second, true);
    assert_eq!(server.refusals(), [SakRefusal::Reused]);
}
