//! Frames that a SecY can't or must not carry, and parameters that it can't work with.

use macsec_gateway::ieee::{An, CipherSuite, KeyIdentifier, MacAddr, Pn, Sci};
use macsec_gateway::macsec::{
    Confidentiality, ParamError, Reject, Replay, RxSa, SectagSci, TxSa, TxSaShared, ValidateFrames,
};

use crate::bed::{AN, Channel, KI, counting, key, longest};
use crate::frame::VecFrame;

#[test]
fn without_an_sa_nothing_is_sent() {
    let channel = Channel::default();
    let mut tx = channel.tx();
    assert!(tx.secy.retire_sa(AN, KI).is_some());
    assert_eq!(tx.secy.encoding(), None);
    let frame = VecFrame::new(&counting(80, 0));
    assert_eq!(tx.refuse(frame), Reject::NoTxSa);
}

#[test]
fn what_is_no_frame_or_has_no_room() {
    let channel = Channel::default();
    let mut tx = channel.tx();
    let given = counting(80, 0);
    for len in 0..14 {
        assert_eq!(tx.refuse(VecFrame::new(&given[..len])), Reject::Runt);
    }
    assert_eq!(tx.refuse(VecFrame::chained(&given)), Reject::Chained);
    for (head, tail) in [(15, 16), (16, 15), (0, 16), (16, 0)] {
        let frame = VecFrame::with_room(&given, head, tail);
        assert_eq!(tx.refuse(frame), Reject::NoRoom, "{head} {tail}");
    }
    let short = VecFrame::with_room(&given[..20], 16, 16 + 39);
    assert_eq!(tx.refuse(short), Reject::NoRoom);
    assert_eq!(tx.next_pn(), 1, "no number was spent on them");
    let mut just = [VecFrame::with_room(&given, 16, 16)];
    assert_eq!(tx.burst(&mut just).reject_of(0), None);
}

#[test]
fn what_is_no_frame_or_has_no_room_on_receive() {
    let channel = Channel::default();
    let mut tx = channel.tx();
    let mut rx = channel.rx();
    let secured = tx.protect(&counting(80, 0));
    for len in 0..14 {
        assert_eq!(rx.validate(&secured[..len]), Err(Reject::Runt));
    }
    for len in 14..16 + 12 + 48 + 16 {
        assert_eq!(rx.validate(&secured[..len]), Err(Reject::BadTag), "{len}");
    }
    let mut chained = [VecFrame::chained(&secured)];
    assert_eq!(rx.burst(&mut chained).reject_of(0), Some(Reject::Chained));
    assert!(rx.validate(&secured).is_ok());
}

/// A frame that can't be padded to Ethernet's minimum is not delivered short.
#[test]
fn no_room_to_pad_is_an_overrun() {
    use macsec_gateway::macsec::TxSecy;

    let channel = Channel::default();
    let mut secy = TxSecy::new(channel.tx_params()).with_min_plain_frame(0);
    let sa = TxSa::new(channel.tx_sa_params(AN, KI, key(channel.suite, 0))).unwrap();
    secy.install_sa(Box::new(sa));
    secy.encode_with(AN, KI);
    let secured = crate::bed::Tx::new(secy).protect(&counting(20, 0));
    let mut rx = channel.rx();
    let mut frames = [VecFrame::with_room(&secured, 0, 10)];
    assert_eq!(rx.burst(&mut frames).reject_of(0), Some(Reject::NoRoom));
    assert_eq!(rx.secy.counters().in_pkts_overrun.value(), 1);
}

/// A peer that was told of a longer MTU.
fn generous_tx(channel: &Channel) -> crate::bed::Tx {
    use macsec_gateway::macsec::{TxParams, TxSecy};

    let params = TxParams {
        mtu: 20_000,
        ..channel.tx_params()
    };
    let mut secy = TxSecy::new(params);
    let sa = TxSa::new(channel.tx_sa_params(AN, KI, key(channel.suite, 0))).unwrap();
    secy.install_sa(Box::new(sa));
    secy.encode_with(AN, KI);
    crate::bed::Tx::new(secy)
}

#[test]
fn too_long_on_receive() {
    for validate in [ValidateFrames::Strict, ValidateFrames::Check] {
        for clear_vlan_tags in 0..=2 {
            for sectag_sci in [SectagSci::Explicit, SectagSci::None] {
                let channel = Channel {
                    validate,
                    clear_vlan_tags,
                    sectag_sci,
                    ..Channel::default()
                };
                let mut tx = generous_tx(&channel);
                let mut rx = channel.rx();
                for tags in 0..=3 {
                    let fits = counting(longest(tags), tags);
                    assert_eq!(rx.validate(&tx.protect(&fits)), Ok(fits));
                    let long = counting(longest(tags) + 1, tags);
                    let verdict = rx.validate(&tx.protect(&long));
                    assert_eq!(verdict, Err(Reject::TooLong), "{tags} tags");
                }
            }
        }
    }
}

#[test]
fn too_long_in_the_clear() {
    let channel = Channel {
        validate: ValidateFrames::Check,
        ..Channel::default()
    };
    let mut rx = channel.rx();
    for tags in 0..=3 {
        let fits = counting(longest(tags), tags);
        assert_eq!(rx.validate(&fits), Ok(fits));
        let long = counting(longest(tags) + 1, tags);
        assert_eq!(rx.validate(&long), Err(Reject::TooLong), "{tags} tags");
    }
}

/// A driver may have cut it: no key is asked and no counter of the channel moves.
#[test]
fn longer_than_any_secure_frame_of_the_link_is_refused_before_all_else() {
    for validate in [ValidateFrames::Strict, ValidateFrames::Check] {
        let channel = Channel {
            validate,
            ..Channel::default()
        };
        let mut tx = generous_tx(&channel);
        let mut rx = channel.rx();
        let secure_longest = longest(2) + 32;
        let mut cut = tx.protect(&counting(12_000, 2));
        cut.truncate(secure_longest + 1);
        assert_eq!(rx.validate(&cut), Err(Reject::TooLong));
        let unknown = counting(secure_longest + 1, 0);
        assert_eq!(rx.validate(&unknown), Err(Reject::TooLong));
        // One octet less and the ICV says what it is.
        cut.truncate(secure_longest);
        assert_eq!(rx.validate(&cut), Err(Reject::NotValid));
        let decrypted = rx.secy.scs()[0].counters().in_octets_decrypted.value();
        assert_eq!(decrypted, (secure_longest - 12 - 32) as u64);
    }
}

#[test]
fn a_foreign_source_can_not_use_a_channel_that_is_not_told() {
    for sectag_sci in [
        SectagSci::EndStation,
        SectagSci::SingleCopyBroadcast,
        SectagSci::None,
        SectagSci::Explicit,
    ] {
        let channel = Channel {
            sectag_sci,
            ..Channel::default()
        };
        let mut tx = channel.tx();
        let mut foreign = counting(80, 0);
        foreign[11] ^= 1;
        if sectag_sci == SectagSci::Explicit {
            let secured = tx.protect(&foreign);
            assert_eq!(channel.rx().validate(&secured), Ok(foreign));
        } else {
            let frame = VecFrame::new(&foreign);
            assert_eq!(tx.refuse(frame), Reject::ForeignSource, "{sectag_sci:?}");
        }
    }
}

#[test]
fn suite_and_parameters_must_agree() {
    let xpn = Channel {
        suite: CipherSuite::GcmAesXpn128,
        ..Channel::default()
    };
    let short = Channel::default();
    let refused = |channel: &Channel, change: &dyn Fn(&mut macsec_gateway::macsec::TxSaParams)| {
        let mut params = channel.tx_sa_params(AN, KI, key(channel.suite, 0));
        change(&mut params);
        TxSa::new(params).unwrap_err()
    };
    let suite = CipherSuite::GcmAesXpn128;
    assert_eq!(
        refused(&xpn, &|p| p.xpn = None),
        ParamError::XpnParamsMissing { suite }
    );
    assert_eq!(
        refused(&xpn, &|p| p.confidentiality = Confidentiality::Offset30),
        ParamError::OffsetWithXpn { offset: 30 }
    );
    assert_eq!(
        refused(&xpn, &|p| p.next_pn = Pn(u64::MAX)),
        ParamError::FirstPn {
            found: u64::MAX,
            last: u64::MAX - 1
        }
    );
    let suite = CipherSuite::GcmAes128;
    assert_eq!(
        refused(&short, &|p| p.xpn = xpn.xpn()),
        ParamError::XpnParamsUnwanted { suite }
    );
    for pn in [0, 1 << 32] {
        assert_eq!(
            refused(&short, &|p| p.next_pn = Pn(pn)),
            ParamError::FirstPn {
                found: pn,
                last: 0xffff_ffff
            }
        );
    }
    let mut params = short.rx_sa_params(AN, KI, key(short.suite, 0));
    params.duplicate_depth = 100;
    assert_eq!(
        RxSa::new(params).unwrap_err(),
        ParamError::DuplicateDepth { found: 100 }
    );
}

#[test]
fn parameters_of_a_secy() {
    let channel = Channel::default();
    let mut tx = channel.tx_params();
    assert_eq!(tx.check(), Ok(()));
    tx.clear_vlan_tags = 3;
    assert_eq!(tx.check(), Err(ParamError::ClearVlanTags { found: 3 }));
    tx.clear_vlan_tags = 2;
    tx.sectag_sci = SectagSci::EndStation;
    assert_eq!(
        tx.check(),
        Err(ParamError::SciPort {
            found: 0x1234,
            wanted: 1
        })
    );
    let mut rx = channel.rx_params();
    assert_eq!(rx.check(), Ok(()));
    rx.duplicate_depth = 0;
    assert_eq!(rx.check(), Err(ParamError::DuplicateDepth { found: 0 }));
    let wide = Replay::Window(1 << 30);
    assert_eq!(wide.check(CipherSuite::GcmAes256), Ok(()));
    assert_eq!(
        wide.check(CipherSuite::GcmAesXpn256),
        Err(ParamError::Window {
            window: 1 << 30,
            most: (1 << 30) - 1
        })
    );
    assert!(ParamError::SharedInUse.to_string().contains("a new one"));
}

/// The shared part of a used SA can't carry a second one: its numbers are spent.
#[test]
fn a_used_sa_can_not_be_built_again() {
    let channel = Channel::default();
    let shared = TxSaShared::new(Pn(100));
    let build = || {
        let mut params = channel.tx_sa_params(AN, KI, key(channel.suite, 0));
        params.shared = std::sync::Arc::clone(&shared);
        TxSa::new(params)
    };
    drop(build().unwrap());
    assert_eq!(build().unwrap_err(), ParamError::SharedInUse);
}

#[test]
fn an_sa_that_does_not_belong_here_comes_back() {
    let channel = Channel::default();
    let foreign = Sci::new(MacAddr([2, 0, 0, 0, 0, 0x99]), 1);
    let ki = KeyIdentifier([9; 16]);

    let mut tx = channel.tx();
    let mut params = channel.tx_sa_params(An::ALL[2], ki, key(channel.suite, 1));
    params.sci = foreign;
    let back = tx.secy.install_sa(Box::new(TxSa::new(params).unwrap()));
    assert_eq!(back.map(|sa| sa.ki()), Some(ki));
    assert!(!tx.secy.encode_with(An::ALL[2], ki));
    assert_eq!(tx.secy.encoding(), Some((AN, KI)));

    let mut rx = channel.rx();
    let sa = |sci, depth| {
        let mut params = channel.rx_sa_params(An::ALL[2], ki, key(channel.suite, 1));
        params.sci = sci;
        params.duplicate_depth = depth;
        Box::new(RxSa::new(params).unwrap())
    };
    let depth = channel.rx_params().duplicate_depth;
    assert!(
        rx.secy.install_sa(foreign, sa(foreign, depth)).is_err(),
        "no channel"
    );
    assert!(
        rx.secy
            .install_sa(channel.sci(), sa(foreign, depth))
            .is_err()
    );
    assert!(
        rx.secy
            .install_sa(channel.sci(), sa(channel.sci(), 64))
            .is_err()
    );
    assert!(
        rx.secy
            .install_sa(channel.sci(), sa(channel.sci(), depth))
            .is_ok()
    );
}

#[test]
fn nothing_prints_a_key() {
    let channel = Channel::default();
    let params = channel.tx_sa_params(AN, KI, key(channel.suite, 0));
    assert!(format!("{params:?}").contains("secret"));
    assert!(format!("{:?}", TxSa::new(params).unwrap()).contains("secret"));
    let params = channel.rx_sa_params(AN, KI, key(channel.suite, 0));
    assert!(format!("{params:?}").contains("secret"));
    assert!(format!("{:?}", RxSa::new(params).unwrap()).contains("secret"));
}
