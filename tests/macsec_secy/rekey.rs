//! A change of key loses no frame, and a late command does no harm.

use std::sync::Arc;

use macsec_gateway::ieee::{An, CipherSuite, KeyIdentifier};
use macsec_gateway::macsec::{Confidentiality, FrameBuf, Reject, Replay, RxSa, RxSaShared, TxSa};

use crate::bed::{AN, Channel, KI, counting, key, watched};
use crate::frame::VecFrame;

fn ki(nth: u8) -> KeyIdentifier {
    KeyIdentifier([nth; 16])
}

#[test]
fn a_hundred_changes_of_an_lose_no_frame() {
    let channel = Channel {
        suite: CipherSuite::GcmAesXpn256,
        replay: Replay::Strict,
        ..Channel::default()
    };
    let (mut tx, mut rx) = (channel.tx(), channel.rx());
    let given = counting(80, 0);
    // Frames that are under way while both ends change.
    let mut wire: Vec<VecFrame> = Vec::new();
    let mut delivered = 0;
    let (mut old_an, mut old_ki) = (AN, KI);
    for nth in 1..=100u8 {
        let (an, new_ki) = (old_an.next(), ki(nth));
        let key = key(channel.suite, nth);
        rx.install(RxSa::new(channel.rx_sa_params(an, new_ki, Arc::clone(&key))).unwrap());
        let sa = TxSa::new(channel.tx_sa_params(an, new_ki, watched(key))).unwrap();
        assert!(tx.secy.install_sa(Box::new(sa)).is_none());

        let mut burst = vec![VecFrame::new(&given); 7];
        assert_eq!(tx.burst(&mut burst).passed().len(), 7);
        wire.append(&mut burst);
        assert!(tx.secy.encode_with(an, new_ki));
        let mut burst = vec![VecFrame::new(&given); 5];
        assert_eq!(tx.burst(&mut burst).passed().len(), 5);
        assert!(tx.secy.retire_sa(old_an, old_ki).is_some());
        wire.append(&mut burst);

        // One burst holds frames of both keys.
        assert_eq!(rx.burst(&mut wire).passed().len(), 12);
        assert!(wire.iter().all(|frame| frame.octets() == given));
        delivered += wire.drain(..).len();
        assert!(rx.secy.retire_sa(channel.sci(), old_an, old_ki).is_some());
        (old_an, old_ki) = (an, new_ki);
    }
    assert_eq!(delivered, 1200);
    assert_eq!(rx.scs[0].in_pkts_ok.value(), 1200);
    assert_eq!(tx.secy.counters().out_pkts_encrypted.value(), 1200);
}

/// MKA may agree on another suite or protection with each key; a SecY takes them as they come.
#[test]
fn a_change_of_suite_and_protection_on_a_live_channel_loses_no_frame() {
    let each = CipherSuite::ALL.into_iter().flat_map(|suite| {
        let offsets = [Confidentiality::Offset30, Confidentiality::Offset50];
        [Confidentiality::IntegrityOnly, Confidentiality::Offset0]
            .into_iter()
            .chain(offsets.into_iter().filter(move |_| !suite.is_xpn()))
            .map(move |confidentiality| (suite, confidentiality))
    });
    let mut channel = Channel {
        replay: Replay::Strict,
        ..Channel::default()
    };
    let (mut tx, mut rx) = (channel.tx(), channel.rx());
    let given = counting(200, 0);
    let (mut old_an, mut old_ki, mut changes) = (AN, KI, 0);
    for (nth, (suite, confidentiality)) in (1..).zip(each) {
        (channel.suite, channel.confidentiality) = (suite, confidentiality);
        let (an, new_ki) = (old_an.next(), ki(nth));
        let key = key(suite, nth);
        rx.install(RxSa::new(channel.rx_sa_params(an, new_ki, Arc::clone(&key))).unwrap());
        let before = tx.next_pn();
        let sa = TxSa::new(channel.tx_sa_params(an, new_ki, watched(key))).unwrap();
        assert!(tx.secy.install_sa(Box::new(sa)).is_none());
        assert_eq!(tx.next_pn(), before, "the SA in use is left alone");
        let mut wire = vec![VecFrame::new(&given); 9];
        assert_eq!(tx.burst(&mut wire[..4]).passed().len(), 4);
        assert!(tx.secy.encode_with(an, new_ki));
        assert_eq!(tx.burst(&mut wire[4..]).passed().len(), 5);
        let clear = wire[8].octets()[28..].starts_with(&given[12..]);
        assert_eq!(clear, confidentiality == Confidentiality::IntegrityOnly);
        assert_eq!(rx.burst(&mut wire).passed().len(), 9);
        assert!(wire.iter().all(|frame| frame.octets() == given));
        assert!(tx.secy.retire_sa(old_an, old_ki).is_some());
        assert!(rx.secy.retire_sa(channel.sci(), old_an, old_ki).is_some());
        (old_an, old_ki) = (an, new_ki);
        changes += 1;
    }
    assert_eq!(changes, 12);
    assert_eq!(rx.scs[0].in_pkts_ok.value(), 9 * 12);
}

/// Volume is counted per key: user data that was sealed, or found valid.
#[test]
fn an_sa_tells_the_octets_that_it_carried() {
    for confidentiality in [Confidentiality::Offset0, Confidentiality::IntegrityOnly] {
        let channel = Channel {
            confidentiality,
            ..Channel::default()
        };
        let (mut tx, mut rx) = (channel.tx(), channel.rx());
        let tx_shared = Arc::clone(tx.secy.sa(AN).unwrap().shared());
        let shared = RxSaShared::new();
        let mut params = channel.rx_sa_params(AN, KI, key(channel.suite, 0));
        params.shared = Arc::clone(&shared);
        rx.install(RxSa::new(params).unwrap());
        let given = counting(112, 0);
        let mut secured = tx.protect(&given);
        tx.refuse(VecFrame::new(&given[..9]));
        assert_eq!((tx_shared.octets(), shared.octets()), (100, 0));
        rx.validate(&secured).unwrap();
        assert_eq!(shared.octets(), 100);
        *secured.last_mut().unwrap() ^= 1;
        secured[19] ^= 7; // Another number, so that it is not a duplicate.
        assert_eq!(rx.validate(&secured), Err(Reject::NotValid));
        assert_eq!(shared.octets(), 100);
    }
}

#[test]
fn a_command_for_the_last_key_does_not_hit_the_next() {
    let channel = Channel::default();
    let (mut tx, mut rx) = (channel.tx(), channel.rx());
    let new = ki(2);
    let sa = TxSa::new(channel.tx_sa_params(AN, new, watched(key(channel.suite, 1)))).unwrap();
    let old = tx.secy.install_sa(Box::new(sa));
    assert_eq!(old.map(|sa| sa.ki()), Some(KI));
    assert_eq!(tx.secy.encoding(), None, "the SA that protected is gone");
    assert!(!tx.secy.encode_with(AN, KI), "a stale key is not chosen");
    assert!(tx.secy.encode_with(AN, new));
    assert!(tx.secy.retire_sa(AN, KI).is_none());
    assert!(tx.secy.retire_sa(An::ALL[2], new).is_none());
    assert_eq!(tx.secy.encoding(), Some((AN, new)));

    let sa = RxSa::new(channel.rx_sa_params(AN, new, key(channel.suite, 1))).unwrap();
    assert_eq!(rx.install(sa).map(|sa| sa.ki()), Some(KI));
    assert!(rx.secy.retire_sa(channel.sci(), AN, KI).is_none());
    let given = counting(80, 0);
    assert_eq!(rx.validate(&tx.protect(&given)), Ok(given));
    assert!(rx.secy.retire_sa(channel.sci(), AN, new).is_some());
}

/// Retiring an SA that does not protect leaves the one that does.
#[test]
fn retiring_another_sa_changes_nothing_for_the_one_in_use() {
    let channel = Channel::default();
    let mut tx = channel.tx();
    let an = AN.next();
    let sa = TxSa::new(channel.tx_sa_params(an, ki(2), key(channel.suite, 1))).unwrap();
    tx.secy.install_sa(Box::new(sa));
    assert!(tx.secy.retire_sa(an, ki(2)).is_some());
    assert_eq!(tx.secy.encoding(), Some((AN, KI)));
    tx.protect(&counting(80, 0));
}

#[test]
fn counters_outlive_the_channel() {
    let channel = Channel::default();
    let given = counting(80, 0);
    let (mut tx, mut rx) = (channel.tx(), channel.rx());
    let secured = tx.protect(&given);
    assert!(rx.validate(&secured).is_ok());
    let counters = Arc::clone(&rx.scs[0]);
    let retired = rx.secy.remove_sc(channel.sci());
    assert_eq!(retired.iter().flatten().count(), 1);
    assert_eq!(rx.validate(&secured), Err(Reject::NoSci));
    assert!(
        rx.secy
            .add_sc_with(channel.sci(), Arc::clone(&counters))
            .is_ok()
    );
    assert!(
        rx.secy
            .add_sc_with(channel.sci(), Arc::clone(&counters))
            .is_err()
    );
    for sa in retired.into_iter().flatten() {
        assert!(rx.secy.install_sa(channel.sci(), sa).unwrap().is_none());
    }
    assert!(rx.validate(&tx.protect(&given)).is_ok());
    assert_eq!(counters.in_pkts_ok.value(), 2);
    assert!(Arc::ptr_eq(&rx.secy.add_sc(channel.sci()), &counters));
}
