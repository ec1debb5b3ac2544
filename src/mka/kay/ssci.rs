//! SSCIs and salt of the XPN suites (802.1AE-2018 10.7.13, 802.1X-2020 9.10).

use alloc::vec::Vec;

use crate::{
    ieee::{Salt, Sci, Ssci},
    mka::{Kn, Mi},
};

/// Who has which SSCI under one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sscis {
    /// Our own; `None` without XPN.
    pub(super) own: Option<Ssci>,
    /// Peers'; empty without XPN.
    pub(super) peers: Vec<(Sci, Ssci)>,
}

impl Sscis {
    /// The greatest SCI has 1, the next one 2.
    pub(super) fn by_sci(own: Sci, peers: &[Sci]) -> Self {
        let mut all: Vec<Sci> = peers.iter().copied().chain([own]).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.dedup();
        Self::in_order(own, all.into_iter().zip((1..).map(Ssci)))
    }

    /// In the order of a key server's live list: its own number is left out of the count. `None` where we
    /// are not in the list, or where the number can't be.
    pub(super) fn by_list(own: Sci, server: Sci, number: u8, list: &[Sci]) -> Option<Self> {
        let number = u32::from(number);
        let mut free = (1..).filter(|ssci| *ssci != number).map(Ssci);
        let members = list.iter().copied().zip(free.by_ref());
        let fits = number != 0
            && usize::try_from(number).is_ok_and(|number| number <= list.len() + 1)
            && list.contains(&own);
        fits.then(|| Self::in_order(own, members.chain([(server, Ssci(number))])))
    }

    /// As the operator says; for one peer only.
    pub(super) fn forced(own: Ssci, peer: Ssci, peers: &[Sci]) -> Option<Self> {
        match peers {
            [one] => Some(Self {
                own: Some(own),
                peers: [(*one, peer)].into(),
            }),
            _ => None,
        }
    }

    fn in_order(own: Sci, members: impl Iterator<Item = (Sci, Ssci)>) -> Self {
        let mut sscis = Self::default();
        for (sci, ssci) in members {
            if sci == own {
                sscis.own = Some(ssci);
            } else {
                sscis.peers.push((sci, ssci));
            }
        }
        sscis
    }
}

/// The salt of a key: its server's member identifier, with the key number in the first four octets
/// (802.1AE-2018 10.7.8).
pub(super) fn salt(server: Mi, kn: Kn) -> Salt {
    let mut salt = server.0;
    let [a, b, c, d] = kn.0.to_be_bytes();
    // The low half first.
    for (octet, number) in salt.iter_mut().zip([c, d, a, b]) {
        *octet ^= number;
    }
    Salt(salt)
}
