//! Values of every parameter set, as a sender can have them.

use alloc::vec;

use proptest::{array::uniform12, collection::vec, option, prelude::*};

use crate::{
    crypto::WrappedSak,
    ieee::{An, CipherSuite, Ckn, Sci},
    mka::{Kn, MAX_PEERS, Mi, Mn, Protection, pdu::*},
};

fn mi() -> impl Strategy<Value = Mi> {
    uniform12(any::<u8>()).prop_map(Mi)
}

pub(super) fn basic() -> impl Strategy<Value = Basic> {
    let capability = prop::sample::select(vec![
        Capability::None,
        Capability::Integrity,
        Capability::Offset0,
        Capability::Offsets,
    ]);
    let ckn = vec(any::<u8>(), 1..=32).prop_map(|octets| Ckn::new(&octets).unwrap());
    let numbers = (any::<u8>(), any::<u8>(), any::<u64>(), any::<u32>());
    (numbers, any::<bool>(), any::<bool>(), capability, mi(), ckn).prop_map(
        |((version, priority, sci, mn), key_server, macsec_desired, capability, mi, ckn)| Basic {
            version,
            priority,
            key_server,
            macsec_desired,
            capability,
            sci: Sci(sci),
            mi,
            mn: Mn(mn),
            ckn,
        },
    )
}

pub(super) fn peer_list(ssci: impl Strategy<Value = u8>) -> impl Strategy<Value = PeerList> {
    let peers = vec((mi(), any::<u32>().prop_map(Mn)), 0..=MAX_PEERS);
    (ssci, peers).prop_map(|(key_server_ssci, peers)| PeerList {
        key_server_ssci,
        peers: peers.into_iter().collect(),
    })
}

fn an() -> impl Strategy<Value = An> {
    prop::sample::select(An::ALL.to_vec())
}

fn key_use() -> impl Strategy<Value = KeyUse> {
    let mi = mi().prop_filter("a slot of zeros is empty", |mi| mi.0 != [0; 12]);
    let flags = (any::<bool>(), any::<bool>());
    (an(), mi, any::<u32>(), flags, 1..=u32::MAX).prop_map(|(an, mi, kn, (tx, rx), lowest_pn)| {
        KeyUse {
            an,
            mi,
            kn: Kn(kn),
            tx,
            rx,
            lowest_pn,
        }
    })
}

pub(super) fn sak_use() -> impl Strategy<Value = SakUse> {
    let flags = any::<[bool; 3]>();
    (option::of(key_use()), option::of(key_use()), flags).prop_map(
        |(latest, old, [plain_tx, plain_rx, delay_protect])| SakUse {
            latest,
            old,
            plain_tx,
            plain_rx,
            delay_protect,
        },
    )
}

/// A suite and a length of wrapped key that goes with it.
fn suite() -> impl Strategy<Value = (SuiteField, usize)> {
    let known = prop::sample::select(CipherSuite::ALL.to_vec())
        .prop_map(|suite| (SuiteField::Known(suite), suite.sak_len() + 8));
    let unknown = (any::<[u8; 7]>(), prop::sample::select(vec![24, 32, 40])).prop_map(
        |([a, b, c, d, e, f, g], len)| (SuiteField::Unknown([0xff, a, b, c, d, e, f, g]), len),
    );
    prop_oneof![known, unknown]
}

pub(super) fn distributed_sak() -> impl Strategy<Value = DistributedSak> {
    let protection = prop::sample::select(vec![
        Protection::IntegrityOnly,
        Protection::Offset0,
        Protection::Offset30,
        Protection::Offset50,
    ]);
    let key = (
        an(),
        protection,
        any::<u32>(),
        suite(),
        any::<[u8; 32]>(),
        any::<u64>(),
    )
        .prop_map(|(an, protection, kn, (suite, len), key, check)| {
            let wrapped: WrappedSak = check
                .to_be_bytes()
                .into_iter()
                .chain(key)
                .take(len)
                .collect();
            DistributedSak::Key(DistributedKey {
                an,
                protection,
                kn: Kn(kn),
                suite,
                wrapped,
            })
        });
    prop_oneof![1 => Just(DistributedSak::NoMacsec), 9 => key]
}

pub(super) fn kmd() -> impl Strategy<Value = Kmd> {
    vec(any::<u8>(), 0..=Kmd::MAX_LEN).prop_map(|octets| Kmd::new(&octets).unwrap())
}

pub(super) fn announcement() -> impl Strategy<Value = Announcement> {
    vec(any::<u8>(), 0..100).prop_map(|octets| Announcement::new(&octets))
}

pub(super) fn xpn() -> impl Strategy<Value = Xpn> {
    (any::<u8>(), any::<u32>(), any::<u32>()).prop_map(|(suspension, latest, old)| Xpn {
        suspension,
        latest,
        old,
    })
}

/// A MKPDU with any of the sets that are sent. The longest one fits into a frame.
pub(super) fn mkpdu() -> impl Strategy<Value = Mkpdu> {
    let lists = (
        option::of(peer_list(any::<u8>())),
        option::of(peer_list(Just(0))),
    );
    let keys = (
        option::of(sak_use()),
        option::of(distributed_sak()),
        option::of(xpn()),
    );
    let rest = (option::of(kmd()), option::of(announcement()), any::<bool>());
    (basic(), lists, keys, rest).prop_map(
        |(
            basic,
            (live, potential),
            (sak_use, distributed_sak, xpn),
            (kmd, announcement, icv_indicator),
        )| {
            Mkpdu {
                live,
                potential,
                sak_use,
                distributed_sak,
                kmd,
                announcement,
                xpn,
                icv_indicator,
                ..Mkpdu::new(basic)
            }
        },
    )
}
